"""TFLite files looked into: the published forms, this project's own export, and what is special about a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from conversion import network
from conversion.feature_map import FeatureMap
from conversion.inspection import inspect, page
from conversion.inspection.custom_options import decode
from conversion.inspection.model import INPUT, Inspection
from conversion.posenet_weights import PoseNetWeights
from conversion.tensorflow import graph
from tests.conversion.inspection.tflite_files import small
from tests.conversion.weights import tflite_edits


def looked_into(folder: Path, data: bytes) -> Inspection:
    path = folder / "model.bin"
    path.write_bytes(data)
    return inspect(path)


def test_coral_s_file_with_its_decoder(coral_file: Path) -> None:
    found = inspect(coral_file)
    assert found.form == "Coral quantised TFLite"
    assert found.network == "PoseNet MobileNetV1 0.75, output stride 16"
    assert found.refusal is None
    assert found.parameters == 1_258_195
    assert found.normalisation.scale == 1 / 128
    assert found.inputs[0].quantisation.limits("uint8") == (-1.0, 127 / 128)
    names = [layer.name for layer in found.layers]
    assert names[:27] == [spec.name for spec in network.BODY]
    assert set(names[27:31]) == set(network.HEAD_NAMES)
    heatmap = next(layer for layer in found.layers if layer.name == "heatmap")
    assert heatmap.quantisation.zero_point == 128
    assert "saturates at -6.0" in heatmap.convolution.activation
    assert "saturates at 0 and 6" in found.layers[0].convolution.activation


def test_coral_s_decoder_is_explained_with_its_options(coral_file: Path) -> None:
    found = inspect(coral_file)
    decoder = found.layers[-1]
    assert decoder.type == "PosenetDecoderOp"
    expected = {"max_detections": 10, "nms_radius": 10.0, "score_threshold": 0.2, "stride": 16}
    assert decoder.details["custom options"] == expected
    assert decoder.writes is None, "its poses are no feature map"
    assert any("up to 10 poses" in remark and "radius of 10 px" in remark for remark in found.remarks)
    assert any("tf.lite.Interpreter has no such operator" in remark for remark in found.remarks)
    assert [output.layer for output in found.outputs] == [len(found.layers) - 1] * 4


def test_the_component_s_clipped_offsets_are_said(component_tflite: bytes, tmp_path: Path) -> None:
    found = looked_into(tmp_path, component_tflite)
    assert any("clipped to 10 px" in remark for remark in found.remarks)
    assert {output.role for output in found.outputs} == {"heatmap", "offset", "mid_offsets"}


def test_the_float_file_s_joined_and_left_out_heads(float_tflite: bytes, tmp_path: Path) -> None:
    found = looked_into(tmp_path, float_tflite)
    assert found.form == "TFLite float"
    assert {output.role for output in found.outputs} == {"heatmap", "offset", "mid_offsets", "segments"}
    assert any("float_segments" in remark and "left out" in remark for remark in found.remarks)
    joined = next(layer for layer in found.layers if layer.type == "CONCATENATION")
    assert joined.writes.channels == 64
    assert {found.layers[source].name for source in joined.sources} == {"displacement_fwd", "displacement_bwd"}
    assert found.inputs[0].map == FeatureMap(3, 353, 257)


def test_this_project_s_own_export(random_weights: PoseNetWeights, tmp_path: Path) -> None:
    found = looked_into(tmp_path, graph.to_tflite(random_weights, 96, 80))
    assert found.network == "PoseNet MobileNetV1 0.75, output stride 16"
    assert [output.role for output in found.outputs] == list(network.HEAD_NAMES), "by their channels, in order"
    assert any("padded on all sides" in remark for remark in found.remarks)
    assert "PAD" in found.refusal
    assert found.outputs[0].map == FeatureMap(17, 5, 6)


def test_a_file_compiled_for_the_edge_tpu(coral_tflite: bytes, tmp_path: Path) -> None:
    def change(model: object) -> None:
        code = model.operatorCodes[tflite_edits.operators(model)[0].opcodeIndex]
        code.builtinCode = code.deprecatedBuiltinCode = tflite_edits.CUSTOM
        code.customCode = b"edgetpu-custom-op"
        tflite_edits.operators(model)[0].customOptions = np.zeros(5000, np.uint8)

    found = looked_into(tmp_path, tflite_edits.edited(coral_tflite, change))
    assert any("5,000 bytes are a program for the Edge TPU" in remark for remark in found.remarks)
    assert "compiled for the Edge TPU" in found.refusal
    assert found.layers[0].details["custom options"] == {"bytes": 5000}


def test_any_other_network(tmp_path: Path) -> None:
    found = looked_into(tmp_path, small())
    first, second, head, custom = found.layers
    assert [layer.type for layer in found.layers] == ["CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D", "SomeOp"]
    assert [layer.sources for layer in found.layers] == [(INPUT,), (0,), (1,), (2,)]
    assert (first.convolution.stride, first.convolution.activation) == ((2, 2), "relu6")
    assert second.convolution.depthwise
    assert head.convolution.dilation == (2, 2)
    assert [layer.parameters for layer in found.layers] == [3 * 3 * 3 * 4 + 4, 9 * 4 + 4, 4 * 5 + 5, 0]
    assert [layer.macs.useful for layer in (first, second, head)] == [27 * 4 * 16, 9 * 4 * 16, 4 * 5 * 16]
    assert custom.details["custom options"] == {
        "text": "poses", "threshold": 0.2, "fast": True, "program": "400 bytes",
    }  # fmt: skip
    assert found.network is None
    assert found.known is None
    assert found.refusal
    assert any("SomeOp runs only where somebody has registered it" in remark for remark in found.remarks)


def test_operators_in_the_wrong_order_are_not_connected(tmp_path: Path) -> None:
    data = tflite_edits.edited(small(), lambda model: model.subgraphs[0].operators.reverse())
    found = looked_into(tmp_path, data)
    assert [layer.type for layer in found.layers] == ["SomeOp", "CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D"]
    assert [layer.sources for layer in found.layers] == [(), (), (), (INPUT,)]
    assert "SomeOp" in page.render(found)


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x05\x04\x01", b"junk" * 9, bytes(300), b"\xff" * 40])
def test_options_that_are_no_map(data: bytes) -> None:
    assert decode(data) == {"bytes": len(data)}


def test_the_published_files(published_models: Path) -> None:
    folder = published_models / "coral"
    decoder = inspect(folder / "posenet_mobilenet_v1_075_353_481_quant_decoder.tflite")
    assert decoder.known == "coral-075-353-481-decoder"
    assert decoder.layers[-1].details["custom options"]["stride"] == 16
    assert (decoder.parameters, decoder.macs.useful) == (1_258_195, 1_246_214_352)
    component = inspect(folder / "posenet_mobilenet_v1_075_353_481_quant.tflite")
    assert component.known == "coral-075-353-481-component"
    assert any("clipped to 10 px" in remark for remark in component.remarks)
    hidden = inspect(folder / "posenet_mobilenet_v1_075_353_481_quant_decoder_edgetpu.tflite")
    assert [layer.type for layer in hidden.layers] == ["edgetpu-custom-op", "PosenetDecoderOp"]
    assert any("1,544,271 bytes are a program for the Edge TPU" in remark for remark in hidden.remarks)
