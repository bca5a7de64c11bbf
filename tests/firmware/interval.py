"""How often `follow` should look at the whole frame: what a newcomer waits, and what that costs, by the interval.

    python -m tests.firmware.interval

Somebody is followed; somebody else comes, each time at another moment, and stands there.
"""

from __future__ import annotations

from unittest.mock import patch

import numpy as np

from conversion.decoding.board_zoom import pose_zoom
from tests.firmware import synthetic
from tests.firmware.zoom_scene import Scene

INTERVALS = (4, 8, 12, 16, 24, 32)
ARRIVALS = 12
# Both are followed for so long before the newcomer goes again.
TOGETHER = 6
FOLLOWED = synthetic.person(150, 150, 150)
NEWCOMER = synthetic.person(450, 170, 150)


def waits(interval: int) -> tuple[list[int], float]:
    """Frames until each newcomer is shown, that one included, and the network's runs a frame while one is followed."""
    random = np.random.default_rng(3)
    scene = Scene(pose_zoom.FOLLOW, (160, 128), noise=1.0)
    found, runs = [], []
    with patch.object(pose_zoom, "INTERVAL", interval):
        for _ in range(ARRIVALS):
            runs += [len(scene.look([FOLLOWED])) for _ in range(TOGETHER + int(random.integers(2 * interval)))]
            found.append(1)
            while scene.look([FOLLOWED, NEWCOMER]) and scene.rule.count < 2:
                found[-1] += 1
            for _ in range(TOGETHER):
                scene.look([FOLLOWED, NEWCOMER])
    return found, float(np.mean(runs))


def main() -> None:
    """Print a line an interval."""
    print("interval  frames until shown: mean  most  runs a frame")
    for interval in INTERVALS:
        found, runs = waits(interval)
        print(f"{interval:8d} {np.mean(found):25.1f} {max(found):5d} {runs:13.3f}")


if __name__ == "__main__":
    main()
