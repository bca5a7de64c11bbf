"""The published files that TensorFlow itself writes: a frozen graph (.pb) and a float TFLite, from given weights."""

from __future__ import annotations

import numpy as np

from conversion import network
from conversion.posenet_weights import PoseNetWeights
from tests.conversion.weights import tflite_edits
from tests.conversion.weights.weight_files import published_name

import tensorflow as tf  # isort: skip

SCOPE = "MobilenetV1"
TFLITE_WIDTH, TFLITE_HEIGHT = 257, 353


def frozen_graph(weights: PoseNetWeights) -> bytes:
    """A GraphDef as posenet-python writes it: any input size, variables frozen behind Identity nodes, heads by name."""
    tf1 = tf.compat.v1
    graph = tf.Graph()
    with graph.as_default(), tf1.Session(graph=graph) as session:
        image = tf1.placeholder(tf.float32, (1, None, None, 3), name="image")
        with tf1.variable_scope(SCOPE):
            features = _body_with_variables(image, weights)
        for head in network.HEADS:
            _head_with_variables(features, head.name, weights)
        session.run(tf1.global_variables_initializer())
        outputs = [f"{head}_2" for head in network.HEAD_NAMES]
        return tf1.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), outputs).SerializeToString()


def _variable(name: str, value: np.ndarray) -> tf.Tensor:
    return tf.compat.v1.Variable(value, name=name, use_resource=False)


def _body_with_variables(x: tf.Tensor, weights: PoseNetWeights) -> tf.Tensor:
    for spec in network.BODY:
        layer, name = weights.body[spec.name], published_name(spec)
        kernel, bias = _variable(f"{name}/weights", layer.kernel), _variable(f"{name}/biases", layer.bias)
        strides = (1, spec.stride, spec.stride, 1)
        if spec.kind == "conv":
            # That converter adds the first bias with "+" and the others with bias_add.
            x = tf.nn.relu6(tf.nn.conv2d(x, kernel, strides, "SAME") + bias)
        elif spec.kind == "depthwise":
            x = tf.nn.relu6(tf.nn.bias_add(tf.nn.depthwise_conv2d(x, kernel, strides, "SAME"), bias))
        else:
            x = tf.nn.relu6(tf.nn.bias_add(tf.nn.conv2d(x, kernel, strides, "SAME"), bias))
    return x


def _head_with_variables(features: tf.Tensor, head: str, weights: PoseNetWeights) -> None:
    layer, name = weights.heads[head], f"{SCOPE}/{head}_2"
    kernel, bias = _variable(f"{name}/weights", layer.kernel), _variable(f"{name}/biases", layer.bias)
    tf.nn.bias_add(tf.nn.conv2d(features, kernel, 1, "SAME"), bias, name=f"{head}_2")


def float_tflite(
    weights: PoseNetWeights, width: int = TFLITE_WIDTH, height: int = TFLITE_HEIGHT, segments: bool = True
) -> bytes:
    """A float TFLite as published: one size, SAME padding, fwd and bwd joined, a segment head, the published names."""
    random = np.random.default_rng(5)
    segment_kernel = random.normal(0, 0.05, (1, 1, network.FEATURE_CHANNELS, 1)).astype(np.float32)

    @tf.function(input_signature=[tf.TensorSpec((1, height, width, 3), tf.float32, name="sub_2")])
    def forward(x: tf.Tensor) -> tuple[tf.Tensor, ...]:
        for spec in network.BODY:
            layer = weights.body[spec.name]
            convolve = tf.nn.depthwise_conv2d if spec.kind == "depthwise" else tf.nn.conv2d
            x = convolve(x, layer.kernel, (1, spec.stride, spec.stride, 1), "SAME")
            x = tf.nn.relu6(tf.nn.bias_add(x, layer.bias))
        heads = {name: tf.nn.conv2d(x, head.kernel, 1, "SAME") + head.bias for name, head in weights.heads.items()}
        mid = tf.concat([heads["displacement_fwd"], heads["displacement_bwd"]], -1)
        outputs = (heads["heatmap"], heads["offset"], mid)
        return (*outputs, tf.nn.conv2d(x, segment_kernel, 1, "SAME") + np.float32([0.25])) if segments else outputs

    converter = tf.lite.TFLiteConverter.from_concrete_functions([forward.get_concrete_function()])
    return tflite_edits.named(converter.convert())


def mobilenet_tflite(channels: int, last_stride: int) -> bytes:
    """A float TFLite of another MobileNetV1: other channels in the first layer, another stride in block 12."""
    zeros = np.zeros

    def width(ours: int) -> int:
        return ours * channels // network.BODY[0].out_channels

    @tf.function(input_signature=[tf.TensorSpec((1, 65, 65, 3), tf.float32, name="sub_2")])
    def forward(x: tf.Tensor) -> tf.Tensor:
        for spec in network.BODY:
            inputs, outputs = (x.shape[-1], width(spec.out_channels))
            stride = last_stride if spec.name == "depthwise12" else spec.stride
            if spec.kind == "depthwise":
                x = tf.nn.depthwise_conv2d(x, zeros((3, 3, inputs, 1), "f4"), (1, stride, stride, 1), "SAME")
            else:
                x = tf.nn.conv2d(x, zeros((spec.kernel, spec.kernel, inputs, outputs), "f4"), stride, "SAME")
            x = tf.nn.relu6(tf.nn.bias_add(x, zeros(x.shape[-1], "f4")))
        return tf.nn.bias_add(tf.nn.conv2d(x, zeros((1, 1, x.shape[-1], 17), "f4"), 1, "SAME"), zeros(17, "f4"))

    return tf.lite.TFLiteConverter.from_concrete_functions([forward.get_concrete_function()]).convert()
