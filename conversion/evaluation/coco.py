"""COCO keypoint sets: annotations read with every check, photos chosen and found, ground truth for pycocotools."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from conversion import network
from conversion.errors import ConversionError
from conversion.outside import json_text, names, reading
from conversion.outside.text import printable, shown

PARTS = len(network.KEYPOINTS)
# COCO counts keypoints as x, y, visibility.
_KEYPOINT_NUMBERS = 3 * PARTS
# The annotations of all of train2017 have 240 MB.
MAX_BYTES = 1024 * 1024 * 1024

_ANNOTATION_FIELDS = ("image_id", "keypoints", "num_keypoints", "area", "bbox", "iscrowd")
# How many values of a field an error lists.
_MOST_LISTED = 6


class AnnotationError(ConversionError):
    """A file of annotations that is missing, damaged, not of COCO's keypoint form, or does not fit its photos."""


# Of a set's name.
_MOST_NAME = 80


@dataclass(frozen=True)
class CocoPhoto:
    """A photo of the set: `size` is (width, height) as annotated."""

    id: int
    path: Path
    size: tuple[int, int]


@dataclass(frozen=True)
class CocoSet:
    """The photos to measure on, in the file's order, and what is annotated on them.

    `ground_truth` is the part of the COCO document that concerns these photos and persons; annotations are numbered
    anew from 1 (pycocotools takes number 0 for "no match"). `choice` says which photos of the file were taken, `name`
    what the file calls itself, else its own name.
    """

    file: str
    sha256: str
    choice: Mapping[str, str | int | bool | None]
    photos: tuple[CocoPhoto, ...]
    ground_truth: dict
    name: str = ""

    @property
    def category(self) -> int:
        """The number of the category "person" in this set."""
        return self.ground_truth["categories"][0]["id"]

    @property
    def persons(self) -> int:
        """Persons with labelled keypoints."""
        return sum(annotation["num_keypoints"] > 0 for annotation in self.ground_truth["annotations"])

    def with_one_person(self) -> list[int]:
        """Numbers of the photos on which exactly one person is annotated, with labelled keypoints, and no crowd."""
        annotations = self.ground_truth["annotations"]
        count = Counter(annotation["image_id"] for annotation in annotations)
        labelled = {entry["image_id"] for entry in annotations if entry["num_keypoints"] > 0 and not entry["iscrowd"]}
        return [photo.id for photo in self.photos if count[photo.id] == 1 and photo.id in labelled]


def read(
    path: Path, folder: Path, where: str | None = None, limit: int | None = None, upright: bool = False
) -> CocoSet:
    """The photos of an annotation file that lie in `folder`: those whose image entry has `where` (FIELD=VALUE).

    `upright` leaves out those that are not higher than wide, `limit` takes the first so many. Raises AnnotationError
    for damaged or unsuitable annotations, for a `where` that no photo fulfils, and for photos that are missing.
    """
    raw = _bytes(path)
    document = _document(raw, path)
    person = _person(document, path)
    entries = _chosen([_checked_image(entry, path) for entry in document["images"]], where, path)
    if upright:
        entries = [entry for entry in entries if entry["height"] > entry["width"]]
    entries = entries[:limit]
    photos = _photos(entries, folder, path)
    wanted = {photo.id for photo in photos}
    persons = (entry for entry in document["annotations"] if _concerns(entry, wanted, person["id"], path))
    annotations = [_checked_annotation(entry, path) | {"id": number} for number, entry in enumerate(persons, start=1)]
    if not any(annotation["num_keypoints"] > 0 and not annotation["iscrowd"] for annotation in annotations):
        raise AnnotationError(f"{path}: nobody has labelled keypoints on the {len(photos)} photos chosen; take more")
    return CocoSet(
        file=path.name,
        sha256=hashlib.sha256(raw).hexdigest(),
        choice={"where": where, "limit": limit, "upright": upright},
        photos=photos,
        ground_truth={"images": entries, "annotations": annotations, "categories": [person]},
        name=_name(document, path),
    )


def _name(document: dict, path: Path) -> str:
    info = document.get("info")
    said = info.get("description") if isinstance(info, dict) else None
    return printable(said)[:_MOST_NAME] if isinstance(said, str) and said.strip() else path.stem


def _bytes(path: Path) -> bytes:
    try:
        return reading.regular_bytes(path, MAX_BYTES)
    except OSError as error:
        raise AnnotationError(
            f"{path}: cannot be read ({error.strerror}); --coco names a file such as person_keypoints_val2017.json"
        ) from error


