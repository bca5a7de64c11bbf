"""MaixPy's model loader and the KPU behind it: kmodels out of flash or files, run by the simulator."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np

from conversion.errors import ConversionError
from conversion.kmodel import v3, v3_container, v4
from conversion.kmodel.recognise import recognise
from conversion.kpu.simulator import Kpu
from host_tools.virtual_board import timing
from host_tools.virtual_board.memory import OutOfMemoryError, SystemHeap

MOST_MODELS = 5
MOST_BYTES = 0x600000
# The loader's buffer is aligned to 256 bytes; its context follows.
ALIGNMENT_BYTES, CONTEXT_BYTES = 256, 192
_MOST_ENTRIES = 1024


class LoadError(IntEnum):
    """The numbers of kpu.load()'s errors."""

    KMODEL_VERSION = 2002
    KMODEL_FORMAT = 2003
    READ_FILE = 2005
    NO_MEM = 2006
    MODELS_FULL = 2009
    NOT_IMPLEMENT = 2014
    UNKNOWN = 2015


# MaixPy's words for them.
_WORDS = {
    LoadError.KMODEL_VERSION: "ERR_KMODEL_VERSION: only support kmodel V3",
    LoadError.KMODEL_FORMAT: "ERR_KMODEL_FORMAT: layer_header.body_size <=0",
    LoadError.READ_FILE: "ERR_READ_FILE: read file failed",
    LoadError.NO_MEM: "ERR_NO_MEM: memory not enough",
    LoadError.MODELS_FULL: "ERR_MODELS_FULL: we only support load 5 models in the same time",
    LoadError.NOT_IMPLEMENT: "ERR_NOT_IMPLEMENT",
    LoadError.UNKNOWN: "ERR_UNKNOWN",
}


class ModelError(Exception):
    """A model that the loader refuses."""

    def __init__(self, number: LoadError, v4: bool = False) -> None:
        words = _WORDS[number] + ("/V4 now" if v4 and number == LoadError.KMODEL_VERSION else "")
        super().__init__(f"[MAIXPY]kpu: load error:{number:d}, {words}")
        self.number = number


@dataclass
class Loaded:
    """A model in the board's memory."""

    kpu: Kpu
    size: int
    blocks: tuple[int, int]
    # Of set_layers(); 0: all of them.
    layers: int = 0

    @property
    def kpu_us(self) -> int:
        """How long a run takes."""
        return timing.kpu_us_of_first(self.kpu.model, self.layers) if self.layers else self._whole_us

    @cached_property
    def _whole_us(self) -> int:
        return timing.kpu_us(self.kpu.model)

    def take_layers(self, layers: int) -> bool:
        """Run only the first layers from now on; False where the last one's whole result does not fit main memory."""
        self.layers = layers
        result = self.kpu.model.convolutions[layers - 1].layer.destination.bytes
        return result <= self.kpu.model.main_memory_bytes

    @property
    def raw(self) -> bool:
        """Whether outputs are bytes: MaixPy goes by the last layer."""
        return isinstance(self.kpu.model.layers[-1], v3.ConvLayer)


