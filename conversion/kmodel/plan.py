"""Plans KPU RAM for a picture size: which lines each layer reads and writes, and which layer must run in parts.

Maps lie alternately at the low and the high end of the RAM, so that a layer never writes into what it still reads.
A depthwise layer whose two maps do not fit at once runs in channel parts: what the finished parts have read is dead
and the next part may be written over it. One that drops pixels runs in parts because it is dense on the KPU
(`sampling.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from conversion.errors import KpuMemoryError, SizeError
from conversion.feature_map import LINE_BYTES, RAM_LINES, FeatureMap, Region
from conversion.kmodel import sampling
from conversion.kmodel.kpu_network import KpuNetwork
from conversion.kmodel.layer import BATCH_NORM_BYTES, KpuLayer, weight_loads
from conversion.kmodel.registers import Registers

SIZE_STEP = 16
# nncase's k210 target: convolutions run on the KPU from 4x4 (the grid here) up to 512 wide and 256 high.
WIDTHS = range(64, 512 + 1, SIZE_STEP)
HEIGHTS = range(64, 256 + 1, SIZE_STEP)


@dataclass(frozen=True)
class Step:
    """One run of the KPU: a layer of the network, or those of a depthwise layer's channels that `channels` counts."""

    number: int
    channels: range
    source: Region
    destination: Region


@dataclass(frozen=True)
class RamPlan:
    """Where everything lies at one size: the picture, the body's steps, the heads' steps, and the lines needed."""

    picture: Region
    body: tuple[Step, ...]
    heads: tuple[Step, ...]
    peak_lines: int

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every run of the KPU in order."""
        return self.body + self.heads

    @property
    def peak_bytes(self) -> int:
        """Bytes of KPU RAM that are ever touched."""
        return self.peak_lines * LINE_BYTES

    @property
    def split_layers(self) -> dict[int, int]:
        """Numbers of the layers that run in parts, with the number of parts."""
        counts: dict[int, int] = {}
        for step in self.body:
            counts[step.number] = counts.get(step.number, 0) + 1
        return {number: parts for number, parts in counts.items() if parts > 1}


def check_size(width: int, height: int) -> None:
    """SizeError unless the KPU and the network's stride allow the picture size."""
    if width not in WIDTHS or height not in HEIGHTS:
        nearest_width = min(WIDTHS, key=lambda candidate: abs(candidate - width))
        nearest_height = min(HEIGHTS, key=lambda candidate: abs(candidate - height))
        raise SizeError(
            f"size {width}x{height}: width and height must be multiples of {SIZE_STEP}, {WIDTHS[0]} to {WIDTHS[-1]} "
            f"wide and {HEIGHTS[0]} to {HEIGHTS[-1]} high; the nearest such size is {nearest_width}x{nearest_height}"
        )


def plan(
    network: KpuNetwork,
    width: int,
    height: int,
    lines: int = RAM_LINES,
    part_channels: int = sampling.PART_CHANNELS,
) -> RamPlan:
    """Plan `lines` of KPU RAM for pictures of width x height; layers that run dense in parts of about `part_channels`.

    Raises SizeError for sizes the KPU does not take, KpuMemoryError (with the layer, the figures and the nearest size
    that fits) for those whose maps do not fit.
    """
    check_size(width, height)
    try:
        return _tight(network, width, height, lines, part_channels)
    except _DoesNotFitError as problem:
        fitting = _nearest(width, height, lambda w, h: _fits(network, w, h, lines))
        advice = f"the nearest size that fits is {fitting[0]}x{fitting[1]}" if fitting else "no size fits"
        raise KpuMemoryError(
            f"size {width}x{height} does not fit KPU RAM: layer {problem.number} needs "
            f"{problem.lines * LINE_BYTES // 1024} KiB of {lines * LINE_BYTES // 1024} KiB; {advice}"
        ) from None


class _DoesNotFitError(Exception):
    """Layer `number` needs `lines` lines, more than there are."""

    def __init__(self, number: int, lines: int) -> None:
        super().__init__(number, lines)
        self.number = number
        self.lines = lines


def _tight(network: KpuNetwork, width: int, height: int, lines: int, part_channels: int) -> RamPlan:
    """Plan with all lines to learn how many are needed, then with just those: the same decisions, low in the RAM."""
    needed = _plan(network, width, height, lines, part_channels).peak_lines
    return _plan(network, width, height, needed, part_channels)


def _fits(network: KpuNetwork, width: int, height: int, lines: int) -> bool:
    try:
        _plan(network, width, height, lines, sampling.PART_CHANNELS)
    except _DoesNotFitError:
        return False
    return True


def _nearest(width: int, height: int, fits: Callable[[int, int], bool]) -> tuple[int, int] | None:
    sizes = [(w, h) for w in WIDTHS for h in HEIGHTS]
    sizes.sort(key=lambda size: (abs(size[0] - width) + abs(size[1] - height), -size[0] * size[1]))
    return next((size for size in sizes if fits(*size)), None)


def _plan(network: KpuNetwork, width: int, height: int, lines: int, part_channels: int) -> RamPlan:
    picture = Region(0, FeatureMap(network.source.channels, height, width))
    source, low = picture, True
    peak = picture.map.lines
    body: list[Step] = []
    for number, layer in enumerate(network.body):
        result = _result(layer, source.map)
        together, steps = _place(number, layer, source, result, low, lines, part_channels)
        body += steps
        peak = max(peak, together)
        source, low = Region(0 if not low else lines - result.lines, result), not low
    heads = _place_heads(network, source, low, lines)
    peak = max(peak, source.map.lines + sum(step.destination.map.lines for step in heads))
    return RamPlan(picture, tuple(body), tuple(heads), peak)


