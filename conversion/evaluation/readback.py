"""The network that a kmodel holds, read back from its bytes and computed in real numbers: no activation is rounded.

What this differs in from the float network is the weights' doing (their codes, scales and ranges); what the KPU
differs in from this is the doing of its 8-bit activations.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from conversion.errors import UnsupportedModelError
from conversion.kmodel import sampling
from conversion.kmodel.layer import KpuLayer
from conversion.kmodel.v3 import ConvLayer, V3Model
from conversion.kpu.activation import LEVELS, ActivationTable, BatchNorm
from conversion.network import LayerSpec
from conversion.quantisation.layers import convolve

# Pooling that keeps every pixel, or the first of each 2x2: what a stride of 1 or 2 becomes.
_STRIDES = {0: 1, 5: 2}
# Between these bytes the table of a ReLU6 is one straight line.
_LOW_BYTE, _HIGH_BYTE = 64, 192


@dataclass(frozen=True)
class ReadLayer:
    """One layer in real numbers: byte = table((kernel * (x - pad) + rest) * gain + offset), x in steps of a byte.

    `kernel` is float32 [K * K * C_in, C_out], or [9, C] of a depthwise layer; `rest`, `gain`, `offset` are float32
    [C_out]. `numbers` are the kmodel's layers that compute it, in the order of their channels.
    """

    spec: LayerSpec
    numbers: tuple[int, ...]
    kernel: np.ndarray
    pad: int
    rest: np.ndarray
    gain: np.ndarray
    offset: np.ndarray
    table: ActivationTable

    def __call__(self, maps: np.ndarray) -> np.ndarray:
        """float32 [N, H, W, C_in] -> [N, h, w, C_out], both in steps of a byte."""
        sums = strided(self.spec, self.kernel, maps - np.float32(self.pad)) + self.rest
        return _activated(self.table, sums * self.gain + self.offset)

    @property
    def slopes(self) -> np.ndarray:
        """float64 [taps, C_in, C_out] or [taps, C]: by how many bytes a step of the input moves the result."""
        inputs = () if self.spec.kind == "depthwise" else (self.spec.in_channels,)
        reached = self.table.thresholds()
        rise = (_HIGH_BYTE - _LOW_BYTE) / (reached[_HIGH_BYTE] - reached[_LOW_BYTE])
        return (self.kernel * (self.gain * rise)).reshape(self.spec.kernel**2, *inputs, -1).astype(np.float64)


@dataclass(frozen=True)
class ReadNetwork:
    """A chain of body layers and the heads that read its end."""

    body: tuple[ReadLayer, ...]
    heads: tuple[ReadLayer, ...]

    def maps(self, picture: np.ndarray) -> list[np.ndarray]:
        """uint8 [1, H, W, 3] -> the float32 [1, h, w, C] of every layer, in steps of a byte, the heads' last."""
        results, maps = [], picture.astype(np.float32)
        for layer in self.body:
            maps = layer(maps)
            results.append(maps)
        return results + [head(maps) for head in self.heads]


def read(model: V3Model, where: str) -> ReadNetwork:
    """The network in a V3 kmodel; UnsupportedModelError for layers that this project's kmodels do not have."""
    body, heads, parts, channels = [], [], [], 0
    for number, layer in enumerate(model.layers):
        if not isinstance(layer, ConvLayer):
            raise UnsupportedModelError(f"{where}: layer {number} is no convolution; make the kmodel with this project")
        parts.append((number, sampling.as_depthwise(layer.layer)))
        found = sum(part.registers.o_ch_num for _, part in parts)
        # Only depthwise layers run in parts: together they read every channel of the layer before.
        if parts[-1][1].depthwise and body and found < channels:
            continue
        (body if layer.main_memory is None else heads).append(_joined(parts, where))
        parts, channels = [], found
    return ReadNetwork(tuple(body), tuple(heads))


def strided(spec: LayerSpec, kernel: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """`convolve` for 1x1 layers with a stride too, which a kmodel may have where the network's is a depthwise one's."""
    if spec.kernel > 1:
        return convolve(spec, kernel, maps)
    return convolve(replace(spec, stride=1), kernel, maps[:, :: spec.stride, :: spec.stride])


def _joined(parts: list[tuple[int, KpuLayer]], where: str) -> ReadLayer:
    """The parts of one layer as a whole; their channels lie in KPU RAM in order."""
    parts = sorted(parts, key=lambda part: part[1].registers.image_dst_addr)
    numbers = tuple(number for number, _ in parts)
    first = parts[0][1]
    if first.registers.pool_type not in _STRIDES:
        raise UnsupportedModelError(
            f"{where}: layer {numbers[0]} pools by type {first.registers.pool_type}; make the kmodel with this project"
        )
    kernels, rests = zip(*(_kernel_and_rest(layer) for _, layer in parts), strict=True)
    norms = [BatchNorm(layer.batch_norm) for _, layer in parts]
    gains = [np.ldexp(norm.multiplier.astype(np.float32), -norm.shift.astype(np.int32)) for norm in norms]
    return ReadLayer(
        spec=_spec(first, sum(layer.registers.o_ch_num for _, layer in parts), numbers),
        numbers=numbers,
        kernel=np.concatenate(kernels, axis=-1).astype(np.float32),
        pad=first.registers.pad_value,
        rest=np.concatenate(rests).astype(np.float32),
        gain=np.concatenate(gains),
        offset=np.concatenate([norm.offset for norm in norms]).astype(np.float32),
        table=ActivationTable(first.activation, f"{where}: layer {numbers[0]}"),
    )


def _spec(layer: KpuLayer, channels: int, numbers: tuple[int, ...]) -> LayerSpec:
    kind = "depthwise" if layer.depthwise else "conv" if layer.kernel > 1 else "pointwise"
    inputs = channels if layer.depthwise else layer.registers.i_ch_num
    stride = _STRIDES[layer.registers.pool_type]
    return LayerSpec(f"layer {numbers[0]}", kind, layer.kernel, stride, inputs, channels)


def _kernel_and_rest(layer: KpuLayer) -> tuple[np.ndarray, np.ndarray]:
    """float64 [taps, C_out], the factors of x - pad, and [C_out], what a window of nothing but pad gives."""
    registers = layer.registers
    inputs = 1 if layer.depthwise else registers.i_ch_num
    weights = np.frombuffer(layer.weights, np.uint8).reshape(registers.o_ch_num, inputs, layer.kernel**2)
    kernel = weights.transpose(2, 1, 0).reshape(-1, registers.o_ch_num) + registers.arg_x / 2**registers.shr_x
    constant = registers.arg_w * weights.sum((1, 2), np.int64) / 2**registers.shr_w + registers.arg_add * inputs
    return kernel, constant + registers.pad_value * kernel.sum(0)


def _activated(table: ActivationTable, values: np.ndarray) -> np.ndarray:
    """The table's straight pieces without their rounding: float32 -> float32 within 0..255."""
    starts = table.start.astype(np.float32)
    segment = np.searchsorted(starts, values, side="left") - 1
    slope = np.ldexp(table.multiplier.astype(np.float32), -table.shift.astype(np.int32))
    result = (values - starts[segment]) * slope[segment] + table.offset.astype(np.float32)[segment]
    return np.clip(result, 0, LEVELS - 1, out=result)
