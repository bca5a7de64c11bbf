"""The terminal: fits 80 columns with every figure whole, and texts from files are no markup."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from conversion import printing
from conversion.inspection import inspect, terminal, text_format
from conversion.inspection.model import Inspection
from tests.conversion.inspection.test_page import NAUGHTY, kmodel, looked_into
from tests.conversion.inspection.tflite_files import small


def printed(found: Inspection, width: int = 80, terminal_: bool = True) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False, color_system=None, force_terminal=terminal_)
    for part in terminal.renderables(found):
        printing.show(part, console)
    return console.file.getvalue()


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Inspection:
    return looked_into(tmp_path_factory.mktemp("v3"), kmodel())


def test_it_fits_80_columns_with_nothing_cut(own: Inspection, coral_file: Path, tfjs_folder: Path) -> None:
    for found in (own, inspect(coral_file), inspect(tfjs_folder)):
        text = printed(found)
        assert max(map(len, text.splitlines())) <= 80
        assert "…" not in text
        for layer in found.layers:
            assert text_format.label(layer) in text
            assert layer.type in text
            if layer.parameters:
                assert f"{layer.parameters:,}" in text
            if layer.macs:
                assert text_format.millions(layer.macs.useful) in text


def test_the_layers_of_our_own_kmodel_are_a_table_at_80_columns(own: Inspection) -> None:
    layers = printed(own).partition("\nlayers\n")[2].splitlines()
    assert len([line for line in layers if "K210_CONV" in line]) == len(own.layers)


def test_in_a_pipe_nothing_is_padded(own: Inspection) -> None:
    lines = printed(own, terminal_=False).splitlines()
    assert not [line for line in lines if "   " in line or line.endswith(" ")]
    assert any(line.startswith("3  -  depthwise2 1/3  K210_CONV  3x3 /2  ") for line in lines)


def test_what_it_says(own: Inspection) -> None:
    lines = printed(own).splitlines()
    assert any(line.startswith("KPU RAM") and "1620 of 2048 KiB" in line for line in lines)
    assert any("depthwise2 3/3" in line and "3x3 /2" in line and "16 × 80x60" in line for line in lines)
    assert any("pointwise2" in line and "1x1 " in line and " 3–5 " in line for line in lines)
    assert any(line.startswith("KPU time") and " ms at 400 MHz, estimated" in line for line in lines)
    assert any("output 4" in line and "displacement_bwd" in line for line in lines)


def test_names_from_a_file_are_printed_as_they_are(tmp_path: Path) -> None:
    text = printed(looked_into(tmp_path, small(names=NAUGHTY, custom="[bold]op[/bold]")), width=200)
    assert "[red]x[/]" in text
    assert "[bold]op[/bold]" in text
