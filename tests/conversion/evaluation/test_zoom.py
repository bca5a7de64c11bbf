"""Zoom in an evaluation: what the board finds in photos, AP of any draw of them, and how it is written."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from rich.console import Console

from conversion import camera_frame, card, cli, letterbox, photos
from conversion.decoding import board_decoder
from conversion.decoding.pose import Pose
from conversion.evaluation import bootstrap, coco, oks, plot, tables
from conversion.evaluation.bootstrap import Difference
from conversion.evaluation.coco import CocoSet
from conversion.evaluation.oks import Alone, Precision
from conversion.evaluation.result import Evaluation, LargerFigures, ZoomFigures
from conversion.evaluation.zoom import ZoomedBoard
from conversion.kpu import posenet
from tests.conversion.evaluation import coco_sets
from tests.conversion.evaluation.conftest import SIZE


@pytest.fixture
def people(tmp_path: Path) -> CocoSet:
    """Twelve photos with one to three people each, one of them crowded."""
    persons = [
        coco_sets.person(photo, 20 + 150 * n, 10 + 5 * photo) for photo in range(1, 13) for n in range(1 + photo % 3)
    ]
    persons[0] = {**persons[0], "iscrowd": 1, "num_keypoints": 0, "keypoints": [0] * 51}
    path, folder = coco_sets.write(
        tmp_path, coco_sets.document([coco_sets.image(number) for number in range(1, 13)], persons)
    )
    return coco.read(path, folder)


def found(people: CocoSet, spread: float) -> dict[int, list[Pose]]:
    """Everybody, each moved at random, some of them twice, and nobody on photo 5."""
    random = np.random.default_rng(2)
    poses: dict[int, list[Pose]] = {photo.id: [] for photo in people.photos}
    for entry in people.ground_truth["annotations"]:
        for _ in range(int(random.integers(1, 3))):
            shift, score = float(random.normal(0, spread)), float(random.random())
            if entry["image_id"] != 5:
                poses[entry["image_id"]].append(coco_sets.pose(entry, shift=shift, score=score))
    return poses


@pytest.mark.parametrize("spread", [2, 6, 12])
def test_a_ranking_s_ap_is_pycocotools_ap(people: CocoSet, spread: float) -> None:
    poses = found(people, spread)
    ranking = oks.ranking(people, poses)
    assert ranking.ap() == pytest.approx(oks.precision(people, poses).ap, abs=1e-12)
    assert 0 < ranking.ap() < 1


def test_photos_that_are_drawn_twice_count_twice(people: CocoSet, tmp_path: Path) -> None:
    poses = found(people, 6)
    some = [photo.id for photo in people.photos][3:9]
    times = np.array([int(photo.id in some) for photo in people.photos])
    persons = [entry for entry in people.ground_truth["annotations"] if entry["image_id"] in some]
    path, folder = coco_sets.write(
        tmp_path / "some", coco_sets.document([coco_sets.image(number) for number in some], persons)
    )
    expected = oks.precision(coco.read(path, folder), {number: poses[number] for number in some}).ap
    ranking = oks.ranking(people, poses)
    assert ranking.ap(times) == pytest.approx(expected, abs=1e-12)
    assert ranking.ap(3 * times) == pytest.approx(expected, abs=1e-12)
    assert ranking.ap(0 * times) == 0


def test_nothing_found_is_no_precision(people: CocoSet) -> None:
    assert oks.ranking(people, {photo.id: [] for photo in people.photos}).ap() == 0


def test_differences_say_how_sure_they_are(people: CocoSet) -> None:
    rankings = {spread: oks.ranking(people, found(people, spread)) for spread in (2, 9)}
    differences = bootstrap.differences(rankings, rankings[9])
    assert differences[9] == Difference(0.0, 0.0, 0.0)
    better = differences[2]
    assert better.mean == rankings[2].ap() - rankings[9].ap()
    assert 0 < better.low < better.mean < better.high < 1


@pytest.fixture
def of_zoom(evaluation: Evaluation) -> Evaluation:
    zoom = [
        ZoomFigures(mode, Precision(ap, 0.4, 0.1, 0.25), Alone(24, 0.6), Difference(ap - 0.139, low, high), runs)
        for mode, ap, low, high, runs in (
            (0, 0.139, 0.0, 0.0, 1),
            (1, 0.197, 0.039, 0.082, 1.0),
            (4, 0.307, 0.137, 0.198, 3.21),
        )
    ]
    larger = [LargerFigures((641, 481), Precision(0.304, 0.5, 0.3, 0.4), Difference(0.165, 0.13, 0.2))]
    return replace(evaluation, zoom=zoom, larger=larger)


def test_json_has_the_agreed_form(of_zoom: Evaluation) -> None:
    written = json.loads(json.dumps(of_zoom.to_dict(), allow_nan=False))
    assert written["zoom"][1] == {
        **{"zoom": 1, "ap": 0.197, "ap50": 0.4, "ap75": 0.1, "ar": 0.25},
        **{"difference": {"ap": [0.058, 0.039, 0.082]}, "one_person": 0.6, "runs": 1.0},
    }
    assert [each["zoom"] for each in written["zoom"]] == [0, 1, 4]
    assert written["float"][0]["size"] == "641x481"
    assert of_zoom.card_entry("the command")["zoom"] == of_zoom.to_dict()["zoom"]


def test_the_table_fits_80_columns(of_zoom: Evaluation) -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    for table in tables.tables(of_zoom):
        console.print(table)
    shown = console.file.getvalue()
    assert "…" not in shown
    assert re.search(r"^zoom 1 +0\.197 +\+0\.058 +\+0\.039 \+0\.082 +0\.250 +0\.600 +1\.00", shown, re.MULTILINE)
    assert max(map(len, shown.splitlines())) <= 80
    assert "float 641x481" in shown


def test_the_plot_has_a_panel_more(evaluation: Evaluation, of_zoom: Evaluation) -> None:
    without, drawn = (ElementTree.fromstring(plot.svg(each)) for each in (evaluation, of_zoom))
    words = " ".join(drawn.itertext())
    assert "zoom 4" in words
    assert "float 641x481" in words
    bars = {
        title.text: float(rect.get("height")) for rect in drawn.iter() for title in rect if ": AP" in (title.text or "")
    }
    assert bars["zoom 1: AP 0.197"] / bars["zoom 0: AP 0.139"] == pytest.approx(0.197 / 0.139, abs=3e-3)
    heights = [float(each.get("height")) for each in (without, drawn)]
    lowest = max(float(text.get("y") or 0) for text in drawn.iter() if text.tag.endswith("text"))
    assert lowest < heights[1] > heights[0]


def test_a_board_s_zoom_on_a_photo(kmodel: Path) -> None:
    """Zoom 0 is the simulation of the frame's full window, found where the photo has it."""
    data = kmodel.read_bytes()
    the_card = card.read_for(kmodel, data)
    board = ZoomedBoard(posenet.open_kmodel(kmodel).heads, the_card, (0, 1, 4))
    photo = photos.bundled(photos.SAMPLE).convert("RGB").crop((100, 0, 420, 240))
    seen = board.look(photo)
    assert {mode: found.runs >= 1 for mode, found in seen.items()} == {0: True, 1: True, 4: True}
    frame = camera_frame.of_photo(photo)
    heads = posenet.open_kmodel(kmodel).heads(camera_frame.warp(frame, (1152, 1152, 2560), SIZE))
    expected = board_decoder.decode_single(heads, the_card, vote=8)
    in_frame = expected.keypoints.copy()
    in_frame[:, :2] = in_frame[:, :2] * 10 + 4.5
    placed = letterbox.to_photo(in_frame, photo.size, camera_frame.FRAME)
    np.testing.assert_allclose(seen[0].single.keypoints[:, :2], placed[:, :2], atol=0.01)


@pytest.mark.parametrize("value", ["5", "-1", "1,", "", "0...4", "3..1", "a", "1;2"])
def test_values_of_zoom_that_there_are_not(value: str, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["evaluate", "float", "--coco", "a", "--images", "b", f"--zoom={value}"])
    assert ended.value.code == 2
    assert f"error: zoom {value}: expected values from 0 to 4, such as 1, 0,1,4 or 0..4" in capsys.readouterr().err
