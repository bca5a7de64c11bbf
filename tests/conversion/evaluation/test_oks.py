"""pycocotools' figures through our interface, on detections whose figures are known."""

from pathlib import Path

import numpy as np
import pytest

from conversion.decoding.pose import Pose
from conversion.evaluation import coco, oks
from conversion.evaluation.coco import CocoSet
from conversion.evaluation.oks import Precision
from tests.conversion.evaluation import coco_sets
from tests.conversion.evaluation.coco_sets import document, image, person, pose

PEOPLE = [person(1, 10, 10), person(1, 200, 40), person(2, 50, 20), person(3, 90, 30)]


@pytest.fixture
def people(tmp_path: Path) -> CocoSet:
    path, photos = coco_sets.write(tmp_path, document([image(number) for number in (1, 2, 3, 4)], PEOPLE))
    return coco.read(path, photos)


def found(shift: float = 0.0, count: int = len(PEOPLE)) -> dict[int, list[Pose]]:
    """The first `count` persons, each moved; photo 4 has nobody."""
    poses: dict[int, list[Pose]] = {1: [], 2: [], 3: [], 4: []}
    for entry in PEOPLE[:count]:
        poses[entry["image_id"]].append(pose(entry, shift=shift))
    return poses


def test_perfect_detections(people: CocoSet) -> None:
    assert oks.precision(people, found()) == pytest.approx(Precision(1.0, 1.0, 1.0, 1.0))


def test_nothing_found(people: CocoSet) -> None:
    assert oks.precision(people, {1: [], 2: [], 3: [], 4: []}) == Precision(0.0, 0.0, 0.0, 0.0)


def test_the_further_off_the_less(people: CocoSet) -> None:
    figures = [oks.precision(people, found(shift)).ap for shift in (0, 4, 6, 8, 60)]
    assert figures == sorted(figures, reverse=True)
    assert len(set(figures)) == len(figures)
    assert figures[-1] == 0


def test_the_thresholds_are_told_apart(people: CocoSet) -> None:
    figures = oks.precision(people, found(10))
    assert figures.ap50 == 1
    assert figures.ap75 == 0
    assert 0 < figures.ap < 1


def test_persons_not_found_cost_recall(people: CocoSet) -> None:
    assert oks.precision(people, found(count=2)).ar == pytest.approx(0.5)


def test_false_poses_of_high_score_cost_precision(people: CocoSet) -> None:
    poses = found()
    poses[4] = [pose(PEOPLE[0], score=0.99)]
    figures = oks.precision(people, poses)
    assert figures.ap < 0.9
    assert figures.ar == pytest.approx(1.0)


def test_a_crowd_is_neither_missed_nor_a_false_pose(tmp_path: Path) -> None:
    crowd = person(1, 200, 20, iscrowd=1, num_keypoints=0, keypoints=[0] * 51)
    path, photos = coco_sets.write(tmp_path, document([image(1)], [PEOPLE[0], crowd]))
    people = coco.read(path, photos)
    assert oks.precision(people, {1: [pose(PEOPLE[0])]}).ap == pytest.approx(1.0)
    assert oks.precision(people, {1: [pose(PEOPLE[0]), pose(person(1, 200, 20), score=0.99)]}).ap == pytest.approx(1.0)


def test_one_person_alone(people: CocoSet) -> None:
    """Photo 1 has two persons and does not count; OKS by its definition, exp(-d^2 / (2 area (2 sigma)^2))."""
    singles = {photo.id: pose(PEOPLE[0]) for photo in people.photos} | {2: pose(PEOPLE[2]), 3: pose(PEOPLE[3], shift=9)}
    sigmas = np.array([26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]) / 1000
    expected = np.exp(-(9**2) / (2 * PEOPLE[3]["area"] * (2 * sigmas) ** 2)).mean()
    result = oks.alone(people, singles)
    assert result.photos == 2
    assert result.oks == pytest.approx((1 + expected) / 2)


def test_nobody_alone(tmp_path: Path) -> None:
    path, photos = coco_sets.write(tmp_path, document([image(1)], PEOPLE[:2]))
    assert oks.alone(coco.read(path, photos), {1: pose(PEOPLE[0])}) == oks.Alone(0, None)
