"""One picture through network and decoder, with its times and checksums."""

import binascii
import gc
from array import array

import pose_board
import pose_card
import pose_errors
import pose_heap
import pose_kmodel
import pose_memory
import pose_settings
import utime
from pose_errors import PoseError

CAPTURE, KPU, DECODE, DRAW, SEND = range(5)


def load(config, zoom):
    """The Engine for the card and kmodel of this board, with the setting `zoom` in view; PoseError says what is missing
    or wrong."""
    card = pose_card.load()
    budget = pose_memory.Budget(card, config, zoom)
    budget.tell()
    pose_heap.fit(config.heap, budget.needed, budget.free, budget.reserve)
    place = pose_kmodel.find(card, config.model["address"])
    with pose_heap.Importing():
        if pose_board.CANMV:
            import pose_canmv as backend
        else:
            import pose_model as backend
    network = backend.load(place, card, budget.line)
    print("posenet: kmodel %dx%d from %s" % (card.width, card.height, place.name))
    return Engine(card, network, budget, lambda: backend.load(place, card, budget.line))


class Engine:
    """Runs the network and decodes: `poses[:count]` and `heads` are those of the last picture, `stages` its times."""

    def __init__(self, card, network, budget, again):
        self.card = card
        # What there was while nothing was loaded.
        self.budget = budget
        self.decoder = card.decoder
        self.poses = card.decoder.poses
        self.count = 0
        self.heads = None
        self.stages = array("i", [0] * 5)
        self._network = network
        # Loads it afresh.
        self._again = again
        self._copy = None

    def run(self, picture, mode):
        """The number of poses in a picture whose planes are filled."""
        begin = utime.ticks_us()
        self.heads = self._network.run(picture)
        seen = utime.ticks_us()
        decode = self.decoder.decode_single if mode == pose_settings.SINGLE else self.decoder.decode
        self.count = decode(self.heads)
        self.poses = self.decoder.poses
        self.stages[KPU] = utime.ticks_diff(seen, begin)
        self.stages[DECODE] = utime.ticks_diff(utime.ticks_us(), seen)
        return self.count

    def digest(self):
        """CRC-32 of all heads one after another, then of each."""
        crcs = [0]
        for head in self.heads:
            crcs[0] = binascii.crc32(head, crcs[0])
            crcs.append(binascii.crc32(head))
        return crcs

    def clear_stages(self):
        """Sets all times to zero: not every picture goes through all stages."""
        for n in range(len(self.stages)):
            self.stages[n] = 0

    def reserve_copy(self):
        """Takes memory for a copy of the heads, once; PoseError if there is none."""
        if self._copy is None:
            gc.collect()
            try:
                self._copy = bytearray(sum(self.card.head_bytes))
            except MemoryError as error:
                raise PoseError(pose_errors.MEMORY, "no memory for a copy of the heads (%s)" % error)

    def copied_heads(self):
        """All heads one after another in the buffer of `reserve_copy`, which stays as it is until the next call."""
        at = 0
        for head in self.heads:
            self._copy[at : at + len(head)] = head
            at += len(head)
        return self._copy

    def without_network(self, work):
        """Does what needs the network's memory, and loads the network afresh, whatever comes of that."""
        self.close()
        try:
            work()
        finally:
            self._network = self._again()

    def close(self):
        """Gives the kmodel's memory back."""
        network = self._network
        self._network = None
        if network:
            network.close()
