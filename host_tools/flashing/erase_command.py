"""`erase`: a board's files, or its whole flash."""

from __future__ import annotations

import rich_click as click

from conversion.printing import say, talk
from host_tools.talk import bar, stopped_cleanly


@click.command()
@click.option("--port", metavar="NAME", help="Serial port, its number in the list, or a URL; default: the only board.")
@click.option("--board", "board_id", required=True, help="A file of boards/, by its name.")
@click.option("--filesystem", is_flag=True, help="The files of /flash; MaixPy and kmodel stay. This is the default.")
@click.option("--all", "everything", is_flag=True, help="The whole flash, as it leaves the factory.")
@click.option(
    "--baud", type=click.IntRange(9600, 4_000_000), help="First rate to try; default: the board's highest, then slower."
)
@click.option("--dry-run", is_flag=True, help="Show what would be erased, touch nothing.")
def erase(port: str | None, board_id: str, filesystem: bool, everything: bool, baud: int | None, dry_run: bool) -> None:
    """Erase a board's files, or its whole flash: for one that no program can be stopped on, and for a clean start.

    The chip confirms every piece. Exit codes: 0 erased, 2 not erased.
    """
    from host_tools import boards
    from host_tools.errors import FlashError
    from host_tools.flashing import erase as erasing
    from host_tools.serial_link import link_note, ports

    if filesystem and everything:
        raise FlashError("--filesystem and --all: give one of the two; --all erases the files, too")
    job = erasing.prepare(boards.find(board_id), everything, baud)
    place = f"flash {job.address:#x} to {job.address + job.size - 1:#x}, {job.size // 1024} KiB"
    if dry_run:
        say(f"would erase {job.what}: {place}")
        return
    chosen = ports.choose(port, job.board)
    ports.look_at(chosen)
    link_note.tell([chosen], talk)
    talk(f"{job.board.name} at {chosen}: erasing {job.what}")
    first = job.writing.rates[0]
    talk(f"{place}: {job.seconds(first):.0f} s or more at {first} baud, estimated")
    with stopped_cleanly("stopped; a part is erased: run the same command again"), bar() as report:
        names = erasing.run(job, chosen, talk, report)
    say(f"{chosen}: erased, {place}, every piece confirmed by the chip")
    if everything:
        say(f"The board is blank: `flash --board {board_id} --firmware MAIXPY.bin`, then `deploy`.")
    elif names is not None:
        say(f"/flash holds {', '.join(names) or 'nothing'}; next: `deploy --board {board_id}`")
