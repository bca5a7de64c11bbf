"""What the integer decoder costs on a board's Python, for `make bench`: heap per frame, and time against floats."""

from __future__ import annotations

import functools
import json
import tempfile
from pathlib import Path

import numpy as np

from tests.firmware import board_python, synthetic

# Three people fill a camera frame; the frames differ by where they stand.
WIDTH, HEIGHT, PEOPLE, FRAMES = 320, 240, 3, 10


def decoder_vs_float() -> dict[str, float]:
    """How many times faster decoding is than tfjs's algorithm in floats: medians of 30 frames, taken in turn."""
    measured = measure()
    return {"decoder_vs_float": measured["float_us"] / measured["integer_us"]}


def decoder_heap_bytes_per_frame() -> dict[str, float]:
    """The worst of 100 frames: bytes of heap that decoding and reading the result leave behind; the decoder's own."""
    measured = measure()
    return {
        "decoder_heap_bytes_per_frame": measured["heap_bytes"],
        "decoder_heap_bytes": measured["decoder_bytes"],
    }


@functools.cache
def measure() -> dict:
    """One run under unix MicroPython, heap 512 kB: {heap_bytes, decoder_bytes, poses, integer_us, float_us}."""
    with tempfile.TemporaryDirectory() as folder:
        write_frames(Path(folder))
        return json.loads(board_python.run("board_measure.py", folder, str(FRAMES)))


def write_frames(folder: Path) -> None:
    """card.json and the frames as files of heads."""
    card = synthetic.card(WIDTH, HEIGHT)
    (folder / "card.json").write_text(json.dumps(card))
    for number in range(FRAMES):
        people = np.add(synthetic.crowd(WIDTH, HEIGHT, PEOPLE), (3 * number - 15, number))
        heads = synthetic.quantised(synthetic.drawn(people, card), card)
        (folder / f"{number}.heads").write_bytes(b"".join(synthetic.buffers(heads)))
