"""The K210's KPU on the host: runs a kmodel V3 as the board will, out of a modelled 2 MiB of KPU RAM.

Nothing is taken for granted that the hardware does not promise: memory starts random, and what a layer is going to
write is filled with noise before it reads, because the KPU may write its first results before it has read its last
inputs. Wrong addresses therefore give wrong heads, as they would on the board.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from conversion.errors import SizeError
from conversion.feature_map import LINE_BYTES, RAM_BYTES, FeatureMap
from conversion.kmodel.v3 import ConvLayer, DequantiseLayer, V3Model
from conversion.kpu import memory
from conversion.kpu.arithmetic import LayerArithmetic


class Kpu:
    """A K210's KPU, its RAM and main memory, loaded with one V3 model.

    Loading proves each layer's arithmetic and checks the use of memory; it raises ModelFormatError for tables and
    registers without a defined result and KpuMemoryError for layers that would read what is not there.
    `seed` chooses the noise; results do not depend on it, except bytes between heads, which the board leaves undefined.
    """

    def __init__(self, model: V3Model, seed: int = 0) -> None:
        memory.check(model)
        self.model = model
        self._arithmetic = {
            number: LayerArithmetic(layer.layer, f"layer {number}")
            for number, layer in enumerate(model.layers)
            if isinstance(layer, ConvLayer)
        }
        noise = np.random.default_rng(seed)
        self.ram = noise.integers(0, 256, RAM_BYTES, np.uint8)
        self.main_memory = noise.integers(0, 256, model.main_memory_bytes, np.uint8)
        self._noise = noise.integers(0, 256, 2 * RAM_BYTES, np.uint8)
        self._shift = 0

    @property
    def input_map(self) -> FeatureMap:
        """The picture that the first layer reads."""
        return self.model.convolutions[0].layer.source

    def run(self, planes: np.ndarray) -> list[np.ndarray]:
        """Run the model on uint8 [C, H, W]; one uint8 array of raw bytes per entry of the output table.

        Raises SizeError for anything but a picture of `input_map`.
        """
        for _ in self.trace(planes):
            pass
        return [self.main_memory[output.address : output.address + output.size].copy() for output in self.model.outputs]

    def trace(self, planes: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """Run the model on uint8 [C, H, W], giving each convolution's number and result, uint8 [C', H', W']."""
        self._check_picture(planes)
        self._write(self.model.convolutions[0].layer.registers.image_src_addr, self.input_map, planes)
        for number, layer in enumerate(self.model.layers):
            if isinstance(layer, ConvLayer):
                yield number, self._convolve(number, layer)
            else:
                self._dequantise(layer)

    def _check_picture(self, planes: np.ndarray) -> None:
        expected = self.input_map
        if planes.dtype != np.uint8 or planes.shape != (expected.channels, expected.height, expected.width):
            raise SizeError(
                f"the model takes uint8 planes of {expected.channels} x {expected.height} x {expected.width} "
                f"(channels, height, width), got {planes.dtype} {' x '.join(map(str, planes.shape))}"
            )

    def _convolve(self, number: int, layer: ConvLayer) -> np.ndarray:
        registers, destination = layer.layer.registers, layer.layer.destination
        self._spoil(registers.image_dst_addr, destination.lines)
        result = self._arithmetic[number](self._read(registers.image_src_addr, layer.layer.source))
        self._write(registers.image_dst_addr, destination, result)
        if layer.main_memory is not None:
            self._send(layer)
        return result

    def _spoil(self, line: int, lines: int) -> None:
        """Fill lines with noise, other noise every time."""
        self._shift = (self._shift + RAM_BYTES // 3) % RAM_BYTES
        start, size = line * LINE_BYTES, lines * LINE_BYTES
        self.ram[start : start + size] = self._noise[self._shift : self._shift + size]

    def _send(self, layer: ConvLayer) -> None:
        """Copy a result into main memory; the transfer's last word is filled up with whatever there is."""
        planes = self._read(layer.layer.registers.image_dst_addr, layer.layer.destination)
        start, end = layer.main_memory, layer.main_memory + planes.size
        word_end = start + memory.transferred_bytes(layer)
        self.main_memory[start:end] = planes.reshape(-1)
        self.main_memory[end:word_end] = self._noise[: word_end - end]

    def _dequantise(self, layer: DequantiseLayer) -> None:
        codes = self.main_memory[layer.source : layer.source + layer.count]
        values = codes.astype(np.float32) * np.float32(layer.scale) + np.float32(layer.bias)
        self.main_memory[layer.destination : layer.destination + values.nbytes] = values.view(np.uint8)

    def _rows(self, line: int, planes: FeatureMap) -> np.ndarray:
        """KPU RAM from a line on as [channel groups, height, channels in a line, width], in place."""
        part = self.ram[line * LINE_BYTES : (line + planes.lines) * LINE_BYTES]
        rows = part.reshape(-1, planes.height, planes.groups, planes.row_lines * planes.row_pitch)
        return rows[..., : planes.width]

    def _read(self, line: int, planes: FeatureMap) -> np.ndarray:
        """The feature map at a line, uint8 [C, H, W]."""
        rows = self._rows(line, planes).transpose(0, 2, 1, 3)
        return rows.reshape(-1, planes.height, planes.width)[: planes.channels]

    def _write(self, line: int, planes: FeatureMap, values: np.ndarray) -> None:
        rows = self._rows(line, planes).transpose(0, 2, 1, 3)
        whole = planes.channels // planes.groups
        rest = planes.channels % planes.groups
        rows[:whole] = values[: planes.channels - rest].reshape(whole, planes.groups, planes.height, planes.width)
        if rest:
            rows[whole, :rest] = values[planes.channels - rest :]
