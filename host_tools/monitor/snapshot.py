"""A picture of what boards see: the skeletons of a frame on plain paper of the model's size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from conversion import files
from conversion.decoding import overlay
from conversion.decoding.pose import Pose
from conversion.errors import OutputError
from conversion.printing import counted
from host_tools.errors import HostToolError
from host_tools.monitor.figure import PART_SCORE
from host_tools.monitor.frame_processing import ProcessedFrame
from host_tools.monitor.output import Output
from host_tools.serial_link import Frame, sentences, units


def draw(frame: Frame, size: tuple[int, int], part_score: int = PART_SCORE) -> Image.Image:
    """The people of a frame, RGB of `size`; keypoints below `part_score` (of 255), and lines to them, are left out."""
    paper = Image.new("RGB", size, overlay.PAPER)
    return overlay.skeletons(paper, [_pose(pose) for pose in frame.poses], part_score=part_score / units.SCORE_ONE)


def side_by_side(pictures: Sequence[tuple[str, Image.Image]]) -> Image.Image:
    """One picture as it is; those of several boards in a row, with their names."""
    return pictures[0][1] if len(pictures) == 1 else overlay.side_by_side(pictures)


def _pose(pose: sentences.Pose) -> Pose:
    return Pose(
        pose.score / units.SCORE_ONE, np.array(pose.keypoints) / (units.PER_PIXEL, units.PER_PIXEL, units.SCORE_ONE)
    )


class SnapshotKeeper(Output):
    """Remembers the last frame of each board; `write` draws them."""

    def __init__(self, path: Path) -> None:
        """HostToolError now rather than at the end, if the picture is there already or its folder cannot be written."""
        self._path = path
        if path.exists():
            raise HostToolError(f"{path}: exists already; delete it, or choose another name")
        self._processed: dict[str, ProcessedFrame] = {}
        self._attempt(lambda: files.check_writable(path.parent))

    def frame(self, processed: ProcessedFrame) -> None:
        """Keep a frame in place of the board's last one."""
        self._processed[processed.label] = processed

    def write(self) -> str:
        """Draw the frames kept, PNG, whole or not at all; says what was written."""
        if not self._processed:
            return f"{self._path}: not written, since no frame came"
        pictures = [(label, draw(last.frame, last.size)) for label, last in sorted(self._processed.items())]
        self._attempt(lambda: files.write_png(self._path, side_by_side(pictures)))
        return f"{self._path}: written, {counted(len(pictures), 'board')}"

    def _attempt(self, action: Callable[[], None]) -> None:
        try:
            action()
        except OutputError as error:
            reason = getattr(error.__cause__, "strerror", error)
            raise HostToolError(
                f"{self._path}: the snapshot cannot be written ({reason}); choose another place"
            ) from error
