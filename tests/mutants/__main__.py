"""Draws mutations and prints the survivors: python -m tests.mutants ROOM [--seed N] [--count N]."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.mutants import drawing
from tests.mutants.rooms import Room, rooms
from tests.mutants.running import Copy


def survivors(room: Room, seed: int, count: int) -> None:
    """Run a room's named mutations and `count` drawn ones, and print those that no test notices."""
    drawn = drawing.drawn(room, seed, count)
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder) / "copy")
        for named in room.named:
            if not copy.noticed(named.mutation, [named.test]):
                print(f"survives {named.test}: {named.mutation}", flush=True)
        for mutation in drawn:
            if not copy.noticed(mutation, room.tests):
                why = room.explained.get((mutation.line.strip(), mutation.becomes.strip()))
                print(f"{'explained' if why else 'survives '}  {mutation}", flush=True)
    print(f"{room.name}: {len(room.named)} named mutations, {len(drawn)} drawn with seed {seed}")


if __name__ == "__main__":
    by_name = {room.name: room for room in rooms()}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("room", choices=by_name)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=20)
    chosen = parser.parse_args()
    survivors(by_name[chosen.room], chosen.seed, chosen.count)
