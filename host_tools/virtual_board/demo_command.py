"""`demo`: the firmware on a virtual board, and what its LCD showed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from conversion.printing import counted, say, tabulate, talk
from host_tools.virtual_board import check_platform

if TYPE_CHECKING:
    from host_tools.virtual_board.demo import Demo


@click.command()
@click.option("--model", type=click.Path(path_type=Path), help="kmodel; default: the one in build/.")
@click.option("--firmware", type=click.Path(path_type=Path), help="A MaixPy v1 .bin to run on the emulated chip.")
@click.option("--sd", type=click.Path(path_type=Path), help="A folder as SD card.")
@click.option(
    "--output", type=click.Path(path_type=Path), default=Path("build/demo"), show_default=True, help="Folder."
)
def demo(model: Path | None, firmware: Path | None, sd: Path | None, output: Path) -> None:
    """Run the firmware on a virtual board and keep what its LCD showed and the poses it sent."""
    check_platform()
    from conversion import files
    from host_tools.virtual_board import demo as showing

    files.check_writable(output)
    seen = showing.run(model, talk, maixpy=firmware, sd=sd)
    showing.write(seen, output)
    _print_frames(seen)
    times = "this computer's, not a board's" if firmware is None else "the emulated chip's: estimated, not a board's"
    say(f"Times are {times}.")
    say(f"written: {', '.join(str(output / name) for name in showing.WRITTEN)}")
    showing.check(seen)


def _print_frames(seen: Demo) -> None:
    from host_tools.serial_link import STAGES, units

    rows = []
    for frame in seen.frames:
        best = max((pose.score for pose in frame.poses), default=0) / units.SCORE_ONE
        times = (f"{frame.stages_us[stage] / 1000:.1f}" for stage in STAGES)
        rows.append((str(frame.number), str(len(frame.poses)), f"{best:.2f}", *times))
    tabulate(("frame", "people", "best score", *(f"{stage} ms" for stage in STAGES)), rows)
    for count, numbers in seen.people.items():
        people = counted(count, "person", "people")
        say(f"{people} in {len(numbers)} of {len(seen.frames)} frames")
