"""Settings of a board: as the program has them; typed, shown, changed, kept; and what cannot be."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware import pose_decoder
from host_tools import cli
from host_tools.configuration import settings
from host_tools.errors import BoardError
from tests.command_line import Ended, invoke
from tests.firmware.app.board import Board as StandIns
from tests.host_tools.verification import small
from tests.jumping import VirtualBoard


@pytest.fixture
def board() -> Iterator[VirtualBoard]:
    """A board whose program runs."""
    with small.board() as started:
        started.wait_for("$FRAME,")
        yield started


def config(board: VirtualBoard, *arguments: object) -> Ended:
    """The command, on this board."""
    word, *rest = arguments
    return invoke(cli.main, ["config", word, "--port", board.port, *rest])


def kept(board: VirtualBoard) -> dict:
    """What the board's pose_config.json says."""
    return json.loads((board.flash_folder / "pose_config.json").read_text())


def test_names_ranges_and_what_is_saved_are_the_programs() -> None:
    with StandIns().modules():
        import pose_settings
    assert tuple(settings.KNOWN) == pose_settings.NAMES
    for name, low, high, _ in pose_settings.TABLE:
        assert (settings.KNOWN[name].low, settings.KNOWN[name].high) == (low, high), name
    assert tuple(name for name, setting in settings.KNOWN.items() if setting.saved) == pose_settings.SAVED


@given(name=st.sampled_from(sorted(settings.KNOWN)), value=st.integers(-10, 4_000_000))
def test_whole_numbers_in_their_range_are_taken_and_no_others(name: str, value: int) -> None:
    setting = settings.KNOWN[name]
    if setting.low <= value <= setting.high:
        assert settings.parse([f"{name}={value}"]) == {name: value}
    else:
        with pytest.raises(BoardError, match=f"{name}={value}: must be a whole number from {setting.low} to"):
            settings.parse([f"{name}={value}"])


@given(pair=st.text())
def test_any_text_is_a_setting_or_one_clear_line(pair: str) -> None:
    try:
        found = settings.parse([pair])
    except BoardError:
        found = {}
    assert set(found) <= set(settings.KNOWN)


def test_a_score_may_be_a_fraction() -> None:
    assert settings.parse(["root_score=0.5", "pose_score=0.0"]) == {"root_score": 16384, "pose_score": 0}
    for text in ("1.1", "-0.1", "nan.", "1e999.", "0.5.5"):
        with pytest.raises(BoardError, match="or a fraction of 1"):
            settings.parse([f"root_score={text}"])


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        (["speed=1"], "there is no setting 'speed'; there are: mode, max_poses"),
        (["mode"], "mode: write it as KEY=VALUE"),
        (["mode=1", "mode=0"], "mode=0: mode is given twice"),
    ],
)
def test_what_is_wrong_is_named(pairs: list[str], words: str) -> None:
    with pytest.raises(BoardError) as caught:
        settings.parse(pairs)
    assert str(caught.value).startswith(words)


def test_settings_are_shown(board: VirtualBoard) -> None:
    shown = config(board, "get")
    assert shown.exit_code == 0, shown.stderr
    assert "root_score" in shown.stdout
    assert "16384 (0.50)" in shown.stdout
    some = json.loads(config(board, "get", "--json", "max_poses", "share").stdout)
    assert list(some) == ["max_poses", "share"]
    assert some["max_poses"] == pose_decoder.DEFAULTS[0]


def test_what_is_set_lasts_until_the_next_start(board: VirtualBoard) -> None:
    before = kept(board)
    done = config(board, "set", "max_poses=2", "root_score=0.25", "preview_quality=60")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines() == ["max_poses=2", "root_score=8192 (0.25)", "preview_quality=60"]
    assert "`config save` keeps it" in done.stderr
    assert json.loads(config(board, "get", "--json", "max_poses", "preview_ms").stdout) == {
        "max_poses": 2,
        "preview_ms": 0,
    }
    assert kept(board) == before
    board.reset()
    board.wait_for("$FRAME,")
    assert json.loads(config(board, "get", "--json", "max_poses").stdout) == {"max_poses": pose_decoder.DEFAULTS[0]}


def test_what_is_saved_is_there_after_the_next_start_and_the_rest_stays(board: VirtualBoard) -> None:
    before = kept(board)
    config(board, "set", "preview_quality=60")
    done = config(board, "save", "max_poses=2", "pose_score=0.15")
    assert done.exit_code == 0, done.stderr
    assert "saved in the board's pose_config.json" in done.stdout
    now = kept(board)
    assert {name: value for name, value in now.items() if name != "settings"} == before
    assert (now["settings"]["max_poses"], now["settings"]["pose_score"]) == (2, 4915)
    assert not [name for name in now["settings"] if name.startswith("preview")]
    assert not list(board.flash_folder.glob("*.new"))
    board.reset()
    board.wait_for("$FRAME,")
    assert json.loads(config(board, "get", "--json", "max_poses", "pose_score").stdout) == {
        "max_poses": 2,
        "pose_score": 4915,
    }


def test_a_power_cut_while_it_is_saved_leaves_the_new_file_under_its_other_name() -> None:
    """The board starts with it, and the next save puts it in its place."""
    with small.board() as board:
        board.wait_for("$FRAME,")
        config(board, "save", "max_poses=3")
        file = board.flash_folder / "pose_config.json"
        file.rename(file.with_name(file.name + ".new"))
        board.reset()
        board.wait_for("$FRAME,")
        assert json.loads(config(board, "get", "--json", "max_poses").stdout) == {"max_poses": 3}
        assert config(board, "save").exit_code == 0
        assert kept(board)["settings"]["max_poses"] == 3
        assert not list(board.flash_folder.glob("*.new"))


def test_previews_are_not_saved(board: VirtualBoard) -> None:
    refused = config(board, "save", "preview_ms=100")
    assert refused.exit_code == 2
    assert "preview_ms: is not saved" in refused.stderr


def test_an_older_program_cannot_save() -> None:
    older = small.damaged("pose_commands.py", ('    b"SAVE": ("_save", 0, 0),\n', ""))
    with small.board(older) as board:
        board.wait_for("$FRAME,")
        refused = config(board, "save", "max_poses=2")
    assert refused.exit_code == 2
    assert "older than this tool and cannot save: run `deploy`" in refused.stderr
