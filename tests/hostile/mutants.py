"""Mutants of all forms, in batches over the cores, and the figures of what became of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.hostile import forms, limited

BATCH = 1000
SEED = "1"
_TEMPORARY = ("TMPDIR", "TEMP", "TMP")


@dataclass
class Figures:
    """Of one form: mutants by what became of them, faults, seconds of all batches together, and the highest peak."""

    form: str
    accepted: int = 0
    refused: int = 0
    seconds: float = 0.0
    peak_kib: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def tried(self) -> int:
        """All."""
        return self.accepted + self.refused + len(self.faults)

    def add(self, batch: dict) -> None:
        """What a batch has printed."""
        self.accepted += batch["accepted"]
        self.refused += batch["refused"]
        self.seconds += batch["seconds"]
        self.peak_kib = max(self.peak_kib, batch["peak_kib"])
        self.faults += [f"{self.form}, mutant {each['number']}: {each['what']}" for each in batch["faults"]]


@contextmanager
def weights() -> Iterator[dict[str, str]]:
    """The environment in which batches find sound weights of every form."""
    with TemporaryDirectory(prefix="hostile-weights-") as folder:
        command = [sys.executable, "-m", "tests.hostile.sound_weights", folder]
        subprocess.run(command, cwd=limited.ROOT, check=True, capture_output=True)
        yield {forms.WEIGHTS: folder}


def run(form: str, count: int, environment: dict[str, str], seed: str = SEED) -> Figures:
    """So many mutants of a form, the same for the same seed; as many batches at once as there are cores."""
    figures, cores = Figures(form), len(os.sched_getaffinity(0))
    size = min(BATCH, -(-count // cores))
    starts = range(0, count, size)
    with ThreadPoolExecutor(cores) as pool:
        for printed in pool.map(lambda at: batch([form], seed, at, min(size, count - at), environment), starts):
            for each in printed:
                figures.add(each)
    return figures


def batch(names: Sequence[str], seed: str, first: int, count: int, environment: dict[str, str]) -> list[dict]:
    """What a process has found in mutants of some forms; a process that died is a fault."""
    with TemporaryDirectory(prefix="hostile-batch-") as folder:
        command = [sys.executable, "-m", "tests.hostile.batch", seed, str(first), str(count), *names]
        variables = {**os.environ, **environment, **dict.fromkeys(_TEMPORARY, folder), "OPENBLAS_NUM_THREADS": "1"}
        done = subprocess.run(command, cwd=limited.ROOT, env=variables, capture_output=True, text=True)
        left = [path.name for path in Path(folder).iterdir()]
    printed = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    lost = [name for name in names if name not in {each["form"] for each in printed}]
    for name in lost:
        words = f"the process ended with {done.returncode}: {done.stderr[-500:]}"
        printed.append(_fault(name, first, words))
    if left:
        printed.append(_fault(names[0], first, f"left behind: {left}"))
    return printed


def _fault(name: str, first: int, words: str) -> dict:
    nothing = {"accepted": 0, "refused": 0, "seconds": 0.0, "peak_kib": 0}
    return {"form": name, **nothing, "faults": [{"number": first, "what": words}]}


HEAD = (
    "| form | mutants | accepted | refused | anything else | seconds | a second | peak MiB |\n"
    "|---|---|---|---|---|---|---|---|"
)


def row(figures: Figures) -> str:
    """The line of a form in the table."""
    rate = figures.tried / figures.seconds if figures.seconds else 0.0
    return (
        f"| {figures.form} | {figures.tried} | {figures.accepted} | {figures.refused} | {len(figures.faults)} | "
        f"{figures.seconds:.0f} | {rate:.0f} | {figures.peak_kib / 1024:.0f} |"
    )
