"""A moving picture through one kmodel, as a board with a VGA camera sees it: windows, people, and how calm they are."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from conversion import camera_frame, card, files, portrait, sequence
from conversion.decoding import board_decoder, overlay
from conversion.decoding.board_zoom import BoardZoom, pose_people, pose_view, pose_zoom
from conversion.decoding.pose import Pose
from conversion.kpu import posenet
from conversion.kpu.posenet import Described, Heads
from conversion.letterbox import Size

# Keypoints that count where jitter is measured, and that are drawn.
_SURE = pose_people.SURE / 255
_FRAME_MS = 100
_WINDOW_INK = (255, 255, 255)
# A frame of a GIF has a palette.
_COLOURS = 128

Window = tuple[int, int, int]


@dataclass(frozen=True)
class Frame:
    """One frame as it stands: planes uint8 [3, 480, 640], of a turned kmodel [3, 640, 480]; the windows of the
    network's runs, and those that were chosen for people, where these lie (left, top, right, bottom) if they are not
    the whole frame, the people, best first, in pixels of the frame, and the same as a board sends them, but standing.
    """

    planes: np.ndarray
    windows: list[Window]
    chosen: list[Window]
    outlines: list[tuple[int, int, int, int]]
    poses: list[Pose]
    wire: list[dict]

    @property
    def picture(self) -> Image.Image:
        """The frame as RGB."""
        return Image.fromarray(np.ascontiguousarray(np.moveaxis(self.planes, 0, -1)))


def open_frames(model: Path, path: Path, zoom: int, smooth: bool = False) -> Iterator[Frame]:
    """`watch` for a kmodel with its card, and whatever `sequence.frames` reads; a photo is held still until `follow`
    has looked at it closely. Raises ModelFormatError, UnsupportedModelError or PhotoError."""
    pictures = sequence.frames(path)
    if not sequence.is_moving(path):
        photo = next(pictures)
        pictures = iter([photo] * (2 if zoom == pose_zoom.FOLLOW else 1))
    return watch(posenet.read_described(model), pictures, zoom, smooth)


def watch(model: Described, pictures: Iterable[Image.Image], zoom: int, smooth: bool = False) -> Iterator[Frame]:
    """What a board makes of each picture with that value of `zoom`, where nobody changed another setting.

    The camera of a turned kmodel lies: its frame is 480 wide and 640 high for who stands before it.
    """
    turned = card.turned(model.card)
    machine = model.simulation
    size = (machine.width, machine.height)
    board = BoardZoom(model.card, zoom, smooth, **board_decoder.ON_BOARD)
    for picture in pictures:
        planes = camera_frame.of_photo(picture.transpose(Image.Transpose.TRANSPOSE) if turned else picture)

        def heads(window: Window, planes: np.ndarray = planes) -> Heads:
            return machine.heads(camera_frame.warp(planes, window, size))

        people = board.look(heads)
        windows = board.windows()
        chosen = windows[1:] if zoom > pose_zoom.FOLLOW else windows[:1]
        frame = Frame(
            planes=planes,
            windows=windows,
            chosen=chosen,
            outlines=[_outline(window, size) for window in chosen if not board.rule.view.is_full(window)],
            poses=[Pose(person.score, board.in_frame(person.keypoints)) for person in people],
            wire=[person.wire for person in people],
        )
        yield _upright(frame) if turned else frame


def _upright(frame: Frame) -> Frame:
    """As it stands; the windows stay those of the board."""
    return replace(
        frame,
        planes=portrait.transposed(frame.planes),
        outlines=[(top, left, bottom, right) for left, top, right, bottom in frame.outlines],
        poses=[Pose(pose.score, portrait.keypoints(pose.keypoints)) for pose in frame.poses],
        wire=[portrait.wire(pose) for pose in frame.wire],
    )


def _outline(window: Window, size: Size) -> tuple[int, int, int, int]:
    x0, y0, step = window
    right, bottom = (begin + step * (side - 1) for begin, side in zip((x0, y0), size, strict=True))
    return tuple(end // pose_view.PIXEL for end in (x0, y0, right, bottom))


@dataclass
class Watched:
    """What all frames say of zoom."""

    frames: int = 0
    runs: int = 0
    window_changes: int = 0
    without_person: int = 0
    _chosen: list[Window] = field(default_factory=list)
    _best: list[np.ndarray | None] = field(default_factory=list)

    def add(self, frame: Frame) -> None:
        """Takes the next frame in."""
        self.window_changes += self.frames > 0 and frame.chosen != self._chosen
        self._chosen = frame.chosen
        self.frames += 1
        self.runs += len(frame.windows)
        self.without_person += not frame.poses
        self._best.append(frame.poses[0].keypoints if frame.poses else None)

    @property
    def jitter_px(self) -> float | None:
        """How far a sure keypoint of the best person lies from the middle between where it was and where it will be:
        the median, in pixels of the frame; 0 for who stands or walks steadily, None where nobody stays three frames."""
        found = [np.empty(0)]
        for before, now, after in zip(self._best, self._best[1:], self._best[2:], strict=False):
            if before is not None and now is not None and after is not None:
                sure = (np.stack([before, now, after])[..., 2] >= _SURE).all(axis=0)
                middle = (before[sure, :2] + after[sure, :2]) / 2
                found.append(np.linalg.norm(now[sure, :2] - middle, axis=1))
        together = np.concatenate(found)
        return float(np.median(together)) if len(together) else None

    def to_dict(self) -> dict:
        """For JSON."""
        jitter = self.jitter_px
        return {
            "frames": self.frames,
            "runs": self.runs,
            "window_changes": self.window_changes,
            "frames_without_person": self.without_person,
            "jitter_px": None if jitter is None else round(jitter, 3),
        }


def write_overlay(frames: Iterable[Frame], path: Path) -> None:
    """Write the frames with skeletons and a thin line round each window: an animated GIF, or, of a name that does not
    end so, the last one as PNG."""
    if path.suffix.lower() == ".gif":
        pictures = (_drawn(frame).quantize(_COLOURS) for frame in frames)
        packed = io.BytesIO()
        next(pictures).save(packed, "GIF", save_all=True, append_images=pictures, duration=_FRAME_MS, loop=0)
        files.write(path, packed.getvalue())
    else:
        (last,) = deque(frames, maxlen=1)
        files.write_png(path, _drawn(last))


def _drawn(frame: Frame) -> Image.Image:
    picture = overlay.skeletons(frame.picture, frame.poses, part_score=_SURE)
    lines = ImageDraw.Draw(picture)
    for box in frame.outlines:
        lines.rectangle(box, outline=_WINDOW_INK)
    return picture
