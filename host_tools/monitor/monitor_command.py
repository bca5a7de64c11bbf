"""`monitor`: watch boards in the terminal, as JSON, in a browser; record, replay, draw and publish what they see."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from conversion.printing import talk
from host_tools.talk import until_signalled

if TYPE_CHECKING:
    from host_tools.monitor.watching import MonitorOptions

# host_tools.monitor.web.server's ADDRESS and PORT, which only a server needs to import.
DEFAULT_WEB_HOST = "127.0.0.1"
DEFAULT_WEB_PORT = 8017


class WebPlace(click.ParamType):
    """`PORT`, of this computer only, or `HOST:PORT`."""

    name = "[HOST:]PORT"

    def convert(self, value: object, param: object, ctx: object) -> tuple[str, int]:
        """Host and port."""
        if isinstance(value, tuple):
            return value
        host, _, port = str(value).rpartition(":")
        if not port.isascii() or not port.isdigit() or int(port) > 65535 or (":" in host):
            self.fail(f"{value}: must be a port from 0 to 65535, or an address and a port, 0.0.0.0:{DEFAULT_WEB_PORT}")
        return host or DEFAULT_WEB_HOST, int(port)


@click.command()
@click.option(
    "--port",
    "ports",
    multiple=True,
    help="Serial port or pyserial URL, repeatable; default: MAIX_PORT, else the board's.",
)
@click.option("--baud", type=click.IntRange(9600, 4_000_000), help="Speed of the line; default: as fast as it goes.")
@click.option("--json", "as_json", is_flag=True, help="Frames as JSON on stdout, one a line; all else on stderr.")
@click.option(
    "--web",
    type=WebPlace(),
    is_flag=False,
    flag_value=str(DEFAULT_WEB_PORT),
    metavar="[[HOST:]PORT]",
    help=f"A page for the browser on this computer [{DEFAULT_WEB_PORT}]; 0.0.0.0:{DEFAULT_WEB_PORT}: with a token, "
    "for others, too.",
)
@click.option("--record", type=click.Path(path_type=Path), help="Write what boards say to this file, as JSON lines.")
@click.option("--replay", type=click.Path(path_type=Path), help="Play such a file instead of reading ports.")
@click.option("--speed", type=click.FloatRange(0), help="Replay so many times as fast; 0: at full speed. [1]")
@click.option(
    "--snapshot", type=click.Path(path_type=Path), help="Draw the last frame into this PNG; alone: the first."
)
@click.option("--frames", type=click.IntRange(1), help="End after so many frames, of all boards together.")
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="End after so many seconds.")
@click.option("--smooth", is_flag=True, help="Smooth keypoints over time (one-euro filter).")
@click.option("--ids", is_flag=True, help="Number people, the same from frame to frame.")
@click.option("--mqtt", metavar="URL", help="Publish poses: mqtt://[USER:PASSWORD@]HOST[:PORT]/PREFIX.")
def monitor(**options: object) -> None:
    """Show the people that boards see, live, until Ctrl-C.

    Draws figures in a terminal, prints lines elsewhere. Exit codes: 0 done, 2 no board, or no frames from it.
    """
    from host_tools.monitor import watching

    options = watching.MonitorOptions(**options)
    _check(options)
    with until_signalled() as over:
        watching.watch(options, over, talk)


def _check(options: MonitorOptions) -> None:
    if options.replay and (options.ports or options.baud):
        raise click.UsageError("--replay reads a file, so --port and --baud have no use with it")
    if options.speed is not None and not options.replay:
        raise click.UsageError("--speed is that of --replay FILE")
