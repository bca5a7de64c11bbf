"""`kfpkg`: a package for kflash or kflash_gui, without touching a board."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from conversion.printing import say
from host_tools.errors import FlashError


@click.command()
@click.option("--model", type=click.Path(path_type=Path), help="kmodel; default: the one in build/.")
@click.option("--firmware", type=click.Path(path_type=Path), help="MaixPy v1 .bin to pack too.")
@click.option("--board", "board_id", required=True, help="A file of boards/, by its name.")
@click.option("--output", type=click.Path(path_type=Path), help="Default: build/posenet-maix-BOARD.kfpkg.")
def kfpkg(model: Path | None, firmware: Path | None, board_id: str, output: Path | None) -> None:
    """Pack a kmodel, and MaixPy where it is named, for kflash or kflash_gui."""
    from conversion import files
    from host_tools import boards
    from host_tools.flashing import kfpkg as packages
    from host_tools.flashing import sources

    board = boards.find(board_id)
    path = output or Path("build", f"{sources.RELEASE}{board.id}{packages.SUFFIX}")
    if path.suffix != packages.SUFFIX:
        raise FlashError(
            f"{path}: must end in {packages.SUFFIX}: kflash would write a file of another name to address 0, over the "
            "firmware"
        )
    package = sources.of_files(board, model, firmware)
    files.write(path, packages.pack(package))
    for entry in package.entries:
        say(f"{entry.name}: {entry.size} bytes for {entry.address:#x}")
    say(f"written: {path}")
