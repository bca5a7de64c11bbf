"""`profile`: the KPU layer by layer, measured on a board against the time model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from conversion.printing import say, tabulate, talk
from conversion.progress import awaited
from host_tools.talk import bar, stopped_cleanly

if TYPE_CHECKING:
    from host_tools.verification.profile import Profile


@click.command()
@click.option("--port", metavar="NAME", help="Serial port, its number in the list, or a URL; default: the only board.")
@click.option("--model", type=click.Path(path_type=Path), help="kmodel on the board; default: the one in build/.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def profile(port: str | None, model: Path | None, as_json: bool) -> None:
    """Measure the network on a board's KPU layer by layer, against the estimated time of each.

    The board needs the copy of the kmodel that `flash --profile` writes, and memory for it (MaixPy's `minimum` build).
    """
    from host_tools import payload
    from host_tools.serial_link import Link, link_note, ports, raise_speed
    from host_tools.verification import model as models
    from host_tools.verification import profile as profiling

    the_model = models.load(payload.kmodel(model))
    chosen = ports.choose(port)
    link_note.tell([chosen], talk)
    if link_note.read(chosen):
        talk("there the KPU takes the estimated time by construction: both agree, and nothing is proved")
    with stopped_cleanly("stopped"), Link(chosen) as link, bar() as report:
        with awaited(f"an answer of the program at {chosen}", talk):
            link.greet()
        raise_speed(link)
        found = profiling.run(link, the_model, report, talk)
    if as_json:
        click.echo(json.dumps(found.to_dict()))
    else:
        _show(found)


def _show(found: Profile) -> None:
    rows = [(str(each.number), each.name, *_cells(each.estimated_us, each.measured_us)) for each in found.layers]
    rows.append(("", "all layers", *_cells(found.estimated_us, found.measured_us)))
    tabulate(("layer", "name", "estimated ms", "measured ms", "difference"), rows)
    say(
        f"{found.board}, {found.size}. Without the processor's copy of results, "
        f"{found.copy_nanoseconds_a_byte:.1f} ns a byte, and {found.fixed_us / 1000:.2f} ms beside it in each run."
    )


def _cells(estimated_us: float, measured_us: float) -> tuple[str, str, str]:
    difference = f"{100 * (measured_us / estimated_us - 1):+.0f} %" if estimated_us else ""
    return f"{estimated_us / 1000:.3f}", f"{measured_us / 1000:.3f}", difference