class Models:
    """The models of a board. Simulators are kept: building one takes longer than a reset."""

    def __init__(self, v4: bool, tell: Callable[[str], None]) -> None:
        self._v4 = v4
        self._tell = tell
        self._loaded: dict[int, Loaded] = {}
        self._known: dict[str, Kpu] = {}
        # The picture that each simulator has seen last.
        self._pictures: dict[int, np.ndarray] = {}
        self._next = 1

    def load(self, heap: SystemHeap, data: bytes | None, whole: bool) -> tuple[int, Loaded]:
        """Load a kmodel: its handle. `data` are a file's bytes (None: it cannot be read), or what begins at a flash
        address, of which the header says how much is the model. Raises ModelError."""
        if len(self._loaded) == MOST_MODELS:
            raise ModelError(LoadError.MODELS_FULL)
        if data is None:
            raise ModelError(LoadError.READ_FILE)
        self._check_version(data)
        size = len(data) if whole else _size(data)
        if not 0 < size <= min(len(data), MOST_BYTES):
            raise ModelError(LoadError.KMODEL_FORMAT)
        kpu = self._kpu(data[:size])
        blocks = self._take(heap, size, kpu.model.main_memory_bytes)
        handle, self._next = self._next, self._next + 1
        self._loaded[handle] = Loaded(kpu, size, blocks)
        return handle, self._loaded[handle]

    def _check_version(self, data: bytes) -> None:
        found = recognise(data)
        _, _, arch, *_ = v3_container.HEADER.unpack(
            data[: v3_container.HEADER.size].ljust(v3_container.HEADER.size, b"\0")
        )
        if found and not found.encrypted and not found.is_v3 and self._v4:
            self._tell(f"the firmware would try {found.name}; only V3 is simulated")
            raise ModelError(LoadError.NOT_IMPLEMENT if found.version == v4.VERSION else LoadError.UNKNOWN)
        if not (found and found.is_v3 and arch == v3_container.ARCH_K210):
            raise ModelError(LoadError.KMODEL_VERSION, self._v4)

    def _kpu(self, data: bytes) -> Kpu:
        digest = hashlib.sha256(data).hexdigest()
        if digest not in self._known:
            try:
                self._known[digest] = Kpu(v3.read(data, "the board's kmodel"))
            except ConversionError as error:
                # A board would load it and then run into it.
                self._tell(f"{error}")
                raise ModelError(LoadError.KMODEL_FORMAT) from error
        return self._known[digest]

    def _take(self, heap: SystemHeap, size: int, main_memory: int) -> tuple[int, int]:
        try:
            first = heap.take(size + ALIGNMENT_BYTES + CONTEXT_BYTES)
        except OutOfMemoryError:
            raise ModelError(LoadError.NO_MEM) from None
        try:
            return first, heap.take(main_memory)
        except OutOfMemoryError:
            heap.give(first)
            raise ModelError(LoadError.NO_MEM) from None

    def run(self, handle: int, planes: np.ndarray) -> bytes:
        """Run a model on planes, uint8 [3, H, W]; gives all of its main memory."""
        kpu = self._loaded[handle].kpu
        # A camera before a photo sees the same picture in each frame: main memory holds its heads already.
        known = self._pictures.get(id(kpu))
        if not self._loaded[handle].layers and (known is None or not np.array_equal(known, planes)):
            kpu.run(planes)
            self._pictures[id(kpu)] = planes.copy()
        return kpu.main_memory.tobytes()

    def get(self, handle: int) -> Loaded:
        """A loaded model."""
        return self._loaded[handle]

    def unload(self, heap: SystemHeap, handle: int) -> None:
        """Give a model's memory back."""
        for block in self._loaded.pop(handle).blocks:
            heap.give(block)

    def unload_all(self, heap: SystemHeap) -> int:
        """What a soft reset does; how many there were."""
        handles = list(self._loaded)
        for handle in handles:
            self.unload(heap, handle)
        return len(handles)

    def power_off(self) -> None:
        """Everything is forgotten; the heap too."""
        self._loaded.clear()


def _size(data: bytes) -> int:
    """Bytes of the V3 model that begins here, as MaixPy adds them up; 0 if a layer has none or the table has no end."""
    _, _, _, layers, _, _, outputs = v3_container.HEADER.unpack_from(data)
    start = v3_container.HEADER.size + v3_container.RANGE.size * outputs
    if layers > _MOST_ENTRIES or outputs > _MOST_ENTRIES or start + v3_container.RANGE.size * layers > len(data):
        return 0
    bodies = [v3_container.RANGE.unpack_from(data, start + v3_container.RANGE.size * n)[1] for n in range(layers)]
    return start + v3_container.RANGE.size * layers + sum(bodies) if all(bodies) else 0
