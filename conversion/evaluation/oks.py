"""COCO's figures by pycocotools: average precision and recall over all persons, and OKS where one person is alone."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from conversion.decoding.pose import Pose
from conversion.evaluation.coco import CocoSet

# Where COCOeval.summarize puts them for keypoints: OKS 0.50:0.95, OKS 0.50, OKS 0.75; recall at OKS 0.50:0.95.
_AP, _AP50, _AP75, _AR = 0, 1, 2, 5
# Where COCOeval samples precision.
_RECALLS = np.linspace(0, 1, 101)


@dataclass(frozen=True)
class Precision:
    """COCO keypoint AP at OKS 0.50:0.95, at 0.50 and at 0.75, and AR at 0.50:0.95, all areas, 20 detections."""

    ap: float
    ap50: float
    ap75: float
    ar: float


@dataclass(frozen=True)
class Alone:
    """OKS of the single pose on photos of one person: the mean over `photos`; None where there is no such photo."""

    photos: int
    oks: float | None


@dataclass(frozen=True)
class Ranking:
    """All poses on the photos of a set, best first, each matched by COCO's rule: AP of any choice of the photos.

    `photo` is the place of each pose's photo in the set, `right` and `wrong` bool [thresholds, poses] (a pose can be
    neither, as one on a crowd), `persons` how many there are to be found on each photo.
    """

    photo: np.ndarray
    right: np.ndarray
    wrong: np.ndarray
    persons: np.ndarray

    def ap(self, times: np.ndarray | None = None) -> float:
        """AP at OKS 0.50:0.95, each photo counted so many times (None: once), as COCOeval.accumulate computes it."""
        times = np.ones(len(self.persons), int) if times is None else times
        persons = int(times @ self.persons)
        if not persons or not len(self.photo):
            return 0.0
        weights = times[self.photo]
        right, wrong = np.cumsum(self.right * weights, axis=1), np.cumsum(self.wrong * weights, axis=1)
        exact = right / np.maximum(right + wrong, np.spacing(1))
        exact = np.maximum.accumulate(exact[:, ::-1], axis=1)[:, ::-1]
        exact = np.concatenate([exact, np.zeros((len(exact), 1))], axis=1)
        at = [np.searchsorted(recall, _RECALLS, side="left") for recall in right / persons]
        return float(np.mean([line[places] for line, places in zip(exact, at, strict=True)]))


def ranking(coco: CocoSet, poses: Mapping[int, Sequence[Pose]]) -> Ranking:
    """`poses` as of `precision`."""
    images = [photo.id for photo in coco.photos]
    results = [_result(image, pose, coco.category) for image, found in poses.items() for pose in found]
    persons = np.zeros(len(images), int)
    for annotation in coco.ground_truth["annotations"]:
        persons[images.index(annotation["image_id"])] += _counts(annotation)
    if not results:
        nothing = np.empty((1, 0), bool)
        return Ranking(np.empty(0, int), nothing, nothing, persons)
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = _evaluated(coco.ground_truth, results, images)
    # Of all areas, which come first.
    found = [entry for entry in evaluation.evalImgs[: len(images)] if entry is not None]
    scores = np.concatenate([entry["dtScores"] for entry in found])
    order = np.argsort(-scores, kind="mergesort")
    photo = np.concatenate([[images.index(entry["image_id"])] * len(entry["dtScores"]) for entry in found])
    matched = np.concatenate([entry["dtMatches"] for entry in found], axis=1)[:, order] > 0
    ignored = np.concatenate([entry["dtIgnore"] for entry in found], axis=1)[:, order] > 0
    return Ranking(photo[order].astype(int), matched & ~ignored, ~matched & ~ignored, persons)


def _counts(annotation: dict) -> bool:
    """Whether COCOeval wants that person to be found."""
    return annotation["num_keypoints"] > 0 and not annotation["iscrowd"]


def precision(coco: CocoSet, poses: Mapping[int, Sequence[Pose]]) -> Precision:
    """`poses` by the photo's number, keypoints in pixels of the photo."""
    ground_truth = coco.ground_truth
    results = [_result(image, pose, coco.category) for image, found in poses.items() for pose in found]
    if not results:
        return Precision(0.0, 0.0, 0.0, 0.0)
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = _evaluated(ground_truth, results, [photo.id for photo in coco.photos])
        evaluation.accumulate()
        evaluation.summarize()
    # -1 stands for "no ground truth", which CocoSet excludes.
    return Precision(*(float(evaluation.stats[index]) for index in (_AP, _AP50, _AP75, _AR)))


def alone(coco: CocoSet, singles: Mapping[int, Pose]) -> Alone:
    """Mean OKS of the single-pose decoder's answers on the photos with one annotated person."""
    images = coco.with_one_person()
    if not images:
        return Alone(0, None)
    results = [_result(image, singles[image], coco.category) for image in images]
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = _evaluated(coco.ground_truth, results, images)
    similarities = [evaluation.ious[image, coco.category] for image in images]
    return Alone(len(images), float(np.mean([similarity[0, 0] for similarity in similarities])))


def _result(image: int, pose: Pose, category: int) -> dict:
    return {
        "image_id": image,
        "category_id": category,
        "keypoints": pose.keypoints.reshape(-1).tolist(),
        "score": float(pose.score),
    }


def _evaluated(ground_truth: dict, results: list[dict], images: Iterable[int]) -> COCOeval:
    truth = COCO()
    truth.dataset = ground_truth
    truth.createIndex()
    evaluation = COCOeval(truth, truth.loadRes(results), "keypoints")
    evaluation.params.imgIds = sorted(images)
    evaluation.evaluate()
    return evaluation
