"""Checks a V3 model's use of memory without running it: every line that a layer reads must hold what it expects.

Stronger than running it: a wrong order or overlap is found here even where the picture would hide it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from conversion.errors import KpuMemoryError, ModelFormatError
from conversion.feature_map import RAM_LINES, FeatureMap
from conversion.kmodel.layer import KpuLayer
from conversion.kmodel.v3 import ConvLayer, DequantiseLayer, V3Model

# The firmware's DMA moves whole 64-bit words into main memory.
TRANSFER_BYTES = 8
_NOBODY = -1
FLOAT32_BYTES = 4


@dataclass(frozen=True)
class _Writer:
    """What wrote a feature map into KPU RAM: its name for errors, the first line, the map."""

    name: str
    line: int
    map: FeatureMap

    @property
    def lines(self) -> range:
        return range(self.line, self.line + self.map.lines)


def check(model: V3Model) -> None:
    """Raise KpuMemoryError or ModelFormatError, naming layers and lines, unless the model reads only what is there.

    In KPU RAM: nothing beyond its end; no layer writes over its own source, which it may still be reading; a layer
    reads maps of its own height and width that lie whole and channel by channel where it reads; every line written is
    read (or sent to main memory) before it is written again. In main memory: what is dequantised or handed out has
    been written.
    """
    first = model.layers[0]
    if not isinstance(first, ConvLayer):
        raise ModelFormatError("layer 0 is not a convolution; the firmware takes a picture only for one")
    ram = _Ram()
    ram.write(_Writer("the picture", first.layer.registers.image_src_addr, first.layer.source))
    written = np.zeros(model.main_memory_bytes, bool)
    for number, layer in enumerate(model.layers):
        if isinstance(layer, ConvLayer):
            ram.run(f"layer {number}", layer.layer, sent=layer.main_memory is not None)
            _transfer(written, number, layer)
        else:
            _dequantise(written, number, layer)
    ram.finish()
    _check_outputs(written, model)


class _Ram:
    """Every line's last writer, whether anything has read it since, and what each writer wrote."""

    def __init__(self) -> None:
        self._stamps = np.full(RAM_LINES, _NOBODY)
        self._pending = np.zeros(RAM_LINES, bool)
        self._writers: list[_Writer] = []

    def write(self, writer: _Writer, sent: bool = False) -> None:
        """Let a layer write its map; `sent` says that main memory gets it too."""
        if writer.lines.stop > RAM_LINES:
            raise KpuMemoryError(
                f"{writer.name} would write lines {_span(writer.lines)}; KPU RAM ends at line {RAM_LINES - 1}"
            )
        self._check_read(writer.lines, f"{writer.name} overwrites line {{line}}")
        self._stamps[writer.line : writer.lines.stop] = len(self._writers)
        self._pending[writer.line : writer.lines.stop] = not sent
        self._writers.append(writer)

    def finish(self) -> None:
        """The model has run: nothing may be left that nobody has read."""
        self._check_read(range(RAM_LINES), "the model ends with line {line}")

    def _check_read(self, lines: range, when: str) -> None:
        pending = np.flatnonzero(self._pending[lines.start : lines.stop])
        if len(pending):
            line = lines.start + int(pending[0])
            writer = self._writers[self._stamps[line]]
            raise KpuMemoryError(f"{when.format(line=line)}, which {writer.name} wrote and nothing has read")

    def run(self, name: str, layer: KpuLayer, sent: bool) -> None:
        """One layer: check what it reads, then let it write."""
        source = _Writer(name, layer.registers.image_src_addr, layer.source)
        destination = _Writer(name, layer.registers.image_dst_addr, layer.destination)
        if source.lines.stop > RAM_LINES:
            raise KpuMemoryError(f"{name} reads lines {_span(source.lines)}; KPU RAM ends at line {RAM_LINES - 1}")
        if max(source.line, destination.line) < min(source.lines.stop, destination.lines.stop):
            raise KpuMemoryError(
                f"{name} writes lines {_span(destination.lines)} over its own source, lines {_span(source.lines)}"
            )
        self._check_source(source)
        self._pending[source.line : source.lines.stop] = False
        self.write(destination, sent)

    def _check_source(self, reader: _Writer) -> None:
        stamps = self._stamps[reader.line : reader.lines.stop]
        unwritten = np.flatnonzero(stamps == _NOBODY)
        if len(unwritten):
            raise KpuMemoryError(
                f"{reader.name} reads lines {_span(reader.lines)}; nothing has written line "
                f"{reader.line + unwritten[0]}"
            )
        for number in np.unique(stamps):
            writer = self._writers[number]
            both = range(max(writer.line, reader.line), min(writer.lines.stop, reader.lines.stop))
            lost = np.flatnonzero(self._stamps[both.start : both.stop] != number)
            if len(lost):
                line = both.start + lost[0]
                raise KpuMemoryError(
                    f"{reader.name} reads what {writer.name} wrote to lines {_span(both)}, but "
                    f"{self._writers[self._stamps[line]].name} has overwritten line {line}"
                )
        self._check_channels(reader, stamps)

    def _check_channels(self, reader: _Writer, stamps: np.ndarray) -> None:
        """Every channel group of the reader must be one of its writer's, with as many channels in it."""
        size, groups = reader.map.group_lines, reader.map.groups
        for group, number in enumerate(stamps[::size]):
            writer = self._writers[number]
            same_size = (writer.map.height, writer.map.width) == (reader.map.height, reader.map.width)
            line = reader.line + group * size
            theirs, offset = divmod(line - writer.line, size)
            wanted = min(groups, reader.map.channels - group * groups)
            if not same_size or offset or min(groups, writer.map.channels - theirs * groups) < wanted:
                raise KpuMemoryError(
                    f"{reader.name} reads channels of {reader.map.width}x{reader.map.height} from line {line}, where "
                    f"{writer.name} has put no such channels (its {writer.map.width}x{writer.map.height} map lies at "
                    f"lines {_span(writer.lines)})"
                )


