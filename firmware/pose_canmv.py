"""The same network on CanMV, whose KPU hands out output 0 only, as a list of floats that are our bytes four by four.

Untested on hardware. Output 0 of our kmodel is the whole block of heads; the firmware takes each four bytes of it for a
float. Packing the float again gives the same four bytes, as long as nothing calculates with it.
"""

import gc
from array import array

import pose_errors
import pose_memory
from maix import KPU
from pose_errors import PoseError


def load(place, card, budget):
    """As `pose_model.load`; firmware of both kinds, with `run_with_output` and with `get_outputs`."""
    gc.collect()
    kpu = KPU()
    loader = getattr(kpu, "load_kmodel", None) or kpu.load
    try:
        if isinstance(place.source, int):
            loader(place.source, size=card.bytes)
        else:
            loader(place.source)
    except MemoryError as error:
        raise PoseError(
            pose_errors.MEMORY, "no memory for the kmodel (%s): %s; %s" % (error, budget, pose_memory.REMEDY)
        )
    except (OSError, ValueError) as error:
        raise PoseError(pose_errors.KMODEL_REFUSED, "%s: the firmware refused it (%s)" % (place.name, error))
    return Network(kpu, card)


class Network:
    """A loaded network."""

    def __init__(self, kpu, card):
        self._kpu = kpu
        self._starts = card.head_starts()
        self._sizes = card.head_bytes
        self._bytes = card.block_bytes()

    def run(self, picture):
        """As `pose_model.Network.run`; makes some 8600 floats (about 350 KB of CanMV's larger heap) in each frame."""
        gc.collect()
        try:
            floats = self._floats(picture)
        except (OSError, ValueError) as error:
            raise PoseError(pose_errors.KPU_FAILED, "the KPU failed: %s" % error)
        if len(floats) * 4 != self._bytes:
            raise PoseError(
                pose_errors.KPU_FAILED, "output 0 has %d bytes, the card says %d" % (len(floats) * 4, self._bytes)
            )
        block = memoryview(bytearray(array("f", floats)))
        return [block[start : start + size] for start, size in zip(self._starts, self._sizes)]

    def _floats(self, picture):
        if hasattr(self._kpu, "run_with_output"):
            return self._kpu.run_with_output(picture, getlist=True)
        self._kpu.run(picture)
        return self._kpu.get_outputs(0)

    def close(self):
        """Gives the memory back."""
        self._kpu.deinit()
