"""`board`: start a virtual board and keep it on."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from conversion.printing import talk
from host_tools.talk import until_signalled
from host_tools.virtual_board import check_platform


@click.command()
@click.option("--model", type=click.Path(path_type=Path), help="kmodel; default: the one in build/.")
@click.option(
    "--firmware", type=click.Path(path_type=Path), help="A MaixPy v1 .bin, which then runs itself, on an emulated chip."
)
@click.option("--flash", type=click.Path(path_type=Path), help="Keep the flash chip's 16 MiB in this file.")
@click.option("--board", "board_id", default="maix_bit", show_default=True, help="A file of boards/, by its name.")
@click.option("--camera", type=click.Path(path_type=Path), help="Photo, folder or animation; default: a photo, panned.")
@click.option("--link", type=click.Path(path_type=Path), help="Make this a symlink to the serial port while it runs.")
@click.option("--lcd", type=click.Path(path_type=Path), help="Keep what the LCD shows in this PNG.")
@click.option("--sd", type=click.Path(path_type=Path), help="A folder as SD card; with --firmware an image, too.")
@click.option("--blank", is_flag=True, help="As it leaves the factory: no MaixPy, no files; it waits for `flash`.")
@click.option(
    "--fault", "faults", multiple=True, metavar="NAME=NUMBER", help="Something that goes wrong: see the README."
)
def board(
    model: Path | None,
    firmware: Path | None,
    flash: Path | None,
    board_id: str,
    camera: Path | None,
    link: Path | None,
    lcd: Path | None,
    sd: Path | None,
    blank: bool,
    faults: tuple[str, ...],
) -> None:
    """Start a virtual board and keep it on until Ctrl-C."""
    check_platform()
    from host_tools.virtual_board import session

    options = session.BoardOptions(model, board_id, camera, link, lcd, sd, faults, blank, firmware, flash)
    with until_signalled() as over:
        session.run(options, over, click.echo, talk)