def _span(lines: range) -> str:
    return f"{lines.start} to {lines.stop - 1}"


def _transfer(written: np.ndarray, number: int, layer: ConvLayer) -> None:
    if layer.main_memory is None:
        return
    end = layer.main_memory + layer.layer.destination.bytes
    if layer.main_memory + transferred_bytes(layer) > len(written):
        raise ModelFormatError(
            f"layer {number} is sent to main memory in words of {TRANSFER_BYTES} bytes, beyond its {len(written)} bytes"
        )
    written[layer.main_memory : end] = True


def transferred_bytes(layer: ConvLayer) -> int:
    """Bytes of main memory that a layer's result overwrites: whole words."""
    return -(-layer.layer.destination.bytes // TRANSFER_BYTES) * TRANSFER_BYTES


def _dequantise(written: np.ndarray, number: int, layer: DequantiseLayer) -> None:
    source = range(layer.source, layer.source + layer.count)
    destination = range(layer.destination, layer.destination + FLOAT32_BYTES * layer.count)
    if not written[source.start : source.stop].all():
        raise ModelFormatError(f"layer {number} dequantises main memory that no layer has written")
    if max(source.start, destination.start) < min(source.stop, destination.stop):
        raise ModelFormatError(f"layer {number} dequantises main memory onto itself")
    written[destination.start : destination.stop] = True


def _check_outputs(written: np.ndarray, model: V3Model) -> None:
    for number, output in enumerate(model.outputs):
        used = np.flatnonzero(written[output.address : output.address + output.size])
        gaps = np.diff(used, prepend=-1, append=output.size) - 1
        # Heads begin at whole words: shorter gaps are what lies between them.
        if gaps.max() >= TRANSFER_BYTES:
            raise ModelFormatError(f"output {number} hands out main memory that no layer has written")
