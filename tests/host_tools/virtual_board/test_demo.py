"""The demo: the board's own program finds the person, and a damaged program does not."""

import json
from pathlib import Path

import pytest
from PIL import Image

from conversion import pipeline
from conversion.network import KEYPOINTS
from conversion.pipeline import Recipe
from conversion.progress import silent
from host_tools import boards, payload, time_limits
from host_tools.errors import BoardError, HostToolError, VerificationError
from host_tools.serial_link.sentences import Frame, Pose
from host_tools.virtual_board import demo
from host_tools.virtual_board.clock import JumpingClock
from tests.patience import exactly, said
from tests.samples import sample

FRAMES = 4


@pytest.fixture(scope="module")
def kmodel(tfjs_graph_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that sees people; the demo itself runs in a few seconds."""
    recipe = Recipe(tmp_path_factory.mktemp("build"), weights=tfjs_graph_dir, quantisation="fast")
    made = pipeline.convert(recipe, False, silent)
    pipeline.write(made)
    return made.path


def test_the_demo_shows_the_person_and_writes_what_it_saw(kmodel: Path, tmp_path: Path) -> None:
    seen = demo.run(kmodel, silent, count=FRAMES, clock=JumpingClock())
    assert len(seen.frames) == FRAMES
    # Frames that the line has no time for are left out; each of those that came shows the one person.
    assert seen.people == {1: tuple(frame.number for frame in seen.frames)}
    demo.check(seen)
    assert seen.damaged == 0
    demo.write(seen, tmp_path)
    lines = (tmp_path / demo.POSES).read_text().splitlines()
    first = json.loads(lines[0])
    assert len(lines) == FRAMES
    assert set(first) == {"frame", "board", "t_ms", "stages_us", "poses"}
    assert len(first["poses"][0]["keypoints"]) == 17
    with Image.open(tmp_path / demo.PICTURE) as picture, Image.open(tmp_path / demo.ANIMATION) as animation:
        assert picture.size == animation.size == (320, 240)
        assert animation.n_frames > 1
        assert len(picture.getcolors(1 << 20)) > 1000, "the LCD shows the photo"


def test_with_a_turned_model_the_person_stands_in_poses_and_pictures(tfjs_graph_dir: Path, tmp_path: Path) -> None:
    recipe = Recipe(tmp_path, weights=tfjs_graph_dir, quantisation="fast", turned=True)
    made = pipeline.convert(recipe, False, silent)
    pipeline.write(made)
    shown = demo.run(made.path, silent, count=FRAMES, clock=JumpingClock())
    demo.check(shown)
    for frame in shown.frames:
        parts = dict(zip(KEYPOINTS, frame.poses[0].keypoints, strict=True))
        assert parts["nose"][1] < min(parts["leftShoulder"][1], parts["rightShoulder"][1]), "the head is above"
        assert parts["rightShoulder"][0] < parts["leftShoulder"][0], "not mirrored: she looks at the camera"
    assert {picture.size for picture in shown.pictures} == {(240, 320)}


def seen(*counts: int) -> demo.Demo:
    """A demo whose frames show so many people."""
    person = Pose(100, ((0, 0, 0),) * 17)
    frames = (Frame(number, 0, 0, {}, (person,) * count) for number, count in enumerate(counts, start=1))
    return demo.Demo(demo.BOARD, tuple(frames), (), 0, ())


def test_every_frame_must_show_the_one_person() -> None:
    demo.check(seen(1, 1, 1))
    with pytest.raises(VerificationError, match="the board saw 0 in frame 2: "):
        demo.check(seen(1, 0, 1))
    with pytest.raises(VerificationError, match=r"the board saw 0 in frame 4; 2 in frame 1, 3: [^\n]*$"):
        demo.check(seen(2, 1, 2, 0))


# One line of the decoder, what a slip of the pen makes of it, and what the demo says then.
DAMAGES = {
    "no root is ever taken": (
        "                found += 1\n",
        "                found += 0\n",
        "the board saw 0 in frame 1, 2",
    ),
    "a syntax error": ("        found = 0\n", "        found = = 0\n", "SyntaxError"),
}


@pytest.mark.parametrize("damage", sample(DAMAGES, 0))
def test_with_one_line_of_the_decoder_damaged_the_demo_fails(
    damage: str, kmodel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the host would be decoding for the board."""
    whole, broken, words = DAMAGES[damage]
    files = payload.files(boards.find(demo.BOARD))
    source = Path(str(files["pose_decoder.py"])).read_text()
    assert source.count(whole) == 1
    damaged = {**files, "pose_decoder.py": source.replace(whole, broken)}

    def attempt(seconds: float) -> None:
        monkeypatch.setattr(time_limits, "DEMO", exactly(seconds))
        demo.check(demo.run(kmodel, silent, damaged, FRAMES, clock=JumpingClock()))

    said(words, attempt, 3.0, HostToolError)


def test_without_a_model_the_demo_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BoardError, match="make kmodel"):
        demo.run(None, silent)
