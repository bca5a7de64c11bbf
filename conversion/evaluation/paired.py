"""How sure a change of AP between two stages is: both on the same photos, drawn again and again (a paired bootstrap).

AP on few photos depends on which photos they are, but alike for both stages: of the change less is left to chance than
of either figure.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pycocotools.cocoeval import COCOeval

from conversion.evaluation import oks
from conversion.evaluation.coco import CocoSet
from conversion.evaluation.oks import Poses

DRAWS, CONFIDENCE = 1000, 0.95
_SEED = 0
# Recall levels at which pycocotools reads the precision.
_RECALLS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True)
class Interval:
    """Where the change of AP lies in CONFIDENCE of all draws."""

    low: float
    high: float


@dataclass(frozen=True)
class _Photo:
    """Detections of a photo, all areas: scores [D], matched and ignored [10, D] at each OKS; persons that count."""

    scores: np.ndarray
    matched: np.ndarray
    ignored: np.ndarray
    persons: int


def interval(coco: CocoSet, before: Poses, after: Poses) -> Interval:
    """The change of AP from one stage's poses to another's, each by the photo's number."""
    photos = [_by_photo(coco, poses) for poses in (before, after)]
    random = np.random.default_rng(_SEED)
    changes = []
    for _ in range(DRAWS):
        drawn = random.integers(0, len(coco.photos), len(coco.photos))
        first, second = (ap([stage[number] for number in drawn]) for stage in photos)
        changes.append(second - first)
    rest = (1 - CONFIDENCE) / 2
    return Interval(*(float(value) for value in np.quantile(changes, (rest, 1 - rest))))


def ap(photos: Sequence[_Photo]) -> float:
    """AP at OKS 0.50:0.95 over these photos, as COCOeval.accumulate computes it; 0 where nobody counts."""
    persons = sum(photo.persons for photo in photos)
    scores = np.concatenate([photo.scores for photo in photos])
    if not persons or not len(scores):
        return 0.0
    order = np.argsort(-scores, kind="mergesort")
    matched = np.concatenate([photo.matched for photo in photos], axis=1)[:, order]
    counts = ~np.concatenate([photo.ignored for photo in photos], axis=1)[:, order]
    right, wrong = np.cumsum(matched & counts, axis=1), np.cumsum(~matched & counts, axis=1)
    return float(np.mean([_average(*each, persons) for each in zip(right, wrong, strict=True)]))


def _average(right: np.ndarray, wrong: np.ndarray, persons: int) -> float:
    precision = right / np.maximum(right + wrong, np.spacing(1))
    highest = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(right / persons, _RECALLS, side="left")
    return float(np.mean(np.append(highest, 0.0)[np.minimum(at, len(highest))]))


def _by_photo(coco: CocoSet, poses: Poses) -> list[_Photo]:
    """What pycocotools finds on each photo, in the set's order."""
    ids = sorted(photo.id for photo in coco.photos)
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = oks.evaluated(coco, poses)
    # By area range, the first being all of them, then by photo.
    found = evaluation.evalImgs[: len(ids)] if evaluation else [None] * len(ids)
    return [_photo(one, evaluation, number, coco) for one, number in zip(found, ids, strict=True)]


def _photo(found: dict | None, evaluation: COCOeval | None, number: int, coco: CocoSet) -> _Photo:
    if found is None:
        levels = 10
        counts = [entry for entry in coco.ground_truth["annotations"] if entry["image_id"] == number]
        persons = sum(entry["num_keypoints"] > 0 and not entry["iscrowd"] for entry in counts)
        return _Photo(np.zeros(0), np.zeros((levels, 0), bool), np.zeros((levels, 0), bool), persons)
    return _Photo(
        np.asarray(found["dtScores"], float),
        np.asarray(found["dtMatches"]) > 0,
        np.asarray(found["dtIgnore"]) > 0,
        int(np.count_nonzero(np.asarray(found["gtIgnore"]) == 0)),
    )
