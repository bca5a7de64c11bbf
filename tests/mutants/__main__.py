"""Draws mutations and prints the survivors: python -m tests.mutants ROOM [--seed N] [--count N]."""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from pathlib import Path

from tests.mutants import drawing
from tests.mutants.rooms import Room, rooms
from tests.mutants.running import Copies, Job


def survivors(room: Room, seed: int, count: int) -> None:
    """Run a room's tests, its named mutations and `count` drawn ones, and print those that no test notices."""
    sound = Job(None, room.tests)
    named = [Job(each.mutation, (each.test,)) for each in room.named]
    drawn = [Job(mutation, room.tests) for mutation in drawing.drawn(room, seed, count)]
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(Copies(Path(folder))) as copies:
        begun = copies.start([sound, *named, *drawn])
        if begun[sound].result().noticed:
            raise SystemExit(f"{room.name}: tests fail without a mutation\n{begun[sound].result().said}")
        for job in named:
            if not begun[job].result().noticed:
                print(f"survives {job.tests[0]}: {job.mutation}", flush=True)
        for job in drawn:
            if not begun[job].result().noticed:
                print(f"{'explained' if room.why(job.mutation) else 'survives '}  {job.mutation}", flush=True)
    print(f"{room.name}: {len(named)} named mutations, {len(drawn)} drawn with seed {seed}")


if __name__ == "__main__":
    by_name = {room.name: room for room in rooms()}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("room", choices=by_name)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=12)
    chosen = parser.parse_args()
    survivors(by_name[chosen.room], chosen.seed, chosen.count)
