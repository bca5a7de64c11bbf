"""`demo`: the firmware on a virtual board, and what its LCD showed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click
from rich.table import Table

from host_tools.commands.talk import result_console, talk
from host_tools.serial_link import sentences

if TYPE_CHECKING:
    from host_tools.virtual_board.demo import Demo


@click.command()
@click.option("--model", type=click.Path(path_type=Path), help="kmodel; default: the one in build/.")
@click.option(
    "--output", type=click.Path(path_type=Path), default=Path("build/demo"), show_default=True, help="Folder."
)
def demo(model: Path | None, output: Path) -> None:
    """Run the firmware on a virtual board and keep what its LCD showed and the poses it sent."""
    from conversion import files
    from host_tools.virtual_board import demo as showing

    files.check_writable(output)
    seen = showing.run(model, talk)
    showing.write(seen, output)
    _print_frames(seen)
    result_console.print(f"written: {', '.join(str(output / name) for name in showing.WRITTEN)}")
    showing.check(seen)


def _print_frames(seen: Demo) -> None:
    table = Table("frame", "people", "best score", *(f"{stage} ms" for stage in sentences.STAGES))
    for frame in seen.frames:
        best = max((pose.score for pose in frame.poses), default=0) / 255
        times = (f"{frame.stages_us[stage] / 1000:.1f}" for stage in sentences.STAGES)
        table.add_row(str(frame.number), str(len(frame.poses)), f"{best:.2f}", *times)
    result_console.print(table)
    result_console.print("Times are this computer's, not a board's.")
