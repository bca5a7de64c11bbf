"""A second, independent KPU: every formula written down as it stands in the descriptions of file and chip, slowly.

It shares no code with the product: it takes a V3 file's bytes apart itself, keeps KPU RAM as bytes and finds each
pixel by its address. Sources: `kpu.c` of nncase v0.1.0-rc5 (file, layout), nncase 1.9's K210 simulator (arithmetic).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import lru_cache

import numpy as np

KPU_RAM_BYTES = 2 * 1024 * 1024
K210_CONV = 10240
DEQUANTIZE = 12


def bits(word: int, low: int, width: int, signed: bool = False) -> int:
    """A field of a word."""
    value = (word >> low) % (1 << width)
    return value - (1 << width) if signed and value >= 1 << (width - 1) else value


class Words:
    """The fields of a layer's twelve words that say what is computed."""

    def __init__(self, packed: bytes) -> None:
        word = struct.unpack("<12Q", packed)
        self.depthwise = bits(word[0], 3, 1)
        self.source, self.destination = bits(word[1], 0, 15), bits(word[1], 32, 15)
        self.inputs, self.outputs = bits(word[2], 0, 10) + 1, bits(word[2], 32, 10) + 1
        self.width, self.height = bits(word[3], 0, 10) + 1, bits(word[3], 10, 9) + 1
        self.out_width, self.out_height = bits(word[3], 32, 10) + 1, bits(word[3], 42, 9) + 1
        self.kernel = 3 if bits(word[4], 0, 3) else 1
        self.pool, self.pad = bits(word[4], 4, 4), bits(word[4], 24, 8)
        self.shr_w, self.shr_x = bits(word[9], 0, 4), bits(word[9], 4, 4)
        self.arg_w, self.arg_x = bits(word[9], 8, 24, signed=True), bits(word[9], 32, 24, signed=True)
        self.arg_add = bits(word[10], 0, 40, signed=True)

    @property
    def weight_count(self) -> int:
        return self.outputs * (1 if self.depthwise else self.inputs) * self.kernel**2


def compute(packed: bytes, weights: bytes, batch_norm: bytes, activation: bytes, picture: np.ndarray) -> np.ndarray:
    """One layer on a picture [C, H, W]: the pooled result, uint8 [C', H', W']."""
    words = Words(packed)
    values = normalised(convolved(words, weights, picture.astype(np.int64)), batch_norm)
    result = pooled(activated(values, activation), words.pool)
    assert result.shape == (words.outputs, words.out_height, words.out_width)
    return result


def convolved(words: Words, weights: bytes, picture: np.ndarray) -> np.ndarray:
    """Sums, int64 [C', H, W], before batch norm."""
    side, edge = words.kernel, words.kernel // 2
    padded = np.full((words.inputs, words.height + 2 * edge, words.width + 2 * edge), words.pad, np.int64)
    padded[:, edge : edge + words.height, edge : edge + words.width] = picture
    kernels = np.frombuffer(weights, np.uint8).astype(np.int64)
    kernels = kernels.reshape(words.outputs, -1, side, side)
    sums = np.zeros((words.outputs, words.height, words.width), np.int64)
    pixel_sums = np.zeros_like(sums)
    for row in range(side):
        for column in range(side):
            pixels = padded[:, row : row + words.height, column : column + words.width]
            for channel in range(1 if words.depthwise else words.inputs):
                # Depthwise, the window of an output is that of its own channel; else that of every channel in turn.
                window = pixels if words.depthwise else pixels[channel]
                sums += kernels[:, channel, row, column, None, None] * window
                pixel_sums += window
    sums += words.arg_x * pixel_sums >> words.shr_x
    sums += (words.arg_w * kernels.sum((1, 2, 3)) >> words.shr_w)[:, None, None]
    return sums + words.arg_add * (1 if words.depthwise else words.inputs)


def normalised(sums: np.ndarray, batch_norm: bytes) -> np.ndarray:
    """(sum * mul >> shift) + add, channel by channel."""
    result = np.empty_like(sums)
    for channel, (word,) in enumerate(struct.iter_unpack("<Q", batch_norm)):
        multiplier, shift = bits(word, 0, 24, signed=True), bits(word, 56, 4)
        result[channel] = (sums[channel] * multiplier >> shift) + bits(word, 24, 32, signed=True)
    return result


def activated(values: np.ndarray, table: bytes) -> np.ndarray:
    """The activation of every value, each distinct one computed once, in Python's integers."""
    distinct, places = np.unique(values, return_inverse=True)
    levels = np.array([activate(int(value), table) for value in distinct], np.uint8)
    return levels[places].reshape(values.shape)


@lru_cache
def segments(table: bytes) -> list[tuple[int, int, int, int]]:
    """(start, multiplier, shift, offset) of the sixteen segments."""
    words = struct.unpack_from("<16Q", table)
    return [
        (bits(word, 24, 36, signed=True), bits(word, 8, 16, signed=True), bits(word, 0, 8), table[128 + number])
        for number, word in enumerate(words)
    ]


