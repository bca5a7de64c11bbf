"""MaixPy's KPU module: the host loads and runs models; outputs are views of memory that the next run overwrites."""

import os as _os
import struct as _struct

import _host
import uctypes as _uctypes

_MODELS = (".kmodel", ".smodel", ".emodel")


class kpu_net:  # noqa: N801 - MaixPy's name
    """A loaded model."""

    def __init__(self, address, path, facts, memory):
        self._address = address
        self._path = path
        self._handle, self._size, self._width, self._height, self._channels, self._layers, _, self._raw = facts
        self._memory = memory

    def model_addr(self):
        return self._address

    def model_path(self):
        return self._path

    def model_size(self):
        return self._size

    def net_arg(self):
        return None

    def __repr__(self):
        path = self._path or "(null)"
        facts = f'"model_addr": {self._address or 0}, "model_size": {self._size}, "model_path": "{path}"'
        return "{" + facts + ', "net_args": "(null)"}'


class kpu_fmap(memoryview):  # noqa: N801 - MaixPy's name
    """One output: a view, good until the next run. As on the board it has no len() and cannot be iterated."""

    def __init__(self, memory, index, shape, typecode):
        super().__init__(memory)
        self._bytes = memory
        self._index = index
        self._shape = shape
        self._typecode = typecode

    def __len__(self):
        raise TypeError("object of type 'kpu_fmap' has no len()")

    def __iter__(self):
        raise TypeError("'kpu_fmap' object isn't iterable")

    def __getitem__(self, index):
        if isinstance(index, slice):
            return tuple([self._get(n) for n in self._range(index)])
        return self._get(self._place(index))

    def __setitem__(self, index, value):
        places = self._range(index) if isinstance(index, slice) else (self._place(index),)
        values = value if isinstance(index, slice) else (value,)
        for n, one in zip(places, values):  # noqa: B905 - MicroPython's takes no keyword
            if self._typecode == "B":
                self._bytes[n] = _host.whole(one) & 0xFF
            else:
                _struct.pack_into("<f", self._bytes, 4 * n, one)

    def _get(self, n):
        return self._bytes[n] if self._typecode == "B" else _struct.unpack_from("<f", self._bytes, 4 * n)[0]

    def _count(self):
        return len(self._bytes) if self._typecode == "B" else len(self._bytes) // 4

    def _range(self, index):
        if index.step not in (None, 1):
            raise OSError("only slices with step=1 (aka None) are supported")
        return range(*index.indices(self._count()))

    def _place(self, index):
        if not isinstance(index, int):
            raise TypeError(f"kpu_fmap indices must be integers, not {type(index).__name__}")
        n = index + self._count() if index < 0 else index
        if not 0 <= n < self._count():
            raise IndexError("kpu_fmap index out of range")
        return n

    def size(self):
        return len(self._bytes)

    def index(self):
        return self._index

    def w(self):
        return self._shape[0]

    def h(self):
        return self._shape[1]

    def ch(self):
        return self._shape[2]

    def typecode(self):
        return self._typecode

    def __repr__(self):
        w, h, ch = self._shape
        address = _uctypes.addressof(self._bytes)
        facts = f'"fmap": "data"={address:#x}, "size"={self.size()}, "index": {self._index}, '
        facts += f'"w": {w}, "h": {h}, "ch": {ch}'
        return "{" + facts + f', "typecode": {self._typecode}' + "}"


def load(model, _=None):
    """A model from a flash address or a file; it lies in the system heap until deinit(). The second argument does
    nothing."""
    if type(model) is int:
        if model <= 0:
            raise ValueError("[MAIXPY]kpu: model_addr must > 0 ")
        return _open(model, None, _host.call(b"kpu_load", model))
    if type(model) is str:
        if not [suffix for suffix in _MODELS if suffix in model]:
            raise ValueError("[MAIXPY]kpu: model format don't match, only supply .kmodel ")
        path = model if model.startswith("/") else _os.getcwd() + "/" + model
        return _open(None, model, _host.call(b"kpu_load", 0, data=path))
    raise TypeError("[MAIXPY]kpu: only accept int or string")


def _open(address, path, facts):
    try:
        memory = _host.take_output(facts[6])
    except MemoryError:
        _host.call(b"kpu_deinit", facts[0])
        raise
    return _Net(address, path, facts, memory)


def forward(net, *rest, **keywords):
    """forward(net, img, out_index=0, dma=-1) runs the model on an image's planes; returns one output, the rest through
    get_output()."""
    return _forward(net, *rest, **keywords)


