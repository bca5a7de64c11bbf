"""Mutants of all forms, in batches over the cores, and the figures of what became of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import tomli

from tests.hostile import limited, weight_forms

BATCH = 1000
SEED = "1"
COUNTS = tomli.loads(Path(__file__).with_name("counts.toml").read_text(encoding="utf-8"))
# Files in memory, where there is room for some.
_MEMORY, _ROOM_BYTES = "/dev/shm", 1 << 30
_TEMPORARY = ("TMPDIR", "TEMP", "TMP")


@dataclass
class Figures:
    """Of one form: mutants by what became of them, faults, processor seconds of all batches, and the highest peak."""

    form: str
    accepted: int = 0
    refused: int = 0
    others: int = 0
    seconds: float = 0.0
    peak_kib: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def tried(self) -> int:
        """All."""
        return self.accepted + self.refused + self.others

    def add(self, batch: dict) -> None:
        """What a batch has found."""
        self.accepted += batch["accepted"]
        self.refused += batch["refused"]
        self.others += batch["others"]
        self.seconds += batch["seconds"]
        self.peak_kib = max(self.peak_kib, batch["peak_kib"])
        self.faults += [f"{self.form}, mutant {each['number']}: {each['what']}" for each in batch["faults"]]


class Server:
    """A process that tries batches of some forms, see `server.py`, for the time of a `with`."""

    def __init__(self, names: Sequence[str], environment: dict[str, str]) -> None:
        self._folder = TemporaryDirectory(prefix="hostile-", dir=_place())
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.hostile.server", *names],
            cwd=limited.ROOT,
            env={
                **os.environ,
                **environment,
                **dict.fromkeys(_TEMPORARY, self._folder.name),
                **_ONE_THREAD,
                **_KEEP_MEMORY,
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()
        self._folder.cleanup()

    def batch(self, form: str, seed: str, first: int, count: int) -> dict:
        """What became of some mutants: what `batch.tried` gives."""
        order = {"form": form, "seed": seed, "first": first, "count": count}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"the server of {form} ended with {self._process.wait()}"
        return json.loads(answer)


_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")
# Memory of a large file stays with the process for the next one: fetching it anew takes longer than reading the file.
_KEEP_MEMORY = dict.fromkeys(("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"), str(1 << 28))


def _place() -> str | None:
    """Where files of mutants lie."""
    found = os.path.isdir(_MEMORY) and shutil.disk_usage(_MEMORY).free > _ROOM_BYTES
    return _MEMORY if found else None


@contextmanager
def weights() -> Iterator[dict[str, str]]:
    """The environment in which batches find sound weights of every form."""
    with TemporaryDirectory(prefix="hostile-weights-") as folder:
        command = [sys.executable, "-m", "tests.hostile.sound_weights", folder]
        subprocess.run(command, cwd=limited.ROOT, check=True, capture_output=True)
        yield {weight_forms.WEIGHTS: folder}


def run(form: str, count: int, environment: dict[str, str], seed: str = SEED) -> Figures:
    """So many mutants of a form, the same for the same seed, over as many servers as there are cores."""
    figures, cores = Figures(form), len(os.sched_getaffinity(0))
    size = min(BATCH, -(-count // cores))
    starts = iter(range(0, count, size))

    def serve(_: int) -> list[dict]:
        with Server([form], environment) as server:
            # The next batch is whoever's is free.
            return [server.batch(form, seed, at, min(size, count - at)) for at in starts]

    with ThreadPoolExecutor(cores) as pool:
        for found in pool.map(serve, range(cores)):
            for each in found:
                figures.add(each)
    return figures


def most(form: str) -> int:
    """Mutants of a form that a soak tries, see `counts.toml`."""
    return COUNTS.get(form, {}).get("count", COUNTS["most"])


HEAD = (
    "| form | mutants | accepted | refused | anything else | seconds | a second | peak MiB |\n"
    "|---|---|---|---|---|---|---|---|"
)


def row(figures: Figures) -> str:
    """The line of a form in the table."""
    rate = figures.tried / figures.seconds if figures.seconds else 0.0
    return (
        f"| {figures.form} | {figures.tried} | {figures.accepted} | {figures.refused} | {figures.others} | "
        f"{figures.seconds:.0f} | {rate:.0f} | {figures.peak_kib / 1024:.0f} |"
    )
