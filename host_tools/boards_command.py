"""`boards`: the kinds of boards that the tools know."""

from __future__ import annotations

import dataclasses
import json

import rich_click as click

from conversion.printing import tabulate


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print everything that the board files say, as JSON.")
def boards(as_json: bool) -> None:
    """List the boards that --board takes, with the MaixPy build for each."""
    from host_tools import boards as board_files

    known = board_files.all_boards()
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(board) for board in known.values()]))
        return
    rows = []
    for board in known.values():
        lcd = f"{board.lcd.width}x{board.lcd.height}" if board.lcd else "none"
        rows.append((board.id, board.name, board.firmware_build, lcd, ", ".join(board.camera.sensors)))
    tabulate(("--board", "board", "MaixPy build", "LCD", "camera"), rows)
