"""kmodel V3: what is written is read back, lies where firmware expects it, and damage is refused in one line."""

import struct
from dataclasses import replace

import pytest
from hypothesis import given

from conversion.errors import ConversionError, ModelFormatError, UnsupportedModelError
from conversion.kmodel import v3, v3_container
from conversion.kmodel.assemble import assemble
from conversion.kmodel.plan import plan
from conversion.kmodel.v3 import DequantiseLayer, Output, V3Model
from conversion.kmodel.v3_container import Body, Reader
from tests.conversion.kmodel import mutants
from tests.conversion.kmodel.networks import posenet_like

NETWORK = posenet_like(channel_divisor=8)
MODEL = assemble(NETWORK, plan(NETWORK, 96, 80))
FILE = v3.write(MODEL)


def test_a_file_begins_with_version_3_eight_bit_weights_and_the_k210() -> None:
    assert struct.unpack_from("<3I", FILE) == (3, 1, 0)


def test_a_file_reads_back_as_it_was_written() -> None:
    assert v3.read(FILE, "test") == MODEL
    assert v3.write(v3.read(FILE, "test")) == FILE


def test_output_0_is_the_block_of_all_heads_and_the_others_lie_in_it() -> None:
    block, *heads = MODEL.outputs
    assert (block.address, block.size) == (0, MODEL.main_memory_bytes)
    assert [head.size for head in heads] == [channels * 6 * 5 for channels in (17, 34, 32, 32)]
    assert [head.address for head in heads] == [0, 512, 1536, 2496]
    assert all(head.address % 8 == 0 for head in heads)


def test_only_heads_go_to_main_memory_and_the_last_layer_is_one() -> None:
    where = [layer.main_memory for layer in MODEL.convolutions]
    assert where == [None] * (len(where) - 4) + [0, 512, 1536, 2496]


def test_tables_are_aligned_for_the_kpu() -> None:
    layers, outputs = len(MODEL.layers), len(MODEL.outputs)
    position = 28 + 8 * outputs + 8 * layers
    for number in range(layers):
        kind, size = struct.unpack_from("<2I", FILE, 28 + 8 * outputs + 8 * number)
        _, _, words, weights, batch_norm, activation = struct.unpack_from("<6I", FILE, position)
        assert kind == v3.K210_CONV
        assert (words % 8, weights % 128, batch_norm % 128, activation % 256) == (0, 0, 0, 0)
        position += size
        assert position % 8 == 0
    assert position == len(FILE)


def test_a_dequantising_layer_survives() -> None:
    dequantise = DequantiseLayer(source=0, destination=4096, count=510, scale=0.125, bias=-16.0)
    model = V3Model((*MODEL.layers, dequantise), (Output(4096, 2040),), 8192, 0)
    assert v3.read(v3.write(model), "test") == model


@pytest.mark.parametrize(("kind", "name"), [(18, "FULLY_CONNECTED"), (16, "CONCAT"), (10243, "K210_UPLOAD"), (99, "")])
def test_a_layer_of_another_type_is_named(kind: int, name: str) -> None:
    foreign = bytearray(FILE)
    struct.pack_into("<I", foreign, 28 + 8 * len(MODEL.outputs) + 8 * 5, kind)
    with pytest.raises(UnsupportedModelError, match=rf"m.kmodel: layer 5 is of type {kind} \({name}"):
        v3.read(bytes(foreign), "m.kmodel")


def test_only_the_last_layer_may_lack_its_padding() -> None:
    """nncase 0.1 does not write it."""
    assert v3_container.read(Reader(FILE, "test")).excess == 0
    assert v3_container.read(Reader(FILE[:-7], "test")).excess == -7
    with pytest.raises(ModelFormatError, match="layer 35 ends"):
        v3_container.read(Reader(FILE[:-8], "test"))


