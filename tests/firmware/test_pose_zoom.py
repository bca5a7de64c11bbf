"""The rule of windows: who is followed, what the next frame looks at, who is added, and states that are replayed."""

from __future__ import annotations

from array import array

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversion.decoding.board_zoom import pose_decoder, pose_people, pose_zoom
from tests.firmware import synthetic
from tests.firmware.zoom_scene import Scene

FULL = (128, 128, 512)
# A network that is quick to draw for.
SMALL = (128, 96)
ONE = synthetic.person(200, 150, 150)


def errors(scene: Scene, people: list[np.ndarray]) -> list[float]:
    """Of each person, how far the nearest pose is, on average over the keypoints, in pixels of the frame."""
    return [min(np.linalg.norm(found - person, axis=1).mean() for found in scene.found) for person in people]


def test_off_is_the_decoder_on_the_full_window() -> None:
    """To the bit: what goes out is what the decoder itself rounds."""
    for size in ((320, 240), (256, 192), (224, 224), (384, 256)):
        scene = Scene(pose_zoom.OFF, size, noise=2)
        assert scene.look([ONE, synthetic.person(450, 40, 400)]) == [tuple(scene.rule.view.full)]
        assert scene.rule.count == 2
        for pose, person in zip(scene.decoder.poses, scene.rule.poses, strict=False):
            if person in scene.rule.poses[:2]:
                assert (person.x16, person.y16, person.scores) == (pose.x16, pose.y16, pose.scores)
                assert (person.score, person.score_sum) == (pose.score, pose.score_sum)


@pytest.mark.parametrize("size", [(320, 240), (256, 192), (224, 224), (384, 256)])
def test_follow_looks_at_who_was_there(size: tuple[int, int]) -> None:
    scene = Scene(pose_zoom.FOLLOW, size)
    first = scene.look([ONE])
    assert first == [tuple(scene.rule.view.full)]
    before = errors(scene, [ONE])[0]
    (window,) = scene.look([ONE])
    assert window[2] < scene.rule.view.full[2] / 2
    assert errors(scene, [ONE])[0] < 0.65 * before
    # It keeps to that window.
    assert [scene.look([ONE]) for _ in range(5)] == [[window]] * 5


def test_follow_moves_at_once_and_shrinks_with_patience() -> None:
    """Who comes near a side shows less of themselves for a while, and is as tall as before."""
    scene = Scene(pose_zoom.FOLLOW)
    scene.look([ONE])
    (before,) = scene.look([ONE])
    without_feet = ONE.copy()
    without_feet[13:] = np.nan
    for n in range(pose_zoom.PATIENCE):
        assert scene.look([without_feet]) == [before], n
    (smaller,) = scene.look([without_feet])
    assert smaller[2] < 3 * before[2] // 4
    # Near a side: it moves, and stays as large.
    scene.rule.configure(pose_zoom.OFF, 0, 5)
    scene.rule.configure(pose_zoom.FOLLOW, 0, 5)
    for person in (ONE, ONE, without_feet + np.array([85, 0])):
        scene.look([person])
    (moved,) = scene.look([ONE + np.array([85, 0])])
    assert moved[0] > before[0]
    assert moved[2] == before[2]


def test_follow_looks_at_the_whole_frame_when_nobody_is_there() -> None:
    scene = Scene(pose_zoom.FOLLOW)
    scene.look([ONE])
    assert scene.look([]) != [FULL]
    assert scene.rule.count == 0
    assert scene.look([]) == [FULL]
    assert scene.look([ONE]) == [FULL]
    assert scene.rule.count == 1


def test_follow_holds_everybody_in_one_window() -> None:
    people = [ONE, synthetic.person(330, 180, 140)]
    scene = Scene(pose_zoom.FOLLOW)
    scene.look(people)
    assert len(scene.look(people)) == 1
    assert scene.rule.count == 2
    assert max(errors(scene, people)) < 1
    # Too far from each other for a window that is worth having.
    far = [ONE, synthetic.person(600, 320, 150)]
    for _ in range(2):
        found = scene.look(far[:1]) and scene.look(far)
    scene.look([*far, ONE])
    assert found[0][2] <= 448


