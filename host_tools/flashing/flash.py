"""Writes kmodel and firmware into a board's flash with kflash, and proves by reading back that they are there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from conversion import firmware_image
from conversion.progress import BYTES, Report, Talk
from host_tools.boards import Board
from host_tools.errors import FlashError, LinkError, VerificationError
from host_tools.flashing import download, readback, sources
from host_tools.flashing.download import Download, DownloadError
from host_tools.flashing.kfpkg import Package
from host_tools.flashing.watch import Stage
from host_tools.prompt.repl import Prompt
from host_tools.serial_link import link_note
from host_tools.time_limits import Limit

# Tried one after the other below the first, which the board's bridge is known to carry.
SLOWER = (460_800, 115_200)
READING = "reading back"


@dataclass(frozen=True)
class Writing:
    """What is to be written to which kind of board, and at which baud rates it is tried, the fastest first."""

    board: Board
    package: Package
    rates: tuple[int, ...]

    @property
    def has_firmware(self) -> bool:
        """Whether the firmware is replaced."""
        return any(entry.firmware for entry in self.package.entries)


@dataclass(frozen=True)
class Outcome:
    """What was done: the baud rate that worked, and whether the flash was read back (and was right)."""

    baud: int
    verified: bool


def prepare(
    board: Board,
    model: Path | None,
    firmware: Path | None = None,
    package: Path | None = None,
    baud: int | None = None,
    profile: bool = False,
) -> Writing:
    """Read and check what is to be written; no board is touched. FlashError or BoardError says what cannot be meant.

    `package` is a .kfpkg or a release, in place of `model` (None: the kmodel in build/) and `firmware`. `profile` adds
    the kmodel's copy that can be measured.
    """
    if package is not None and (model is not None or firmware is not None or profile):
        raise FlashError(f"{package}: a package brings its own files; leave --model, --firmware and --profile out")
    made = sources.of_files(board, model, firmware, profile) if package is None else sources.of_package(package, board)
    return Writing(board, made, rates(board, baud))


def rates(board: Board, baud: int | None) -> tuple[int, ...]:
    """The rates that are tried one after the other: `baud`, else the board's highest, then slower ones."""
    first = baud or board.uart.raised_baud
    return (first, *(rate for rate in SLOWER if rate < first))


def refuse_test_image(writing: Writing, port: str) -> None:
    """FlashError if a test image is about to be written to what is, as far as anybody can tell, a real board."""
    for entry in writing.package.entries:
        found = firmware_image.recognise(entry.data) if entry.firmware else None
        if found and found.test_image and link_note.read(port) is None:
            raise FlashError(
                f"{entry.name}: is {found}, which does nothing on a board: take a MaixPy v1 .bin; for a virtual board "
                "without a --link, use --force"
            )


def run(
    writing: Writing,
    port: str,
    talk: Talk,
    report: Report,
    *,
    verify: bool = True,
    silence: Mapping[Stage, Limit] = download.SILENCE,
    stop_seconds: float | None = None,
) -> Outcome:
    """Write, let the board start, read back, compare; where that differs, write again, slower, once.

    FlashError if it cannot be written or read back, VerificationError if the flash keeps differing.
    """
    baud = write(writing, port, talk, report, silence)
    if not verify:
        return Outcome(baud, verified=False)
    differences = _compare(writing, port, writing.package, talk, report, stop_seconds)
    if differences:
        slower = tuple(rate for rate in writing.rates if rate < baud) or (baud,)
        talk(f"{differences[0]}; writing that again at {slower[0]} baud")
        again = Package(tuple(difference.entry for difference in differences))
        baud = _write(writing, port, again, slower, talk, report, silence)
        differences = _compare(writing, port, writing.package, talk, report, stop_seconds)
    for difference in differences:
        raise VerificationError(
            f"{port}: {difference}, also after it was written again at {baud} baud; a flash chip that is worn, or "
            f"smaller than {writing.board.flash.bytes // 1024**2} MiB (the boot log says `Flash:…:0x17` for 16 MiB), "
            "or a weak supply: try another cable or port"
        )
    return Outcome(baud, verified=True)


def write(
    writing: Writing, port: str, talk: Talk, report: Report, silence: Mapping[Stage, Limit] = download.SILENCE
) -> int:
    """Write, without reading back, at the first rate that works: that rate. FlashError if none does."""
    return _write(writing, port, writing.package, writing.rates, talk, report, silence)


def _write(
    writing: Writing,
    port: str,
    package: Package,
    rates: tuple[int, ...],
    talk: Talk,
    report: Report,
    silence: Mapping[Stage, Limit],
) -> int:
    """Write a package at the first of these rates that works: that rate. FlashError if none does."""
    for number, baud in enumerate(rates):
        talk(f"writing {package.size} bytes at {baud} baud")
        job = Download(port, writing.board.flash.kflash, baud, package)
        try:
            repeated = download.run(job, lambda stage, done: report(stage.value, done, package.size, BYTES), silence)
            if repeated:
                talk(f"the line damages bytes: {repeated} pieces were sent again; {baud} baud works so")
            elif number:
                talk(f"{baud} baud works: name it with --baud {baud} the next time, or take a shorter cable")
            return baud
        except DownloadError as error:
            if error.stage is Stage.RESTART:
                talk(f"all is written, but the board did not confirm its restart ({error}): press RESET")
                return baud
            if number + 1 == len(rates) or not _slower_may_help(error):
                raise FlashError(f"{port}: {_explained(error, writing.board, baud)}") from error
            talk(f"{error.stage.value} at {baud} baud failed: {error}; trying again at {rates[number + 1]} baud")
    raise AssertionError("at least one rate is tried")


def _slower_may_help(error: DownloadError) -> bool:
    """The download mode itself is always asked for at 115200 baud."""
    return error.stage not in (Stage.OPEN, Stage.ENTER) and error.kind not in ("lost", "port", "worker")


def _explained(error: DownloadError, board: Board, baud: int) -> str:
    """What happened, what it means for the board, and what to do."""
    if error.kind == "port":
        return str(error).split(": ", 1)[-1]
    half = "; the flash is half written until that succeeds" if error.stage is Stage.WRITE else ""
    if error.kind == "lost":
        return (
            f"lost the board while {error.stage.value} (cable, power, or another program on the port); mend that and "
            f"run the same command again{half}"
        )
    if error.stage is Stage.ENTER and error.kind != "answer":
        return (
            f"no K210 in download mode answers: is this the board's port (of a bridge with two take the other), and is "
            f"it a {board.name} (--board {board.id} resets as `{board.flash.kflash}` does)? Or hold BOOT, press "
            "RESET, let both go, and run the same command again"
        )
    return (
        f"{error.stage.value} failed at {baud} baud: {error}; take a shorter cable or a port of the computer itself, "
        f"press RESET and run the same command again{half}"
    )


def _compare(
    writing: Writing, port: str, package: Package, talk: Talk, report: Report, stop_seconds: float | None
) -> list[readback.Difference]:
    """The differences between flash and package; the board runs its program again if there are none."""
    talk("reading the flash back through the board's MicroPython")
    try:
        with Prompt(port, talk, writing.board.flash.reset_wiring, stop_seconds) as prompt:
            differences = readback.compare(prompt, package, lambda done: report(READING, done, package.size, BYTES))
            if not differences:
                prompt.restart()
            return differences
    except LinkError as error:
        raise FlashError(f"written, but not verified: {error}") from error
