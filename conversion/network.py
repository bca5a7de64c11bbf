"""PoseNet MobileNetV1 0.75 at output stride 16, as data: layers, heads, keypoints, and the resolution formula."""

from __future__ import annotations

from dataclasses import dataclass

NAME = "posenet-mobilenet-075"
MULTIPLIER = 0.75
OUTPUT_STRIDE = 16
INPUT_CHANNELS = 3

KEYPOINTS = (
    "nose",
    "leftEye",
    "rightEye",
    "leftEar",
    "rightEar",
    "leftShoulder",
    "rightShoulder",
    "leftElbow",
    "rightElbow",
    "leftWrist",
    "rightWrist",
    "leftHip",
    "rightHip",
    "leftKnee",
    "rightKnee",
    "leftAnkle",
    "rightAnkle",
)

# The lines that are drawn between keypoints (tfjs-models posenet, connectedPartNames).
SKELETON = (
    (11, 5), (7, 5), (7, 9), (11, 13), (13, 15), (12, 6),
    (8, 6), (8, 10), (12, 14), (14, 16), (5, 6), (11, 12),
)  # fmt: skip


@dataclass(frozen=True)
class LayerSpec:
    """One convolution: `kind` is "conv", "depthwise" or "pointwise"; `stride` is its own, not the output's."""

    name: str
    kind: str
    kernel: int
    stride: int
    in_channels: int
    out_channels: int

    @property
    def kernel_shape(self) -> tuple[int, int, int, int]:
        """Shape of the kernel as TensorFlow stores it: HWIO, or [3, 3, C, 1] for a depthwise layer."""
        if self.kind == "depthwise":
            return (self.kernel, self.kernel, self.in_channels, 1)
        return (self.kernel, self.kernel, self.in_channels, self.out_channels)


@dataclass(frozen=True)
class HeadSpec:
    """One output: a 1x1 convolution of the last feature map without activation."""

    name: str
    channels: int
    unit: str


HEADS = (
    HeadSpec("heatmap", 17, "logit"),
    HeadSpec("offset", 34, "px"),
    HeadSpec("displacement_fwd", 32, "px"),
    HeadSpec("displacement_bwd", 32, "px"),
)
HEAD_NAMES = tuple(head.name for head in HEADS)

# Strides and output channels of the 13 depthwise-separable blocks (MobileNetV1 with multiplier 0.75; the last
# two stride-2 blocks of the original keep their size at output stride 16, and none is dilated).
_FIRST_CHANNELS = 24
_BLOCK_STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 1, 1)
_BLOCK_CHANNELS = (48, 96, 96, 192, 192, 384, 384, 384, 384, 384, 384, 384, 384)


def _body() -> tuple[LayerSpec, ...]:
    layers = [LayerSpec("conv0", "conv", 3, 2, INPUT_CHANNELS, _FIRST_CHANNELS)]
    channels = _FIRST_CHANNELS
    for number, (stride, width) in enumerate(zip(_BLOCK_STRIDES, _BLOCK_CHANNELS, strict=True), start=1):
        layers.append(LayerSpec(f"depthwise{number}", "depthwise", 3, stride, channels, channels))
        layers.append(LayerSpec(f"pointwise{number}", "pointwise", 1, 1, channels, width))
        channels = width
    return tuple(layers)


BODY = _body()
FEATURE_CHANNELS = BODY[-1].out_channels


def resolution(input_size: int, output_stride: int = OUTPUT_STRIDE) -> int:
    """Cells of the heatmap along one side: ((input_size - 1) // output_stride) + 1 (PoseNet's own formula).

    At multiples of 16, which the KPU needs, it equals input_size / 16; at PoseNet's odd sizes 513 gives 33.
    """
    return (input_size - 1) // output_stride + 1


def input_size(cells: int, output_stride: int = OUTPUT_STRIDE) -> int:
    """The size 16n + 1 whose heatmap has `cells` cells: the inverse of `resolution` at PoseNet's own sizes."""
    return (cells - 1) * output_stride + 1
