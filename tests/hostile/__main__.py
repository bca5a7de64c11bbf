"""`python -m tests.hostile [--count N] [--seed S] [FORM ...]`: mutants of every form, and what became of them, a table.

Exit code 1 where a mutant was neither accepted nor refused in one line. Seconds and peak memory are those of the
processes that read the mutants; a batch of them runs on each core.
"""

from __future__ import annotations

import sys

import click

from tests.hostile import mutants
from tests.hostile.forms import FORMS


@click.command()
@click.option("--count", default=1000, show_default=True, help="Mutants of each form.")
@click.option("--seed", default=mutants.SEED, show_default=True, help="The same seed, the same mutants.")
@click.argument("names", nargs=-1, metavar="[FORM]...")
def main(count: int, seed: str, names: tuple[str, ...]) -> None:
    """Damage files of every form that comes from outside."""
    faults: list[str] = []
    with mutants.weights() as environment:
        click.echo(mutants.HEAD)
        for name in names or FORMS:
            figures = mutants.run(name, count, environment, seed)
            click.echo(mutants.row(figures))
            faults += figures.faults
    for fault in faults:
        click.echo(fault, err=True)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main(prog_name="python -m tests.hostile")
