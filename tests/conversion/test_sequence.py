"""Moving pictures: frames of folders, animations and videos, and what a board makes of them."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conversion import cli, photos, sequence
from conversion import weights as weights_files
from conversion.decoding.pose import Pose
from conversion.errors import PhotoError
from conversion.run_sequence import Frame, Watched
from tests.conversion.evaluation import plain_kmodel
from tests.conversion.weights import weight_files

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


@pytest.fixture(scope="module")
def kmodel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of random numbers at 64x64."""
    folder = tmp_path_factory.mktemp("kmodel")
    weights = weights_files.load(weight_files.write_tfjs_graph(folder, weight_files.random_weights()).parent)
    return plain_kmodel.write(folder, weights, 64, 64, weights.origin.files)


def simulate(*arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the command."""
    stdout, stderr = io.StringIO(), io.StringIO()
    code = 0
    with redirect_stdout(stdout), redirect_stderr(stderr):
        try:
            cli.main(["simulate", *map(str, arguments)])
        except SystemExit as ended:
            code = ended.code
    return code, stdout.getvalue(), stderr.getvalue()


def test_the_command_goes_through_a_moving_picture(kmodel: Path, tmp_path: Path) -> None:
    still = photos.bundled(photos.SAMPLE).resize((160, 120))
    still.save(tmp_path / "frames.gif", save_all=True, append_images=[still.rotate(3), still.rotate(6)])
    overlay = tmp_path / "overlay.gif"
    code, said, _ = simulate(kmodel, tmp_path / "frames.gif", "--zoom", 1, "--smooth", "--overlay", overlay, "--json")
    *frames, figures = map(json.loads, said.splitlines())
    assert code == 0
    assert frames[0]["windows"] == [[1152, 1152, 2560]]
    assert figures.keys() == {"frames", "runs", "window_changes", "frames_without_person", "jitter_px"}
    assert len(frames) == figures["frames"] == Image.open(overlay).n_frames == 3


def test_a_photo_stands_still_until_it_was_looked_at_closely(kmodel: Path, tmp_path: Path) -> None:
    photos.bundled(photos.SAMPLE).save(tmp_path / "photo.png")
    for zoom, frames in ((1, "2"), (0, "1"), (3, "1")):
        overlay = tmp_path / f"{zoom}.png"
        code, said, _ = simulate(kmodel, tmp_path / "photo.png", "--zoom", zoom, "--overlay", overlay)
        assert code == 0
        assert said.splitlines()[0].split() == ["frames", frames]
        assert Image.open(overlay).size == (640, 480)


def test_what_the_command_refuses(kmodel: Path, tmp_path: Path) -> None:
    for said, *arguments in (
        ("no photos in this folder", tmp_path),
        ("one photo without --zoom", tmp_path, "--heads", tmp_path / "heads.npz"),
        ("no such photo", tmp_path / "absent.gif", "--zoom", 1),
        ("is not in the range", tmp_path, "--zoom", 5),
    ):
        code, printed, error = simulate(kmodel, *arguments)
        assert (code, printed) == (2, "")
        assert said in " ".join(error.split())
