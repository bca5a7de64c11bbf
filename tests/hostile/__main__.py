"""`python -m tests.hostile [--count N] [--seed S] [FORM ...]`: mutants of every form, and what became of them, a table.

Exit code 1 where a mutant was neither accepted nor refused in one line. Seconds (of the processor) and peak memory are
those of the processes that read the mutants, one on each core; of slow forms no more are tried than `counts.toml` says.
"""

from __future__ import annotations

import sys
import time

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
    tried, seconds = 0, 0.0
    started = time.monotonic()
    with mutants.weights() as environment:
        click.echo(mutants.HEAD)
        for name in names or FORMS:
            figures = mutants.run(name, min(count, mutants.most(name)), environment, seed)
            click.echo(mutants.row(figures))
            faults += figures.faults
            tried, seconds = tried + figures.tried, seconds + figures.seconds
    minutes = (time.monotonic() - started) / 60
    click.echo(f"\n{tried} mutants, {seconds:.0f} s of the processor, {minutes:.0f} minutes, seed {seed}")
    for fault in faults:
        click.echo(fault, err=True)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main(prog_name="python -m tests.hostile")
