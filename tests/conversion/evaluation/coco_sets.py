"""COCO sets made up for tests: documents, photos with stick figures drawn on them, and poses that match or miss."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from conversion import network
from conversion.decoding.pose import Pose

# A standing person within 100 x 240 pixels, x and y by part.
FIGURE = np.array(
    [
        (50, 20), (55, 15), (45, 15), (60, 18), (40, 18), (70, 50), (30, 50), (80, 90), (20, 90),
        (85, 125), (15, 125), (64, 120), (36, 120), (65, 170), (35, 170), (66, 225), (34, 225),
    ],
    float,
)  # fmt: skip
HEIGHT = 240
_PAIRS = ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
NAMES = ("nose", *(f"{side}_{part}" for part in _PAIRS for side in ("left", "right")))
PERSON = {"id": 1, "name": "person", "keypoints": list(NAMES), "skeleton": []}


def person(image: int, left: float, top: float, scale: float = 1.0, **fields: object) -> dict:
    """The annotation of a figure whose every keypoint is visible; `fields` replace some."""
    points = FIGURE * scale + (left, top)
    keypoints = np.column_stack([points, np.full(len(points), 2)]).reshape(-1).tolist()
    width, height = 100 * scale, HEIGHT * scale
    entry = {
        "id": 0,
        "image_id": image,
        "category_id": 1,
        "keypoints": keypoints,
        "num_keypoints": 17,
        "bbox": [left, top, width, height],
        "area": width * height * 0.4,
        "iscrowd": 0,
    }
    return {**entry, **fields}


def image(number: int, width: int = 400, height: int = 300, **fields: object) -> dict:
    """An image entry."""
    return {"id": number, "file_name": f"{number:04}.png", "width": width, "height": height, **fields}


def document(images: list[dict], annotations: list[dict], **fields: object) -> dict:
    """A COCO document; annotations get the numbers 0, 1, ..."""
    numbered = [{**annotation, "id": number} for number, annotation in enumerate(annotations)]
    return {"images": images, "annotations": numbered, "categories": [PERSON], **fields}


def write(folder: Path, content: object) -> tuple[Path, Path]:
    """The document as a file, and its photos, drawn, in a folder beside it."""
    path, photos = folder / "person_keypoints.json", folder / "images"
    photos.mkdir(parents=True)
    path.write_text(json.dumps(content))
    for entry in content["images"]:
        draw(entry, content["annotations"]).save(photos / entry["file_name"])
    return path, photos


def draw(entry: dict, annotations: list[dict]) -> Image.Image:
    """A grey photo with the image's persons as stick figures."""
    photo = Image.new("RGB", (entry["width"], entry["height"]), (96, 110, 90))
    drawing = ImageDraw.Draw(photo)
    for annotation in annotations:
        if annotation["image_id"] == entry["id"] and "keypoints" in annotation:
            points = np.reshape(annotation["keypoints"], (17, 3))[:, :2]
            for one, other in network.SKELETON:
                drawing.line((*points[one], *points[other]), (220, 170, 140), 12)
            drawing.circle(tuple(points[0]), 16, (230, 190, 170))
    return photo


def pose(annotation: dict, score: float = 0.9, shift: float = 0.0) -> Pose:
    """A detection of that person, `shift` pixels to the right of it."""
    keypoints = np.reshape(np.array(annotation["keypoints"], float), (17, 3)).copy()
    keypoints[:, 0] += shift
    keypoints[:, 2] = score
    return Pose(score, keypoints)
