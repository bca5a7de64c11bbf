"""kmodel V3 looked into: this project's own file, and files with every layer type that the format has."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from conversion import card, network
from conversion.errors import ModelFormatError
from conversion.inspection import inspect
from conversion.inspection.model import INPUT, Inspection, Macs
from conversion.kmodel import v3, v3_container
from conversion.kmodel.assemble import assemble
from conversion.kmodel.kpu_network import KpuNetwork
from conversion.kmodel.plan import plan
from tests.conversion.inspection import kpu_layers
from tests.conversion.inspection.v3_files import Conv, Raw, raw, write
from tests.conversion.kmodel.networks import as_compiled, posenet_like

NETWORK = posenet_like()
# At this size the depthwise layers that drop pixels run in 3, 6 and 12 parts.
PLAN = plan(NETWORK, 320, 240)
MODEL = assemble(NETWORK, PLAN)


def looked_into(folder: Path, data: bytes) -> Inspection:
    path = folder / "m.bin"
    path.write_bytes(data)
    return inspect(path)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Inspection:
    return looked_into(tmp_path_factory.mktemp("v3"), v3.write(MODEL))


def test_what_the_planner_placed_is_what_is_found(own: Inspection) -> None:
    assert own.form == "kmodel V3"
    assert own.network == "PoseNet MobileNetV1 0.75, output stride 16"
    assert [layer.regions for layer in own.layers] == [(step.source, step.destination) for step in PLAN.steps]
    assert own.memory.kpu_ram_bytes == PLAN.peak_bytes
    assert own.memory.main_memory_bytes == MODEL.main_memory_bytes
    assert own.parameters == 1_258_195
    assert ("memory check", "passes: every line of KPU RAM and byte of main memory is written before it is read") in (
        own.facts
    )


def test_layers_have_the_network_s_names_and_read_from_the_right_ones(own: Inspection) -> None:
    names = [layer.label for layer in own.layers]
    parts = ["depthwise2 1/3", "depthwise2 2/3", "depthwise2 3/3"]
    assert names[:7] == ["conv0", "depthwise1", "pointwise1", *parts, "pointwise2"]
    assert names[-4:] == list(network.HEAD_NAMES)
    by_name = {layer.label: layer for layer in own.layers}
    assert by_name["conv0"].sources == (INPUT,)
    assert by_name["depthwise2 3/3"].sources == (by_name["pointwise1"].number,)
    assert by_name["pointwise2"].sources == (3, 4, 5)
    assert {by_name[head].sources for head in network.HEAD_NAMES} == {(by_name["pointwise13"].number,)}


def test_work_is_what_the_layers_themselves_count(own: Inspection) -> None:
    useful, executed = card.work(NETWORK, PLAN)
    assert (own.macs.useful, own.macs.executed) == (useful, executed)
    assert own.layers[0].convolution.stride == (2, 2)
    assert [layer.convolution.stride for layer in own.layers[3:7]] == [(2, 2)] * 3 + [(1, 1)]
    assert (round(useful / 1e5), round(executed / 1e5)) == (5335, 7995), "533.5 and 799.5 million"


def test_a_depthwise_layer_that_runs_as_dense_ones_is_described_as_what_it_is(own: Inspection) -> None:
    part = own.layers[3]
    assert part.convolution.depthwise
    assert part.parameters == 16 * 9 + 16
    assert part.details["runs as"] == "dense, zero off the diagonal"
    assert part.macs == Macs(16 * 9 * 80 * 60, 16 * 16 * 9 * 160 * 120)
    assert not any("runs as" in layer.details for layer in own.layers if layer.part == "")


def test_as_nncase_compiles_it_the_stride_is_the_pointwise_layer_s(tmp_path: Path) -> None:
    late = as_compiled()
    found = looked_into(tmp_path, v3.write(assemble(late, plan(late, 320, 240))))
    assert found.network == "PoseNet MobileNetV1 0.75, output stride 16"
    assert [layer.label for layer in found.layers[3:5]] == ["depthwise2 1/2", "depthwise2 2/2"]
    assert found.layers[5].convolution.stride == (2, 2)


def test_outputs_are_the_heads_behind_the_block_of_all(own: Inspection) -> None:
    assert [output.role for output in own.outputs] == ["", *network.HEAD_NAMES]
    assert [output.shape for output in own.outputs[1:]] == [(1, channels, 15, 20) for channels in (17, 34, 32, 32)]
    assert own.outputs[0].bytes == MODEL.main_memory_bytes
    assert any("model card" in remark for remark in own.remarks)


def test_the_model_card_beside_it_says_what_bytes_stand_for(tmp_path: Path) -> None:
    data = v3.write(MODEL)
    path = tmp_path / "p.kmodel"
    path.write_bytes(data)
    entries = card.network_entries(NETWORK, PLAN, MODEL.main_memory_bytes)
    entry = {"format": card.FORMAT, "kmodel": card.kmodel_entry(path.name, data), **entries}
    entry["source"] = {"name": "tfjs-graph-075-stride16"}
    card.path_beside(path).write_text(json.dumps(entry))
    found = inspect(path)
    assert found.known == "tfjs-graph-075-stride16"
    assert [output.quantisation.zero_point for output in found.outputs[1:]] == [128] * 4
    assert found.outputs[1].quantisation.limits("uint8") == (-16.0, 15.875)
    assert not found.remarks
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    stranger = inspect(path)
    assert stranger.known is None
    assert any("model card beside it is not used" in remark for remark in stranger.remarks)


# Every type that a runtime has: (type, name in the file, source's and result's addresses are 0 and 1000 throughout).
EVERY_TYPE = [
    raw(1, "4I", 0, 0, 1000, 8),
    raw(2, "4I9i", 0, 0, 1000, 8, *range(9)),
    raw(5, "4I", 0, 1000, 16, 2),
    raw(8, "14I", 0, 1000, 4, 4, 2, 2, 2, 2, 2, 2, 2, 2, 0, 0),
    raw(9, "15I", 0, 1000, 4, 4, 2, 2, 2, 2, 2, 2, 2, 2, 0, 0, 0),
    raw(11, "3I2f", 0, 1000, 8, 0.5, -3.0),
    raw(12, "3I2f", 0, 1000, 8, 0.5, -3.0),
    raw(13, "3I", 0, 1000, 8, tail=bytes(256)),
    raw(14, "3I", 0, 1000, 8),
    raw(15, "3I", 0, 1000, 8),
    raw(16, "2I", 1000, 2, tail=struct.pack("<4I", 0, 4, 4, 4)),
    raw(17, "2I", 1000, 2, tail=struct.pack("<4I", 0, 4, 4, 4)),
    raw(18, "5I", 0, 1000, 2, 3, 0, tail=bytes(4 * (2 * 3 + 3))),
    raw(20, "5I", 0, 1000, 2, 2, 2),
    raw(22, "8I", 0, 1000, 2, 2, 2, 4, 4, 0),
    raw(23, "8I", 0, 1000, 2, 2, 2, 4, 4, 0),
    raw(24, "4I", 0, 1000, 2, 4, tail=struct.pack("<4f", 0.5, -3.0, 1.0, 0.0)),
    raw(25, "3I", 0, 1000, 8),
    raw(10241, "3I", 0, 50, 2),
    raw(10242, "3I", 0, 1000, 2),
    raw(10243, "5I", 0, 50, 4, 4, 2),
]


@pytest.mark.parametrize("layer", EVERY_TYPE, ids=lambda layer: v3_container.LAYER_NAMES[layer.kind])
def test_every_layer_type_is_named_and_connected(layer: Raw, tmp_path: Path) -> None:
    """A head gives what the layer reads (at 0); what it gives (at 1000, or KPU line 50) is read by the next."""
    to_kpu = layer.kind in (10241, 10243)
    first, *_ = kpu_layers.chain()
    reader = kpu_layers.placed(first, 50, 90) if to_kpu else None
    last = Conv(reader, 2000) if to_kpu else raw(12, "3I2f", 1000, 2000, 1, 1.0, 0.0)
    found = looked_into(tmp_path, write([Conv(first, 0), layer, last], [(2000, 4)]))
    assert [one.type for one in found.layers][:2] == ["K210_CONV", v3_container.LAYER_NAMES[layer.kind]]
    assert found.layers[1].sources == (0,)
    assert found.layers[2].sources == (1,)
    assert found.outputs[0].layer == 2
    assert not any("no firmware runs" in remark for remark in found.remarks)


def test_every_type_that_a_runtime_has_is_tested() -> None:
    absent = {3, 4, 6, 7, 10, 19, 21, v3_container.K210_CONV}
    assert {layer.kind for layer in EVERY_TYPE} == v3_container.LAYER_NAMES.keys() - absent


def test_what_types_say_of_themselves(tmp_path: Path) -> None:
    by_type = {layer.kind: layer for layer in EVERY_TYPE}
    layers = [by_type[18], by_type[24], by_type[8], raw(12, "3I2f", 1000, 2000, 8, 0.5, -3.0)]
    found = looked_into(tmp_path, write(layers, [(2000, 32)]))
    dense, channelwise, pool, dequantise = found.layers
    assert found.inputs[0].shape == (2,), "a model that begins with FULLY_CONNECTED takes floats"
    assert (dense.parameters, dense.parameter_bytes) == (9, 36)
    assert (channelwise.quantisation.scale, channelwise.quantisation.zero_point) == (0.5, 6)
    assert channelwise.quantisation.count == 2
    assert (pool.reads.bytes, pool.writes.bytes) == (32, 8)
    assert dequantise.reads == pool.writes, "8 elements: the pooled map"
    assert (dequantise.quantisation.scale, dequantise.quantisation.zero_point) == (0.5, 6)
    assert found.outputs[0].dtype == "float32"


@pytest.mark.parametrize("kind", [3, 4, 6, 7, 10, 19, 21, 99])
def test_types_that_no_runtime_has_are_named_with_a_remark(kind: int, tmp_path: Path) -> None:
    found = looked_into(tmp_path, write([Conv(kpu_layers.chain()[0], 0), raw(kind, "2I", 1, 2)], [(0, 8)]))
    name = v3_container.LAYER_NAMES.get(kind, "type 99")
    assert found.layers[1].type == name
    assert any(f"of type {name}, which no firmware runs" in remark for remark in found.remarks)


def test_an_old_compiler_s_file_may_lack_its_last_padding(tmp_path: Path) -> None:
    data = write([Conv(kpu_layers.chain()[0], 0)], [(0, 8)])
    found = looked_into(tmp_path, data[:-4])
    assert any("ends 4 bytes before its last layer does" in remark for remark in found.remarks)
    with pytest.raises(ModelFormatError, match="4 bytes of the last layer are missing"):
        v3.read(data[:-4], "m.kmodel")
    with pytest.raises(ModelFormatError, match="layer 0 ends at"):
        looked_into(tmp_path, data[:-8])


@pytest.mark.parametrize(
    ("data", "remark"),
    [
        (write([Conv(kpu_layers.chain()[0])], [(0, 8)]), "stays in KPU RAM"),
        (write([Conv(kpu_layers.chain()[0], 0)], [(0, 8)]) + bytes(16), "16 bytes follow the last layer"),
        (write([Conv(kpu_layers.chain()[0], 0)], [(0, 8)], main_memory=1 << 24), "the chip has 6 MiB"),
        (write([Conv(kpu_layers.chain()[0], 0)], [(0, 8)], arch=1), "architecture 1"),
        (
            write([Conv(kpu_layers.placed(kpu_layers.chain()[0], 0, 32765), 0)], [(0, 8)]),
            "beyond the end of KPU RAM",
        ),
    ],
)
def test_what_a_board_would_stumble_over_is_said(data: bytes, remark: str, tmp_path: Path) -> None:
    assert any(remark in line for line in looked_into(tmp_path, data).remarks)


def test_a_layer_that_overwrites_what_it_reads_fails_the_memory_check(tmp_path: Path) -> None:
    overlapping = kpu_layers.placed(kpu_layers.chain()[0], 0, 2)
    found = looked_into(tmp_path, write([Conv(overlapping, 0)], [(0, 96)]))
    assert any(name == "memory check" and "over its own source" in text for name, text in found.facts)


def test_weights_of_16_bits_are_read_as_such(tmp_path: Path) -> None:
    one = kpu_layers.chain()[0]
    wide = type(one)(one.registers, one.weights * 2, one.batch_norm, one.activation)
    found = looked_into(tmp_path, write([Conv(wide, 0)], [(0, 8)], flags=0))
    assert found.layers[0].parameter_bytes == 2 * len(one.weights) + len(one.batch_norm) + len(one.activation)
    assert any("16 bits" in remark for remark in found.remarks)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (write([raw(18, "5I", 0, 1000, 1 << 20, 1 << 20, 0)], [(0, 8)]), "needs"),
        (write([raw(16, "2I", 0, 1 << 30)], [(0, 8)]), "needs"),
        (write([raw(8, "2I", 0, 0)], [(0, 8)]), "needs"),
        (struct.pack("<7I", 3, 1, 0, 1 << 30, 0, 0, 1), "layers"),
    ],
)
def test_bodies_that_do_not_hold_what_they_say(data: bytes, problem: str, tmp_path: Path) -> None:
    with pytest.raises(ModelFormatError, match=problem):
        looked_into(tmp_path, data)


def test_a_network_of_other_layers_keeps_its_numbers(tmp_path: Path) -> None:
    found = looked_into(tmp_path, write([Conv(one, 0) for one in kpu_layers.chain()], [(0, 8)]))
    assert found.network is None
    assert [layer.label for layer in found.layers] == ["layer 0", "layer 1", "layer 2", "layer 3"]
    assert [layer.sources for layer in found.layers] == [(INPUT,), (0,), (1,), (1,)]


def test_another_multiplier_is_named(tmp_path: Path) -> None:
    half = posenet_like(channel_divisor=2)
    assert isinstance(half, KpuNetwork)
    found = looked_into(tmp_path, v3.write(assemble(half, plan(half, 96, 80))))
    assert found.network == "MobileNetV1 of multiplier 0.375, output stride 16"
    assert found.layers[-1].name == "displacement_bwd"
