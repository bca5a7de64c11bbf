"""`flash`: kmodel and firmware into a board's flash, read back and compared."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from conversion.printing import say, tabulate, talk, warn
from host_tools.talk import bar, shortened, stopped_cleanly

if TYPE_CHECKING:
    from host_tools.flashing.flash import Outcome, Writing


@click.command()
@click.option("--port", metavar="NAME", help="Serial port, its number in the list, or a URL; default: the only board.")
@click.option("--board", "board_id", required=True, help="A file of boards/, by its name.")
@click.option("--model", type=click.Path(path_type=Path), help="kmodel; default: the one in build/.")
@click.option(
    "--firmware", type=click.Path(path_type=Path), help="MaixPy v1 .bin to write too; default: leave it alone."
)
@click.option("--package", type=click.Path(path_type=Path), help="A .kfpkg or a release .zip in place of both.")
@click.option(
    "--baud", type=click.IntRange(9600, 4_000_000), help="First rate to try; default: the board's highest, then slower."
)
@click.option("--profile", is_flag=True, help="Also write the copy of the kmodel that `profile` measures.")
@click.option("--dry-run", is_flag=True, help="Check everything, show what would be written where, touch nothing.")
@click.option("--no-verify", is_flag=True, help="Do not read back: for a board without MaixPy.")
@click.option("--force", is_flag=True, help="Write a test image of this project, which is no firmware, all the same.")
def flash(
    port: str | None,
    board_id: str,
    model: Path | None,
    firmware: Path | None,
    package: Path | None,
    baud: int | None,
    profile: bool,
    dry_run: bool,
    no_verify: bool,
    force: bool,
) -> None:
    """Write a kmodel, and MaixPy where it is named, into a board's flash, and read it back.

    Exit codes: 0 written and equal to the files, 1 the flash differs, 2 not written or not read back.
    """
    from conversion import firmware_image
    from host_tools import boards, model_choice
    from host_tools.flashing import flash as flashing
    from host_tools.serial_link import link_note, ports

    the_board = boards.find(board_id)
    if package is None:
        model = model_choice.chosen(model)
    writing = flashing.prepare(the_board, model, firmware, package, baud, profile)
    if dry_run:
        _show_writing(writing)
        _warn(writing)
        return
    chosen = ports.choose(port, writing.board)
    ports.look_at(chosen)
    link_note.tell([chosen], talk)
    if not force:
        flashing.refuse_test_image(writing, chosen)
    for entry in writing.package.entries:
        if entry.firmware:
            talk(f"{entry.name}: {firmware_image.recognise(entry.data)}")
    _warn(writing)
    talk(f"{writing.board.name} at {chosen}")
    with stopped_cleanly("stopped; the flash may be half written: run the same command again"), bar() as report:
        outcome = flashing.run(writing, chosen, talk, report, verify=not no_verify)
    _show_outcome(writing, outcome)


def _warn(writing: Writing) -> None:
    from host_tools.flashing import fitting

    for warning in fitting.warnings(writing.package, writing.board):
        warn(warning)


def _show_writing(writing: Writing) -> None:
    rows = []
    for entry in writing.package.entries:
        digest = shortened(hashlib.sha256(entry.data).hexdigest())
        what = f"{entry.name} (MaixPy, with kflash's header)" if entry.firmware else entry.name
        rows.append((what, f"{entry.address:#08x}", f"{entry.end - 1:#08x}", str(entry.size), digest))
    tabulate(("file", "flash from", "to", "bytes", "sha256"), rows)
    rates = ", ".join(map(str, writing.rates))
    say(f"{writing.board.name}: kflash as `{writing.board.flash.kflash}`, at the first of {rates} baud that works.")
    if not writing.has_firmware:
        say("The firmware is left alone.")
    say("Nothing was written: this was a dry run.")


def _show_outcome(writing: Writing, outcome: Outcome) -> None:
    proven = "written, read back, equal" if outcome.verified else "written, NOT read back"
    for entry in writing.package.entries:
        digest = shortened(hashlib.sha256(entry.data).hexdigest())
        say(f"{entry.name}: {entry.size} bytes at {entry.address:#x} {proven} (sha256 {digest})")
    if not writing.has_firmware:
        say("The firmware was left alone" + ("; it read the kmodel back." if outcome.verified else "."))
