"""The figures in the report beside a kmodel: put there, put there again, and never into another kmodel's."""

import dataclasses
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from conversion import card, files
from conversion.errors import OutputError
from conversion.evaluation import evaluate
from conversion.evaluation.result import Evaluation
from conversion.report import accuracy

VOID = {"meta", "img", "rect", "line", "circle", "path", "polyline"}


class Tags(HTMLParser):
    """Checks that every tag that opens also closes, and collects the text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.text += " "
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def words(html: str) -> str:
    """The text of sound HTML, each space once."""
    tags = Tags()
    tags.feed(html)
    tags.close()
    assert tags.open == []
    return " ".join(tags.text.split())


@pytest.fixture
def reported(kmodel: Path, tmp_path: Path) -> Path:
    """A kmodel with its card and a report's page around the part about accuracy."""
    for file in (kmodel, card.path_beside(kmodel)):
        shutil.copy(file, tmp_path)
    path = tmp_path / kmodel.name
    section = accuracy.section(card.read(card.path_beside(path)))
    files.write(page_of(path), f"<h1>grüße</h1>\n{section}\n<p>after</p>\n".encode())
    return path


def page_of(kmodel: Path) -> Path:
    return kmodel.parent / "report" / kmodel.stem / "index.html"


def note(evaluation: Evaluation, kmodel: Path) -> str:
    return evaluate.note_in_card(evaluation, evaluate.Trial(str(kmodel), Path("set/k<o.json"), Path("photos")))


def test_before_an_evaluation_the_report_says_how_to_measure(reported: Path) -> None:
    text = words(page_of(reported).read_text())
    assert "Not measured yet. python -m conversion evaluate plain.kmodel --coco" in text


def test_figures_of_a_larger_set_stay_unless_asked(evaluation: Evaluation, reported: Path) -> None:
    note(evaluation, reported)
    one = dataclasses.replace(evaluation, coco=dataclasses.replace(evaluation.coco, photos=evaluation.coco.photos[:-1]))
    before = card.path_beside(reported).read_bytes()
    assert f"keeps the figures of a larger set ({evaluation.coco.name}" in note(one, reported)
    assert card.path_beside(reported).read_bytes() == before
    asked = evaluate.Trial(str(reported), Path("set/k<o.json"), Path("photos"), replace=True)
    evaluate.note_in_card(one, asked)
    kept = card.read(card.path_beside(reported))["evaluation"]["set"]
    assert (kept["images"], kept["name"]) == (len(one.coco.photos), evaluation.coco.name)


def test_figures_go_into_the_report_with_command_set_and_hash(evaluation: Evaluation, reported: Path) -> None:
    said = note(evaluation, reported)
    assert said == f"the figures are in {card.path_beside(reported)} and {page_of(reported)}"
    page = page_of(reported).read_text(encoding="utf-8")
    text = words(page)
    assert page.startswith("<h1>grüße</h1>")
    assert page.endswith("<p>after</p>\n")
    assert "Not measured yet" not in text
    for figure in (
        "kmodel+integer 0.111 0.340 0.070 0.200 0.610",
        "offset 23.5 dB, displacement_fwd 23.5 dB, displacement_bwd 23.5 dB, heatmap – dB",
        "628; moved by 0.31 px in the median, 0.70 px for nine of ten",
        "3 poses on 2 of 20 photos, 0.15 a photo",
        "python -m conversion evaluate plain.kmodel --coco 'k<o.json' --images photos",
        "person_keypoints.json, split=a<b: 1 photo, 1 person; sha256 " + evaluation.coco.sha256,
        "kmodel sha256 " + card.read(card.path_beside(reported))["kmodel"]["sha256"],
        "conv0 42.0 41.0",
        "COCO keypoint AP at 320x240, stage by stage",
    ):
        assert figure in text, figure


def test_figures_replace_earlier_ones(evaluation: Evaluation, reported: Path) -> None:
    note(evaluation, reported)
    once = page_of(reported).read_bytes()
    note(evaluation, reported)
    assert page_of(reported).read_bytes() == once


@pytest.mark.parametrize("spoil", ["another", "cut", "absent", "binary"])
def test_what_is_no_report_of_this_kmodel_stays_as_it_is(evaluation: Evaluation, reported: Path, spoil: str) -> None:
    page = page_of(reported)
    sha256 = card.read(card.path_beside(reported))["kmodel"]["sha256"]
    spoilt = {
        "another": page.read_bytes().replace(sha256.encode(), b"0" * 64),
        "cut": page.read_bytes().partition(b"<!-- end")[0],
        "binary": b"\xff\xfe",
    }
    page.unlink()
    if spoil in spoilt:
        page.write_bytes(spoilt[spoil])
    assert note(evaluation, reported) == f"the figures are in {card.path_beside(reported)}"
    assert (page.read_bytes() if page.exists() else None) == spoilt.get(spoil)


def test_a_report_that_cannot_be_written_is_told(
    evaluation: Evaluation, reported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(path: Path, data: bytes) -> None:
        if path.suffix == ".html":
            raise OutputError(f"{path}: cannot be written")

    before = page_of(reported).read_bytes()
    monkeypatch.setattr(files, "write", full_disk)
    assert "but not in the report" in note(evaluation, reported)
    assert page_of(reported).read_bytes() == before
