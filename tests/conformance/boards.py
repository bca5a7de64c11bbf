"""The two boards that are asked: a real MaixPy image on the emulated chip, and the virtual board with its stand-ins."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from host_tools.k210 import CrashError, EmulatorError, Machine, Session, WaitError
from tests.conformance.probes import CARD, STOPS, Probe, answer, groups, normalised, preparation, source
from tests.host_tools.k210 import fat, states
from tests.host_tools.k210.images import image
from tests.host_tools.virtual_board import kmodels
from tests.host_tools.virtual_board.shell import Shell, type_in
from tests.jumping import VirtualBoard

MODEL_ADDRESS = 0x30_0000
REAL_SECONDS = states.REAL_SECONDS
# A call that has not come back after so long will not: of the emulated board, of the stand-in.
_STOPPED_SECONDS = 4.0
_STOPPED, _RESET, _CRASHED = "(the chip stops)", "(the chip starts anew)", "(the firmware crashes)"
_BACK = "(comes back) "
_DUMP = "core dump"
_BOOTED = "[MaixPy] init end"


class Noise:
    """A camera that always sees the same noise, of which every pixel is one that RGB565 can hold."""

    def picture(self, number: int, width: int, height: int) -> np.ndarray:
        values = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
        return values


def ask_image(name: str, group: str) -> dict[str, str]:
    """{probe: answer} of a real image to a group."""
    if group == STOPS:
        return {probe.code: _stop_of_image(_booted(name), probe) for probe in groups()[group]}
    if group == CARD:
        with tempfile.TemporaryDirectory() as folder:
            card = Path(folder) / "card.img"
            card.write_bytes(fat.card({}))
            return _answers(Session(_with_a_card(image(name), card)), group)
    return _answers(_booted(name), group)


def _answers(board: Session, group: str) -> dict[str, str]:
    board.execute(preparation(), real_seconds=REAL_SECONDS)
    return {probe.code: _ask(board, probe) for probe in groups()[group]}


def _booted(name: str) -> Session:
    """A board at its raw prompt, from a saved state."""
    machine = states.plain(name)
    machine.look_at(Noise())
    return Session(machine)


def _with_a_card(firmware: bytes, card: Path) -> Machine:
    machine = Machine(firmware, sd=card)
    machine.flash.put(MODEL_ADDRESS, kmodels.kmodel())
    machine.power_on()
    session = Session(machine)
    session.boot(real_seconds=REAL_SECONDS)
    session.enter_raw(real_seconds=REAL_SECONDS)
    return machine


def _ask(board: Session, probe: Probe) -> str:
    try:
        printed, traceback = board.attempt(source(probe), real_seconds=REAL_SECONDS)
    except EmulatorError as error:
        raise EmulatorError(f"{probe.id}: {error}; a probe that stops the chip belongs into {STOPS}.txt") from error
    return answer(printed + traceback)


def _stop_of_image(board: Session, probe: Probe) -> str:
    begin = len(board.sent)
    board.type(probe.code.encode() + b"\x04")
    try:
        board.wait(b"\x04>", begin, seconds=_STOPPED_SECONDS, real_seconds=REAL_SECONDS)
    except CrashError:
        return _CRASHED
    except WaitError:
        pass
    return _stop(bytes(board.sent[begin:]).decode("utf-8", "replace"))


def _stop(said: str) -> str:
    """What a board that does not come back did."""
    if _BOOTED in said:
        return _RESET
    if "\x04>" in said:
        return _BACK + normalised(said.removeprefix("OK").replace("\r", "").replace("\x04", "").rstrip("\n>"))
    if _DUMP in said:
        return _CRASHED
    lines = said.removeprefix("OK").replace("\r", "").strip("\n").split("\n")
    return normalised("\n".join([*dict.fromkeys(line for line in lines if line), _STOPPED]))


def ask_stand_in(group: str) -> dict[str, str]:
    """{probe: answer} of the virtual board to a group."""
    if group == STOPS:
        return {probe.code: _stop_of_stand_in(probe) for probe in groups()[group]}
    with _virtual(group == CARD) as board:
        shell = Shell(board)
        shell.run(preparation())
        return {probe.code: answer("".join(shell.answer(source(probe)))) for probe in groups()[group]}


def _virtual(card: bool = False) -> VirtualBoard:
    return VirtualBoard(kmodels.kmodel(), camera=Noise(), sd={} if card else None)


def _stop_of_stand_in(probe: Probe) -> str:
    with _virtual() as board:
        Shell(board)
        begin = len(board.output())
        type_in(board, probe.code.encode() + b"\x04")
        board.pass_time(_STOPPED_SECONDS)
        said = board.output()[begin:]
    return _stop(said)