def _forward(net, img=None, out_index=0, dma=-1):
    if not isinstance(net, _Net):
        return None
    if not net._handle:
        raise OSError("ERR_PARAM: please check param, load address or kmodel file name")
    out_index = _host.whole(out_index)
    if isinstance(img, list):
        raise NotImplementedError("KPU.forward: the virtual board takes images only, no lists")
    if isinstance(img, str):
        _host.crash()
    if not hasattr(img, "_planes_for_kpu"):
        raise ValueError("input not support")
    slot, planes = img._planes_for_kpu()
    problem = _problem(net, img, planes is None and slot < 0)
    if problem:
        print(problem)
        raise ValueError("[MAIXPY]kpu: check img format err!\r\n")
    _host.call(b"kpu_forward", net._handle, slot, data=planes, into=net._memory)
    return _output(net, out_index, "sipeed_kpu_get_output err")


def _problem(net, img, no_planes):
    """What the firmware prints of an image that the model does not take."""
    if no_planes:
        return "[MAIXPY]kpu: pix_ai is NULL!"
    width, height = img.width(), img.height()
    if (width, height) != (net._width, net._height):
        return f"[MAIXPY]kpu: img w={width},h={height}, but model w={net._width},h={net._height}"
    if net._channels != 3:
        return f"[MAIXPY]kpu: RGB img, but model channel={net._channels}"
    return None


def get_output(net, index, *_):
    """A further output of the last forward()."""
    if not isinstance(net, _Net) or type(index) is not int:
        raise ValueError("[MAIXPY]kpu: get_output arg format error: get_output(task, int idx)")
    if not net._handle:
        return None
    return _output(net, index & 0xFFFF, "2001")


def _output(net, index, error):
    # values: byte offset, size, width, height and channels of the last layer; 0 where it is no convolution
    offset, size, width, height, channels, known, _, _ = _host.call(b"kpu_output", net._handle, index)
    if not known:
        raise OSError(error)
    memory = memoryview(net._memory)[offset : offset + size]
    if net._raw:
        return _Fmap(memory, net._layers - 1, (width, height, channels), "B")
    return _Fmap(memory, net._layers - 1, (size & 0xFFFF, 1, 1), "f")


def set_layers(net, layers):
    """From now on only the first layers run, and the last one's whole result goes to where output 0 lies, whatever is
    behind that: on the board it overwrites other memory."""
    if not isinstance(net, _Net):
        raise TypeError("[MAIXPY]kpu: kpu_net type error")
    if not _host.call(b"kpu_layers", net._handle, layers)[0]:
        _host.call(b"crash", data="core dump: the layer's result overwrote other memory")
    return True


def deinit(net):
    """Gives the model's memory back; fmaps are invalid from here on."""
    if not isinstance(net, _Net):
        raise TypeError("[MAIXPY]kpu: kpu_net type error")
    if net._handle:
        _host.call(b"kpu_deinit", net._handle)
        _host.give_output(net._memory)
        net._handle = 0
    return True


def memtest():
    """Prints what is free."""
    import gc

    free = _host.call(b"heap_free")[0]
    print(f"###free gc heap memory : {gc.mem_free() // 1024} KB")
    print(f"###free sys heap memory: {free // 1024} KB")


def fmap_free(fmap):
    """Does nothing, on the board too."""


def set_outputs(net, index, width, *_):
    """For kmodel V4 only."""
    if not isinstance(net, _Net):
        raise ValueError("[MAIXPY]kpu: set_outputs arg format error: set_outputs(task, int idx, int w, int h, int ch)")
    print("[MAIXPY]kpu: set_outputs ctx error, maybe init err:2002")
    return False


def fmap(net, index):
    raise NotImplementedError("KPU.fmap: not on the virtual board")


def netinfo(net):
    """The layers of a model."""
    if not isinstance(net, _Net) or not net._handle:
        raise ValueError("get layer num error!")
    raise NotImplementedError("KPU.netinfo: not on the virtual board")


# The classes have no names in the module.
_Net, _Fmap = kpu_net, kpu_fmap
del kpu_net, kpu_fmap


load_flash = _host.missing("KPU.load_flash")
init_yolo2 = _host.missing("KPU.init_yolo2")
run_yolo2 = _host.missing("KPU.run_yolo2")
classifier = _host.missing("KPU.classifier")
face_compare = _host.missing("KPU.face_compare")
face_encode = _host.missing("KPU.face_encode")
