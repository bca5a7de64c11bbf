"""What one KPU layer computes, exactly: convolution, then batch norm and activation, then pooling.

Sums are made in floating point where that is exact: every product and partial sum is an integer below 2^24 (float32)
or, by the widths of the registers, below 2^53 (float64).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from conversion.errors import ModelFormatError
from conversion.kmodel.layer import POOL_FACTORS, KpuLayer
from conversion.kpu.activation import Activation, ActivationTable, BatchNorm, SumRange

FLOAT32_EXACT = 1 << 24
MAX_BYTE = 255
# Sums, or columns of a dense convolution, that are worked on at a time: small enough to stay in the cache.
_BLOCK = 1 << 17
# NumPy copies strided operands through its buffer unless that is shorter than their rows; 16 is the least it takes.
_SHORT_BUFFER = 16

# Pooling that keeps one pixel of each window: (first row, first column, step), by pool type.
_SAMPLING = {0: (0, 0, 1), 5: (0, 0, 2), 6: (0, 1, 2), 7: (0, 0, 4)}
# Pooling over windows side by side: (side, mean instead of maximum), by pool type.
_WINDOWS = {1: (2, False), 2: (2, True), 3: (4, False), 4: (4, True)}
# Pooling of each pixel with its neighbours; the other such type takes their mean.
_MAX_2_STRIDE_1 = 9

# Some of a layer's sums, float [channels, pixels], and where they belong.
Block = tuple[slice, slice, np.ndarray]


class LayerArithmetic:
    """One layer, its constants prepared: call it with uint8 [C, H, W] for uint8 [C', H', W'].

    Raises ModelFormatError where the KPU's result is not defined; `where` names the layer.
    """

    def __init__(self, layer: KpuLayer, where: str) -> None:
        pool = layer.registers.pool_type
        _check_pooled_size(layer, where)
        # Where pooling keeps single pixels, a dense layer computes only those.
        sampled = not layer.depthwise and pool in _SAMPLING
        self._pool = 0 if sampled else pool
        self._convolution = _Depthwise(layer) if layer.depthwise else _Dense(layer, _SAMPLING[pool if sampled else 0])
        self.sums, self.dtype = self._convolution.operands.sums, self._convolution.operands.dtype
        table = ActivationTable(layer.activation, where)
        self.activation = Activation(BatchNorm(layer.batch_norm), table, self.sums, self.dtype, where)

    def __call__(self, planes: np.ndarray) -> np.ndarray:
        result = np.empty(self._convolution.shape, np.uint8)
        with _strided_in_place():
            for channels, pixels, sums in self._convolution.blocks(planes):
                result[channels, pixels] = self.activation(sums, channels)
        return pooled(self._convolution.picture(result), self._pool)


@contextmanager
def _strided_in_place() -> Iterator[None]:
    """Let NumPy work on rows where they lie: about twice as fast here as through its buffer."""
    size = np.setbufsize(_SHORT_BUFFER)
    try:
        yield
    finally:
        np.setbufsize(size)


class _Operands:
    """A convolution in integers: kernel [O, I, K * K] (arg_x folded in where it is not shifted), range of its sums.

    sum = kernel . window + (arg_x * sum of the window >> shr_x) + constant; `window_gain` is arg_x / 2^shr_x, or 0
    where the kernel holds it.
    """

    def __init__(self, layer: KpuLayer) -> None:
        registers = layer.registers
        inputs = 1 if layer.depthwise else registers.i_ch_num
        weights = np.frombuffer(layer.weights, np.uint8).astype(np.int64)
        weights = weights.reshape(registers.o_ch_num, inputs, layer.kernel**2)
        folded = registers.shr_x == 0
        self.kernel = weights + registers.arg_x if folded else weights
        self.window_gain = 0.0 if folded else registers.arg_x / 2**registers.shr_x
        shifted = 0 if folded else registers.arg_x * MAX_BYTE * layer.taps >> registers.shr_x
        constant = (registers.arg_w * weights.sum((1, 2)) >> registers.shr_w) + registers.arg_add * inputs
        low = MAX_BYTE * self.kernel.clip(max=0).sum((1, 2)) + min(shifted, 0)
        high = MAX_BYTE * self.kernel.clip(min=0).sum((1, 2)) + max(shifted, 0)
        self.sums = SumRange(low, high, constant)
        exact = folded and MAX_BYTE * np.abs(self.kernel).sum((1, 2)).max() < FLOAT32_EXACT
        self.dtype = np.dtype(np.float32 if exact else np.float64)


class _Dense:
    """Every output channel reads every input channel: a matrix product with the windows laid out as columns."""

    def __init__(self, layer: KpuLayer, sampling: tuple[int, int, int]) -> None:
        self.operands = _Operands(layer)
        self._matrix = self.operands.kernel.reshape(layer.registers.o_ch_num, -1).astype(self.operands.dtype)
        self._side, self._pad = layer.kernel, layer.registers.pad_value
        self._row, self._column, self._step = sampling
        self._size = layer.source.height // self._step, layer.source.width // self._step
        self.shape = len(self._matrix), self._size[0] * self._size[1]

    def blocks(self, planes: np.ndarray) -> Iterator[Block]:
        """Sums of uint8 [I, H, W], a few rows of the pixels that are kept at a time."""
        (inputs, outputs), (height, width) = self._matrix.shape[::-1], self._size
        windows = sliding_window_view(_padded(planes, self._side // 2, self._pad), (self._side, self._side), (1, 2))
        windows = windows[:, self._row :: self._step, self._column :: self._step][:, :height, :width]
        windows = windows.transpose(0, 3, 4, 1, 2)
        rows = max(1, _BLOCK // (max(inputs, outputs) * width))
        for first in range(0, height, rows):
            columns = windows[..., first : first + rows, :].astype(self.operands.dtype).reshape(inputs, -1)
            sums = self._matrix @ columns
            if self.operands.window_gain:
                sums += np.floor(columns.sum(0) * self.operands.window_gain)
            yield slice(None), slice(first * width, first * width + columns.shape[1]), sums

    def picture(self, result: np.ndarray) -> np.ndarray:
        """[O, n] -> [O, H, W] of the pixels that are kept."""
        return result.reshape(-1, *self._size)


def _padded(planes: np.ndarray, border: int, value: int) -> np.ndarray:
    if not border:
        return planes
    channels, height, width = planes.shape
    result = np.full((channels, height + 2 * border, width + 2 * border), value, np.uint8)
    result[:, border:-border, border:-border] = planes
    return result


class _Depthwise:
    """Every output channel reads the input channel of its number: one shifted multiply-and-add per tap.

    A channel lies in one row of memory, its lines apart by one padding pixel, which ends one line and begins the next:
    a tap is then the same distance for the whole channel. What lies between and behind the pictures is cut off last.
    """

    def __init__(self, layer: KpuLayer) -> None:
        self.operands = _Operands(layer)
        self._kernel = self.operands.kernel[:, 0].astype(self.operands.dtype)
        self._border, self._pad = layer.kernel // 2, layer.registers.pad_value
        self._height, self._width = layer.source.height, layer.source.width
        self._pitch = self._width + self._border
        self._length = (self._height + 2 * self._border) * self._pitch + 2 * self._border
        self.shape = len(self._kernel), self._length
        self._taps = [row * self._pitch + column for row in range(layer.kernel) for column in range(layer.kernel)]

    def blocks(self, planes: np.ndarray) -> Iterator[Block]:
        """Sums of uint8 [C, H, W], a few channels at a time, with what lies between the pixels."""
        at_once = min(len(planes), max(1, _BLOCK // self._length))
        pixels = np.full((at_once, self._length), self._pad, self.operands.dtype)
        start = self._border * (self._pitch + 1)
        inside = pixels[:, start : start + self._height * self._pitch].reshape(-1, self._height, self._pitch)
        for first in range(0, len(planes), at_once):
            channels = slice(first, min(first + at_once, len(planes)))
            count = channels.stop - first
            inside[:count, :, : self._width] = planes[channels]
            sums = self._weighted(pixels[:count], self._kernel[channels])
            if self.operands.window_gain:
                window = self._weighted(pixels[:count], np.ones_like(self._kernel[channels]))
                sums += np.floor(window * self.operands.window_gain)
            yield channels, slice(None), sums

    def _weighted(self, pixels: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        """Sum over the taps of pixels [C, n], moved by the tap's distance, times kernel [C, taps]."""
        result = pixels * kernel[:, :1]
        product = np.empty_like(pixels)
        flat_product, flat_result = product.reshape(-1), result.reshape(-1)
        for number, distance in enumerate(self._taps[1:], start=1):
            np.multiply(pixels, kernel[:, number : number + 1], out=product)
            flat_result[:-distance] += flat_product[distance:]
        return result

    def picture(self, result: np.ndarray) -> np.ndarray:
        """[C, n] -> [C, H, W]."""
        lines = result[:, : self._height * self._pitch].reshape(-1, self._height, self._pitch)
        return lines[:, :, : self._width]


def _check_pooled_size(layer: KpuLayer, where: str) -> None:
    pool = layer.registers.pool_type
    if pool not in POOL_FACTORS:
        raise ModelFormatError(f"{where}: pool type {pool}; the KPU has 0 to {max(POOL_FACTORS)}")
    height, width = layer.source.height // POOL_FACTORS[pool], layer.source.width // POOL_FACTORS[pool]
    if (layer.destination.height, layer.destination.width) != (height, width):
        raise ModelFormatError(f"{where}: pool type {pool} makes {width}x{height} of {layer.source}")


def pooled(planes: np.ndarray, kind: int) -> np.ndarray:
    """Pooling by the KPU's pool type, on uint8 [C, H, W]; pixels beyond whole windows are dropped."""
    channels, height, width = planes.shape
    step = POOL_FACTORS[kind]
    height, width = height // step, width // step
    if kind in _SAMPLING:
        row, column, _ = _SAMPLING[kind]
        return planes[:, row::step, column::step][:, :height, :width]
    if kind in _WINDOWS:
        windows = planes[:, : height * step, : width * step].reshape(channels, height, step, width, step)
        return _mean(windows.sum((2, 4), np.int64), step**2) if _WINDOWS[kind][1] else windows.max((2, 4))
    # Stride 1: each pixel with its neighbours to the right and below; at the edge the pixel stands for them.
    wider = np.pad(planes, ((0, 0), (0, 1), (0, 1)), mode="edge")
    windows = sliding_window_view(wider, (2, 2), (1, 2))
    return windows.max((3, 4)) if kind == _MAX_2_STRIDE_1 else _mean(windows.sum((3, 4), np.int64), 4)


def _mean(sums: np.ndarray, count: int) -> np.ndarray:
    return (sums // count).astype(np.uint8)
