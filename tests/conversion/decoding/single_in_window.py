"""Whether a window that follows exactly one person should be decoded for one: mean OKS on photos of one person.

    python -m tests.conversion.decoding.single_in_window MODEL.kmodel ANNOTATIONS.json IMAGES

Both decoders get the heads of the same window, the second frame of `zoom 1`, with the settings of `evaluate`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from conversion import camera_frame, letterbox, photos
from conversion.decoding import board_decoder, board_zoom
from conversion.decoding.board_zoom import pose_zoom
from conversion.evaluation import coco
from conversion.evaluation.zoom import _Frame
from conversion.kpu import posenet

# Of pycocotools: how far annotators are apart, in square roots of a person's area.
SIGMAS = np.array([26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]) / 1000
DRAWS = 10_000


def similarity(keypoints: np.ndarray, person: Mapping) -> float:
    """OKS of keypoints [17, 2] and an annotation."""
    truth = np.array(person["keypoints"], float).reshape(-1, 3)
    squares = ((keypoints - truth[:, :2]) ** 2).sum(axis=1)
    each = np.exp(-squares / (8 * SIGMAS**2 * person["area"]))
    return float(each[truth[:, 2] > 0].mean())


def compared(model: posenet.Described, path: Path, person: Mapping) -> tuple[float, float] | None:
    """OKS of the best of several and of the single pose; None where no window follows exactly one."""
    photo = photos.read(path)
    size = (model.card["input"]["width"], model.card["input"]["height"])
    frame = _Frame(model.simulation.heads, camera_frame.of_photo(photo), size)
    vote, found = board_decoder.ON_BOARD["vote"], []
    for single in (False, True):
        board = board_zoom.BoardZoom(model.card, pose_zoom.FOLLOW, vote=vote, **board_decoder.EVALUATION)
        board.look(frame.heads)
        people = board.rule.poses[: board.rule.count]
        if sum(each.score_sum >= pose_zoom.FOLLOWED for each in people) != 1:
            return None
        board._single = single
        poses = board.look(frame.heads)
        if board.rule.view.is_full(board.windows()[0]):
            return None
        best = max(poses, key=lambda pose: pose.score, default=None)
        if best is None:
            found.append(0.0)
            continue
        keypoints = letterbox.to_photo(board.in_frame(best.keypoints), photo.size, camera_frame.FRAME)
        found.append(similarity(keypoints[:, :2], person))
    return found[0], found[1]


def main(kmodel: Path, annotations: Path, images: Path) -> None:
    """Print both means, their difference, and between what 95 % of paired draws lie."""
    model, the_set = posenet.read_described(kmodel), coco.read(annotations, images)
    persons = {person["image_id"]: person for person in the_set.ground_truth["annotations"]}
    paths = {photo.id: photo.path for photo in the_set.photos}
    each = [compared(model, paths[image], persons[image]) for image in the_set.with_one_person()]
    several, single = np.array([pair for pair in each if pair is not None]).T
    random, more = np.random.default_rng(1), single - several
    draws = [more[random.integers(0, len(more), len(more))].mean() for _ in range(DRAWS)]
    low, high = np.percentile(draws, (2.5, 97.5))
    print(
        f"{len(each)} photos of one person, {len(more)} with a window of one: mean OKS several {several.mean():.3f}, "
        f"single {single.mean():.3f}, difference {more.mean():+.3f} [{low:+.3f}, {high:+.3f}]"
    )


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
