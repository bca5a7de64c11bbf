"""Published weights files rebuilt with seeded random numbers: the same structure, names and sizes."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np

from conversion import network
from conversion.posenet_weights import FLOAT_NORMALISATION, ConvWeights, Origin, PoseNetWeights, checked

SHARD_BYTES = 4 * 1024 * 1024
INPUT = "sub_2"
HEAD_GAINS = {"heatmap": 1.5, "offset": 10.0, "displacement_fwd": 40.0, "displacement_bwd": 40.0}


def random_weights(seed: int = 1) -> PoseNetWeights:
    """A whole network of plausible random numbers: He initialisation, small biases, heads about as wide as the real."""
    random = np.random.default_rng(seed)

    def layer(shape: tuple[int, ...], inputs: int, channels: int, gain: float = 1.0) -> ConvWeights:
        kernel = random.normal(0, gain * np.sqrt(2 / inputs), shape).astype(np.float32)
        return ConvWeights(kernel, random.normal(0, 0.1, channels).astype(np.float32))

    body = {}
    for spec in network.BODY:
        inputs = spec.kernel**2 * (1 if spec.kind == "depthwise" else spec.in_channels)
        body[spec.name] = layer(spec.kernel_shape, inputs, spec.out_channels)
    features = network.FEATURE_CHANNELS
    heads = {
        head.name: layer((1, 1, features, head.channels), features, head.channels, HEAD_GAINS[head.name])
        for head in network.HEADS
    }
    return checked(body, heads, FLOAT_NORMALISATION, Origin("random", None, {}), "random weights")


def published_name(spec: network.LayerSpec) -> str:
    """Conv2d_0, Conv2d_N_depthwise, Conv2d_N_pointwise: what the published files call a body layer."""
    number = "".join(filter(str.isdigit, spec.name))
    return "Conv2d_0" if spec.kind == "conv" else f"Conv2d_{number}_{spec.kind}"


def write_tfjs_graph(folder: Path, weights: PoseNetWeights, json_name: str = "model-stride16.json") -> Path:
    """A tfjs graph model in `folder`, its constants in two shards; gives the path of the JSON."""
    nodes, constants = graph(weights)
    data = b"".join(array.tobytes() for array in constants.values())
    shards = {"group1-shard1of2.bin": data[:SHARD_BYTES], "group1-shard2of2.bin": data[SHARD_BYTES:]}
    manifest = [{"name": name, "shape": list(array.shape), "dtype": "float32"} for name, array in constants.items()]
    document = {
        "format": "graph-model",
        "modelTopology": {"node": nodes, "library": {}, "versions": {"producer": 54}},
        "weightsManifest": [{"paths": list(shards), "weights": manifest}],
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in shards.items():
        (folder / name).write_bytes(part)
    path = folder / json_name
    path.write_text(json.dumps(document))
    return path


def write_tfjs_checkpoint(folder: Path, weights: PoseNetWeights) -> Path:
    """A tfjs checkpoint in `folder`, unused heads included; gives the path of the manifest."""
    layers = {published_name(spec): weights.body[spec.name] for spec in network.BODY}
    layers |= {f"{head}_{version}": layer for head, layer in weights.heads.items() for version in (1, 2)}
    manifest = {}
    folder.mkdir(parents=True, exist_ok=True)
    for name, layer in layers.items():
        kernel = "depthwise_weights" if name.endswith("depthwise") else "weights"
        for variable, array in (
            (f"MobilenetV1/{name}/{kernel}", layer.kernel),
            (f"MobilenetV1/{name}/biases", layer.bias),
        ):
            file = variable.replace("/", "_")
            manifest[variable] = {"filename": file, "shape": list(array.shape)}
            (folder / file).write_bytes(array.tobytes())
    path = folder / "manifest.json"
    path.write_text(json.dumps(manifest))
    return path


def graph(weights: PoseNetWeights) -> tuple[list[dict], dict[str, np.ndarray]]:
    """Nodes as tfjs JSON has them (constants first, values elsewhere) and the constants by node name."""
    constants: dict[str, np.ndarray] = {}
    nodes: list[dict] = []
    tensor = INPUT
    for spec in network.BODY:
        name = published_name(spec)
        kernel = f"MobilenetV1/{name}/{'depthwise_weights' if spec.kind == 'depthwise' else 'weights'}"
        tensor = _layer(
            nodes, constants, f"MobilenetV1/MobilenetV1/{name}", kernel, tensor, weights.body[spec.name], spec
        )
    # The published graph lists its heads in this order.
    for head in ("offset", "heatmap", "displacement_fwd", "displacement_bwd"):
        name = f"MobilenetV1/{head}_2"
        _layer(nodes, constants, name, f"{name}/weights", tensor, weights.heads[head], None)
    shape = {"dim": [{"size": size} for size in ("1", "-1", "-1", "3")]}
    attributes = {"dtype": {"type": "DT_FLOAT"}, "shape": {"shape": shape}}
    placeholder = {"name": INPUT, "op": "Placeholder", "attr": attributes}
    return [placeholder, *(_const(name, array) for name, array in constants.items()), *nodes], constants


def _layer(
    nodes: list[dict],
    constants: dict[str, np.ndarray],
    name: str,
    kernel: str,
    source: str,
    layer: ConvWeights,
    spec: network.LayerSpec | None,
) -> str:
    """Appends convolution, bias and (in the body) ReLU6; gives the name of the result."""
    constants[f"{name}/Conv2D_bias"] = layer.bias
    constants[kernel] = layer.kernel
    stride = spec.stride if spec else 1
    op = "DepthwiseConv2dNative" if spec and spec.kind == "depthwise" else "Conv2D"
    nodes.append(
        _node(f"{name}/BiasAdd/conv", op, [source, kernel], strides=_ints(1, stride, stride, 1), padding=_text("SAME"),
              dilations=_ints(1, 1, 1, 1), data_format=_text("NHWC"))
    )  # fmt: skip
    nodes.append(_node(f"{name}/BiasAdd", "BiasAdd", [f"{name}/BiasAdd/conv", f"{name}/Conv2D_bias"]))
    if spec is None:
        return f"{name}/BiasAdd"
    nodes.append(_node(f"{name}/Relu6", "Relu6", [f"{name}/BiasAdd"]))
    return f"{name}/Relu6"


def _node(name: str, op: str, inputs: list[str], **attributes: dict) -> dict:
    return {"name": name, "op": op, "input": inputs, "attr": {"T": {"type": "DT_FLOAT"}, **attributes}}


def _const(name: str, array: np.ndarray) -> dict:
    shape = {"dim": [{"size": str(size)} for size in array.shape]}
    tensor = {"dtype": "DT_FLOAT", "tensorShape": shape}
    return {"name": name, "op": "Const", "attr": {"value": {"tensor": tensor}, "dtype": {"type": "DT_FLOAT"}}}


def _ints(*values: int) -> dict:
    return {"list": {"i": [str(value) for value in values]}}


def _text(value: str) -> dict:
    return {"s": base64.b64encode(value.encode()).decode()}
