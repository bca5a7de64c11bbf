"""A quantised network: codes, scales and biases of every layer, ranges of the heads, and its form as bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from conversion import network
from conversion.network import LayerSpec

HEAD_SPECS = tuple(
    LayerSpec(head.name, "pointwise", 1, 1, network.FEATURE_CHANNELS, head.channels) for head in network.HEADS
)
SPECS = network.BODY + HEAD_SPECS


@dataclass(frozen=True)
class QuantisedLayer:
    """One layer in bytes: out = clip(round(scale * sum(codes * (in - zero point)) + bias), 0, 255).

    `codes` int8 in the shape of TensorFlow's kernel (HWIO, or [3, 3, C, 1]); `scale` and `bias` float32 [C_out], both
    in output bytes. The input's zero point is 128 for the picture and 0 for every other map.
    """

    codes: np.ndarray
    scale: np.ndarray
    bias: np.ndarray

    @property
    def matrix(self) -> np.ndarray:
        """The codes as float32 [K * K * C_in, C_out], or [9, C] for a depthwise layer."""
        columns = self.codes.shape[-1] if self.codes.shape[-1] > 1 else self.codes.shape[-2]
        return self.codes.reshape(-1, columns).astype(np.float32)


@dataclass(frozen=True)
class HeadScale:
    """Real value of a head's byte q: (q - zero_point) * scale."""

    scale: float
    zero_point: int


@dataclass(frozen=True)
class QuantisedNetwork:
    """Layers and heads by name, the heads' scales, and what nncase needs to compile the network.

    `pixel_scale` is the real value of one step of a pixel. `pictures`, uint8 [N, H, W, 3], are those of the calibration
    that take every layer and head to the ends of its range: nncase derives its ranges from them.
    """

    layers: Mapping[str, QuantisedLayer]
    head_scales: Mapping[str, HeadScale]
    pixel_scale: float
    pictures: np.ndarray

    def to_bytes(self) -> bytes:
        """A compressed .npz file; equal networks give equal bytes."""
        arrays = {"pixel_scale": np.array(self.pixel_scale), "pictures": self.pictures}
        for name, layer in self.layers.items():
            arrays |= {f"{name}/codes": layer.codes, f"{name}/scale": layer.scale, f"{name}/bias": layer.bias}
        for name, head in self.head_scales.items():
            arrays[f"{name}/range"] = np.array([head.scale, head.zero_point])
        packed = io.BytesIO()
        np.savez_compressed(packed, **arrays)
        return packed.getvalue()

    @staticmethod
    def from_bytes(data: bytes) -> QuantisedNetwork:
        """What `to_bytes` gave; ValueError or another error of a reader for anything else."""
        with np.load(io.BytesIO(data)) as arrays:
            layers = {
                spec.name: QuantisedLayer(*(arrays[f"{spec.name}/{part}"] for part in ("codes", "scale", "bias")))
                for spec in SPECS
            }
            for spec in SPECS:
                _check_shapes(layers[spec.name], spec)
            ranges = {name: arrays[f"{name}/range"] for name in network.HEAD_NAMES}
            head_scales = {name: HeadScale(float(scale), int(zero)) for name, (scale, zero) in ranges.items()}
            return QuantisedNetwork(layers, head_scales, float(arrays["pixel_scale"]), arrays["pictures"])


def _check_shapes(layer: QuantisedLayer, spec: LayerSpec) -> None:
    shapes = (layer.codes.shape, layer.scale.shape, layer.bias.shape)
    if shapes != (spec.kernel_shape, (spec.out_channels,), (spec.out_channels,)):
        raise ValueError(f"{spec.name} of another shape")
