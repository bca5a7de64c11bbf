"""The JSON: keys as documented, numbers that JSON has, everything the description knows."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from conversion.inspection import document, inspect
from conversion.inspection.model import Inspection
from conversion.kmodel import v3
from conversion.kmodel.assemble import assemble
from conversion.kmodel.plan import plan
from tests.conversion.inspection.v3_files import raw, write
from tests.conversion.kmodel.networks import posenet_like

TOP = {
    "format", "file", "form", "known", "network", "weights_input", "refusal", "bytes", "files", "inputs", "outputs",
    "normalisation", "size_assumed", "layers", "totals", "memory", "facts", "remarks",
    "firmware",
}  # fmt: skip
TENSOR = {"name", "role", "dtype", "shape", "order", "quantisation", "range", "layer", "place", "bytes"}
LAYER = {
    "number", "type", "name", "part", "file_name", "group", "sources", "reads", "writes", "kernel", "stride",
    "dilation", "padding", "activation", "depthwise", "parameters", "parameter_bytes", "macs_useful",
    "macs_executed", "quantisation", "time_us", "kpu_ram", "details",
}  # fmt: skip


@pytest.fixture(scope="module")
def kmodel(tmp_path_factory: pytest.TempPathFactory) -> Inspection:
    network = posenet_like(channel_divisor=8)
    path = tmp_path_factory.mktemp("kmodel") / "p.kmodel"
    path.write_bytes(v3.write(assemble(network, plan(network, 96, 80))))
    return inspect(path)


def test_the_keys_are_stable_and_documented(kmodel: Inspection, coral_file: Path) -> None:
    for found in (kmodel, inspect(coral_file)):
        entry = json.loads(document.to_json(found))
        assert entry["format"] == "posenet-maix inspection 1"
        assert entry.keys() == TOP
        assert {key for tensor in entry["inputs"] + entry["outputs"] for key in tensor} == TENSOR
        assert {key for layer in entry["layers"] for key in layer} == LAYER
    words = set(re.findall(r"[a-z_]+", document.__doc__))
    assert words >= TOP | TENSOR | LAYER


def test_a_kmodel_s_document(kmodel: Inspection) -> None:
    entry = json.loads(document.to_json(kmodel))
    first = entry["layers"][0]
    assert first["name"] == "conv0"
    assert (first["kernel"], first["stride"], first["sources"]) == ([3, 3], [2, 2], [-1])
    assert first["reads"] == {"channels": 3, "height": 80, "width": 96}
    assert first["kpu_ram"]["read"][0] == 0
    assert first["macs_executed"] == 4 * first["macs_useful"]
    assert entry["totals"]["layers"] == len(entry["layers"]) == 36
    assert entry["memory"]["kpu_ram_bytes"] == kmodel.memory.kpu_ram_bytes
    assert [output["role"] for output in entry["outputs"]][1:] == [
        "heatmap", "offset", "displacement_fwd", "displacement_bwd",
    ]  # fmt: skip
    assert entry["weights_input"] is False


def test_a_quantised_file_s_document(coral_file: Path) -> None:
    entry = json.loads(document.to_json(inspect(coral_file)))
    assert entry["weights_input"] is True
    assert entry["normalisation"] == {"scale": 1 / 128, "offset": -1.0}
    assert entry["inputs"][0]["range"] == [-1.0, 127 / 128]
    assert entry["layers"][-1]["details"]["custom options"]["max_detections"] == 10


def test_numbers_that_json_lacks_become_texts(tmp_path: Path) -> None:
    path = tmp_path / "m.kmodel"
    path.write_bytes(write([raw(12, "3I2f", 0, 8, 1, float("nan"), float("inf"))], [(8, 4)]))
    entry = json.loads(document.to_json(inspect(path)), parse_constant=pytest.fail)
    assert entry["layers"][0]["details"]["scale"] == "nan"
    assert entry["layers"][0]["details"]["bias"] == "inf"
