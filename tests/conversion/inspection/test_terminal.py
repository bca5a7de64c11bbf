"""The terminal: fits 100 columns with every figure whole, and texts from files are no markup."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from conversion.inspection import inspect, terminal, text_format
from conversion.inspection.model import Inspection
from tests.conversion.inspection.test_page import NAUGHTY, kmodel, looked_into
from tests.conversion.inspection.tflite_files import small


def printed(found: Inspection, width: int = terminal.WIDTH) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False, color_system=None)
    for part in terminal.renderables(found):
        console.print(part)
    return console.file.getvalue()


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Inspection:
    return looked_into(tmp_path_factory.mktemp("v3"), kmodel())


def test_it_fits_100_columns_with_nothing_cut(own: Inspection, coral_file: Path, tfjs_folder: Path) -> None:
    for found in (own, inspect(coral_file), inspect(tfjs_folder)):
        text = printed(found)
        assert max(map(len, text.splitlines())) <= 100
        assert "…" not in text
        for layer in found.layers:
            if layer.parameters:
                assert f"{layer.parameters:,}" in text


def test_figures_stay_whole_where_names_must_give_way(coral_file: Path) -> None:
    found = inspect(coral_file)
    text = printed(found, width=80)
    assert "…" in text
    assert max(map(len, text.splitlines())) <= 80
    for layer in found.layers:
        if layer.macs:
            assert f"{layer.parameters:,}" in text
            assert text_format.millions(layer.macs.useful) in text


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
