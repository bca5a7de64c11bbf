"""What the program takes of MicroPython's heap on a real image: python -m tests.host_tools.k210.heap_use MODEL JSON.

Takes the `minimum` image where the tests look for it, and a kmodel with its card beside it.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from conversion import files
from tests.host_tools.k210 import states
from tests.host_tools.k210.asker import Asker

IMAGE = "minimum"
# Prints what is in use after each frame, garbage left out.
MAIN = b"""
import gc
def used():
    gc.collect()
    return gc.mem_alloc()
before = used()
import pose_app
import pose_heap
with pose_heap.Importing():
    import pose_loop
print("modules", used() - before)
import ujson
values = ujson.load(open("/flash/pose_model.json"))
before = used()
decoder = pose_loop.pose_engine.pose_card.pose_decoder.PoseDecoder(values)
print("decoder", used() - before)
values = decoder = None
pose_app.run(lambda poses, frame, image: print("in use", used()))
"""


def measured(kmodel: Path) -> dict[str, float]:
    """KiB of each: the modules, the decoder, all while frames run, and the same once heads were asked for."""
    machine = states.deployed(IMAGE, {"main.py": MAIN}, kmodel)
    machine.power_on()
    board = states.PatientSession(machine)
    in_use = re.compile(rb"in use (\d+)\r\n")
    board.frames(3)
    running = in_use.findall(bytes(board.sent))[-1]
    Asker(board).ask("HEADS")
    begin = len(board.sent)
    board.frames(2)
    with_heads = in_use.findall(bytes(board.sent[begin:]))[-1]
    parts = re.findall(rb"(modules|decoder) (\d+)\r\n", bytes(board.sent))
    found = [*((name.decode(), number) for name, number in parts), ("running", running), ("with_heads", with_heads)]
    return {name: round(int(number) / 1024, 1) for name, number in found}


if __name__ == "__main__":
    files.write(Path(sys.argv[2]), json.dumps(measured(Path(sys.argv[1]))).encode())
