"""kmodel V4 looked into: files with every opcode of the format, written by the tests themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from conversion.errors import ModelFormatError
from conversion.feature_map import FeatureMap
from conversion.inspection import inspect
from conversion.inspection.model import INPUT, Inspection
from conversion.inspection.v4_opcodes import FLOATS, OPCODES
from tests.conversion.inspection import kpu_layers
from tests.conversion.inspection.v4_files import BYTE, CONSTANTS, FLOAT, KPU, MAIN, Node, kpu_conv, node, place, write

PICTURE = place(KPU, BYTE, 0, kpu_layers.PICTURE.lines * 64)
PICTURE_SHAPE = (1, 3, kpu_layers.HEIGHT, kpu_layers.WIDTH)
SOURCE, RESULT = place(MAIN, FLOAT, 0, 32), place(MAIN, FLOAT, 100, 32)
SHAPE = ("4i", 1, 2, 2, 2)
NHWC = ("4i", 1, 2, 2, 2)
WINDOW = ("10i", 0, 0, 0, 0, 1, 1, 1, 1, 1, 1)
CLAMP = ("2f", 0.0, 6.0)
REQUANTISE = ("5i", 0, 0, 1, 0, 0)


def looked_into(folder: Path, data: bytes) -> Inspection:
    path = folder / "m.kmodel"
    path.write_bytes(data)
    return inspect(path)


def kpu_file() -> bytes:
    """A picture straight into KPU RAM, two layers, two heads in main memory, one of them dequantised."""
    first, second, five, six = kpu_layers.chain()
    nodes = [
        kpu_conv(first),
        kpu_conv(second, gaps=(0, 0, 0)),
        kpu_conv(five, place(MAIN, BYTE, 0, 5 * 48)),
        kpu_conv(six, place(MAIN, BYTE, 240, 6 * 48)),
        node(0x3, place(MAIN, BYTE, 0, 5 * 48), place(MAIN, FLOAT, 1024, 4 * 5 * 48), ("if", 128, 8.0)),
    ]
    outputs = [place(MAIN, FLOAT, 1024, 4 * 5 * 48), place(MAIN, BYTE, 240, 6 * 48)]
    return write(nodes, [(PICTURE, PICTURE_SHAPE)], outputs)


def test_a_chain_on_the_kpu(tmp_path: Path) -> None:
    found = looked_into(tmp_path, kpu_file())
    assert found.form == "kmodel V4"
    assert [layer.type for layer in found.layers] == ["kpu_conv2d"] * 4 + ["dequantize"]
    assert [layer.sources for layer in found.layers] == [(INPUT,), (0,), (1,), (1,), (2,)]
    assert [layer.convolution.stride[0] for layer in found.layers[:4]] == [2, 1, 1, 1]
    assert [layer.convolution.depthwise for layer in found.layers[:4]] == [False, True, False, False]
    assert [layer.macs for layer in found.layers[:4]] == [
        type(found.layers[0].macs)(*one.macs) for one in kpu_layers.chain()
    ]
    assert [region.line for region in found.layers[2].regions] == [200, 300]
    dequantise = found.layers[4]
    assert dequantise.reads == FeatureMap(5, 6, 8)
    assert (dequantise.quantisation.scale, dequantise.quantisation.zero_point) == (0.125, 128)
    assert found.inputs[0].place == "KPU RAM at 0"
    assert [(output.dtype, output.shape, output.layer) for output in found.outputs] == [
        ("float32", (1, 5, 6, 8), 4),
        ("uint8", (1, 6, 6, 8), 3),
    ]
    assert found.memory.main_memory_bytes == 4096
    assert not found.remarks


CONVOLUTIONS = {
    0x2: node(0x2, SOURCE, RESULT, SHAPE, ("2i", 1, 3), WINDOW, CLAMP, bytes(3 * (2 * 4 + 4))),
    0xF: node(0xF, SOURCE, RESULT, SHAPE, ("2i", 1, 3), WINDOW, REQUANTISE, bytes(3 * (2 + 4))),
    0x1001: node(0x1001, SOURCE, RESULT, NHWC, ("i", 3), WINDOW, CLAMP, bytes(3 * (2 * 4 + 4))),
    0x1002: node(0x1002, SOURCE, RESULT, NHWC, WINDOW, CLAMP, bytes(2 * (4 + 4))),
    0x1004: node(0x1004, SOURCE, RESULT, NHWC, ("i", 3), WINDOW, REQUANTISE, bytes(3 * (2 + 4))),
    0x1005: node(0x1005, SOURCE, RESULT, NHWC, WINDOW, REQUANTISE, bytes(2 * (1 + 4))),
}
EVERY_OPCODE = CONVOLUTIONS | {
    0x0: node(0x0, SOURCE, SOURCE, RESULT, ("I", 2), SHAPE, SHAPE, SHAPE, CLAMP),
    0x1: node(0x1, RESULT, ("3I", 4, 1, 2), SOURCE, SOURCE, ("2i", 1, 1)),
    0x3: node(0x3, SOURCE, RESULT, ("if", 5, 4.0)),
    0x4: node(0x4, SOURCE, place(CONSTANTS, FLOAT, 0, 24), RESULT, ("3i", 1, 2, 3), CLAMP, ("3f", 0, 0, 0)),
    0x5: node(0x5, SOURCE, RESULT, SHAPE, ("8i", 0, 0, 0, 0, 1, 1, 0, 1), ("2I", 0, 0)),
    0x6: node(0x6, SOURCE, RESULT, ("if", 5, 4.0)),
    0x7: node(0x7, SOURCE, RESULT, ("I", 2), SHAPE, ("4i", 1, 2, 1, 1), ("f", 0.0)),
    0x8: node(0x8, SOURCE, RESULT, ("I", 2), SHAPE, WINDOW, ("f", 0.0), CLAMP),
    0x9: node(0x9, SOURCE, RESULT),
    0xA: node(0xA, SOURCE, RESULT, SHAPE, ("2i", 4, 6), ("I?3x", 1, False)),
    0xB: node(0xB, SOURCE, RESULT, ("2if", 8, 1, 1.0)),
    0xC: node(0xC, SOURCE, RESULT, SHAPE, ("4i", 0, 2, 3, 1)),
    0xD: node(0xD, SOURCE, RESULT, SHAPE, SHAPE, SHAPE, SHAPE, ("5i", 0, 0, 0, 0, 0)),
    0xE: node(0xE, SOURCE, RESULT, ("I", 3)),
    0x10: node(0x10, SOURCE, SOURCE, RESULT, ("3i", 1, 2, 3), ("5i", 0, 0, 0, 0, 0), ("3i", 0, 0, 0)),
    0x11: node(0x11, SOURCE, SOURCE, RESULT, ("I", 0), SHAPE, SHAPE, SHAPE, ("9i", *range(9))),
    0x12: node(0x12, SOURCE, place(CONSTANTS, BYTE, 0, 16), RESULT),
    0x13: node(0x13, SOURCE, RESULT, SHAPE, SHAPE, ("i", 1), WINDOW, CLAMP),
    0x14: node(0x14, SOURCE, RESULT, bytes(8)),
    0x1003: node(0x1003, SOURCE, RESULT, ("I", 2), SHAPE, WINDOW, ("f", 0.0), CLAMP),
    0x2001: node(0x2001, SOURCE, place(KPU, BYTE, 0, 640), SHAPE),
    0x2002: kpu_conv(kpu_layers.chain()[0], RESULT),
}


def around(middle: Node) -> bytes:
    """A file in which one node gives what `middle` reads, and another reads what it gives."""
    feeds = node(0x9, place(MAIN, FLOAT, 600, 32), SOURCE)
    if middle.opcode == 0x2002:
        feeds = node(0x2001, place(MAIN, BYTE, 600, 576), PICTURE, ("4i", *PICTURE_SHAPE))
    given = place(KPU, BYTE, 0, 640) if middle.opcode == 0x2001 else RESULT
    reads = node(0x9, given, place(MAIN, FLOAT, 700, 32))
    inputs = [(place(MAIN, FLOAT, 600, 576), (1, 2, 2, 2))]
    return write([feeds, middle, reads], inputs, [place(MAIN, FLOAT, 700, 32)], constants=bytes(32))


@pytest.mark.parametrize("opcode", OPCODES, ids=lambda opcode: OPCODES[opcode].name)
def test_every_opcode_is_named_and_connected(opcode: int, tmp_path: Path) -> None:
    found = looked_into(tmp_path, around(EVERY_OPCODE[opcode]))
    assert found.layers[1].type == OPCODES[opcode].name
    assert [layer.sources for layer in found.layers] == [(INPUT,), (0,), (1,)]
    assert found.outputs[0].layer == 2
    floats = [remark for remark in found.remarks if "1 of its 3 layers compute in floats" in remark]
    assert bool(floats) == (OPCODES[opcode].name in FLOATS)
    assert list(found.remarks) == floats


@pytest.mark.parametrize(
    ("opcode", "writes"),
    [
        (0x0, (2, 2, 2)),
        (0x5, (2, 4, 3)),
        (0x7, (2, 1, 1)),
        (0xA, (2, 4, 6)),
        (0xC, (2, 2, 2)),
        (0xE, None),
        (0x2001, (2, 2, 2)),
    ],
)
def test_the_shape_that_an_operator_gives(opcode: int, writes: tuple[int, ...] | None, tmp_path: Path) -> None:
    found = looked_into(tmp_path, around(EVERY_OPCODE[opcode])).layers[1].writes
    assert found == (FeatureMap(*writes) if writes else None)


@pytest.mark.parametrize("opcode", CONVOLUTIONS)
def test_convolutions_on_the_cpu_have_parameters_and_work(opcode: int, tmp_path: Path) -> None:
    layer = looked_into(tmp_path, around(CONVOLUTIONS[opcode])).layers[1]
    depthwise = opcode in (0x1002, 0x1005)
    channels, taps = (2, 1) if depthwise else (3, 2)
    assert layer.writes == FeatureMap(channels, 2, 2)
    assert layer.convolution.depthwise == depthwise
    assert layer.parameters == channels * (taps + 1)
    weight_bytes = 1 if opcode in (0xF, 0x1004, 0x1005) else 4
    assert layer.parameter_bytes == channels * (taps * weight_bytes + 4)
    assert layer.macs.useful == channels * taps * 4


def test_constants_that_an_operator_reads_are_its_parameters(tmp_path: Path) -> None:
    matmul = looked_into(tmp_path, around(EVERY_OPCODE[0x4])).layers[1]
    assert (matmul.parameters, matmul.parameter_bytes) == (6 + 3, 24 + 12)
    assert looked_into(tmp_path, around(EVERY_OPCODE[0x0])).layers[1].details["op"] == "mul"


def test_an_unknown_opcode_is_said_to_hang_a_board(tmp_path: Path) -> None:
    found = looked_into(tmp_path, around(Node(0x77, bytes(8))))
    assert found.layers[1].type == "opcode 0x77"
    assert any("0x77" in remark and "hangs" in remark for remark in found.remarks)


def test_the_last_padding_may_be_missing(tmp_path: Path) -> None:
    data = write([EVERY_OPCODE[0xE]], [(SOURCE, (1, 2, 2, 2))], [RESULT])
    assert looked_into(tmp_path, data[:-4]).layers[0].details["op"] == "exp"
    with pytest.raises(ModelFormatError, match="node 0 ends at"):
        looked_into(tmp_path, data[:-8])


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (kpu_file()[:30], "truncated"),
        (write([], [], []), "0 nodes"),
        (write([Node(0x9, bytes(8))], [], []), "8 bytes, 32 needed"),
        (around(Node(0x2, EVERY_OPCODE[0x2].body[:-8])), "parameters need"),
        (around(node(0x2, SOURCE, RESULT, SHAPE, ("2i", 1, 3), ("10i", *[0] * 10), CLAMP)), "without shape or stride"),
        (around(node(0x1, RESULT, ("3I", 4, 1, 1 << 30))), "more than 4096 operations"),
        (around(Node(0x2002, EVERY_OPCODE[0x2002].body[:-8])), "bytes of weights end behind it"),
    ],
)
def test_damage_is_one_clear_line(data: bytes, problem: str, tmp_path: Path) -> None:
    with pytest.raises(ModelFormatError, match=problem) as caught:
        looked_into(tmp_path, data)
    assert str(caught.value).startswith(str(tmp_path))
    assert "\n" not in str(caught.value)
