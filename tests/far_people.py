"""The README's picture of people across the room, without zoom and with it, side by side.

python -m tests.far_people build/posenet-mobilenet-075-320x240.kmodel docs/zoom.png
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

from conversion import files, letterbox, run_sequence
from conversion.decoding import overlay
from conversion.decoding.pose import Pose
from conversion.kpu import posenet
from tests import drawn_people

# x of the middle, y of the top, height, in pixels of a VGA frame: people a fifth of it high.
PEOPLE = [(240, 190, 100), (340, 200, 94), (420, 185, 104)]
# What is shown of the frame (left, top, right, bottom), and how much larger.
SHOWN, SCALE = (190, 165, 470, 310), 3
WITHOUT, WITH = 0, 4


def shown(frame: run_sequence.Frame) -> Image.Image:
    """The part of a frame that is shown, with skeletons."""
    left, top, right, bottom = SHOWN
    part = frame.picture.crop(SHOWN)
    part = part.resize((SCALE * (right - left), SCALE * (bottom - top)), Image.Resampling.BICUBIC)
    poses = []
    for pose in frame.poses:
        moved = pose.keypoints.copy()
        moved[:, :2] -= (left, top)
        poses.append(Pose(pose.score, letterbox.scaled(moved, SCALE)))
    return overlay.skeletons(part, poses, part_score=0.2)


def main(model: Path, output: Path) -> None:
    """Draw, look, write; print what was found."""
    described = posenet.read_described(model)
    pictures = []
    for zoom, caption in ((WITHOUT, "without zoom"), (WITH, "zoom 4: the same frame, and three windows of it")):
        (frame,) = run_sequence.watch(described, [drawn_people.frame(PEOPLE)], zoom)
        scores = ", ".join(f"{pose.score:.2f}" for pose in frame.poses)
        print(f"zoom {zoom}: {len(frame.poses)} poses ({scores}), {len(frame.windows)} runs")
        pictures.append((caption, shown(frame)))
    files.write_png(output, overlay.side_by_side(pictures).quantize(96, dither=Image.Dither.NONE))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
