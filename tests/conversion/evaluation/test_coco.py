"""COCO sets: what is read, chosen and found, and one clear line for whatever is wrong with a set."""

import json
from pathlib import Path

import pytest

from conversion.evaluation import coco
from conversion.evaluation.coco import AnnotationError
from tests.conversion.evaluation import coco_sets
from tests.conversion.evaluation.coco_sets import document, image, person


def two_images() -> dict:
    """Image 1 with two persons and a crowd, image 2 with one person."""
    crowd = person(1, 0, 0, iscrowd=1, num_keypoints=0, keypoints=[0] * 51)
    annotations = [person(1, 10, 10), person(2, 200, 30), person(1, 120, 20), crowd]
    return document([image(1, dataset="val"), image(2, dataset="train", year=2017)], annotations)


def refused(folder: Path, content: object, **options: object) -> str:
    """The line that a document is refused with; its photos exist."""
    path, photos = coco_sets.write(folder, two_images())
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(AnnotationError) as caught:
        coco.read(path, photos, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_photos_and_persons_are_read(tmp_path: Path) -> None:
    path, photos = coco_sets.write(tmp_path, two_images())
    found = coco.read(path, photos)
    assert [(photo.id, photo.path.name, photo.size) for photo in found.photos] == [
        (1, "0001.png", (400, 300)),
        (2, "0002.png", (400, 300)),
    ]
    assert found.persons == 3
    assert found.category == 1
    assert found.with_one_person() == [2], "photo 1 has two persons and a crowd"
    assert found.file == "person_keypoints.json"
    assert len(found.sha256) == 64


def test_annotations_are_numbered_from_one(tmp_path: Path) -> None:
    """pycocotools takes a match with annotation 0 for none."""
    path, photos = coco_sets.write(tmp_path, two_images())
    assert [entry["id"] for entry in coco.read(path, photos).ground_truth["annotations"]] == [1, 2, 3, 4]


@pytest.mark.parametrize(("where", "chosen"), [("dataset=val", [1]), ("year=2017", [2]), (None, [1, 2])])
def test_where_chooses_photos_and_their_persons(where: str | None, chosen: list[int], tmp_path: Path) -> None:
    path, photos = coco_sets.write(tmp_path, two_images())
    found = coco.read(path, photos, where)
    assert [photo.id for photo in found.photos] == chosen
    assert {entry["image_id"] for entry in found.ground_truth["annotations"]} == set(chosen)
    assert found.choice["where"] == where


def test_upright_takes_photos_that_are_higher_than_wide(tmp_path: Path) -> None:
    content = two_images()
    content["images"][1] |= {"width": 300, "height": 400}
    path, photos = coco_sets.write(tmp_path, content)
    found = coco.read(path, photos, upright=True)
    assert [photo.id for photo in found.photos] == [2]
    assert found.choice["upright"]
    content["images"][0]["height"] = content["images"][0]["width"]
    path, photos = coco_sets.write(tmp_path / "square", content)
    assert [photo.id for photo in coco.read(path, photos, upright=True).photos] == [2], "a square is not upright"


def test_limit_takes_the_first_and_needs_only_their_photos(tmp_path: Path) -> None:
    path, photos = coco_sets.write(tmp_path, two_images())
    (photos / "0002.png").unlink()
    assert [photo.id for photo in coco.read(path, photos, limit=1).photos] == [1]
    with pytest.raises(AnnotationError, match=r"1 of 2 photos are missing, the first is 0002\.png"):
        coco.read(path, photos)


def test_other_categories_do_not_matter(tmp_path: Path) -> None:
    content = two_images()
    content["categories"] = [{"id": 7, "name": "dog"}, {**coco_sets.PERSON, "id": 3}]
    for annotation in content["annotations"]:
        annotation["category_id"] = 3
    content["annotations"].append({"id": 99, "image_id": 1, "category_id": 7})
    path, photos = coco_sets.write(tmp_path, content)
    assert coco.read(path, photos).category == 3


def test_where_that_nothing_fulfils_lists_what_there_is(tmp_path: Path) -> None:
    assert "there is dataset=train, val" in refused(tmp_path / "a", two_images(), where="dataset=test")
    assert "there is no field colour" in refused(tmp_path / "b", two_images(), where="colour=red")
    assert "expected FIELD=VALUE" in refused(tmp_path / "c", two_images(), where="val")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"images": [}', "not JSON"),
        ([], "not COCO annotations"),
        ({"images": [], "categories": []}, "not COCO annotations"),
        (document([image(1)], [person(1, 0, 0)], categories=[{"id": 1, "name": "person"}]), "no category"),
        (document([image(1)], [person(1, 0, 0)], categories=[{**coco_sets.PERSON, "keypoints": ["x"] * 17}]), "no cat"),
        (document([image(1), image(1)], [person(1, 0, 0)]), "the same id"),
        (document([], []), "nobody has labelled keypoints"),
        (document([image(1)], []), "nobody has labelled keypoints"),
        (document([image(1)], [person(1, 0, 0, num_keypoints=0)]), "nobody has labelled keypoints"),
        (document([image(1)], [person(1, 0, 0, iscrowd=1)]), "nobody has labelled keypoints"),
        (document([image(1)], [person(1, 0, 0, keypoints=[1, 2, 2])]), "keypoints is not a list of 51 numbers"),
        (document([image(1)], [person(1, 0, 0, keypoints=["a"] * 51)]), "keypoints is not a list of 51 numbers"),
        (document([image(1)], [person(1, 0, 0, bbox=[1, 2, 3])]), "bbox is not a list of 4 numbers"),
        (document([image(1)], [person(1, 0, 0, area=-1)]), "area"),
        (document([image(1)], [person(1, 0, 0, area=None)]), "area"),
        (document([image(1, file_name="../secret.png")], [person(1, 0, 0)]), "no path inside a folder"),
        (document([image(1, file_name="/etc/passwd")], [person(1, 0, 0)]), "no path inside a folder"),
        (document([image(1, file_name=None)], [person(1, 0, 0)]), "no path inside a folder"),
        (document([image(1, width=0)], [person(1, 0, 0)]), "no width and height"),
        (document(["image"], [person(1, 0, 0)]), "no number"),
        ({**document([image(1)], []), "annotations": ["a"]}, "no object"),
    ],
)
def test_documents_that_cannot_be_measured_on(content: object, said: str, tmp_path: Path) -> None:
    line = refused(tmp_path, content)
    assert said in line
    assert "person_keypoints.json" in line


@pytest.mark.parametrize("field", ["keypoints", "num_keypoints", "area", "bbox", "iscrowd"])
def test_annotations_without_a_field(field: str, tmp_path: Path) -> None:
    content = document([image(1)], [person(1, 0, 0)])
    del content["annotations"][0][field]
    assert f"annotation 0 has no {field}" in refused(tmp_path, content)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    path, photos = coco_sets.write(tmp_path, two_images())
    with pytest.raises(AnnotationError, match="cannot be read"):
        coco.read(tmp_path / "absent.json", photos)
    with pytest.raises(AnnotationError, match="cannot be read"):
        coco.read(tmp_path, photos)
    with pytest.raises(AnnotationError, match="no such folder"):
        coco.read(path, tmp_path / "absent")
