"""`deploy --main` and `--set`: what is taken, what is refused with file and line, and that a board runs with it."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from conversion.progress import silent
from host_tools import boards, payload
from host_tools.configuration import settings
from host_tools.deployment import deploy, entries, own_main
from host_tools.errors import BoardError
from host_tools.payload import MAIN, POSE_CONFIG, Payload
from tests.firmware.app.board import Board as StandIns
from tests.host_tools.verification import small
from tests.jumping import VirtualBoard


@pytest.fixture
def the_payload() -> Payload:
    """Of a Maix Bit, without a kmodel."""
    bit = boards.find("maix_bit")
    files = {name: path.read_bytes() for name, path in payload.program().items()}
    return Payload(bit, Path("m.kmodel"), b"", {}, files, boards.pose_config(bit), None)


def test_a_file_is_taken(the_payload: Payload, tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_bytes(b"import pose_app\npose_app.run(print)\n")
    made = own_main.given(the_payload, str(mine))
    assert made.files[MAIN] == mine.read_bytes()
    assert (made.main_chosen, made.own_main) == (True, True)


def test_an_example_is_taken_by_its_name_and_the_projects_own_by_main(the_payload: Payload) -> None:
    assert own_main.names()[0] == "main"
    for name in own_main.names()[1:]:
        made = own_main.given(the_payload, name)
        assert made.files[MAIN] == (payload.FIRMWARE / "examples" / f"{name}.py").read_bytes()
    back = own_main.given(the_payload, "main")
    assert (back.files, back.main_chosen, back.own_main) == (the_payload.files, True, False)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"import pose_app\nif x:\n", "no Python, line 2"),
        (b"import pose_app\nprint(f'{x}')\n", "line 2 has f-strings, which MicroPython 1.11 does not know"),
        (b"import pose_app\nx: int = 1\n", "line 2 has annotated variables"),
        (b"import pose_app\n\xff\n", "is no text in UTF-8"),
        (b"import pose_app\0\n", "no Python"),
        (b"print('hello')\n", "does not use pose_app"),
        (b"import pose_app\n" + b"#" * 40_000, "40016 bytes; MicroPython has memory to compile 32768"),
    ],
)
def test_what_could_not_run_is_refused(the_payload: Payload, tmp_path: Path, content: bytes, words: str) -> None:
    mine = tmp_path / "mine.py"
    mine.write_bytes(content)
    with pytest.raises(BoardError) as caught:
        own_main.given(the_payload, str(mine))
    assert str(caught.value).startswith(f"{mine}: ")
    assert words in str(caught.value)


def test_a_name_that_is_none_lists_the_examples(the_payload: Payload) -> None:
    with pytest.raises(BoardError, match="nothing: no such file, and no example; examples are people_counter, raised"):
        own_main.given(the_payload, "nothing")


def test_what_can_be_set_is_what_the_program_takes(the_payload: Payload) -> None:
    with StandIns().modules():
        config = importlib.import_module("pose_config")
    others = {name: (low, high) for name, (low, high, _) in config.OTHERS.items()}
    dual = {"camera.dual_buffer": config.CAMERA["dual_buffer"][:2]}
    assert dict(entries.NUMBERS) == others | dual
    pairs = [f"{name}={high}" for name, (_, high) in entries.NUMBERS.items()]
    pairs += [f"{name}={setting.high}" for name, setting in settings.KNOWN.items()]
    made = entries.given(the_payload, [*pairs, "pictures=/sd/photos"])
    taken = config.Config(json.loads(json.dumps(made.pose_config)))
    assert (taken.draw_score, taken.pictures, taken.settings["max_poses"]) == (255, "/sd/photos", 32)
    assert taken.lcd == the_payload.pose_config["lcd"]


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        ("draw_score=256", "draw_score=256: must be a whole number from 0 to 255"),
        ("draw_score=x", "must be a whole number"),
        ("settings.root_score=2.0", "must be a whole number from 1 to 32768"),
        ("lcd.freq=1", "cannot be set here; draw_score"),
        ("pictures=photos", "must be a folder of the board"),
        ("draw_score", "write it as KEY=VALUE"),
    ],
)
def test_a_wrong_entry_is_named(pair: str, words: str) -> None:
    with pytest.raises(BoardError, match=words):
        entries.parse([pair])


def test_removing_takes_no_program_and_no_entries() -> None:
    for chosen in ({"main": "people_counter"}, {"entries": ("draw_score=9",)}):
        with pytest.raises(BoardError, match="leave --main and --set out"):
            deploy.remove(replace(deploy.DeployOptions("nowhere"), **chosen), silent, lambda *_: None)


@pytest.mark.soak
def test_a_board_runs_an_example_with_chosen_entries_until_they_are_chosen_anew(tmp_path: Path) -> None:
    kmodel = small.write(tmp_path / "small.kmodel")

    def deployed(**chosen: object) -> deploy.Report:
        options = replace(deploy.DeployOptions(board.port, "maix_bit", kmodel), **chosen)
        return deploy.run(options, silent, lambda *_: None)

    with VirtualBoard(model=kmodel, camera=small.scene()) as board:
        deployed(main="people_counter", entries=("draw_score=90", "settings.max_poses=3"))
        main = board.flash_folder / MAIN
        assert main.read_bytes() == (payload.FIRMWARE / "examples" / "people_counter.py").read_bytes()
        board.wait_for("$FRAME,")
        config = json.loads((board.flash_folder / POSE_CONFIG).read_text())
        assert (config["draw_score"], config["settings"]) == (90, {"max_poses": 3})
        again = deployed()
        assert again.nothing_to_do, again
        assert "your own and uses pose_app" in " ".join(again.notes)
        deployed(main="main")
        assert main.read_bytes() == (payload.FIRMWARE / MAIN).read_bytes()
