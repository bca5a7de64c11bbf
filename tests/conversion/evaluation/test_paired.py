"""The paired interval of a change of AP: its AP is pycocotools', and it holds what is sure."""

from __future__ import annotations

from pathlib import Path

import pytest

from conversion.evaluation import coco, oks, paired
from conversion.evaluation.coco import CocoSet
from tests.conversion.evaluation import coco_sets
from tests.conversion.evaluation.coco_sets import document, image, person, pose

PEOPLE = [person(number, 10 + 7 * number, 10) for number in range(1, 13)]


@pytest.fixture
def people(tmp_path: Path) -> CocoSet:
    path, photos = coco_sets.write(tmp_path, document([image(number) for number in range(1, 14)], PEOPLE))
    return coco.read(path, photos)


def found(shift: float, every: int = 1) -> dict[int, list]:
    """Each person moved; only `every` so manieth of them."""
    poses: dict[int, list] = {number: [] for number in range(1, 14)}
    for entry in PEOPLE[::every]:
        poses[entry["image_id"]].append(pose(entry, shift=shift * (entry["image_id"] % 4)))
    return poses


@pytest.mark.parametrize(("shift", "every"), [(0.0, 1), (1.0, 1), (2.0, 1), (1.5, 2), (9.0, 3)])
def test_the_ap_of_all_photos_is_pycocotools(shift: float, every: int, people: CocoSet) -> None:
    poses = found(shift, every)
    assert paired.ap(paired._by_photo(people, poses)) == pytest.approx(oks.precision(people, poses).ap, abs=1e-9)


def test_nothing_changes_between_equals(people: CocoSet) -> None:
    same = paired.interval(people, found(1.0), found(1.0))
    assert (same.low, same.high) == (0.0, 0.0)


def test_what_is_worse_on_every_photo_is_surely_worse(people: CocoSet) -> None:
    worse = paired.interval(people, found(0.0), found(3.0))
    assert worse.low < worse.high < 0


def test_where_nobody_is_found_there_is_no_ap(people: CocoSet) -> None:
    nobody = {number: [] for number in range(1, 14)}
    assert paired.ap(paired._by_photo(people, nobody)) == 0.0
    assert paired.interval(people, nobody, found(0.0)).low > 0
