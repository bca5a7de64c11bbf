"""What a run that is not as it should be speaks for: digests, runs that differ, the board's own self-test."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from conversion.kpu.posenet import Heads
from conversion.progress import unreported
from conversion.test_card import planes_of
from host_tools.serial_link import Pose, SelfTest
from host_tools.verification import advice
from host_tools.verification.judging import Judge, Picture
from host_tools.verification.model import DEFAULTS, Model, checksums
from host_tools.verification.session import Run
from host_tools.verification.verdict import HEADS, POSES, POSES_OF_ITS_HEADS, Finding
from tests.host_tools.virtual_board import kmodels


@pytest.fixture(scope="module")
def picture(model: Model) -> Picture:
    words = np.random.default_rng(8).integers(0, 1 << 16, (kmodels.HEIGHT, kmodels.WIDTH)).astype(np.uint16)
    return Picture("photo", words, model.simulation.heads(planes_of(words)))


def sound(model: Model, heads: Heads, number: int = 7) -> Run:
    """A run whose digests and poses are those of its heads."""
    poses = tuple(Pose(pose["score"], tuple(map(tuple, pose["keypoints"]))) for pose in model.poses(heads, DEFAULTS))
    return Run(number, poses, *checksums(heads), heads)


def changed(heads: Heads) -> Heads:
    """The same with another byte in the first head and in the last."""
    names = list(heads)
    return {name: head ^ (name in (names[0], names[-1])) for name, head in heads.items()}


def judged(model: Model, picture: Picture, *runs: Run) -> tuple[Finding, list[bool]]:
    """The finding of the runs one after another, and for which of them heads were asked for."""
    asked: list[bool] = []

    def run(heads: bool) -> Run:
        asked.append(heads)
        return runs[len(asked) - 1]

    return Judge(model, "maix_bit", unreported).on_picture(picture, DEFAULTS, run), asked


def test_checksums_that_are_the_hosts_need_no_heads(model: Model, picture: Picture) -> None:
    run = replace(sound(model, picture.heads), heads=None)
    finding, asked = judged(model, picture, run)
    assert finding.equal
    assert (asked, finding.compared, finding.frame, finding.crc32) == ([False], (HEADS, POSES), 7, run.crc32)
    assert finding.pose_count == len(run.poses) > 0


@pytest.mark.parametrize("wrong", ["crc32", "by_head"])
def test_heads_are_asked_for_unless_every_checksum_is_the_hosts(model: Model, picture: Picture, wrong: str) -> None:
    run = sound(model, picture.heads)
    first = replace(run, **{wrong: getattr(sound(model, changed(picture.heads)), wrong)})
    finding, asked = judged(model, picture, first, replace(run, frame=8))
    assert asked == [False, True]
    assert (finding.frame, finding.compared) == (8, (HEADS, POSES_OF_ITS_HEADS))
    assert finding.explanation == (advice.UNSTABLE,)


@pytest.mark.parametrize("wrong", ["crc32", "by_head"])
def test_a_digest_of_other_heads_is_told(model: Model, picture: Picture, wrong: str) -> None:
    """Either checksum alone."""
    run = sound(model, picture.heads)
    run = replace(run, **{wrong: getattr(sound(model, changed(picture.heads)), wrong)})
    live = Judge(model, "maix_bit", unreported).on_live(DEFAULTS, run)
    assert live.explanation == (advice.OTHER_DIGEST,)
    assert live.compared == (POSES_OF_ITS_HEADS,)
    assert not live.equal
    finding, _ = judged(model, picture, run, run)
    assert finding.explanation == (advice.OTHER_DIGEST,)


def test_a_live_frame_whose_digest_is_its_heads_is_equal(model: Model, picture: Picture) -> None:
    finding = Judge(model, "maix_bit", unreported).on_live(DEFAULTS, sound(model, picture.heads))
    assert finding.equal
    assert finding.subject == "live frame 7"


@pytest.mark.parametrize("alike", [(), ("crc32",), ("by_head",)])
def test_two_runs_of_different_heads_are_told(model: Model, picture: Picture, alike: tuple[str, ...]) -> None:
    """Then no cause is looked for: what the heads are differs from run to run."""
    second = sound(model, changed(picture.heads))
    first = sound(model, {name: head ^ 3 for name, head in picture.heads.items()})
    first = replace(first, **{name: getattr(second, name) for name in alike})
    finding, _ = judged(model, picture, first, second)
    assert finding.explanation == (advice.UNSTABLE,)
    assert finding.heads is not None
    assert finding.layers == ()


def test_wrong_heads_without_a_certain_cause_are_placed(model: Model, picture: Picture) -> None:
    run = sound(model, changed(picture.heads))
    finding, _ = judged(model, picture, run, run)
    assert finding.heads.names == (next(iter(picture.heads)), list(picture.heads)[-1])
    assert [place.name for place in finding.layers if place.suspect] == list(finding.heads.names)
    assert finding.explanation


def test_a_certain_cause_needs_no_places(model: Model, picture: Picture) -> None:
    run = sound(model, model.simulation.heads(planes_of(picture.words)[::-1].copy()))
    finding, _ = judged(model, picture, run, run)
    assert finding.explanation == ("explained exactly by this: red and blue are swapped",)
    assert finding.layers == ()


@pytest.mark.parametrize(
    ("heads_differ", "poses_differ", "result", "told"),
    [
        (False, False, 0, None),
        (False, False, 1, advice.OTHER_VECTOR.format(text="what it says")),
        (True, False, 0, advice.BLIND_TEST),
        (True, False, 1, None),
        (False, True, 0, advice.BLIND_TEST),
        (False, True, 1, None),
    ],
)
def test_the_boards_own_judgement_must_be_the_hosts(
    model: Model, picture: Picture, heads_differ: bool, poses_differ: bool, result: int, told: str | None
) -> None:
    run = sound(model, changed(picture.heads) if heads_differ else picture.heads)
    run = replace(run, self_test=SelfTest(7, result, 0, 0, 0, 0, "what it says"))
    if poses_differ:
        run = replace(run, poses=run.poses[1:])
    finding, _ = judged(model, picture, run, run)
    about_test = {advice.OTHER_VECTOR.format(text="what it says"), advice.BLIND_TEST} & set(finding.explanation)
    assert about_test == ({told} if told else set())
    assert (finding.heads is not None, finding.poses is not None) == (heads_differ, poses_differ)