def test_who_comes_is_found_by_the_second_run() -> None:
    newcomer = synthetic.person(500, 150, 150)
    scene = Scene(pose_zoom.FOLLOW)
    scene.look([ONE])
    counts, runs = [], []
    for _ in range(pose_zoom.INTERVAL + 2):
        runs.append(len(scene.look([ONE, newcomer])))
        counts.append(scene.rule.count)
    # Not shown by the frame that found it, whose poses are those of one window.
    assert runs == [1] * (pose_zoom.INTERVAL - 1) + [2, 1, 1]
    assert counts == [1] * pose_zoom.INTERVAL + [2, 2]


def test_several_windows_look_closely_at_the_best() -> None:
    people = [synthetic.person(100 + 180 * n, 100 + 40 * n, 130) for n in range(3)]
    for mode in (2, 3, 4):
        scene = Scene(mode, noise=1.5)
        windows = scene.look(people)
        assert windows[0] == FULL
        assert len(set(windows)) == mode
        assert scene.rule.count == 3
        assert sum(error < 2 for error in errors(scene, people)) == mode - 1
        # The same windows for the same people.
        assert set(scene.look(people)) == set(windows)


def test_who_is_seen_in_somebody_s_window_alone_is_added_and_looked_at_again() -> None:
    """Somebody too small for the full window, beside somebody who is not."""
    small = synthetic.person(260, 230, 60)
    scene = Scene(4, least=40)
    assert len(scene.look([ONE, small])) == 2
    assert scene.rule.count == 2
    assert max(errors(scene, [ONE, small])) < 2


def test_a_window_that_nobody_claims_is_kept_while_somebody_new_is_in_it() -> None:
    small = synthetic.person(260, 230, 60)
    scene = Scene(4, least=40)
    # ONE turns away: the full window shows nobody, the last frame's window still shows who is small.
    scene.look([ONE, small])
    assert len(scene.look([small])) == 2
    assert scene.rule.count == 1
    assert len(scene.look([small])) == 2
    assert len(scene.look([])) == 2
    assert len(scene.look([])) == 1


def test_nobody_is_counted_twice() -> None:
    """Two windows show the same two people."""
    people = [ONE, synthetic.person(260, 160, 150)]
    scene = Scene(4, noise=1)
    for _ in range(4):
        scene.look(people)
        assert scene.rule.count == 2
    assert max(errors(scene, people)) < 2


def test_there_are_never_more_people_than_asked_for() -> None:
    people = [synthetic.person(100 + 110 * n, 100, 120) for n in range(5)]
    scene = Scene(3)
    scene.decoder.configure(max_poses=2)
    scene.rule.configure(3, 0, 2)
    scene.look(people)
    assert scene.rule.count == 2
    scores = [pose.score_sum for pose in scene.rule.poses[:2]]
    assert scores == sorted(scores, reverse=True)


def test_another_mode_begins_with_the_full_window() -> None:
    scene = Scene(pose_zoom.FOLLOW)
    scene.look([ONE])
    scene.rule.configure(pose_zoom.FOLLOW, 0, 5)
    assert scene.look([ONE]) != [FULL]
    scene.rule.configure(pose_zoom.OFF, 0, 5)
    scene.rule.configure(pose_zoom.FOLLOW, 0, 5)
    assert scene.look([ONE]) == [FULL]


def told(scene: Scene) -> list:
    """Every integer of the last frame."""
    poses = scene.rule.poses[: scene.rule.count]
    return [(pose.score, list(pose.x16), list(pose.y16), bytes(pose.scores)) for pose in poses]


