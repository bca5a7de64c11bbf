"""The figures of the firmware's README, from the virtual board: python -m tests.firmware.app.measure OUT.json."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from tests.firmware.app import puppet
from tests.firmware.app.test_line_budget import frame_bytes
from tests.firmware.app.virtual import Program

MAIN = """
import gc
import json

def used():
    gc.collect()
    return gc.mem_alloc()

before = used()
import pose_app
import pose_loop
print("modules", used() - before)
values = json.load(open("/flash/pose_model.json"))
before = used()
decoder = pose_loop.pose_engine.pose_card.pose_decoder.PoseDecoder(values)
print("decoder", used() - before)
values = decoder = None

def on_frame(poses, frame, image):
    print("frame", used())

pose_app.run(on_frame)
"""


def measure() -> dict[str, int]:
    """Bytes of heap at 320x240, and bytes of sentences a second."""
    with Program(model=puppet.model(), camera=puppet.LIGHT, files={"main.py": MAIN}) as board:
        board.reach(5)
        board.ask("HEADS,1")
        board.next("DIGEST")
        board.reach(board.next("FRAME").fields[0] + 2)
        said = board.output()
    frames = [int(number) for number in re.findall(r"frame (\d+)\r", said)]
    return {
        "modules_bytes": int(re.search(r"modules (\d+)", said)[1]),
        "decoder_bytes": int(re.search(r"decoder (\d+)", said)[1]),
        "frame_bytes": frames[2],
        "frame_bytes_after_heads": frames[-1],
        "three_people_bytes_per_second": 10 * frame_bytes(3),
    }


def main() -> None:
    """Write the figures where the command line says."""
    Path(sys.argv[1]).parent.mkdir(parents=True, exist_ok=True)
    Path(sys.argv[1]).write_text(json.dumps(measure(), indent=2) + "\n")


if __name__ == "__main__":
    main()