def _document(raw: bytes, path: Path) -> dict:
    try:
        document = json_text.parse(raw, MAX_BYTES)
    except ValueError as error:
        raise AnnotationError(f"{path}: not JSON ({shown(error)}); fetch the annotations again") from error
    lists = ("images", "annotations", "categories")
    if not isinstance(document, dict) or not all(isinstance(document.get(name), list) for name in lists):
        raise AnnotationError(f"{path}: not COCO annotations: the lists {', '.join(lists)} are missing")
    return document


def _person(document: dict, path: Path) -> dict:
    """The category whose keypoints are PoseNet's, in its order; other categories do not matter."""
    wanted = [name.lower() for name in network.KEYPOINTS]
    for category in document["categories"]:
        sound = isinstance(category, dict) and isinstance(category.get("id"), int)
        keypoints = category.get("keypoints") if sound else None
        if isinstance(keypoints, list) and [str(name).replace("_", "").lower() for name in keypoints] == wanted:
            return category
    raise AnnotationError(
        f"{path}: no category with COCO's {PARTS} keypoints of a person; take the file person_keypoints_*.json"
    )


def _checked_image(entry: object, path: Path) -> dict:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), int):
        raise AnnotationError(f"{path}: an image entry has no number (id)")
    name = entry.get("file_name")
    if not names.is_inside(name):
        raise AnnotationError(f"{path}: image {entry['id']}: file_name {shown(repr(name))} is no path inside a folder")
    if not all(isinstance(entry.get(side), int) and entry[side] > 0 for side in ("width", "height")):
        raise AnnotationError(f"{path}: image {entry['id']} has no width and height")
    return entry


def _chosen(entries: list[dict], where: str | None, path: Path) -> list[dict]:
    if len({entry["id"] for entry in entries}) != len(entries):
        raise AnnotationError(f"{path}: two images have the same id")
    if where is None:
        return entries
    field, separator, value = where.partition("=")
    if not separator:
        raise AnnotationError(f"--where {where}: expected FIELD=VALUE, a field of the file's image entries")
    found = [entry for entry in entries if field in entry and str(entry[field]) == value]
    if not found:
        raise AnnotationError(f"{path}: no image has {shown(where)}{_values(field, entries)}")
    return found


def _values(field: str, entries: Iterable[dict]) -> str:
    values = sorted({str(entry[field]) for entry in entries if field in entry})
    if not values:
        return f"; there is no field {field}"
    more = ", …" if len(values) > _MOST_LISTED else ""
    return f"; there is {field}={', '.join(map(shown, values[:_MOST_LISTED]))}{more}"


def _photos(entries: list[dict], folder: Path, path: Path) -> tuple[CocoPhoto, ...]:
    if not folder.is_dir():
        raise AnnotationError(f"{folder}: no such folder; --images names the one with the photos of {path.name}")
    photos = tuple(
        CocoPhoto(entry["id"], folder / entry["file_name"], (entry["width"], entry["height"])) for entry in entries
    )
    missing = [photo.path.name for photo in photos if not photo.path.is_file()]
    if missing:
        raise AnnotationError(
            f"{folder}: {len(missing)} of {len(photos)} photos are missing, the first is {missing[0]}; put them there "
            f"or choose others with --where or --limit"
        )
    return photos


def _concerns(entry: object, photos: set[int], person: int, path: Path) -> bool:
    if not isinstance(entry, dict):
        raise AnnotationError(f"{path}: an annotation is no object; fetch the annotations again")
    image = entry.get("image_id")
    return isinstance(image, int) and image in photos and entry.get("category_id") == person


def _checked_annotation(entry: dict, path: Path) -> dict:
    """The fields that pycocotools reads, with its own rule: a person without labelled keypoints is ignored."""
    name = f"{path}: annotation {shown(entry.get('id'))}"
    for field in _ANNOTATION_FIELDS:
        if field not in entry:
            raise AnnotationError(f"{name} has no {field}; take the file person_keypoints_*.json")
    numbers = {"keypoints": _KEYPOINT_NUMBERS, "bbox": 4}
    for field, count in numbers.items():
        if not isinstance(entry[field], list) or len(entry[field]) != count or not all(map(_finite, entry[field])):
            raise AnnotationError(f"{name}: {field} is not a list of {count} numbers")
    if not all(_finite(entry[field]) and entry[field] >= 0 for field in ("num_keypoints", "area", "iscrowd")):
        raise AnnotationError(f"{name}: num_keypoints, area or iscrowd is not a number from 0 up")
    return {field: entry[field] for field in (*_ANNOTATION_FIELDS, "category_id")}


def _finite(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)
