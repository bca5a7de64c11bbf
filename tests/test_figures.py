"""Published figures: each stands in its README as listed, tables are what their commands print, drift is noticed."""

import json
import sys
from pathlib import Path

import pytest

from host_tools.virtual_board import frame_rate
from host_tools.virtual_board.frame_rate import Conditions
from tests import reproduce
from tests.conversion import sizes


def test_every_figure_stands_where_it_is_published(root: Path) -> None:
    runs, figures = reproduce.load()
    for figure in figures:
        assert figure.text in (root / figure.file).read_text(), f"{figure.name} in {figure.file}"
        assert figure.run in runs


def test_the_table_of_sizes_is_what_the_planner_gives(root: Path) -> None:
    assert sizes.table() in (root / "conversion" / "README.md").read_text()


def test_frames_a_second_are_looked_for_in_the_runs_that_they_are_of() -> None:
    plan = frame_rate.plan(None)
    conditions = {
        "a monitor attached": Conditions(),
        "nobody there": Conditions(host=frame_rate.NOBODY),
        "a monitor attached, 4 people": Conditions(people=4),
        "a monitor attached, LCD at 20 MHz": Conditions(lcd_hertz=20_000_000),
        "a monitor attached, one camera buffer": Conditions(buffers=1),
        "a monitor attached, LCD of 240x135": Conditions(lcd_size=(240, 135)),
        "a monitor attached, 1.2 cycles": Conditions(cycles=frame_rate.FEWEST_CYCLES),
        "a monitor attached, 1.8 cycles": Conditions(cycles=frame_rate.MOST_CYCLES),
    }
    of_tables = [figure for figure in reproduce.load()[1] if figure.name.startswith("frames a second, ")]
    rows = [figure.name.split(", ", 2)[2] for figure in of_tables]
    assert set(rows) == set(conditions)
    for figure, row in zip(of_tables, rows, strict=True):
        assert plan[int(figure.path.split(".")[1])] == conditions[row], figure.name


@pytest.fixture
def one_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A list with one figure, 2 ± 0.1, whose command copies what the fixture's path holds."""
    source = tmp_path / "source.json"
    copy = f"import shutil; shutil.copy({str(source)!r}, {str(tmp_path / 'result.json')!r})"
    toml = f"""
[run.copy]
command = ["-c", {json.dumps(copy)}]
result = {json.dumps(str(tmp_path / "result.json"))}
[[figure]]
name = "two"
file = "README.md"
text = ""
run = "copy"
path = "numbers.1"
value = 2
tolerance = 0.1
"""
    (tmp_path / "figures.toml").write_text(toml)
    monkeypatch.setattr(reproduce, "FIGURES", tmp_path / "figures.toml")
    return source


@pytest.mark.parametrize(("value", "code"), [(2, 0), (2.09, 0), (2.2, 1), (-2, 1)])
def test_drift_is_exit_code_1(value: float, code: int, one_figure: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one_figure.write_text(json.dumps({"numbers": [1, value]}))
    assert reproduce.main([]) == code
    said = capsys.readouterr().out
    assert ("CHANGED two" in said) == bool(code)
    assert f"CPython {sys.version_info.major}" in said


def test_what_cannot_be_measured_here_is_said(
    one_figure: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = reproduce.FIGURES.read_text().replace("[[figure]]", 'needs = "/nonexistent"\n[[figure]]', 1)
    reproduce.FIGURES.write_text(text)
    assert reproduce.main([]) == 0
    assert "not checked here: /nonexistent is missing" in capsys.readouterr().out


def test_runs_by_name(one_figure: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one_figure.write_text(json.dumps({"numbers": [1, 2]}))
    other = '\n[run.never]\ncommand = ["-c", "raise SystemExit(1)"]\nresult = "nowhere"\n'
    reproduce.FIGURES.write_text(reproduce.FIGURES.read_text() + other)
    assert reproduce.main(["copy"]) == 0
    assert "ok      two: 2" in capsys.readouterr().out


def test_an_unknown_run_is_exit_code_2(one_figure: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reproduce.main(["copy", "paste"]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "reproduce: paste: no such run; there are copy\n")
