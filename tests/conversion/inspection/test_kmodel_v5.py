"""kmodel V5 looked into: nncase's own files, and programs with every operator of the stack machine."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import numpy as np
import pytest

from conversion.errors import ModelFormatError, UnsupportedModelError
from conversion.feature_map import FeatureMap
from conversion.inspection import inspect
from conversion.inspection.model import INPUT, Inspection
from conversion.kmodel import v5
from conversion.kmodel.v5_stackvm import CALL, CONV2D, DEQUANTIZE, TENSOR_OPERATORS
from tests.conversion.inspection import kpu_layers, v5_files
from tests.conversion.inspection.v5_files import BYTE, DATA, FLOAT, KPU, OUTPUT, RDATA, Function, Module, lea, write

GOLDEN = Path(__file__).parents[2] / "golden" / "kpu"
READABLE = [number for number, operator in TENSOR_OPERATORS.items() if operator.layout and number != CALL]
UNREADABLE = [number for number, operator in TENSOR_OPERATORS.items() if not operator.layout]
CELLS = 48


def looked_into(folder: Path, data: bytes) -> Inspection:
    path = folder / "m.kmodel"
    path.write_bytes(data)
    return inspect(path)


@pytest.mark.parametrize("name", ["posenet_like", "loads_and_max_pooling", "curved_activations"])
def test_nncase_s_own_files_hold_the_layers_that_the_reader_finds(name: str, tmp_path: Path) -> None:
    with np.load(GOLDEN / f"{name}.npz") as golden:
        data = golden["kmodel"].tobytes()
    expected = v5.read(data, name)
    found = looked_into(tmp_path, data)
    runs = [layer for layer in found.layers if layer.regions]
    layers = [*expected.body, *(head.layer for head in expected.heads)]
    assert sorted(layer.parameters for layer in runs) == sorted(
        layer.taps * layer.registers.o_ch_num + layer.registers.o_ch_num for layer in layers
    )
    assert sum(layer.macs.executed for layer in runs) == sum(layer.macs[1] for layer in layers)
    heads = [layer.quantisation for layer in found.layers if layer.type == "DEQUANTIZE"]
    assert [(head.scale, head.zero_point) for head in heads] == [
        (head.scale, head.zero_point) for head in expected.heads
    ]
    picture = expected.source
    assert found.inputs[0].shape == (1, picture.channels, picture.height, picture.width)
    assert [output.shape[1] for output in found.outputs] == [head.layer.destination.channels for head in expected.heads]
    assert {name for name, _ in found.facts} >= {"module 0", "module 1"}
    assert found.memory.kpu_ram_bytes <= 2 * 1024 * 1024
    assert not found.remarks


def k210_module() -> Module:
    """Upload, two layers, a copy in main memory, two heads with their downloads."""
    first, second, five, six = kpu_layers.chain()
    rdata = bytearray()
    picture = kpu_layers.PICTURE
    code = v5_files.transfer(True, (0, BYTE, 0, picture.bytes), (KPU, BYTE, 0, picture.lines * 64), (1, 3, 12, 16))
    code += v5_files.convolution(first, rdata) + v5_files.convolution(second, rdata)
    code += v5_files.convolution(five, rdata) + v5_files.convolution(six, rdata)
    code += v5_files.transfer(False, (KPU, BYTE, 400 * 64, 640), (OUTPUT, BYTE, 240, 6 * CELLS), (1, 6, 6, 8))
    code += v5_files.transfer(False, (KPU, BYTE, 300 * 64, 640), (DATA, BYTE, 0, 5 * CELLS), (1, 5, 6, 8))
    code += v5_files.copy((DATA, BYTE, 0, 5 * CELLS), (OUTPUT, BYTE, 0, 5 * CELLS), (1, 5, 6, 8))
    function = Function(
        code,
        (((0, BYTE, 0, picture.bytes), (1, 3, 12, 16)),),
        (
            ((OUTPUT, BYTE, 0, 5 * CELLS), (1, 5, 6, 8)),
            ((OUTPUT, BYTE, 240, 6 * CELLS), (1, 6, 6, 8)),
        ),
    )
    return Module("k210", (function,), bytes(rdata), ((RDATA, len(rdata)), (KPU, 1 << 21)))


def stackvm_module(code: bytes) -> Module:
    inputs = (((0, BYTE, 0, kpu_layers.PICTURE.bytes), (1, 3, 12, 16)),)
    outputs = tuple(((OUTPUT, FLOAT, 4096 * number, 4 * CELLS), (1, 6, 6, 8)) for number in range(2))
    return Module("stackvm", (Function(code + b"\x59", inputs, outputs),), pools=((DATA, 528),))


def whole_file() -> bytes:
    code = v5_files.call(0, 1, [lea(0, 0)], [lea(DATA, 0), lea(DATA, 240)])
    code += v5_files.dequantise(lea(DATA, 240), lea(OUTPUT, 0), (1, 6, 6, 8), 0.5, -64.0)
    code += v5_files.dequantise(lea(DATA, 0), lea(OUTPUT, 4096), (1, 5, 6, 8), 0.25, -2.0)
    return write([stackvm_module(code), k210_module()])


def test_calls_are_followed_through_both_modules(tmp_path: Path) -> None:
    found = looked_into(tmp_path, whole_file())
    assert [layer.type for layer in found.layers] == [
        "KPU_UPLOAD", *["KPU_CONV2D"] * 4, "KPU_DOWNLOAD", "KPU_DOWNLOAD", "COPY", "DEQUANTIZE", "DEQUANTIZE",
    ]  # fmt: skip
    assert [layer.sources for layer in found.layers] == [
        (INPUT,), (0,), (1,), (2,), (2,), (4,), (3,), (6,), (5,), (7,),
    ]  # fmt: skip
    assert [output.layer for output in found.outputs] == [8, 9]
    assert found.layers[8].reads == FeatureMap(6, 6, 8)
    assert (found.layers[8].quantisation.scale, found.layers[8].quantisation.zero_point) == (0.5, 128)
    assert found.layers[1].group == "k210 function 0"
    assert found.memory.main_memory_bytes == 528
    facts = dict(found.facts)
    assert facts["module 1"].startswith(f"k210, 1 function, bytes: .text {44 * 3 + 76 + 152 * 4}, .rdata ")
    assert not found.remarks


def operator_code(number: int) -> bytes:
    """One operator that reads DATA 0 and writes DATA 64, its operands all register 0 or 0."""
    operator = TENSOR_OPERATORS[number]
    count = len(struct.unpack(f"<{operator.layout}", bytes(struct.calcsize(f"<{operator.layout}"))))
    return lea(DATA, 0) + lea(DATA, 64) + v5_files.tensor(number, operator.layout, *[0] * count)


@pytest.mark.parametrize("number", [number for number in READABLE if number not in (CONV2D, DEQUANTIZE)])
def test_every_operator_of_the_stack_machine_is_named_and_connected(number: int, tmp_path: Path) -> None:
    before = v5_files.shape(0, 1, 2, 3, 4) + lea(0, 0) + lea(DATA, 0) + v5_files.tensor(0x09, "4B", 0, 0, 0, 0)
    after = lea(DATA, 64) + lea(OUTPUT, 0) + v5_files.tensor(0x09, "4B", 0, 0, 0, 0)
    found = looked_into(tmp_path, write([stackvm_module(before + operator_code(number) + after)]))
    name = TENSOR_OPERATORS[number].name
    assert [layer.type for layer in found.layers] == ["COPY", name, "COPY"]
    assert [layer.sources for layer in found.layers] == [(INPUT,), (0,), (1,)]
    assert found.layers[0].reads == FeatureMap(2, 3, 4)
    assert found.outputs[0].layer == 2


@pytest.mark.parametrize("number", [*UNREADABLE, 0x99])
def test_an_operator_that_nncase_1_9_lacks(number: int, tmp_path: Path) -> None:
    code = lea(DATA, 0) + struct.pack("<BH", 0x5E, number)
    words = TENSOR_OPERATORS[number].name if number in TENSOR_OPERATORS else "operator 0x99"
    with pytest.raises(UnsupportedModelError, match=re.escape(words)):
        looked_into(tmp_path, write([stackvm_module(code)]))
    found = looked_into(tmp_path, write([stackvm_module(code), k210_module()]))
    assert len(found.layers) == 8, "the K210's function is shown all the same"
    assert any("not one of nncase 1.9" in remark and words in remark for remark in found.remarks)


def test_a_float_convolution_on_the_cpu(tmp_path: Path) -> None:
    code = v5_files.shape(0, 1, 4, 9, 11) + v5_files.shape(1, 8, 2, 3, 5)
    code += lea(0, 0) + lea(RDATA, 0) + lea(RDATA, 960) + lea(DATA, 0)
    code += b"".join(map(v5_files.integer, (1, 1, 0, 2, 2, 0)))
    code += v5_files.tensor(CONV2D, "7B5H2f", 0, 0, 0, 1, 0, 0, 0, 2, 2, 1, 1, 1, 0.0, 6.0)
    layer = looked_into(tmp_path, write([stackvm_module(code)])).layers[0]
    assert (layer.convolution.kernel, layer.convolution.stride) == ((3, 5), (2, 1))
    assert layer.convolution.padding == "(1, 1), (2, 2)"
    assert layer.writes == FeatureMap(8, 5, 11)
    assert (layer.parameters, layer.parameter_bytes) == (8 * 2 * 15 + 8, 4 * 248)
    assert layer.macs.useful == 15 * 2 * 8 * 5 * 11


def test_branches_are_said_not_to_be_followed(tmp_path: Path) -> None:
    code = struct.pack("<Bi", 0x56, 4) + b"\x34" + operator_code(0x09)
    found = looked_into(tmp_path, write([stackvm_module(code)]))
    assert [layer.type for layer in found.layers] == ["COPY"]
    assert any("2 instructions are branches or arithmetic" in remark for remark in found.remarks)


def test_functions_that_call_each_other_for_ever(tmp_path: Path) -> None:
    with pytest.raises(ModelFormatError, match="more than 8 deep"):
        looked_into(tmp_path, write([stackvm_module(v5_files.call(0, 0, [], []))]))


def test_functions_called_so_often_that_the_list_would_not_end(tmp_path: Path) -> None:
    calls, operators = v5_files.call(1, 0, [], []) * 100, operator_code(0x09) * 60
    module = Module("stackvm", (Function(calls), Function(operators)))
    with pytest.raises(ModelFormatError, match="more than 4096 operations"):
        looked_into(tmp_path, write([module]))


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (write([stackvm_module(v5_files.call(0, 7, [], []))]), "function 0 of module 7"),
        (write([stackvm_module(v5_files.call(3, 0, [], []))]), "function 3 of module 0"),
        (write([stackvm_module(b"\x77")]), "instruction 0x77"),
        (write([stackvm_module(b"\x5e")]), "truncated"),
        (write([Module("stackvm", ())]), "entry function 0 of 0"),
        (write([k210_module()], entry=(2, 0)), "entry module 2 of 1"),
        (whole_file()[:-100], "header"),
    ],
)
def test_damage_is_one_clear_line(data: bytes, problem: str, tmp_path: Path) -> None:
    with pytest.raises((ModelFormatError, UnsupportedModelError), match=problem) as caught:
        looked_into(tmp_path, data)
    assert "\n" not in str(caught.value)


def test_parameters_that_all_layers_claim_are_not_copied_without_end(tmp_path: Path) -> None:
    """Every layer names the whole .rdata as its weights: 300 such layers would be 300 times the file."""
    rdata = bytes(1 << 16)
    one = b"\x02\0\0\0" + v5_files.memory_range((RDATA, BYTE, 0, len(rdata))) * 3
    one += v5_files.memory_range((0, 0, 0, 0)) + struct.pack("<I", 1) + kpu_layers.chain()[0].registers.pack()
    with pytest.raises(ModelFormatError, match="more parameters than the file"):
        looked_into(tmp_path, write([Module("k210", (Function(one * 300),), rdata)]))


def test_the_name_of_a_section_is_one_line_of_a_message(tmp_path: Path) -> None:
    data = bytearray(whole_file())
    at = data.index(b".rdata")
    data[at : at + 2] = b"\n\x1b"
    # Behind name, flags and padding: its size.
    data[at + 24 : at + 28] = b"\x7f" * 4
    with pytest.raises(ModelFormatError, match="section \ufffd\ufffddata") as caught:
        looked_into(tmp_path, bytes(data))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(("at", "problem"), [(48 + 4, "record ends behind it"), (20 + 4, "parts end behind it")])
def test_records_that_overlap_are_refused(at: int, problem: str, tmp_path: Path) -> None:
    """4096 functions or modules that all claim the rest of the file would take thousands of times its memory."""
    data = bytearray(write([k210_module()]))
    pools = 2 * 8
    offset = 32 + at + (pools if at > 48 else 0)
    struct.pack_into("<I", data, offset, 48 if at < 48 else 32)
    with pytest.raises(ModelFormatError, match=problem):
        looked_into(tmp_path, bytes(data))


def test_other_versions_of_kmodel_are_named(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModelError, match="is a kmodel V6; V3, V4 and V5 are for the K210"):
        looked_into(tmp_path, write([k210_module()], version=6))


@pytest.mark.parametrize(("word", "what"), [(0x2713, "V3"), (0x534D444C, "V4"), (0x454D444C, "emodel")])
def test_encrypted_files_are_named(word: int, what: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModelError, match=f"is an encrypted .*{what}"):
        looked_into(tmp_path, struct.pack("<I", word) + bytes(64))
