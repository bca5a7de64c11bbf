"""The report and `inspect`'s page in a browser: no wider than a phone, every word can be read, also in the dark."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from conversion import card
from conversion.evaluation import plot
from conversion.evaluation.layers import LayerLoss
from conversion.evaluation.result import Evaluation
from conversion.inspection import inspect, page
from conversion.kmodel import v3
from conversion.kmodel.assemble import assemble
from conversion.kmodel.plan import plan
from conversion.network import BODY, HEAD_NAMES
from conversion.report import writing
from tests.conversion.inspection.test_page import kmodel as own_kmodel
from tests.conversion.inspection.tflite_files import small
from tests.conversion.kmodel.networks import posenet_like
from tests.host_tools.monitor.web import browser as browsers
from tests.host_tools.monitor.web import legible

PHONE, DESK = (390, 844), (2600, 12000)
FACTS = [("kmodel", f"V3, 1,375,888 bytes, sha256 {'f' * 64}"), ("KPU RAM", "1620 of 2048 KiB, depthwise2 in 3 parts")]
COMMAND = "python -m conversion evaluate a.kmodel --coco " + "a_folder_of_photos/" * 6 + "person_keypoints.json"


def report(folder: Path, evaluation: Evaluation) -> Path:
    """The page of a network of PoseNet's layers, with the made-up figures of `evaluate`, those of every layer."""
    network = posenet_like()
    planned = plan(network, 320, 240)
    data = v3.write(assemble(network, planned))
    measured = replace(evaluation, layers=[LayerLoss(spec.name, 24, 42.0, 36.0) for spec in BODY])
    the_card = {
        **card.network_entries(network, planned, 34504),
        "kmodel": card.kmodel_entry("posenet-mobilenet-075-320x240.kmodel", data),
        "quantisation": {"sqnr_db": dict.fromkeys(HEAD_NAMES, 23.4)},
        "evaluation": measured.card_entry(COMMAND),
    }
    Image.new("RGB", (1024, 540), "navy").save(folder / writing.SKELETON)
    written = folder / "index.html"
    drawn, _ = writing.render(the_card, network, planned, FACTS, plot.svg(measured))
    written.write_text(drawn, encoding="utf-8")
    return written


def looked_into(folder: Path, data: bytes) -> Path:
    (folder / "a-model-with-a-name-that-is-long-enough-to-be-too-wide-for-a-phone.bin").write_bytes(data)
    written = folder / "inspection.html"
    written.write_text(page.render(inspect(next(folder.glob("*.bin")))), encoding="utf-8")
    return written


@pytest.fixture(params=["report", "kmodel", "TFLite"])
def written(request: pytest.FixtureRequest, tmp_path: Path, evaluation: Evaluation) -> Path:
    if request.param == "report":
        return report(tmp_path, evaluation)
    return looked_into(tmp_path, own_kmodel() if request.param == "kmodel" else small())


def test_nothing_is_wider_than_a_phone(written: Path, browser: browsers.Browser) -> None:
    with browser.open(written.as_uri(), *PHONE) as tab:
        assert tab.evaluate("document.documentElement.scrollWidth") == PHONE[0]
        assert legible.wider(tab) == []
        assert tab.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_can_be_read(written: Path, scheme: str, browser: browsers.Browser) -> None:
    with browser.open("about:blank", *DESK) as tab:
        legible.colours(tab, scheme)
        tab.load(written.as_uri())
        ground = tab.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(255, 255, 255)") == (scheme == "light")
        assert legible.pale(tab) == []


def test_what_is_wide_or_pale_would_be_found(browser: browsers.Browser, tmp_path: Path) -> None:
    written = tmp_path / "page.html"
    written.write_text(
        "<body style='background:#fff;color:#222'><p style='width:500px'>wide</p><p style='color:#999'>pale</p>"
        "<svg width='90' height='40'><rect width='90' height='40' fill='#369'/><text y='20' fill='#555'>letters</text>"
        "</svg><div style='overflow-x:auto'><p style='width:900px'>scrolls</p></div>"
    )
    with browser.open(written.as_uri(), *PHONE) as tab:
        assert [each.split()[0] for each in legible.wider(tab)] == ["P"]
        assert [each.split(": ")[-1] for each in legible.pale(tab)] == ["pale", "letters"]
