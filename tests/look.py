"""The pictures of the pages, made anew: what the product shows as it is by default.

    python -m tests.look [lcds] [web] [monitor] [verify]

All of them come from a virtual board with the kmodel in build/, whose camera sees scikit-image's astronaut. Its time
jumps, so that rates are those that the board's own clock says, not this computer's. `web` needs a Chromium.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import click
from PIL import Image
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from conversion import files
from conversion.decoding import overlay
from host_tools import boards, payload, time_limits
from host_tools.monitor.feed import Source
from host_tools.monitor.frame_processing import FrameProcessor
from host_tools.monitor.panel import Board as BoardPanel
from host_tools.monitor.panel import panel
from host_tools.serial_link import Event, Frame, Link, Settings, Stats, events
from host_tools.virtual_board import Hardware, frame_rate
from host_tools.virtual_board.camera import Photo
from tests.host_tools.monitor.web import browser, fake
from tests.host_tools.monitor.web.looking import click as click_on
from tests.host_tools.monitor.web.serving import Served
from tests.jumping import VirtualBoard
from tests.patience import HANG_SECONDS

DOCS = Path(__file__).resolve().parents[1] / "docs"
PEOPLE = 2
# Of each kind of LCD a board.
LCDS = ("m5stickv", "maix_cube", "maix_bit", "maix_amigo_ips")
FRAMES, COLUMNS, ROWS = 12, 80, 24
# Frames until an LCD shows a rate.
_ENOUGH = 4
_RATE, _QUALITY = 1_500_000, 60
WEB_SIZE = (1240, 860)
_BAR = "━"
# rich's own page asks a server for its font.
_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_FAMILY = "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"


@contextmanager
def virtual(name: str, people: int = PEOPLE) -> Iterator[VirtualBoard]:
    """A board as `deploy` leaves it, that looks at people."""
    board, kmodel = boards.find(name), payload.kmodel(None)
    config = {**boards.pose_config(board), **payload.DEFAULT_SETTINGS}
    contents = {**payload.files(board), payload.POSE_CONFIG: json.dumps(config)}
    with VirtualBoard(
        kmodel,
        card=payload.device_card(kmodel),
        files=contents,
        board=Hardware.of(board),
        camera=Photo(frame_rate.crowd(people, (320, 240))),
    ) as started:
        # Its first start sets MicroPython's heap and restarts, which is over after `deploy`.
        started.wait_for("$FRAME,")
        yield started


def frames_of(board: VirtualBoard, count: int) -> tuple[list[Event], Source]:
    """What a board says to a host until so many frames have come, and the source as the monitor has it then."""
    with board.clock.host_waits(), Link(board.port) as link:
        link.greet()
        # While it computes no frames it answers at once.
        link.ask("PAUSE")
        link.raise_baud(_RATE)
        link.ask("STATS")
        said = [link.wait_for(Stats, HANG_SECONDS)]
        link.ask("SETTINGS")
        said.append(link.wait_for(Settings, HANG_SECONDS))
        link.ask("RESUME")
        said += _heard(link, count)
        return said, replace(fake.FakeFeed().sources[0], hello=link.hello, statistics=link.statistics, baud=link.baud)


def _heard(link: Link, count: int) -> list[Event]:
    said: list[Event] = []
    deadline = time.monotonic() + 4 * HANG_SECONDS
    while sum(isinstance(event, Frame) for event in said) < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(said)} events, and no more")
        said += link.poll(0.2)
    return said


def lcds() -> None:
    """docs/lcds.png: LCDs of each size, the same people before all of them."""
    pictures = []
    for name in LCDS:
        with virtual(name) as board:
            with board.clock.host_waits(), Link(board.port) as link:
                _heard(link, _ENOUGH)
            picture = Image.open(BytesIO(board.lcd_png())).convert("RGB")
        pictures.append((f"{boards.find(name).name}, {picture.width}x{picture.height}", picture))
    files.write_png(DOCS / "lcds.png", overlay.side_by_side(pictures))


def web() -> None:
    """docs/web.png: the page, the board's preview switched on."""
    with virtual("maix_bit") as board:
        said, source = frames_of(board, FRAMES)
    frames = [event for event in said if isinstance(event, Frame)]
    # What the board's camera sees; a board makes previews after ten seconds only, which are many frames here.
    frame_rate.crowd(PEOPLE, (320, 240)).save(preview := BytesIO(), "JPEG", quality=_QUALITY)
    feed = fake.FakeFeed()
    feed.change(0, hello=source.hello, statistics=source.statistics, baud=source.baud, port="/dev/ttyUSB0")
    feed.boards = dict.fromkeys(feed.labels, next(event for event in said if isinstance(event, Settings)))
    with (
        tempfile.TemporaryDirectory() as folder,
        Served(feed, Path(folder)) as page,
        browser.Browser(browser.program() or "chromium") as program,
        program.open(page.address, *WEB_SIZE) as tab,
    ):
        tab.wait_for("document.querySelectorAll('.panel').length === 1")
        click_on(tab, ".preview")
        feed.say(*(event for event in said if isinstance(event, events.Print | Stats)))
        period = (frames[-1].t_ms - frames[0].t_ms) / (len(frames) - 1)
        begin = time.monotonic()
        for number in range(200):
            frame = frames[number % len(frames)]
            feed.say(replace(frame, number=number + 1, t_ms=round(number * period)))
            feed.say(events.Block("JPEG", preview.getvalue(), number + 1))
            time.sleep(max(0.0, begin + (number + 1) * period / 1000 - time.monotonic()))
        tab.screenshot(DOCS / "web.png")


