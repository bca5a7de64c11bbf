"""`fps`: frames a second of the vendor's firmware on the emulated chip, and where a frame's time goes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click
from rich.table import Table

from host_tools.talk import result_console, talk
from host_tools.virtual_board import check_platform

if TYPE_CHECKING:
    from host_tools.virtual_board.frame_rate import Measured


@click.command()
@click.option("--firmware", type=click.Path(path_type=Path), required=True, help="A MaixPy v1 .bin.")
@click.option("--model", type=click.Path(path_type=Path), help="kmodel; default: the one in build/.")
@click.option("--board", "board_id", default="maix_bit", show_default=True, help="A file of boards/, by its name.")
@click.option("--people", type=click.IntRange(1, 4), help="People before the camera; default: 1 and 4, each in turn.")
@click.option(
    "--json",
    "path",
    type=click.Path(path_type=Path),
    default=Path("build/fps.json"),
    show_default=True,
    help="Figures.",
)
def fps(firmware: Path, model: Path | None, board_id: str, people: int | None, path: Path) -> None:
    """Measure frames a second and a frame's stages, with a monitor attached and with nobody there: some minutes."""
    check_platform()
    from conversion import files
    from host_tools import boards, payload
    from host_tools.virtual_board import frame_rate

    files.check_writable(path.parent)
    the_board, kmodel = boards.find(board_id), payload.kmodel(model)
    runs = []
    for count in (people,) if people else (1, 4):
        for attached in (True, False):
            talk(f"{count} before the camera, {'a monitor attached' if attached else 'nobody attached'}")
            runs.append(frame_rate.measure(firmware, the_board, kmodel, count, attached, talk))
    _show(runs)
    frame_rate.write(path, firmware.name, runs)
    result_console.print(f"written: {path}")


def _show(runs: list[Measured]) -> None:
    from host_tools.virtual_board import frame_rate

    table = Table("stage, ms", *(f"{run.size}, {run.people} people, {run.host}" for run in runs), "rests on")
    for name, source in frame_rate.RESTS_ON.items():
        table.add_row(name, *(f"{run.stages_ms[name]:.1f}" for run in runs), source)
    table.add_row("a frame", *(f"{1000 / run.fps:.1f}" for run in runs), "")
    table.add_row("frames a second", *(f"{run.fps:.1f}" for run in runs), "")
    result_console.print(table)
    cycles = float(frame_rate.CYCLES_PER_INSTRUCTION)
    result_console.print(
        f"Estimated: {cycles:g} cycles an instruction, which is a guess (1.2 to 1.8); on the vendor's firmware, on the "
        "emulated chip, not on silicon."
    )
