"""What every kind of file is described as: facts, tensors that go in and out, layers in order, remarks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from conversion.errors import ModelFormatError
from conversion.feature_map import FeatureMap, Region
from conversion.outside.text import shown
from conversion.posenet_weights import Normalisation

# The largest network that anybody runs on a K210 has some 200 layers; a TFLite file may have 4096 operators.
MAX_LAYERS = 4096
# Number of a layer's source that is the network's first input; the second is -2.
INPUT = -1

_MAX_ZERO_POINT = 1 << 31

Pair = tuple[int, int]
# None: any size.
Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class FilePart:
    """One file on disk; `used` is False for one that the network does not need (the checkpoint's older heads)."""

    name: str
    bytes: int
    sha256: str
    used: bool = True


@dataclass(frozen=True)
class Quantisation:
    """real value = (q - zero_point) * scale; `count` pairs, of which this is the first."""

    scale: float
    zero_point: int
    count: int = 1

    @classmethod
    def from_bias(cls, scale: float, bias: float, count: int = 1) -> Quantisation | None:
        """Of q * scale + bias, the zero point rounded; None where these are no numbers to quantise with."""
        if not (0 < scale < math.inf and abs(bias) < math.inf):
            return None
        zero_point = -bias / scale
        return cls(scale, round(zero_point), count) if abs(zero_point) < _MAX_ZERO_POINT else None

    def limits(self, dtype: str) -> tuple[float, float] | None:
        """The real values of the smallest and the largest byte; None for other types."""
        if dtype != "uint8":
            return None
        return -self.zero_point * self.scale, (255 - self.zero_point) * self.scale


@dataclass(frozen=True)
class Tensor:
    """What goes in or comes out: shape as the file has it, in `order` (NHWC, NCHW or "" for neither).

    `layer` is the number of the layer that gives an output, `role` the head that it is, `place` where it lies.
    """

    name: str
    dtype: str
    shape: Shape
    order: str = ""
    quantisation: Quantisation | None = None
    layer: int | None = None
    role: str = ""
    place: str = ""
    bytes: int | None = None

    @property
    def map(self) -> FeatureMap | None:
        """Channels, height and width, where the tensor is one picture or feature map of a fixed size."""
        if len(self.shape) != 4 or None in self.shape or self.shape[0] != 1 or not self.order:
            return None
        _, *sides = self.shape
        return FeatureMap(*(sides if self.order == "NCHW" else (sides[2], sides[0], sides[1])))


@dataclass(frozen=True)
class Convolution:
    """What a convolution does; pairs are height, width. `padding` and `activation` are in words."""

    kernel: Pair
    stride: Pair
    dilation: Pair
    padding: str
    activation: str
    depthwise: bool = False


@dataclass(frozen=True)
class Macs:
    """Multiply-accumulates: `useful` ones, and those that the KPU executes (it computes pixels that it then drops)."""

    useful: int
    executed: int


@dataclass(frozen=True)
class Layer:
    """One layer, operator or run of the KPU.

    `name` and `part` ("1/2") are the network's own where it is recognised, `file_name` is what the file says, `type`
    the format's name. `sources` are numbers of layers, INPUT and below for the inputs. `parameters` counts weights
    and biases. `regions` are the KPU RAM that a run of the KPU reads and writes, `seconds` what it is
    estimated to take. `details` are facts of this type.
    """

    number: int
    type: str
    sources: tuple[int, ...] = ()
    name: str = ""
    part: str = ""
    file_name: str = ""
    reads: FeatureMap | None = None
    writes: FeatureMap | None = None
    convolution: Convolution | None = None
    parameters: int = 0
    parameter_bytes: int = 0
    macs: Macs | None = None
    quantisation: Quantisation | None = None
    regions: tuple[Region, Region] | None = None
    seconds: float | None = None
    details: Mapping[str, object] = field(default_factory=dict)
    group: str = ""

    @property
    def label(self) -> str:
        """What to call it: the network's name, else the file's, else its number."""
        return f"{self.name} {self.part}".strip() or self.file_name or f"layer {self.number}"

    @property
    def begins(self) -> bool:
        """Whether it is a layer of its own or the first of its parts, so that a layer's properties count once."""
        return self.part.partition("/")[0] in ("", "1")


@dataclass(frozen=True)
class Memory:
    """Bytes that a kmodel needs beside itself; None where the file does not say."""

    kpu_ram_bytes: int
    main_memory_bytes: int | None


@dataclass(frozen=True)
class Inspection:
    """A whole file.

    `refusal` is why `make kmodel` does not take the file as weights (None: it does); `network` is what the layers are
    recognised as. `facts` are (name, text) pairs of this form, `remarks` what a reader should know, one line each.
    `firmware` is what is known of a firmware, by name. `assumed_size` is the picture (width, height) that shapes
    and MACs are given for when the file takes any size.
    """

    path: Path
    form: str
    files: tuple[FilePart, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    layers: tuple[Layer, ...]
    known: str | None = None
    refusal: str | None = None
    network: str | None = None
    normalisation: Normalisation | None = None
    assumed_size: tuple[int, int] | None = None
    memory: Memory | None = None
    facts: tuple[tuple[str, str], ...] = ()
    firmware: Mapping[str, object] | None = None
    remarks: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """Bytes of all its files."""
        return sum(part.bytes for part in self.files)

    @property
    def parameters(self) -> int:
        """Weights and biases of all layers."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def parameter_bytes(self) -> int:
        """Bytes of the file that are parameters (on the KPU with batch norm and activation tables)."""
        return sum(layer.parameter_bytes for layer in self.layers)

    @property
    def macs(self) -> Macs:
        """Multiply-accumulates of one picture."""
        counted = [layer.macs for layer in self.layers if layer.macs]
        return Macs(sum(macs.useful for macs in counted), sum(macs.executed for macs in counted))

    @property
    def seconds(self) -> float:
        """Estimated time of the layers that run on the KPU, for one picture."""
        return sum(layer.seconds for layer in self.layers if layer.seconds is not None)

    @property
    def runs_on_kpu(self) -> bool:
        """Whether the layers are the KPU's, so that executed MACs and KPU RAM mean something."""
        return any(layer.regions for layer in self.layers)


def conv_macs(convolution: Convolution, reads: FeatureMap, writes: FeatureMap, groups: int = 1) -> Macs:
    """Multiply-accumulates of a convolution on a CPU, which computes just the pixels that it gives."""
    taps = math.prod(convolution.kernel) * (1 if convolution.depthwise else reads.channels // max(1, groups))
    count = taps * writes.bytes
    return Macs(count, count)


def conv_side(size: int, kernel: int, stride: int, dilation: int, padding: int) -> int:
    """Rows or columns that a convolution gives for `size` of them with `padding` added in all."""
    return max(0, (size + padding - (kernel - 1) * dilation - 1) // stride + 1)


def plain(text: object) -> str:
    """A text from a file, printable and on one line, cut where it is long."""
    return shown(text)


def check_count(count: int, where: str) -> None:
    """ModelFormatError for more layers than MAX_LAYERS."""
    if count > MAX_LAYERS:
        raise ModelFormatError(f"{where}: has more than {MAX_LAYERS} operations; no model for this chip has so many")
