"""The TFLite forms: float with joined mid offsets and a segment head, Coral's quantised ones, and all the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import flatbuffers
import numpy as np
import pytest

from conversion import weights
from conversion.errors import ConversionError, ModelFormatError, UnsupportedModelError
from conversion.posenet_weights import PoseNetWeights
from conversion.weights import tflite_file
from tests.conversion.weights import tflite_edits
from tests.conversion.weights.memory import peak_of
from tests.conversion.weights.tflite_edits import CONCATENATION, CONV, DEPTHWISE, edited, operators, output, schema

DECODER_FILE = "posenet_mobilenet_v1_075_353_481_quant_decoder.tflite"
COMPONENT_FILE = "posenet_mobilenet_v1_075_353_481_quant.tflite"
EDGE_TPU_FILE = "posenet_mobilenet_v1_075_353_481_quant_decoder_edgetpu.tflite"


@pytest.fixture
def load(tmp_path: Path) -> Callable[[bytes], PoseNetWeights]:
    def load(data: bytes) -> PoseNetWeights:
        path = tmp_path / "any-name"
        path.write_bytes(data)
        return weights.load(path)

    return load


Load = Callable[[bytes], PoseNetWeights]
Change = Callable[[schema.ModelT], object]


def test_float_numbers_arrive_unchanged(load: Load, float_tflite: bytes, random_weights: PoseNetWeights) -> None:
    loaded = load(float_tflite)
    assert loaded.digest() == random_weights.digest()
    assert loaded.origin.form == "TFLite float"
    assert loaded.origin.notes == ("the output float_segments (segments, channels: 1) is left out of the kmodel",)


def test_mid_offsets_from_one_convolution(load: Load, float_tflite: bytes, random_weights: PoseNetWeights) -> None:
    """Forward and backward as one convolution of 64 channels instead of two that are joined."""

    def change(model: schema.ModelT) -> None:
        graph = model.subgraphs[0]
        (joined,) = operators(model, CONCATENATION)
        first, second = (op for op in operators(model, CONV) if op.outputs[0] in joined.inputs)
        for position in (1, 2):
            one, other = (graph.tensors[op.inputs[position]] for op in (first, second))
            both = bytes(model.buffers[one.buffer].data) + bytes(model.buffers[other.buffer].data)
            model.buffers[one.buffer].data = np.frombuffer(both, np.uint8)
            one.shape = [64, *list(one.shape)[1:]]
        first.outputs = joined.outputs
        graph.operators = [op for op in graph.operators if op not in (second, joined)]

    assert load(edited(float_tflite, change)).digest() == random_weights.digest()


def test_coral_numbers_are_dequantised_exactly(load: Load, coral_tflite: bytes) -> None:
    loaded = load(coral_tflite)
    assert loaded.origin.form == "Coral quantised TFLite"
    assert loaded.origin.notes == ()
    assert (loaded.normalisation.scale, loaded.normalisation.offset) == (1 / 128, -1)
    model = schema.ModelT.InitFromPackedBuf(bytearray(coral_tflite), 0)
    tensors = model.subgraphs[0].tensors
    first = operators(model, CONV)[0]
    kernel, bias = (tensors[index] for index in first.inputs[1:])
    stored = np.frombuffer(bytes(model.buffers[kernel.buffer].data), np.uint8).reshape(24, 3, 3, 3)
    scale, zero_point = kernel.quantization.scale[0], kernel.quantization.zeroPoint[0]
    for place in ((0, 0, 0, 0), (23, 2, 2, 2), (7, 1, 0, 2)):
        exact = (int(stored[place]) - int(zero_point)) * float(scale)
        out, row, column, channel = place
        assert loaded.body["conv0"].kernel[row, column, channel, out] == np.float32(exact)
    biases = np.frombuffer(bytes(model.buffers[bias.buffer].data), "<i4")
    exact = [np.float32(int(q) * float(bias.quantization.scale[0])) for q in biases]
    assert loaded.body["conv0"].bias.tolist() == exact


def test_the_component_file_is_the_same_network_with_a_warning(
    load: Load, component_tflite: bytes, coral_tflite: bytes
) -> None:
    component = load(component_tflite)
    assert component.digest() == load(coral_tflite).digest()
    (note,) = component.origin.notes
    assert "clipped to 10 px" in note
    assert "_quant_decoder.tflite" in note


def test_the_published_coral_files(published_models: Path) -> None:
    folder = published_models / "coral"
    decoder = weights.load(folder / DECODER_FILE, known_only=True)
    component = weights.load(folder / COMPONENT_FILE, known_only=True)
    assert str(decoder.origin) == "known: coral-075-353-481-decoder"
    assert str(component.origin) == "known: coral-075-353-481-component"
    assert decoder.digest() == component.digest()
    assert decoder.origin.notes == ()
    assert "clipped to 10 px" in component.origin.notes[0]


def test_the_published_edge_tpu_file_is_refused_with_the_one_to_use(published_models: Path) -> None:
    with pytest.raises(UnsupportedModelError) as caught:
        weights.load(published_models / "coral" / EDGE_TPU_FILE)
    assert str(caught.value).endswith(f"take the same model without _edgetpu: {DECODER_FILE}")


def number(model: schema.ModelT, op: schema.OperatorT, position: int = 1) -> schema.TensorT:
    return model.subgraphs[0].tensors[op.inputs[position]]


def edge_tpu(model: schema.ModelT) -> None:
    code = model.operatorCodes[operators(model)[0].opcodeIndex]
    code.builtinCode = code.deprecatedBuiltinCode = tflite_edits.CUSTOM
    code.customCode = b"edgetpu-custom-op"


def foreign(model: schema.ModelT) -> None:
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.RESIZE_BILINEAR
    model.operatorCodes.append(code)
    operators(model)[-1].opcodeIndex = len(model.operatorCodes) - 1


def swap_joined(model: schema.ModelT) -> None:
    (joined,) = operators(model, CONCATENATION)
    joined.inputs = list(joined.inputs)[::-1]


def set_input(dtype: int) -> Change:
    def change(model: schema.ModelT) -> None:
        model.subgraphs[0].tensors[model.subgraphs[0].inputs[0]].type = dtype

    return change


def option(code: int, place: int, name: str, value: int) -> Change:
    return lambda model: setattr(operators(model, code)[place].builtinOptions, name, value)


FLOAT_EDITS = {
    "stride 32": (option(DEPTHWISE, 11, "strideH", 2), "has stride (2, 1), not 1"),
    "dilated": (option(DEPTHWISE, 12, "dilationHFactor", 2), "is dilated by (2, 1)"),
    "valid": (option(CONV, 0, "padding", 1), "has padding VALID, expected SAME"),
    "relu": (option(CONV, 0, "fusedActivationFunction", 1), "has activation relu, expected ReLU6"),
    "tanh": (option(CONV, 0, "fusedActivationFunction", 77), "has activation activation 77, expected ReLU6"),
    "join axis": (option(CONCATENATION, 0, "axis", 1), "joins something other than the displacements"),
    "resize": (foreign, "operators that this network lacks (RESIZE_BILINEAR)"),
    "int8": (set_input(schema.TensorType.INT8), "its input is int8"),
    "no such type": (set_input(99), "its input is type 99"),
    "half": (
        lambda model: setattr(number(model, operators(model, CONV)[0]), "type", schema.TensorType.FLOAT16),
        "are float16; take the float32 file",
    ),
    "grey": (
        lambda model: number(model, operators(model, CONV)[0], 0).shape.__setitem__(3, 1),
        "its input has the shape [1, 353, 257, 1]",
    ),
    "unnamed": (
        lambda model: setattr(output(model, operators(model, CONCATENATION)[0]), "name", b"concat"),
        "joins something other than the displacements",
    ),
    "two inputs": (lambda model: two_inputs(model), "has 2 inputs"),
    "no bias": (lambda model: drop_bias(model), "has no kernel, bias, output or options"),
    "no options": (lambda model: drop_options(model), "has no kernel, bias, output or options"),
    "shape": (
        lambda model: number(model, operators(model, CONV)[0]).shape.__setitem__(0, 25),
        "of shape (25, 3, 3, 3) needs 2700 bytes, its buffer has 2592",
    ),
    "unknown sizes": (
        lambda model: setattr(number(model, operators(model, CONV)[0]), "shape", [-24, -3, 3, 3]),
        "has the shape (-24, -3, 3, 3)",
    ),
    "rank": (
        lambda model: setattr(number(model, operators(model, CONV)[0]), "shape", [648]),
        "has a kernel of shape (648,)",
    ),
    "no constant": (
        lambda model: operators(model, CONV)[0].inputs.__setitem__(1, operators(model, CONV)[0].inputs[0]),
        "is not a constant",
    ),
    "index": (lambda model: operators(model, CONV)[0].inputs.__setitem__(1, 4000), "names tensor 4000 of 98"),
    "negative index": (lambda model: operators(model, CONV)[0].inputs.__setitem__(1, -1), "names tensor -1 of 98"),
    "buffer": (
        lambda model: setattr(number(model, operators(model, CONV)[0]), "buffer", 4000),
        "is damaged (IndexError",
    ),
    "subgraphs": (lambda model: model.subgraphs.append(model.subgraphs[0]), "has 2 subgraphs, expected one"),
    "edge tpu": (edge_tpu, "is compiled for the Edge TPU"),
}
CORAL_EDITS = {
    "swapped": (swap_joined, "joins something other than the displacements"),
    "input": (
        lambda model: setattr(number(model, operators(model, CONV)[0], 0).quantization, "zeroPoint", [127]),
        "its input is (x - 127) * 0.0078125; expected Coral's (x - 128) / 128",
    ),
    "range": (
        lambda model: setattr(output(model, operators(model, CONV)[0]).quantization, "scale", [0.03]),
        "has activation none, expected ReLU6",
    ),
    "per channel": (
        lambda model: (
            setattr(number(model, operators(model, CONV)[0]).quantization, "scale", [0.1] * 24),
            setattr(number(model, operators(model, CONV)[0]).quantization, "zeroPoint", [1] * 24),
        ),
        "has 24 scales; expected one per tensor",
    ),
    "zero points": (
        lambda model: setattr(number(model, operators(model, CONV)[0]).quantization, "zeroPoint", [1, 2]),
        "other numbers of scales and of zero points",
    ),
    "no scale": (
        lambda model: setattr(number(model, operators(model, CONV)[0]), "quantization", None),
        "has 0 scales",
    ),
    "bias": (
        lambda model: setattr(number(model, operators(model, CONV)[3], 2).quantization, "scale", [0.001]),
        "and of its bias do not belong together",
    ),
    "scale 0": (
        lambda model: setattr(number(model, operators(model, CONV)[0]).quantization, "scale", [0.0]),
        "has scale 0.0",
    ),
    "scale nan": (
        lambda model: setattr(number(model, operators(model, CONV)[0]).quantization, "scale", [float("nan")]),
        "has scale nan",
    ),
    "float weights": (
        lambda model: setattr(number(model, operators(model, CONV)[0]), "type", schema.TensorType.INT8),
        "are int8, not uint8",
    ),
    "decoder": (
        lambda model: setattr(operators(model)[-1], "inputs", [1]),
        "its PosenetDecoderOp does not read heatmap, offsets and displacements",
    ),
}


def two_inputs(model: schema.ModelT) -> None:
    graph = model.subgraphs[0]
    graph.inputs = [*graph.inputs, graph.inputs[0]]


def drop_bias(model: schema.ModelT) -> None:
    op = operators(model, CONV)[0]
    op.inputs = list(op.inputs)[:2]


def drop_options(model: schema.ModelT) -> None:
    op = operators(model, CONV)[0]
    op.builtinOptions, op.builtinOptionsType = None, 0


def refused(load: Load, data: bytes, message: str) -> None:
    def refuse() -> None:
        with pytest.raises(ConversionError) as caught:
            load(data)
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)

    assert peak_of(refuse) < 8 * len(data)


@pytest.mark.parametrize(("change", "message"), FLOAT_EDITS.values(), ids=FLOAT_EDITS.keys())
def test_other_float_files_are_told(load: Load, float_tflite: bytes, change: Change, message: str) -> None:
    refused(load, edited(float_tflite, change), message)


@pytest.mark.parametrize(("change", "message"), CORAL_EDITS.values(), ids=CORAL_EDITS.keys())
def test_other_quantised_files_are_told(load: Load, coral_tflite: bytes, change: Change, message: str) -> None:
    refused(load, edited(coral_tflite, change), message)


def test_multiplier_and_stride_are_described(load: Load) -> None:
    """The popular posenet_mobilenet_v1_100_257x257: multiplier 1.0 at stride 32."""
    from tests.conversion.weights import tf_files

    refused(
        load,
        tf_files.mobilenet_tflite(channels=32, last_stride=2),
        "a MobileNetV1 with 32 channels in its first layer (multiplier 1), output stride 32",
    )


@pytest.mark.parametrize(
    "data", [b"\x18\x00\x00\x00TFL3", b"\x00\x00\x00\x00TFL3", b"\xff\xff\xff\xffTFL3", b"\x08\0\0\0TFL3" * 9]
)
def test_a_few_bytes_that_crash_other_readers(load: Load, data: bytes) -> None:
    with pytest.raises(ConversionError, match=r"is damaged|has 0 subgraphs"):
        load(data)


def shared_names(count: int, name: str) -> bytes:
    """A file of `count` tensors whose names are one text, which the file has once."""
    builder = flatbuffers.Builder()
    text = builder.CreateString(name)
    tensors = []
    for _ in range(count):
        schema.TensorStart(builder)
        schema.TensorAddName(builder, text)
        tensors.append(schema.TensorEnd(builder))
    schema.SubGraphStartTensorsVector(builder, count)
    for tensor in tensors:
        builder.PrependUOffsetTRelative(tensor)
    vector = builder.EndVector()
    schema.SubGraphStart(builder)
    schema.SubGraphAddTensors(builder, vector)
    graph = schema.SubGraphEnd(builder)
    schema.ModelStartSubgraphsVector(builder, 1)
    builder.PrependUOffsetTRelative(graph)
    graphs = builder.EndVector()
    schema.BufferStart(builder)
    buffer = schema.BufferEnd(builder)
    schema.ModelStartBuffersVector(builder, 1)
    builder.PrependUOffsetTRelative(buffer)
    buffers = builder.EndVector()
    schema.ModelStart(builder)
    schema.ModelAddSubgraphs(builder, graphs)
    schema.ModelAddBuffers(builder, buffers)
    builder.Finish(schema.ModelEnd(builder), b"TFL3")
    return bytes(builder.Output())


def test_names_that_share_their_bytes_take_no_memory() -> None:
    """The file is small, a copy of the name for each tensor would not be."""
    assert len(tflite_file.parse(shared_names(3, "x"), "sound").tensors) == 3
    data = shared_names(4000, "x" * 1_000_000)

    def refuse() -> None:
        with pytest.raises(ModelFormatError, match="its parts are larger than the file"):
            tflite_file.parse(data, "hostile")

    assert peak_of(refuse) < 4 * len(data)


def test_lists_without_end_are_not_walked() -> None:
    with pytest.raises(ModelFormatError, match="a list of 5000 entries"):
        tflite_file.parse(shared_names(5000, "x"), "hostile")