# nncase v0.1.0-rc5, runtime_op.h; 1 to 25 run on the CPU, from 10240 on on the K210.
TYPES = """
    ADD QUANTIZED_ADD GLOBAL_MAX_POOL2D QUANTIZED_GLOBAL_MAX_POOL2D GLOBAL_AVERAGE_POOL2D
    QUANTIZED_GLOBAL_AVERAGE_POOL2D MAX_POOL2D QUANTIZED_MAX_POOL2D AVERAGE_POOL2D QUANTIZED_AVERAGE_POOL2D QUANTIZE
    DEQUANTIZE REQUANTIZE L2_NORMALIZATION SOFTMAX CONCAT QUANTIZED_CONCAT FULLY_CONNECTED QUANTIZED_FULLY_CONNECTED
    TENSORFLOW_FLATTEN QUANTIZED_TENSORFLOW_FLATTEN RESIZE_NEAREST_NEIGHBOR QUANTIZED_RESIZE_NEAREST_NEIGHBOR
    CHANNELWISE_DEQUANTIZE LOGISTIC
"""


def test_types_have_the_names_of_the_format() -> None:
    kpu = enumerate(("K210_CONV", "K210_ADD_PADDING", "K210_REMOVE_PADDING", "K210_UPLOAD"), start=10240)
    named = {**dict(enumerate(TYPES.split(), start=1)), **dict(kpu), 0: "unknown", 26: "unknown", 10244: "unknown"}
    assert {kind: Body(kind, range(0)).name for kind in named} == named
    assert (named[v3.K210_CONV], named[v3.DEQUANTIZE]) == ("K210_CONV", "DEQUANTIZE")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "truncated at byte 0"),
        (FILE[:20], "truncated at byte 20"),
        (FILE[:-8], "layer 35 ends"),
        (FILE[: 28 + 8 * 5 + 8 * 36 + 24], "layer 0 ends at"),
        (FILE + bytes(8), "8 bytes follow"),
        (b"LDMK" + FILE[4:], "version"),
        (FILE[:4] + b"\3" + FILE[5:], "flags 3"),
        (FILE[:8] + b"\1" + FILE[9:], "architecture 1"),
        (FILE[:12] + bytes(4) + FILE[16:], "0 layers"),
        (FILE[:20] + struct.pack("<I", 2**31) + FILE[24:], "main memory"),
        (FILE[:20] + struct.pack("<I", 8) + FILE[24:], "outside memory"),
    ],
)
def test_damage_is_one_clear_line(data: bytes, problem: str) -> None:
    with pytest.raises(ModelFormatError, match=problem) as caught:
        v3.read(data, "m.kmodel")
    assert str(caught.value).startswith("m.kmodel: ")
    assert "\n" not in str(caught.value)


def test_a_model_that_leaves_its_result_in_kpu_ram_is_refused() -> None:
    unfinished = V3Model(MODEL.layers[:10], (Output(0, 8),), 8, 0)
    with pytest.raises(ModelFormatError, match="stays in KPU RAM"):
        v3.read(v3.write(unfinished), "m.kmodel")


def test_a_layer_that_sends_its_result_where_nobody_fetches_it_is_refused() -> None:
    first = MODEL.layers[0]
    assert first.main_memory is None
    registers = replace(first.layer.registers, send_data_out=1)
    stray = replace(first, layer=replace(first.layer, registers=registers))
    with pytest.raises(ModelFormatError, match=r"m\.kmodel: .*layer 0 has send_data_out set"):
        v3.read(v3.write(replace(MODEL, layers=(stray, *MODEL.layers[1:]))), "m.kmodel")


# The header, and the words of the first layers.
STRUCTURE = 1200


@given(mutants.damaged(FILE, STRUCTURE))
def test_a_mutated_file_is_refused_cleanly_or_is_a_model(mutant: bytes) -> None:
    mutants.attempt("kmodel V3", lambda data: v3.read(data, "m.kmodel"), mutant, MODEL)


@pytest.mark.soak
@given(mutants.damaged(FILE, STRUCTURE))
def test_many_mutated_files(mutant: bytes) -> None:
    mutants.attempt("kmodel V3", lambda data: v3.read(data, "m.kmodel"), mutant, MODEL)


@given(mutants.damaged(FILE, STRUCTURE))
def test_an_accepted_mutant_is_written_as_it_was_read(mutant: bytes) -> None:
    try:
        model = v3.read(mutant, "m.kmodel")
    except ConversionError:
        return
    assert v3.read(v3.write(model), "again") == model