@settings(max_examples=40)
@given(
    mode=st.integers(0, 4),
    smooth=st.integers(0, 1),
    places=st.lists(st.lists(st.tuples(st.integers(0, 640), st.integers(0, 300)), max_size=3), min_size=2, max_size=6),
)
def test_a_frame_can_be_replayed_from_the_state_before_it_and_its_heads(
    mode: int, smooth: int, places: list[list[tuple[int, int]]]
) -> None:
    board = Scene(mode, SMALL, noise=1, smooth=smooth)
    host = Scene(pose_zoom.OFF, SMALL)
    for frame in places:
        people = [synthetic.person(x, y, 150) for x, y in frame]
        state = array("i", [0] * board.rule.state_size())
        board.rule.save(state)
        rule, heads = board.rule, []
        rule.begin()
        while rule.more():
            heads.append(board.heads(people, rule.window))
            rule.take(board.decoder.poses, board.decoder.decode(heads[-1]))
        rule.finish()
        host.rule.load(state)
        host.rule.begin()
        given_heads = iter(heads)
        while host.rule.more():
            host.rule.take(host.decoder.poses, host.decoder.decode(next(given_heads)))
        host.rule.finish()
        assert not list(given_heads)
        assert host.rule.windows[: 3 * len(heads)] == rule.windows[: 3 * len(heads)]
        assert told(host) == told(board)
        after, same = (array("i", [0] * each.state_size()) for each in (rule, host.rule))
        rule.save(after)
        host.rule.save(same)
        assert after == same


@pytest.mark.parametrize("change", [{0: 5}, {0: -1}, {2: 0}, {2: 33}, {5: 4}, {5: -1}, {15: 33}, {15: -1}, {15: 1}])
def test_a_state_that_is_none(change: dict[int, int]) -> None:
    rule = pose_zoom.Zoom(320, 240)
    state = array("i", [0] * rule.state_size())
    rule.save(state)
    rule.load(state)
    with pytest.raises(ValueError, match="zoom state"):
        rule.load(state[:5])
    for at, value in change.items():
        state[at] = value
    with pytest.raises(ValueError, match="zoom state"):
        rule.load(state)


@given(st.lists(st.tuples(st.integers(-200, 200), st.integers(0, 255)), min_size=17, max_size=17), st.integers(0, 40))
def test_distance_is_a_share_of_the_size(keypoints: list[tuple[int, int]], shift: int) -> None:
    person, other = pose_people.Person(), pose_people.Person()
    pose = Scene(0).decoder.poses[0]
    for n, (place, score) in enumerate(keypoints):
        pose.x64[n], pose.y64[n], pose.scores[n] = 64 * place, 32 * place, score
    person.place(pose, (0, 0, 256))
    other.place(pose, (256 * shift, 0, 256))
    sure = [place for place, score in keypoints if score >= 51]
    if len(sure) < 3:
        assert person.size == 0
        assert pose_people.distance(person, other) == 64
        return
    size = max(256 * (max(sure) - min(sure)), 256)
    assert (person.left, person.right, person.size) == (256 * min(sure), 256 * max(sure), size)
    assert pose_people.distance(person, other) == min(256 * shift, size) * 64 // size
    assert pose_people.distance(person, person) == 0


def test_smoothing_calms_who_stands_and_follows_who_moves() -> None:
    raw, smooth = Scene(pose_zoom.FOLLOW, noise=0.7), Scene(pose_zoom.FOLLOW, noise=0.7, smooth=1)
    places = {scene: [] for scene in (raw, smooth)}
    for scene, found in places.items():
        for _ in range(20):
            scene.look([ONE])
            found.append(scene.found[0])
    jitter = {scene: np.abs(np.diff(found[4:], axis=0)).mean() for scene, found in places.items()}
    assert jitter[smooth] < jitter[raw] / 2
    moved = ONE + np.array([30, 0])
    for scene in places:
        scene.look([moved])
        assert errors(scene, [moved])[0] < 3


def test_two_people_are_smoothed_each_with_their_own_past() -> None:
    people = [synthetic.person(150, 100, 150), synthetic.person(350, 120, 150)]
    scene = Scene(pose_zoom.FOLLOW, smooth=1)
    for n in range(12):
        scene.look([people[n % 2], people[1 - n % 2]])
    assert scene.rule.count == 2
    assert max(errors(scene, people)) < 1
    state = array("i", [0] * scene.rule.state_size())
    scene.rule.save(state)
    assert len(state) == 16 + 2 * 34
    assert pose_zoom.MOST_STATE == 16 + pose_decoder.MAX_POSES * 34
    scene.look([people[0]])
    assert scene.rule.state_size() == 16 + 34


def test_there_is_room_for_the_people_of_two_runs_and_no_more() -> None:
    """Memory of the board: of each run so many are found, and as many are known from those before."""
    rule = pose_zoom.Zoom(320, 240)
    rule.configure(4, 0, 5)
    assert len(rule.poses) == 10
