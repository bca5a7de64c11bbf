"""The network on the KPU: loading it through MaixPy's KPU module, running it, handing out its four heads."""

import gc

import KPU
import pose_errors
import pose_heap
import pose_memory
import uctypes
from pose_errors import PoseError

# MaixPy's numbers in "load error:N", and the words it adds.
NO_MEMORY = ("2006", "NO_MEM")
WRONG_VERSION = ("2002", "KMODEL_VERSION")


def load(place, card, budget):
    """The card's network from a place of `pose_kmodel.find`; `budget` is the line that says what memory there is."""
    gc.collect()
    try:
        return Network(KPU.load(place.source), card)
    except (MemoryError, OSError, ValueError) as error:
        raise _refusal(place, str(error), budget)


def _refusal(place, text, budget):
    for word in NO_MEMORY:
        if word in text:
            pose_heap.lower()
            return PoseError(
                pose_errors.MEMORY, "no memory for the kmodel (%s): %s; %s" % (text, budget, pose_memory.REMEDY)
            )
    for word in WRONG_VERSION:
        if word in text:
            return PoseError(pose_errors.KMODEL_VERSION, "%s: the firmware does not load it (%s)" % (place.name, text))
    return PoseError(
        pose_errors.KMODEL_REFUSED, "%s: the firmware refused it (%s): write it again with `flash`" % (place.name, text)
    )


class Network:
    """A loaded network.

    The only KPU call of a run is `forward`: others take 0.8 ms each, since the closed library decrypts itself for every
    one. What it returns is output 0, the whole block of heads, so that the heads are parts of it.
    """

    def __init__(self, task, card):
        self._task = task
        self._sizes = card.head_bytes
        self._starts = card.head_starts()
        self._bytes = card.block_bytes()
        # The heads in the block, and where in memory it was when they were found there.
        self._heads = None
        self._address = None

    def run(self, picture):
        """Runs it on a picture whose planes are filled; the four heads as memoryviews, good until the next run."""
        try:
            block = memoryview(KPU.forward(self._task, picture))
            address = uctypes.addressof(block)
            if address != self._address:
                self._find_heads(block, address)
            return self._heads or self._outputs()
        except (OSError, ValueError, TypeError) as error:
            raise PoseError(pose_errors.KPU_FAILED, "the KPU failed: %s" % error)

    def _find_heads(self, block, address):
        """Takes the heads out of the block, if outputs 1 to 4 are indeed there; once, since the block does not move."""
        self._address = address
        self._heads = None
        found = [uctypes.addressof(head) - address for head in self._outputs()]
        if len(block) == self._bytes and found == self._starts:
            self._heads = [block[start : start + size] for start, size in zip(self._starts, self._sizes)]

    def _outputs(self):
        """The heads as the firmware's own outputs 1 to 4."""
        heads = [memoryview(KPU.get_output(self._task, n + 1)) for n in range(len(self._sizes))]
        for n in range(len(self._sizes)):
            if len(heads[n]) != self._sizes[n]:
                raise PoseError(
                    pose_errors.KPU_FAILED,
                    "output %d has %d bytes, the card says %d" % (n + 1, len(heads[n]), self._sizes[n]),
                )
        return heads

    def close(self):
        """Gives the memory back."""
        KPU.deinit(self._task)
