"""Asks real MaixPy images on the emulated chip every probe, and writes their answers to `answers.json`.

    python -m tests.conformance [GROUP ...]

The images are found as `tests/host_tools/k210/images.py` says. Answers are those of `minimum`; of the other images only
what differs is kept. Given groups alone are asked again, all others are kept as they are.
"""

from __future__ import annotations

import click

from tests.conformance import recorded
from tests.conformance.boards import ask_image
from tests.conformance.probes import groups
from tests.host_tools.k210.images import IMAGES


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(groups())), metavar="[GROUP]...")
@click.option("--image", "images", multiple=True, type=click.Choice(list(IMAGES)), help="Ask these images only.")
def main(names: tuple[str, ...], images: tuple[str, ...]) -> None:
    """Ask the images and write what they answer."""
    for name in images or tuple(IMAGES):
        for group in names or tuple(groups()):
            click.echo(f"{name}: {group}", err=True)
            recorded.store(name, group, ask_image(name, group))


if __name__ == "__main__":
    main()
