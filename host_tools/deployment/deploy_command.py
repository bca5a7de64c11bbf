"""`deploy`: the program onto a board or an SD card, and what the board then says."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from conversion.printing import counted, say, talk, warn
from conversion.progress import BYTES
from host_tools.talk import bar, shortened, stopped_cleanly

if TYPE_CHECKING:
    from host_tools.deployment.deploy import Report
    from host_tools.deployment.start import Started

# What a stop leaves behind, on a board and on a card.
_STOPPED = "stopped: the board has its old files or the new ones; press RESET, or run deploy again"
_STOPPED_CARD = "stopped: each file of the card is the old one or the new one; run deploy again"


@click.command()
@click.option("--port", metavar="NAME", help="Serial port, its number in the list, or a URL; default: the only board.")
@click.option("--board", "board_id", help="A file of boards/, by its name.")
@click.option("--model", type=click.Path(path_type=Path), help="kmodel; default: the one in build/.")
@click.option("--sd", type=click.Path(path_type=Path), help="Fill the SD card mounted here, kmodel included.")
@click.option(
    "--heap",
    type=click.IntRange(0, 4096),
    metavar="KIB",
    help="Size of MicroPython's heap, 0 for MaixPy's own; default: 768 where the firmware has room for it.",
)
@click.option(
    "--main",
    metavar="FILE|EXAMPLE",
    help="Your program as main.py, or an example by its name; later deploys leave it. `main` is this project's again.",
)
@click.option(
    "--set",
    "entries",
    multiple=True,
    metavar="KEY=VALUE",
    help="An entry of the board's pose_config.json, such as pose_score=0.15 or draw_score=90; may be repeated.",
)
@click.option("--remove", is_flag=True, help="Take our files off again, and put back what was there before.")
@click.option("--force", is_flag=True, help="With --remove: also where your own main.py needs the program.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
def deploy(
    port: str | None,
    board_id: str | None,
    model: Path | None,
    sd: Path | None,
    heap: int | None,
    main: str | None,
    entries: tuple[str, ...],
    remove: bool,
    force: bool,
    dry_run: bool,
) -> None:
    """Put program, device card and settings into a board's /flash: what changed, checked, then exchanged at once.

    The kmodel itself goes into flash with `flash`. Exit codes: 0 done, 2 not done.
    """
    from host_tools import model_choice
    from host_tools.deployment import deploy as deploying

    heap_bytes = None if heap is None else 1024 * heap
    if board_id is not None and not remove:
        model = model_choice.chosen(model)
    options = deploying.DeployOptions(port, board_id, model, sd, dry_run, heap_bytes, None, main, entries, force)
    with stopped_cleanly(_STOPPED if sd is None else _STOPPED_CARD), bar() as report:
        done = (deploying.remove if remove else deploying.run)(options, talk, partial(report, "", unit=BYTES))
    _show(done, remove, dry_run)


def _show(report: Report, removed: bool, dry_run: bool) -> None:
    for note in report.notes:
        talk(note)
    for warning in report.warnings:
        warn(warning)
    if dry_run:
        _show_dry_run(report)
    elif report.nothing_to_do:
        _say(f"{report.place}: nothing to do, everything is as it should be")
    elif removed:
        _say(f"{report.place}: {counted(len(report.removed), 'file')} removed")
    else:
        _say(f"{report.place}: {counted(len(report.written), 'file')} written, {len(report.removed)} removed")
    if report.started:
        _show_start(report.started)


def _say(text: str) -> None:
    say(text)


def _show_dry_run(report: Report) -> None:
    from host_tools.deployment import deploy as deploying

    for name in report.written:
        _say(f"would write {name}")
    for name in report.removed:
        _say(f"would remove {name}")
    seconds = deploying.estimated_seconds(report.bytes)
    _say(f"{report.place}: {report.bytes} bytes to write (over USB some {seconds:.0f} s, estimated)")


def _show_start(started: Started) -> None:
    hello = started.hello
    if hello is None:
        return
    _say(f"program {hello.firmware} on {hello.system} {hello.release}, board {hello.board}")
    if started.memory:
        _say(f"memory in KiB: {started.memory}")
    if hello.kmodel_bytes:
        digest = shortened(hello.kmodel_sha256 or "")
        _say(f"kmodel {hello.width}x{hello.height}, {hello.kmodel_bytes} bytes, sha256 {digest}")
