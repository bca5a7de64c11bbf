"""`deploy` on the vendor's own file system: power cuts at any flash operation, a full /flash, pages that do not take.

The board runs in this process, step by step: its prompt is typed at without mpremote. A program of a few lines stands
for ours, as in the other tests of interruptions.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

import pytest

from conversion.progress import silent
from host_tools import boards, payload
from host_tools.deployment import changes
from host_tools.deployment.flash_folder import FlashFolder
from host_tools.errors import BoardError, LinkError
from host_tools.k210 import Machine, WaitError
from tests.host_tools.deployment import tiny
from tests.host_tools.k210 import states
from tests.host_tools.k210.on_line import InProcessPrompt
from tests.host_tools.k210.states import PatientSession
from tests.host_tools.k210.test_real_endings import sampled

_FLASH_START = 0xD0_0000
RUNS, PROMPT = b" runs\r\n", b"\r\n>>> "


def payload_of(version: int, folder: Path, more: Mapping[str, str] | None = None) -> payload.Payload:
    """A version of the tiny program, as deploy has it, and more files."""
    program = folder / f"program-{version}"
    program.mkdir(exist_ok=True)
    for name, text in {**tiny.program(version), **(more or {})}.items():
        (program / name).write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(payload, "FIRMWARE", program)
        return payload.of(boards.find(states.BOARD), states.kmodel_files(folder))


def board_with_version_1(name: str, folder: Path) -> PatientSession:
    """At its raw prompt, the first version in /flash."""
    the_payload = payload_of(1, folder)
    files = changes.of_deploy(the_payload, changes.Found()).write
    return states.at_the_prompt(name, files)


def deploy(session: PatientSession, the_payload: payload.Payload) -> None:
    """What `deploy` does between its first Ctrl-C and the reset."""
    folder = FlashFolder(InProcessPrompt(session), silent)
    found = folder.found(the_payload)
    the_changes = changes.of_deploy(the_payload, found)
    folder.check_room(found, the_changes)
    folder.apply(the_changes, lambda done, total: None)


def operations(machine: Machine) -> int:
    return machine.flash.programs + machine.flash.erases


def runs_after(machine: Machine) -> bytes:
    """Switch it on: which version of the program runs, b"" where none does and the prompt comes."""
    machine.power_on()
    sent = PatientSession(machine).sent
    machine.run(lambda: RUNS in sent or PROMPT in sent, seconds=60, real_seconds=states.REAL_SECONDS)
    at = sent.find(RUNS)
    return bytes(sent[at - 1 : at]) if at > 0 else b""


def exchanged_main(board: PatientSession) -> bool:
    """Whether what a deploy left was the exchange of main.py itself, which MaixPy's rename removes first
    (flash_folder.py): everything new is there, under one name or the other."""
    names = board.execute("import os\nprint(os.listdir('/flash'))")
    return "'main.py.new'" in names and "'main.py'" in names


@pytest.mark.parametrize(("name", "times"), sampled(0, 16, 4))
def test_a_power_cut_at_any_flash_operation_leaves_a_board_that_starts_or_that_deploy_mends(
    name: str, times: int, tmp_path: Path
) -> None:
    new = payload_of(2, tmp_path)
    whole = board_with_version_1(name, tmp_path)
    before = operations(whole.machine)
    deploy(whole, new)
    count = operations(whole.machine) - before
    assert count > 100
    chance = random.Random(f"{name} {times}")
    without = 0
    for number in range(times):
        board = board_with_version_1(name, tmp_path)
        # Spread over all of the deploy, and half of them in the middle of a page.
        operation = 1 + int((number + chance.random()) * (count - 1) / times)
        board.machine.power_cut(operation, done=0.5 * (number % 2))
        with pytest.raises(WaitError, match="power"):
            deploy(board, new)
        version = runs_after(board.machine)
        again = PatientSession(board.machine)
        again.enter_raw()
        assert version in (b"", b"1", b"2")
        if not version:
            without += 1
            assert exchanged_main(again)
        deploy(again, new)
        board.machine.power_off()
        assert runs_after(board.machine) == b"2"
    # Two short moments of a deploy.
    assert without <= times // 4


@pytest.mark.soak
@pytest.mark.parametrize("name", states.IMAGES)
def test_a_file_system_without_room_is_said_before_anything_is_written(name: str, tmp_path: Path) -> None:
    """To fill all of /flash takes an hour: a file that is as large as all that is free does not fit with the others."""
    board = board_with_version_1(name, tmp_path)
    board.execute("f = open('/flash/mine.bin', 'wb')\nf.write(bytes(65536))\nf.close()")
    free = int(board.execute("import os\ns = os.statvfs('/flash')\nprint(s[0] * s[3])"))
    before = operations(board.machine)
    large = payload_of(2, tmp_path, {"pose_large.py": "#" * free})
    with pytest.raises(BoardError, match=r"/flash has \d+ KiB free, \d+ KiB are needed: .*mine\.bin"):
        deploy(board, large)
    assert operations(board.machine) == before
    board.machine.power_off()
    assert runs_after(board.machine) == b"1"


@pytest.mark.soak
@pytest.mark.parametrize("lost", [changes.LIST, "pose_app.py"])
@pytest.mark.parametrize("name", states.IMAGES)
def test_a_file_whose_page_a_power_cut_has_erased_is_written_anew(name: str, lost: str, tmp_path: Path) -> None:
    """MaixPy's file system erases a sector to change a byte of it: what lay there goes with the power."""
    first = payload_of(1, tmp_path)
    board = board_with_version_1(name, tmp_path)
    data = board.machine.flash.data
    at = data.find(changes.of_deploy(first, changes.Found()).write[lost], _FLASH_START) & -4096
    data[at : at + 4096] = b"\xff" * 4096
    board.machine.power_off()
    assert runs_after(board.machine) == (b"1" if lost == changes.LIST else b"")
    again = PatientSession(board.machine)
    again.enter_raw()
    assert "EIO" in again.attempt(f"with open('/flash/{lost}') as file: file.read()")[1]
    deploy(again, first)
    board.machine.power_off()
    assert runs_after(board.machine) == b"1"
    last = PatientSession(board.machine)
    last.enter_raw()
    assert FlashFolder(InProcessPrompt(last), silent).found(first).damaged == set()