def monitor() -> None:
    """docs/monitor.svg: the panel that `monitor` draws in a terminal of 80 columns."""
    with virtual("maix_bit") as board:
        said, source = frames_of(board, FRAMES)
    shown, processor, begin = BoardPanel(source), FrameProcessor(), time.monotonic()
    for event in said:
        if isinstance(event, Stats):
            shown.stats = event
        if isinstance(event, Frame):
            shown.processed = processor.process("maix_bit", event, begin + event.t_ms / 1000, (320, 240))
            shown.rates.add(shown.processed.at, event)
    console = _console()
    console.print(panel(shown, COLUMNS, ROWS, shown.processed.at))
    _write(console, "monitor")


def verify() -> None:
    """docs/verify.svg: `make verify` against the virtual board."""
    with virtual("maix_bit", 1) as board:
        command = [sys.executable, "-m", "host_tools", "verify", "--port", board.port]
        surroundings = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(COLUMNS)}
        done = subprocess.run(
            command, env=surroundings, cwd=DOCS.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True,
            timeout=20 * HANG_SECONDS,
        )  # fmt: skip
    console = _console()
    console.print(Text("$ make verify", style="bold"))
    said = done.stdout.decode().replace(board.port, "/dev/ttyUSB0")
    lines = map(Text.from_ansi, said.splitlines())
    # A terminal has wiped the progress bar away.
    console.print(Text("\n").join(line for line in lines if line.plain.strip() and _BAR not in line.plain))
    _write(console, "verify")


def _console() -> Console:
    return Console(
        record=True, width=COLUMNS, file=open(os.devnull, "w"), force_terminal=True, color_system="truecolor"
    )


def _write(console: Console, name: str) -> None:
    with closing(console.file):
        drawn = console.export_svg(title=f"make {name}", theme=MONOKAI, unique_id=name)
    drawn = _FONTS.sub("", drawn).replace("Fira Code, monospace", _FAMILY).replace("Fira Code", _FAMILY)
    files.write(DOCS / f"{name}.svg", drawn.encode())


PICTURES = {each.__name__: each for each in (lcds, web, monitor, verify)}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(PICTURES)), metavar="[NAME]...")
def main(names: tuple[str, ...]) -> None:
    """Make the pictures of docs/ anew."""
    # A busy computer takes its time.
    os.environ.setdefault(time_limits.PATIENCE, "10")
    for name in names or tuple(PICTURES):
        click.echo(name, err=True)
        PICTURES[name]()


if __name__ == "__main__":
    main()
