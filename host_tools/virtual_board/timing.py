"""How long the parts of a board take: what is known of them, in microseconds, and bytes a second."""

from __future__ import annotations

from conversion.kmodel.v3 import V3Model
from conversion.kpu import time
from host_tools.virtual_board.clock import MICROSECONDS

# Start bit, 8 data bits, stop bit.
BITS_PER_BYTE = 10
# The sensors at the 24 MHz that MaixPy gives them: 30 frames a second.
CAMERA_FRAME_US = 33_333
# How long the firmware waits for a frame.
CAMERA_LIMIT_US = 300_000
# 8 data lines at 15 MHz, MaixPy's default.
LCD_BYTES_PER_SECOND = 15_000_000
# The vendor's firmware on an emulated chip loads a kmodel of 1.37 MB in 106 ms.
FLASH_BYTES_PER_SECOND = 13_000_000
# The vendor's warp_affine_ai takes 143 instructions a pixel on an emulated chip; 1.5 cycles each, at 400 MHz.
WARP_CYCLES_PER_PIXEL = 215
CYCLES_PER_US = 400


def microseconds(size: int, bytes_per_second: float) -> int:
    """How long so many bytes take."""
    return round(size * MICROSECONDS / bytes_per_second)


def warp_us(count: int) -> int:
    """How long the processor takes for so many pixels of image.warp_affine_ai, estimated."""
    return count * WARP_CYCLES_PER_PIXEL // CYCLES_PER_US


def kpu_us(model: V3Model) -> int:
    """How long the KPU takes for a kmodel, and the processor for copying its results, estimated."""
    copied = sum(each.layer.destination.bytes for each in model.convolutions if each.main_memory is not None)
    layers = (convolution.layer.registers for convolution in model.convolutions)
    return round(time.estimate(layers, copied).total * MICROSECONDS)


def kpu_us_of_first(model: V3Model, count: int) -> int:
    """The same for the first layers, with the copy of the last one's whole result."""
    *before, last = model.convolutions[:count]
    copied = last.layer.destination.bytes + sum(
        each.layer.destination.bytes for each in before if each.main_memory is not None
    )
    estimate = time.estimate((each.layer.registers for each in (*before, last)), copied)
    return round(estimate.total * MICROSECONDS)


def frame_start(moment: int) -> int:
    """When the camera begins the first frame that does not begin before a moment."""
    return -(-moment // CAMERA_FRAME_US) * CAMERA_FRAME_US
