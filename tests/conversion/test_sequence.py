"""Moving pictures: frames of folders, animations and videos, and what a board makes of them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conversion import sequence
from conversion.decoding.pose import Pose
from conversion.errors import PhotoError
from conversion.run_sequence import Frame, Watched

COLOURS = [(200, 10, 10), (10, 200, 10), (10, 10, 200)]


@pytest.fixture
def pictures() -> list[Image.Image]:
    return [Image.new("RGB", (96, 64), colour) for colour in COLOURS]


def means(frames: object) -> list[list[int]]:
    return [[round(float(value)) for value in np.asarray(frame)[10, 10]] for frame in frames]


def near(found: list[list[int]]) -> bool:
    return np.allclose(found, COLOURS, atol=8)


def test_a_folder_is_its_photos_by_name(pictures: list[Image.Image], tmp_path: Path) -> None:
    for number, picture in enumerate(pictures):
        picture.save(tmp_path / f"{number}.png")
    assert sequence.is_moving(tmp_path)
    assert near(means(sequence.frames(tmp_path)))


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp"])
def test_an_animation_is_its_frames(pictures: list[Image.Image], name: str, tmp_path: Path) -> None:
    pictures[0].save(tmp_path / name, save_all=True, append_images=pictures[1:])
    assert sequence.is_moving(tmp_path / name)
    assert near(means(sequence.frames(tmp_path / name)))


def test_a_photo_stands_still(pictures: list[Image.Image], tmp_path: Path) -> None:
    pictures[0].save(tmp_path / "a.png")
    assert not sequence.is_moving(tmp_path / "a.png")
    assert len(list(sequence.frames(tmp_path / "a.png"))) == 1


def test_a_video_without_ffmpeg_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PhotoError, match=r"videos are not read; make a folder of its frames: `ffmpeg -i a\.mp4 frames"):
        sequence.frames(tmp_path / "a.mp4")


@pytest.fixture
def ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Something called ffmpeg that hands out what lies in a file."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "ffmpeg"
    program.write_text(
        f"#!{sys.executable}\n"
        "import pathlib, sys\n"
        "arguments = sys.argv[1:]\n"
        "path = arguments[arguments.index('-i') + 1]\n"
        "assert path.startswith('file:') and 'scale=640:480' in ' '.join(arguments)\n"
        "data = pathlib.Path(path[5:]).read_bytes()\n"
        "sys.stdout.buffer.write(data) if data else sys.exit('moov atom not found')\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_a_video_is_what_ffmpeg_hands_out(ffmpeg: Path, tmp_path: Path) -> None:
    one, other = (np.full((480, 640, 3), colour, np.uint8).tobytes() for colour in COLOURS[:2])
    # The last one was cut short.
    (tmp_path / "-a.mp4").write_bytes(one + other + other[:1000])
    assert means(sequence.frames(tmp_path / "-a.mp4")) == [list(colour) for colour in COLOURS[:2]]
    # Who looks at the first frame alone leaves nothing running.
    frames = sequence.frames(tmp_path / "-a.mp4")
    next(frames)
    frames.close()


def test_a_video_that_ffmpeg_cannot_read(ffmpeg: Path, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"")
    with pytest.raises(PhotoError, match=r"a\.mp4: ffmpeg cannot read it \(moov atom not found\)"):
        list(sequence.frames(tmp_path / "a.mp4"))
    with pytest.raises(PhotoError, match="no such video"):
        sequence.frames(tmp_path / "b.mp4")


def seen(x: float | None, window: tuple[int, int, int] = (128, 128, 512), score: float = 1.0) -> Frame:
    """A frame with somebody at `x`, or nobody."""
    poses = [] if x is None else [Pose(0.9, np.array([[x, 50.0, score]] * 17))]
    return Frame(np.zeros((3, 480, 640), np.uint8), [window], [window], [], poses, [])


def test_figures_of_a_sequence() -> None:
    watched = Watched()
    other = (0, 0, 200)
    for frame in (seen(10), seen(14, other), seen(18, other), seen(None, other), seen(50)):
        watched.add(frame)
    figures = {"frames": 5, "runs": 5, "window_changes": 2, "frames_without_person": 1}
    # Who walks steadily does not tremble.
    assert watched.to_dict() == {**figures, "jitter_px": 0.0}


def test_jitter_is_how_far_one_is_from_the_middle_of_before_and_after() -> None:
    watched = Watched()
    for x in (10, 16, 10, 16, 10):
        watched.add(seen(x))
    assert watched.jitter_px == 6
    unsure = Watched()
    for x in (10, 16, 10):
        unsure.add(seen(x, score=0.1))
    assert unsure.jitter_px is None
    assert unsure.to_dict()["jitter_px"] is None
