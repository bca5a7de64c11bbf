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

# The poses of a stage by the photo's number, keypoints in pixels of the photo.
Poses = Mapping[int, Sequence[Pose]]


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


def precision(coco: CocoSet, poses: Poses) -> Precision:
    """COCO's figures of a stage."""
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = evaluated(coco, poses)
        if evaluation is None:
            return Precision(0.0, 0.0, 0.0, 0.0)
        evaluation.accumulate()
        evaluation.summarize()
    # -1 stands for "no ground truth", which CocoSet excludes.
    return Precision(*(float(evaluation.stats[index]) for index in (_AP, _AP50, _AP75, _AR)))


def evaluated(coco: CocoSet, poses: Poses) -> COCOeval | None:
    """pycocotools' matches of poses and persons, photo by photo, not summed up; None where there is no pose at all. It
    prints."""
    results = [_result(image, pose, coco.category) for image, found in poses.items() for pose in found]
    return _evaluated(coco.ground_truth, results, [photo.id for photo in coco.photos]) if results else None


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
