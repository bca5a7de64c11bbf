"""The table that sets the published forms beside each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from conversion.inspection import comparison, document, inspect


def test_one_column_a_file(tfjs_folder: Path, checkpoint_folder: Path, coral_file: Path) -> None:
    found = [document.to_dict(inspect(path)) for path in (tfjs_folder, checkpoint_folder, coral_file)]
    lines = comparison.table(found).splitlines()
    cells = {line.split(" | ")[0].strip("| "): [cell.strip("| ") for cell in line.split(" | ")[1:]] for line in lines}
    assert {len(row) for row in cells.values()} == {3}
    assert cells["form"] == ["tfjs graph model", "tfjs checkpoint", "Coral quantised TFLite"]
    assert cells["parameters"][0] == "1,258,195 (float32)"
    assert cells["parameters"][2] == "1,258,195 (uint8, biases int32)"
    assert "71 files, 8 of them not used" in cells["size"][1]
    assert cells["input"][0] == "`sub_2` float32 1×any×any×3, p / 127.5 - 1"
    assert "p / 128 - 1" in cells["input"][2]
    assert "heatmap -6.024 to 5.976" in cells["range of the heads"][2]
    assert "PosenetDecoderOp" in cells["layers"][2]


def test_the_command(tfjs_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert comparison.main([str(tfjs_folder)]) == 0
    assert capsys.readouterr().out.startswith("|  | `model-stride16.json` |\n| --- | --- |\n")
    assert comparison.main([str(tfjs_folder), str(tmp_path / "nothing")]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    assert comparison.main([]) == 2


def test_bars_in_names_do_not_break_the_table() -> None:
    found = {
        "file": "a|b", "form": "x", "known": None, "network": None, "bytes": 1, "files": [], "inputs": [],
        "outputs": [{"name": "o|p", "dtype": "uint8", "shape": [1], "range": None}], "normalisation": None,
        "size_assumed": None, "layers": [], "totals": {"parameters": 0, "parameter_bytes": 0, "macs_useful": 0},
        "remarks": [], "weights_input": False, "refusal": "no",
    }  # fmt: skip
    assert all(line.count("|") == 3 for line in comparison.table([found]).splitlines())
