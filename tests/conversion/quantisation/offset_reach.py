"""How far the offsets' range should reach.

`python -m tests.conversion.quantisation.offset_reach SHARED [WEIGHTS]` takes some minutes. It
quantises the weights (default: SHARED/models/tfjs-graph) on SHARED/photos/people with one range after the other and
measures on the COCO photos of SHARED/eval. The KPU is emulated, byte for byte but for its own rounding. "output alone"
is what the head's clipping and rounding would cost if all layers before were exact: no quantisation can pass that.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from conversion import metrics
from conversion import weights as weights_files
from conversion.nncase.compilation import COMPILE_SIZE
from conversion.quantisation import calibration, emulation
from conversion.quantisation.layerwise import Calibration
from conversion.quantisation.nncase_grid import LARGEST_BYTE
from conversion.quantisation.result import HeadScale
from conversion.tensorflow import reference
from tests.conversion.quantisation import measuring

# Below and above 0.
REACHES_PX = ((32.0, 32.0), (44.0, 44.0), (52.0, 52.0), (56.0, 56.0), (60.0, 44.0), (60.0, 60.0), (72.0, 72.0))


def through_bytes(offsets: np.ndarray, scale: HeadScale) -> np.ndarray:
    """Exact offsets after the head's own clipping and rounding."""
    steps = np.rint(offsets / scale.scale).clip(-scale.zero_point, LARGEST_BYTE - scale.zero_point)
    return steps * scale.scale


def main(shared: Path, weights_path: Path) -> None:
    """Print a line a range."""
    weights = weights_files.load(weights_path)
    pictures = calibration.from_folder(shared / "photos" / "people", *COMPILE_SIZE, calibration.MOST_PHOTOS["full"])
    test = measuring.pictures(shared)
    wanted = reference.float_heads(weights, test)
    print("reach px   SQNR dB   output alone   median px   p90 px")
    for reach in REACHES_PX:
        quantised = Calibration(weights, pictures, offset_reach=reach).run(lambda what, done, total: None)
        sqnr_db, moved = measuring.figures(wanted, emulation.run(quantised, test))
        limit = {"offset": through_bytes(wanted["offset"], quantised.head_scales["offset"])}
        alone = metrics.sqnr_db({"offset": wanted["offset"]}, limit)["offset"]
        print(
            f"{reach[0]:4.0f}{reach[1]:4.0f}{sqnr_db['offset']:10.2f}{alone:15.2f}{moved.median:12.2f}{moved.p90:9.2f}",
            flush=True,
        )


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    main(folder, Path(sys.argv[2]) if len(sys.argv) > 2 else folder / "models" / "tfjs-graph")