class Worn(bytearray):
    """A flash chip's content of which no erased byte can be written any more."""

    def __setitem__(self, key: int | slice, value: int | bytes) -> None:
        if isinstance(key, int) and key >= _FLASH_START and self[key] == 0xFF:
            return
        super().__setitem__(key, value)


@pytest.mark.parametrize("name", states.EACH)
def test_a_chip_that_does_not_take_what_is_written_is_found_out(name: str, tmp_path: Path) -> None:
    board = board_with_version_1(name, tmp_path)
    flash = board.machine.flash
    sound, flash.data = flash.data, Worn(flash.data)
    with pytest.raises((BoardError, LinkError), match=r"flash chip fails|full or damaged"):
        deploy(board, payload_of(2, tmp_path))
    # What lies there is what lay there: no byte of the old program is touched before all new ones are checked.
    flash.data = sound
    board.machine.power_off()
    assert runs_after(board.machine) == b"1"


@pytest.mark.soak
@pytest.mark.parametrize("name", states.IMAGES)
def test_a_heap_that_cannot_be_had_is_put_back(name: str) -> None:
    board = states.running(name)
    board.enter_raw()
    board.execute(f"from Maix import utils\nutils.gc_heap_size({6000 * 1024})")
    begin = len(board.sent)
    board.machine.reset()
    board.wait("MicroPython's heap is set to 512 KiB (6000 KiB could not be had): resetting", begin)
    said = board.wait("$FRAME,", begin)
    assert b"heap 759 KiB" in said or b"heap 506 KiB" in said, said
