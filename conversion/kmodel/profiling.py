"""The copy of a kmodel on which a board can be measured layer by layer, and where it lies in flash.

MaixPy's `KPU.set_layers(task, n)` copies the whole result of layer n to where output 0 lies. The copy differs from its
kmodel in one number: the main memory that its header asks the loader for, enough for the largest of these results.
"""

from __future__ import annotations

import struct

from conversion.kmodel import v3

# firmware/pose_profile.py has these numbers, too: where the copy may begin, and what its header has to ask for.
BLOCK = 65536
_CHANNELS_OF_THE_PICTURE, _MARGIN = 12, 64
_MAIN_MEMORY = struct.Struct("<I")
_MAIN_MEMORY_AT = 20


def address(model_address: int, kmodel_bytes: int) -> int:
    """The flash address of the copy of a kmodel that lies at `model_address`."""
    return -(-(model_address + kmodel_bytes) // BLOCK) * BLOCK


def copy(kmodel: bytes) -> bytes:
    """The copy of a kmodel V3; ModelFormatError where it is none."""
    model = v3.read(kmodel, "the kmodel")
    picture = model.convolutions[0].layer.source
    results = [each.layer.destination.bytes for each in model.convolutions]
    needed = max(*results, _CHANNELS_OF_THE_PICTURE * picture.width * picture.height) + _MARGIN
    return kmodel[:_MAIN_MEMORY_AT] + _MAIN_MEMORY.pack(needed) + kmodel[_MAIN_MEMORY_AT + _MAIN_MEMORY.size :]
