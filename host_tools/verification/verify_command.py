"""`verify`: the board computes what the host computes, or where it does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from conversion.printing import say, show, talk
from conversion.progress import awaited
from host_tools.errors import VerificationError
from host_tools.talk import bar, stopped_cleanly

if TYPE_CHECKING:
    from host_tools.verification.verdict import Verdict


@click.command()
@click.option("--port", metavar="NAME", help="Serial port, its number in the list, or a URL; default: the only board.")
@click.option(
    "--image", type=click.Path(path_type=Path), help="Photo that is sent to the board; default: its test card."
)
@click.option("--model", type=click.Path(path_type=Path), help="kmodel on the board; default: the one in build/.")
@click.option(
    "--frames", type=click.IntRange(min=0), default=5, show_default=True, help="Live frames, where there is no --image."
)
@click.option("--baud", type=click.IntRange(9600, 4000000), help="Raise the line to this rate meanwhile.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
def verify(
    port: str | None, image: Path | None, model: Path | None, frames: int, baud: int | None, as_json: bool
) -> None:
    """Compare what a board computes with the host, heads byte for byte and poses integer for integer.

    Without --image the board runs its self-test on the test card, then the poses of live frames are decoded again.
    Exit codes: 0 verified, 1 different, 2 the board cannot be verified.
    """
    from host_tools import payload
    from host_tools.serial_link import RATES, Link, link_note, ports, raise_speed
    from host_tools.verification import verify as verification

    def expectation(path: Path) -> verification.Expectation:
        return verification.expect_board(path, frames) if image is None else verification.expect_image(path, image)

    # Where there are several, the board says which it has.
    asks_board = model is None and len(payload.built()) > 1
    expected = None if asks_board else expectation(payload.kmodel(model))
    chosen = ports.choose(port)
    link_note.tell([chosen], talk)
    with stopped_cleanly("stopped"), Link(chosen) as link, bar() as report:
        with awaited(f"an answer of the program at {chosen}", talk):
            hello = link.greet()
        if expected is None:
            path = payload.of_digest(hello.kmodel_sha256) or payload.kmodel(None)
            talk(f"the board has {hello.width}x{hello.height}; comparing with {path.name}")
            expected = expectation(path)
        if failed := raise_speed(link, RATES if baud is None else (baud,)):
            rates = " and ".join(map(str, failed))
            talk(f"the line does not carry {rates} baud; going on with {link.baud}")
        verdict = verification.run(link, expected, report, talk)
    _show(verdict, as_json)


def _show(verdict: Verdict, as_json: bool) -> None:
    from host_tools.verification import verdict_format

    if as_json:
        click.echo(json.dumps(verdict.to_dict()))
    else:
        say(verdict_format.headline(verdict), style="green" if verdict.verified else "red")
        for part in verdict_format.parts(verdict):
            show(part)
    if not verdict.verified:
        raise VerificationError(f"the board does not compute what the host computes; {verdict_format.shortly(verdict)}")
