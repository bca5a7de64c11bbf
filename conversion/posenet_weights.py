"""The one form that every published file is turned into: named kernels, biases, normalisation and origin."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from conversion import network
from conversion.errors import ModelFormatError, UnsupportedModelError


@dataclass(frozen=True)
class ConvWeights:
    """Kernel and bias of one layer, float32: kernel HWIO (depthwise [3, 3, C, 1]), bias [C_out]."""

    kernel: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class Normalisation:
    """What the network expects of a pixel p in 0..255: p * scale + offset."""

    scale: float
    offset: float


# The largest number in a published PoseNet 0.75 is 224 (block 1's depthwise kernel); one beyond this is damage.
MAX_MAGNITUDE = 10_000.0

# Origins of more files than this are shown as one sum over all of them.
_MOST_LISTED = 4

FLOAT_NORMALISATION = Normalisation(scale=2 / 255, offset=-1.0)


@dataclass(frozen=True)
class Origin:
    """Where weights come from: the form of the files, their published name if known, and each file's SHA-256.

    `notes` are what a user should know about these files (a warning, a head that was left out), one line each;
    `location` is the file that was loaded, so that the published network can be run itself.
    """

    form: str
    name: str | None
    files: Mapping[str, str]
    notes: tuple[str, ...] = ()
    # Not compared: what lies there is known by the sums.
    location: Path | None = field(default=None, compare=False)

    def __str__(self) -> str:
        if self.name:
            return f"known: {self.name}"
        if len(self.files) > _MOST_LISTED:
            listing = "".join(f"{digest}  {file}\n" for file, digest in sorted(self.files.items()))
            total = hashlib.sha256(listing.encode()).hexdigest()
            return f"unknown, {len(self.files)} files, sha256 {total} of their sha256sum listing"
        return "unknown, " + ", ".join(f"{file} sha256 {digest}" for file, digest in self.files.items())


@dataclass(frozen=True)
class PoseNetWeights:
    """A whole network: body layers by the names of `network.BODY`, heads by the names of `network.HEADS`."""

    body: Mapping[str, ConvWeights]
    heads: Mapping[str, ConvWeights]
    normalisation: Normalisation
    origin: Origin

    def digest(self) -> str:
        """SHA-256 over every number, in the network's order: equal networks have equal digests."""
        state = hashlib.sha256(repr(self.normalisation).encode())
        for layer in (*self.body.values(), *self.heads.values()):
            state.update(np.ascontiguousarray(layer.kernel).tobytes())
            state.update(np.ascontiguousarray(layer.bias).tobytes())
        return state.hexdigest()


def checked(
    body: Mapping[str, ConvWeights],
    heads: Mapping[str, ConvWeights],
    normalisation: Normalisation,
    origin: Origin,
    where: str,
) -> PoseNetWeights:
    """Weights in the network's order, after checking that they are PoseNet 0.75: names, shapes, numbers.

    Raises UnsupportedModelError for another network and ModelFormatError for numbers that are not finite or absurd.
    """
    expected = {spec.name: (spec.kernel_shape, spec.out_channels) for spec in network.BODY}
    expected_heads = {
        head.name: ((1, 1, network.FEATURE_CHANNELS, head.channels), head.channels) for head in network.HEADS
    }
    return PoseNetWeights(
        body={name: _checked_layer(body, name, *shape, where) for name, shape in expected.items()},
        heads={name: _checked_layer(heads, name, *shape, where) for name, shape in expected_heads.items()},
        normalisation=normalisation,
        origin=origin,
    )


def _checked_layer(
    layers: Mapping[str, ConvWeights], name: str, kernel_shape: tuple[int, ...], channels: int, where: str
) -> ConvWeights:
    layer = layers.get(name)
    if layer is None:
        raise UnsupportedModelError(
            f"{where}: layer {name} is missing; expected PoseNet MobileNetV1 {network.MULTIPLIER} at output stride "
            f"{network.OUTPUT_STRIDE}"
        )
    if layer.kernel.shape != kernel_shape or layer.bias.shape != (channels,):
        raise UnsupportedModelError(
            f"{where}: layer {name} has a kernel of shape {layer.kernel.shape} and a bias of shape "
            f"{layer.bias.shape}, expected {kernel_shape} and {(channels,)}: not PoseNet MobileNetV1 "
            f"{network.MULTIPLIER}"
        )
    for numbers in (layer.kernel, layer.bias):
        # NaN compares false, so it is found too.
        sound = np.abs(numbers) <= MAX_MAGNITUDE
        if not sound.all():
            odd = numbers[~sound][0]
            raise ModelFormatError(
                f"{where}: layer {name} holds the number {odd}, no PoseNet does; fetch the file again"
            )
    return ConvWeights(layer.kernel.astype(np.float32), layer.bias.astype(np.float32))
