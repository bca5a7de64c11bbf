"""The network on the KPU: loading it through MaixPy's KPU module, running it, handing out its four heads."""

import gc

import KPU
import pose_errors
import pose_memory
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
    """A loaded network."""

    def __init__(self, task, card):
        self._task = task
        self._sizes = card.head_bytes

    def run(self, picture):
        """Runs it on a picture whose planes are filled; the four heads as memoryviews, good until the next run."""
        try:
            KPU.forward(self._task, picture)
            heads = [memoryview(KPU.get_output(self._task, n + 1)) for n in range(len(self._sizes))]
        except (OSError, ValueError, TypeError) as error:
            raise PoseError(pose_errors.KPU_FAILED, "the KPU failed: %s" % error)
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
