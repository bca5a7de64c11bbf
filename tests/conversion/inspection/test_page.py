"""The page: self-contained, drawn from the same description as the tables, nothing from a file is markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from conversion.inspection import inspect, page
from conversion.inspection.model import Inspection
from conversion.kmodel import v3
from conversion.kmodel.assemble import assemble
from conversion.kmodel.plan import plan
from tests.conversion.inspection.test_kmodel_v4 import kpu_file
from tests.conversion.inspection.test_kmodel_v5 import whole_file
from tests.conversion.inspection.tflite_files import small
from tests.conversion.inspection.v3_files import raw, write
from tests.conversion.kmodel.networks import posenet_like

VOID = {"meta", "br", "hr", "img", "link"}
NAUGHTY = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}", "[red]x[/]", "</svg>&lt;")


class Checked(HTMLParser):
    """Collects what a page consists of; fails on tags that do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: dict[str, int] = {}
        self.attributes: list[tuple[str, str | None]] = []
        self.ids: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.attributes += attributes
        self.ids += [value for name, value in attributes if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.attributes += attributes

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def kmodel() -> bytes:
    network = posenet_like()
    return v3.write(assemble(network, plan(network, 320, 240)))


def looked_into(folder: Path, data: bytes, name: str = "m.bin") -> Inspection:
    path = folder / name
    path.write_bytes(data)
    return inspect(path)


def check_safe(text: str) -> Checked:
    checked = Checked(text)
    assert not checked.tags.keys() & {"script", "img", "iframe", "link", "object"}
    assert not [name for name, _ in checked.attributes if name.startswith("on")]
    addresses = [value for name, value in checked.attributes if name in ("href", "src")]
    assert all(value.startswith("#") for value in addresses)
    assert "url(" not in text
    assert "@import" not in text
    return checked


@pytest.mark.parametrize("data", [kmodel(), kpu_file(), whole_file(), small()], ids=["v3", "v4", "v5", "tflite"])
def test_a_page_is_whole_and_fetches_nothing(data: bytes, tmp_path: Path) -> None:
    found = looked_into(tmp_path, data)
    checked = check_safe(page.render(found))
    assert checked.ids == [f"layer-{layer.number}" for layer in found.layers]
    links = {value for name, value in checked.attributes if name == "href"}
    assert links <= {f"#layer-{layer.number}" for layer in found.layers}
    assert all(layer.type in checked.text for layer in found.layers)
    assert ("KPU RAM over the layers" in checked.text) == found.runs_on_kpu


def test_a_kmodel_s_page_shows_blocks_strides_channels_heads_and_memory(tmp_path: Path) -> None:
    found = looked_into(tmp_path, kmodel())
    text = check_safe(page.render(found)).text
    for words in ("block 13", "÷2", "heatmap", "displacement_bwd", "17 × 20x15", "1/16", "160x120", "in 12 parts"):
        assert words in text, words
    assert text.count("reads lines") + text.count("writes lines") == 2 * len(found.layers), "the map of KPU RAM"
    assert "highest line used: 1620 KiB" in text


def test_the_decoder_and_its_options_are_in_the_drawing(coral_file: Path) -> None:
    text = check_safe(page.render(inspect(coral_file))).text
    assert "max_detections = 10" in text
    assert "→ poses" in text
    assert "-6.024 to 5.976" in text


def test_names_from_a_file_are_text_and_never_markup(tmp_path: Path) -> None:
    data = small(names=NAUGHTY, custom=NAUGHTY[1])
    text = page.render(looked_into(tmp_path, data, "<b>x.bin"))
    checked = check_safe(text)
    assert "<b>x" not in text
    assert "49" not in re.findall(r"\b49\b", checked.text)
    assert "{{ 7*7 }}" in checked.text
    assert "<script>alert(1)</script>"[:10] in checked.text, "as text"


def test_a_model_that_reaches_beyond_kpu_ram_has_a_page_without_a_map(tmp_path: Path) -> None:
    from tests.conversion.inspection import kpu_layers
    from tests.conversion.inspection.v3_files import Conv

    far = kpu_layers.placed(kpu_layers.chain()[0], 0, 32765)
    found = looked_into(tmp_path, write([Conv(far, 0)], [(0, 8)]))
    assert "KPU RAM over the layers" not in page.render(found)


def test_a_file_of_one_operator_without_any_shape(tmp_path: Path) -> None:
    check_safe(page.render(looked_into(tmp_path, write([raw(3, "I", 0)], [(0, 8)]))))
