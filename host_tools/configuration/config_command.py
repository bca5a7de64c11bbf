"""`config`: the settings of a running board: shown, changed, kept for its next start."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import rich_click as click

from conversion.printing import say, tabulate, talk
from conversion.progress import awaited
from host_tools.talk import stopped_cleanly

if TYPE_CHECKING:
    from host_tools.serial_link import Link

_port = click.option(
    "--port", metavar="NAME", help="Serial port, its number in the list, or a URL; default: the only board."
)


@click.group()
def config() -> None:
    """Show and change the settings of a board whose program runs.

    KEY is a name that `config get` lists. What `set` changes lasts until the board starts again; `save` keeps it.
    """


@config.command()
@_port
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.argument("keys", nargs=-1, metavar="[KEY]...")
def get(port: str | None, as_json: bool, keys: tuple[str, ...]) -> None:
    """Print settings: all, or those that are named."""
    from host_tools.configuration import settings

    for key in keys:
        settings.known(key)
    with _board(port) as link:
        values = settings.ask(link)
    chosen = {name: values[name] for name in keys or settings.KNOWN}
    if as_json:
        click.echo(json.dumps(chosen))
        return
    tabulate(
        ("setting", "value", "meaning"),
        [(name, settings.shown(name, value), settings.KNOWN[name].meaning) for name, value in chosen.items()],
    )


@config.command("set")
@_port
@click.argument("pairs", nargs=-1, required=True, metavar="KEY=VALUE...")
def set_(port: str | None, pairs: tuple[str, ...]) -> None:
    """Change settings until the board starts again."""
    from host_tools.configuration import settings

    wanted = settings.parse(pairs)
    with _board(port) as link:
        settings.change(link, wanted)
        _show(settings.ask(link), tuple(wanted))
    talk("until the board starts again; `config save` keeps it")


@config.command()
@_port
@click.argument("pairs", nargs=-1, metavar="[KEY=VALUE]...")
def save(port: str | None, pairs: tuple[str, ...]) -> None:
    """Keep the board's settings for its next start, after changing those that are given."""
    from host_tools.configuration import settings

    wanted = settings.parse(pairs)
    settings.check_saved(tuple(wanted))
    with _board(port) as link:
        settings.change(link, wanted)
        settings.save(link)
        now = settings.ask(link)
    _show(now, tuple(wanted) or tuple(name for name, setting in settings.KNOWN.items() if setting.saved))
    say("saved in the board's pose_config.json")


@contextmanager
def _board(port: str | None) -> Iterator[Link]:
    """The board's line, after its greeting."""
    from host_tools.serial_link import Link, link_note, ports

    chosen = ports.choose(port)
    link_note.tell([chosen], talk)
    with stopped_cleanly("stopped"), Link(chosen) as link:
        with awaited(f"an answer of the program at {chosen}", talk):
            link.greet()
        yield link


def _show(values: dict[str, int | None], names: tuple[str, ...]) -> None:
    from host_tools.configuration import settings

    for name in names:
        say(f"{name}={settings.shown(name, values[name])}")
