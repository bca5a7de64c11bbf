"""`release`: a zip for makers without a tool chain."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from conversion.printing import say


@click.command()
@click.option("--board", "board_id", required=True, help="A file of boards/, by its name.")
@click.option("--model", type=click.Path(path_type=Path), help="kmodel; default: the one in build/.")
@click.option("--output", type=click.Path(path_type=Path), default=Path("dist"), show_default=True, help="Folder.")
def release(board_id: str, model: Path | None, output: Path) -> None:
    """Pack model, program and settings for kflash_gui and an SD card, with checksums and licences."""
    from host_tools import boards
    from host_tools.flashing import release as releases

    path = releases.write(boards.find(board_id), model, output)
    say(f"written: {path} ({path.stat().st_size} bytes)")