def _result(layer: KpuLayer, source: FeatureMap) -> FeatureMap:
    return FeatureMap(layer.registers.o_ch_num, source.height // layer.stride, source.width // layer.stride)


def _place(
    number: int, layer: KpuLayer, source: Region, result: FeatureMap, low: bool, lines: int, part_channels: int
) -> tuple[int, list[Step]]:
    """Put a layer's result at the other end than its source: (lines needed at once, its steps)."""
    destination = Region(lines - result.lines if low else 0, result)
    together = source.map.lines + result.lines
    if together <= lines:
        dense = sampling.runs_dense(layer)
        parts = sampling.parts(source.map, result, part_channels) if dense else [range(result.channels)]
        return together, _steps(number, parts, source, destination)
    if not layer.depthwise or layer.stride != 1:
        raise _DoesNotFitError(number, together)
    part = _part_channels(number, source.map, lines)
    parts = [range(first, min(first + part, result.channels)) for first in range(0, result.channels, part)]
    steps = _steps(number, parts, source, destination)
    # From the high end parts fill upwards, from the low end downwards: each writes over inputs that are used up.
    return source.map.lines + replace(source.map, channels=part).lines, steps[::-1] if low else steps


def _steps(number: int, parts: list[range], source: Region, destination: Region) -> list[Step]:
    if len(parts) == 1:
        return [Step(number, parts[0], source, destination)]
    return [Step(number, channels, _slice(source, channels), _slice(destination, channels)) for channels in parts]


def _part_channels(number: int, source: FeatureMap, lines: int) -> int:
    """Channels of one part: as few parts as fit, each of whole channel groups, so that no line is shared by two."""
    groups = -(-source.channels // source.groups)
    for parts in range(2, groups + 1):
        channels = -(-groups // parts) * source.groups
        needed = source.lines + replace(source, channels=channels).lines
        if needed <= lines:
            return channels
    raise _DoesNotFitError(number, source.lines + source.group_lines)


def _slice(region: Region, channels: range) -> Region:
    first_group = channels.start // region.map.groups
    return Region(region.line + first_group * region.map.group_lines, replace(region.map, channels=len(channels)))


def _place_heads(network: KpuNetwork, features: Region, low: bool, lines: int) -> list[Step]:
    """Every head reads the last map; each has its own lines at the other end."""
    line = features.end if low else 0
    limit = lines if low else features.line
    steps = []
    for number, head in enumerate(network.heads, start=len(network.body)):
        destination = Region(line, _result(head.layer, features.map))
        if destination.end > limit:
            raise _DoesNotFitError(number, features.map.lines + destination.end - (features.end if low else 0))
        steps.append(Step(number, range(destination.map.channels), features, destination))
        line = destination.end
    return steps


def placed_layers(network: KpuNetwork, the_plan: RamPlan) -> tuple[KpuLayer, ...]:
    """The layers as the KPU is to run them: registers for the planned size and lines, parameters of their channels."""
    layers = _layers(network)
    registers = placed_registers(network, the_plan)
    return tuple(
        _placed(layers[step.number], step.channels, words)
        for step, words in zip(the_plan.steps, registers, strict=True)
    )


def placed_registers(network: KpuNetwork, the_plan: RamPlan) -> tuple[Registers, ...]:
    """The registers of `placed_layers` alone."""
    layers = _layers(network)
    return tuple(_registers(layers[step.number], step) for step in the_plan.steps)


def _layers(network: KpuNetwork) -> tuple[KpuLayer, ...]:
    return (*network.body, *(head.layer for head in network.heads))


def _registers(layer: KpuLayer, step: Step) -> Registers:
    source, result = step.source.map, step.destination.map
    depthwise = layer.depthwise and not sampling.runs_dense(layer)
    taps = layer.kernel**2 * (1 if depthwise else source.channels)
    per_load, loads = weight_loads(depthwise, taps, result.channels)
    return replace(
        layer.registers,
        int_en=0,
        send_data_out=0,
        depth_wise_layer=int(depthwise),
        image_src_addr=step.source.line,
        image_dst_addr=step.destination.line,
        i_ch_num=source.channels,
        o_ch_num=result.channels,
        o_ch_num_coef=per_load,
        para_size=per_load * taps,
        load_time=loads,
        i_row_wid=source.width,
        i_col_high=source.height,
        o_row_wid=result.width,
        o_col_high=result.height,
        channel_switch_addr=source.group_lines,
        row_switch_addr=source.row_lines,
        coef_group=source.groups,
        wb_channel_switch_addr=result.group_lines,
        wb_row_switch_addr=result.row_lines,
        wb_group=result.groups,
        channel_byte_num=result.height * result.width,
        dma_total_byte=result.bytes,
    )


def _placed(layer: KpuLayer, channels: range, registers: Registers) -> KpuLayer:
    first, last = channels.start, channels.stop
    weights = layer.weights[first * layer.taps : last * layer.taps]
    if sampling.runs_dense(layer):
        weights = sampling.dense_weights(layer, channels)
    batch_norm = layer.batch_norm[first * BATCH_NORM_BYTES : last * BATCH_NORM_BYTES]
    return KpuLayer(registers, weights, batch_norm, layer.activation)