def activate(value: int, table: bytes) -> int:
    """The last segment that starts below the value; its line, rounded; its offset; clamped."""
    assert -(1 << 35) < value < 1 << 35
    start, multiplier, shift, offset = [segment for segment in segments(table) if value > segment[0]][-1]
    return min(max(carry_shifted((value - start) * multiplier, shift) + offset, 0), 255)


def carry_shifted(product: int, shift: int) -> int:
    """product / 2^shift, half to even; what is carried has the product's sign, so that it is odd below zero."""
    if shift == 0:
        return product
    quotient, fraction, half = product >> shift, product % (1 << shift), 1 << (shift - 1)
    sign = -1 if product < 0 else 1
    if fraction < half:
        return quotient
    if fraction > half:
        return quotient + sign
    return quotient + sign if quotient % 2 else quotient


def pooled(levels: np.ndarray, kind: int) -> np.ndarray:
    """Pooling, window by window; `at` gives the pixels [C] at a row and a column."""
    channels, height, width = levels.shape
    levels = levels.astype(np.int64)
    step = {0: 1, 1: 2, 2: 2, 3: 4, 4: 4, 5: 2, 6: 2, 7: 4, 8: 1, 9: 1}[kind]
    result = np.empty((channels, height // step, width // step), np.uint8)
    for row in range(height // step):
        for column in range(width // step):
            result[:, row, column] = _window(levels, kind, row * step, column * step)
    return result


def _window(levels: np.ndarray, kind: int, row: int, column: int) -> np.ndarray:
    def pixels(side: int, at: Callable[[int, int], np.ndarray]) -> np.ndarray:
        return np.stack([at(row + down, column + right) for down in range(side) for right in range(side)])

    def inside(y: int, x: int) -> np.ndarray:
        return levels[:, y, x]

    def clamped(y: int, x: int) -> np.ndarray:
        return levels[:, min(y, levels.shape[1] - 1), min(x, levels.shape[2] - 1)]

    def zero_outside(y: int, x: int) -> np.ndarray:
        return levels[:, y, x] if y < levels.shape[1] and x < levels.shape[2] else np.zeros(len(levels), np.int64)

    return {
        0: lambda: levels[:, row, column],
        1: lambda: pixels(2, inside).max(0),
        2: lambda: pixels(2, inside).sum(0) // 4,
        3: lambda: pixels(4, inside).max(0),
        4: lambda: pixels(4, inside).sum(0) // 16,
        5: lambda: levels[:, row, column],
        6: lambda: levels[:, row, column + 1],
        7: lambda: levels[:, row, column],
        8: lambda: pixels(2, clamped).sum(0) // 4,
        9: lambda: pixels(2, zero_outside).max(0),
    }[kind]()


def addresses(line: int, channels: int, height: int, width: int) -> np.ndarray:
    """Byte addresses in KPU RAM, [C, H, W], of a map at a line."""
    group, row_lines, pitch = (4, 1, 16) if width <= 16 else (2, 1, 32) if width <= 32 else (1, -(-width // 64), 64)
    channel, y, x = np.ogrid[:channels, :height, :width]
    return line * 64 + channel // group * row_lines * height * 64 + channel % group * pitch + y * row_lines * 64 + x


def run_file(data: bytes, picture: np.ndarray) -> list[bytes]:
    """Run a V3 file on uint8 [C, H, W]: the bytes of each entry of its output table."""
    version, flags, arch, layers, _, main_memory, outputs = struct.unpack_from("<7I", data)
    assert (version, flags, arch) == (3, 1, 0)
    table = [struct.unpack_from("<2I", data, 28 + 8 * number) for number in range(outputs)]
    headers = [struct.unpack_from("<2I", data, 28 + 8 * outputs + 8 * number) for number in range(layers)]
    body = 28 + 8 * outputs + 8 * layers
    ram, memory = np.zeros(KPU_RAM_BYTES, np.uint8), np.zeros(main_memory, np.uint8)
    for number, (kind, size) in enumerate(headers):
        if kind == DEQUANTIZE:
            _, source, destination, count, scale, bias = struct.unpack_from("<4I2f", data, body)
            for index in range(count):
                value = np.float32(memory[source + index]) * np.float32(scale) + np.float32(bias)
                struct.pack_into("<f", memory.data, destination + 4 * index, value)
        else:
            assert kind == K210_CONV
            _run_convolution(data, body, ram, memory, picture if number == 0 else None)
        body += size
    return [memory[address : address + size].tobytes() for address, size in table]


def _run_convolution(data: bytes, body: int, ram: np.ndarray, memory: np.ndarray, picture: np.ndarray | None) -> None:
    flags, main_address, words_at, weights_at, batch_norm_at, activation_at = struct.unpack_from("<6I", data, body)
    packed = data[words_at : words_at + 96]
    words = Words(packed)
    source = addresses(words.source, words.inputs, words.height, words.width)
    if picture is not None:
        ram[source] = picture
    weights = data[weights_at : weights_at + words.weight_count]
    batch_norm = data[batch_norm_at : batch_norm_at + 8 * words.outputs]
    result = compute(packed, weights, batch_norm, data[activation_at : activation_at + 144], ram[source])
    ram[addresses(words.destination, words.outputs, words.out_height, words.out_width)] = result
    if flags & 1:
        memory[main_address : main_address + result.size] = result.reshape(-1)
