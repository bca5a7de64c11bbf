"""One KPU layer of any kmodel as a layer of the description: from its registers and parameter blocks."""

from __future__ import annotations

from conversion.errors import ModelFormatError
from conversion.feature_map import Region
from conversion.inspection.model import Convolution, Layer, Macs
from conversion.kmodel import layer as kpu_layer
from conversion.kmodel import sampling
from conversion.kmodel.layer import KERNELS, POOL_FACTORS, KpuLayer
from conversion.kpu import time

# What the pooling unit does, by register value; 0 is nothing.
POOLING = {
    1: "max 2x2",
    2: "mean 2x2",
    3: "max 4x4",
    4: "mean 4x4",
    5: "left top of 2x2",
    6: "right top of 2x2",
    7: "left top of 4x4",
    8: "mean 2x2, stride 1",
    9: "max 2x2, stride 1",
}
# Pooling that picks one pixel and drops the others, which have been computed for nothing.
_SAMPLING = (5, 6, 7)


def check_readable(layer: KpuLayer, where: str) -> None:
    """ModelFormatError for registers that no property of a layer can be told from."""
    registers = layer.registers
    if registers.kernel_type not in KERNELS or registers.pool_type not in POOL_FACTORS:
        raise ModelFormatError(
            f"{where}: kernel type {registers.kernel_type}, pool type {registers.pool_type}: no layer of the KPU"
        )


def regions(layer: KpuLayer) -> tuple[Region, Region]:
    """Where the layer reads and where it writes in KPU RAM."""
    registers = layer.registers
    return Region(registers.image_src_addr, layer.source), Region(registers.image_dst_addr, layer.destination)


def described(number: int, layer: KpuLayer, sources: tuple[int, ...], type_: str, details: dict, **more: str) -> Layer:
    """A `layer` that passed `check_readable`, with what its registers say; `details` come first."""
    registers, meant = layer.registers, sampling.as_depthwise(layer)
    useful, executed = sampling.macs(layer)
    kernel, stride = (layer.kernel, layer.kernel), (layer.stride, layer.stride)
    padding = f"1 all round, value {registers.pad_value}" if layer.kernel > 1 else "none"
    extra: dict[str, object] = {"runs as": "dense, zero off the diagonal"} if meant is not layer else {}
    if registers.pool_type:
        extra["pooling"] = POOLING[registers.pool_type]
    if layer.kernel > 1:
        extra["pad value"] = registers.pad_value
    if registers.load_time > 1:
        extra["weight loads"] = registers.load_time
    return Layer(
        number=number,
        type=type_,
        sources=sources,
        reads=layer.source,
        writes=layer.destination,
        convolution=Convolution(kernel, stride, (1, 1), padding, "table", meant.depthwise),
        parameters=meant.taps * registers.o_ch_num + registers.o_ch_num,
        parameter_bytes=len(layer.weights) + len(layer.batch_norm) + len(layer.activation),
        macs=Macs(useful if registers.pool_type in _SAMPLING else executed, executed),
        regions=regions(layer),
        seconds=time.seconds(registers),
        details={**details, **extra},
        **more,
    )


def problem(layer: KpuLayer, where: str) -> str | None:
    """What is inconsistent in a layer, in words; None for a sound one."""
    try:
        kpu_layer.check(layer, where)
    except ModelFormatError as error:
        return str(error)
    return None
