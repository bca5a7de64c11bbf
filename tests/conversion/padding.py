"""What padding with byte 128, not pixel 127.5, changes in the heads: `python -m tests.conversion.padding OUT.json`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from conversion import input_pixels, photos, weights
from conversion.tensorflow import graph, proof


def main(path: Path) -> None:
    """Greatest difference per head on the sample photo at 320x240 with the default weights, written as JSON."""
    source = weights.load()
    photo = photos.letterbox(photos.bundled(photos.SAMPLE), 320, 240)[None]
    published = graph.build(source, 320, 240)(photo)
    on_kpu = graph.build(source, 320, 240, pad_pixel=input_pixels.PAD_PIXEL)(photo)
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(proof.differences(published, on_kpu), indent=2) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
