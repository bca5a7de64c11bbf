"""`fps`: frames a second of the vendor's firmware on the emulated chip, and where a frame's time goes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from conversion.printing import say, tabulate, talk

if TYPE_CHECKING:
    from host_tools.virtual_board.frame_rate import Measured


@click.command()
@click.option("--firmware", type=click.Path(path_type=Path), required=True, help="A MaixPy v1 .bin.")
@click.option(
    "--model",
    "models",
    type=click.Path(path_type=Path),
    multiple=True,
    help="kmodel, once or more; default: those of build/.",
)
@click.option("--board", "board_id", default="maix_bit", show_default=True, help="A file of boards/, by its name.")
@click.option("--people", type=click.IntRange(1, 4), help="People before the camera; default: 1, and 4 in one run.")
@click.option("--zoom", type=click.IntRange(0, 4), help="Only with this zoom, with a monitor and with nobody there.")
@click.option(
    "--json",
    "path",
    type=click.Path(path_type=Path),
    default=Path("build/fps.json"),
    show_default=True,
    help="Figures.",
)
def fps(
    firmware: Path, models: tuple[Path, ...], board_id: str, people: int | None, zoom: int | None, path: Path
) -> None:
    """Measure frames a second and a frame's stages: with a monitor and with nobody there, with four people, with a
    faster LCD, with LCDs of other sizes, with one camera buffer, with fewer and more cycles an instruction. Some
    minutes."""
    from conversion import files
    from host_tools import boards, payload
    from host_tools.virtual_board import session

    data = session.real_firmware(firmware)
    # Not before it is known that the emulator is there.
    from host_tools.virtual_board import frame_rate
    from host_tools.virtual_board.remarks import Remarks

    files.check_writable(path.parent)
    the_board = boards.find(board_id)
    kmodels = [payload.kmodel(model) for model in models] or payload.built() or [payload.kmodel(None)]
    runs, remarks = [], Remarks(talk)
    for kmodel in kmodels:
        possible = [made for made in frame_rate.plan(people, zoom) if frame_rate.has_room(the_board, kmodel, made)]
        for number, conditions in enumerate(possible, 1):
            talk(f"{kmodel.name}: run {number} of {len(possible)}")
            runs.append(frame_rate.measure(data, the_board, kmodel, conditions, remarks))
            talk(f"{runs[-1].size}: {runs[-1].fps:.1f} frames/s")
    _show(runs)
    frame_rate.write(path, firmware.name, runs)
    say(f"written: {path}")


def _show(runs: Sequence[Measured]) -> None:
    from host_tools.virtual_board import frame_rate

    heads = ("size", "people", "host", "LCD", "LCD MHz", "buffers", "cycles", "zoom")
    heads = (*heads, *(f"{name} ms" for name in frame_rate.RESTS_ON), "a frame ms", "frames/s")
    rows = []
    for run in runs:
        made = run.conditions
        lcd = f"{made.lcd_hertz / 1e6:g}" if made.lcd_hertz else "none"
        size = "x".join(map(str, made.lcd_size)) if made.lcd_size else "none"
        cells = (
            run.size,
            str(made.people),
            made.host,
            size,
            lcd,
            str(made.buffers),
            f"{float(made.cycles):g}",
            str(made.zoom),
        )
        stages = (f"{run.stages_ms[name]:.1f}" for name in frame_rate.RESTS_ON)
        rows.append((*cells, *stages, f"{1000 / run.fps:.1f}", f"{run.fps:.1f}"))
    tabulate(heads, rows)
    for name, source in frame_rate.RESTS_ON.items():
        say(f"{name}: rests on {source}")
    for run in runs:
        missed = frame_rate.missed(run)
        if missed is not None:
            bar = frame_rate.bar(run)
            say(f"{run.size}: {run.fps:.1f} frames/s, at least {bar:g} owed: {'missed' if missed else 'met'}")
    say(
        f"Estimated: cycles an instruction are a guess ({float(frame_rate.FEWEST_CYCLES):g} to "
        f"{float(frame_rate.MOST_CYCLES):g}); on the vendor's firmware, on the emulated chip, not on silicon."
    )
