"""The command line: parses, calls the library, prints. Exit codes: 0, 1 a check failed, 2 bad use or no device."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click
from rich.console import Console
from rich.table import Table

from conversion.errors import ConversionError
from host_tools import sentences
from host_tools.errors import HostToolError, VerificationError

if TYPE_CHECKING:
    from host_tools.demo import Demo

talk_console = Console(stderr=True, highlight=False)
result_console = Console(highlight=False, soft_wrap=True)


class _Commands(click.RichGroup):
    """Turns this project's errors into one line on stderr and an exit code."""

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except (HostToolError, ConversionError) as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(1 if isinstance(error, VerificationError) else 2)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """What runs beside a Maix board, and a virtual one."""


@main.command()
@click.option("--model", type=click.Path(path_type=Path), help="kmodel; default: the one in build/.")
@click.option("--board", "board_id", default="maix_bit", show_default=True, help="A file of boards/, by its name.")
@click.option("--camera", type=click.Path(path_type=Path), help="Photo, folder or animation; default: a photo, panned.")
@click.option("--link", type=click.Path(path_type=Path), help="Make this a symlink to the serial port while it runs.")
@click.option("--lcd", type=click.Path(path_type=Path), help="Keep what the LCD shows in this PNG.")
@click.option("--sd", type=click.Path(path_type=Path), help="A folder as SD card; the board writes to it.")
@click.option(
    "--fault", "faults", multiple=True, metavar="NAME=NUMBER", help="Something that goes wrong: see the README."
)
def board(
    model: Path | None,
    board_id: str,
    camera: Path | None,
    link: Path | None,
    lcd: Path | None,
    sd: Path | None,
    faults: tuple[str, ...],
) -> None:
    """Start a virtual board and keep it on until Ctrl-C."""
    from host_tools.virtual_board import session

    request = session.Request(model, board_id, camera, link, lcd, sd, faults)
    with _until_signalled() as over:
        session.run(request, over, click.echo, _talk)


@main.command()
@click.option("--model", type=click.Path(path_type=Path), help="kmodel; default: the one in build/.")
@click.option(
    "--output", type=click.Path(path_type=Path), default=Path("build/demo"), show_default=True, help="Folder."
)
def demo(model: Path | None, output: Path) -> None:
    """Run the firmware on a virtual board and keep what its LCD showed and the poses it sent."""
    from conversion import files
    from host_tools import demo as showing

    files.check_writable(output)
    seen = showing.run(model, _talk)
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


@contextmanager
def _until_signalled() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set, in place of ending the program where it stands."""
    over = threading.Event()
    kept = {number: signal.signal(number, lambda *_: over.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield over
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def _talk(message: str) -> None:
    talk_console.print(f"· {message}", style="dim")
