"""A quantised network in few bytes: how each code differs from plain rounding of the published weights.

Calibrated codes lie near plain rounding once their scales and codings are known, so that the differences take 5 bits
where codes take 7. The same codes serve several published files of one network, whose floats differ in their last bits:
where a code's plain rounding differs between them, the others have a correction.
"""

from __future__ import annotations

import io
import lzma
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from conversion import network
from conversion.network import LayerSpec
from conversion.posenet_weights import ConvWeights, PoseNetWeights
from conversion.quantisation import fitting, layerwise
from conversion.quantisation.channel_duplication import Coding
from conversion.quantisation.known import range_pictures
from conversion.quantisation.nncase_grid import HIGHEST_CODE, LOWEST_CODE
from conversion.quantisation.result import HEAD_SPECS, SPECS, HeadScale, QuantisedLayer, QuantisedNetwork

# Differences are noise without any repetition: the coder only has to learn how often each value comes.
_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9, "lc": 0, "lp": 0, "pb": 0}]
# Unpacked, the arrays have 1.4 MB; the coder's window, 64 MB.
_MOST_BYTES, _MOST_MEMORY = 8 << 20, 256 << 20
# Steps only have to be near enough to foresee codes.
_STEP_TYPE = np.dtype("<f2")


@dataclass(frozen=True)
class Packed:
    """What is packed: layers and scales of the heads, how the body's maps are coded, and the numbers of the pictures
    for nncase (`range_pictures`) at the size (width, height) that it compiles for."""

    layers: Mapping[str, QuantisedLayer]
    head_scales: Mapping[str, HeadScale]
    codings: Mapping[str, Coding]
    pictures: Sequence[int]
    size: tuple[int, int]

    def network(self, weights: PoseNetWeights) -> QuantisedNetwork:
        """For the compiler, with its pictures drawn."""
        pictures = range_pictures.drawn(self.pictures, *self.size)
        return QuantisedNetwork(self.layers, self.head_scales, weights.normalisation.scale, pictures)


def pack(packed: Packed, published: Sequence[PoseNetWeights]) -> bytes:
    """For all of the `published` files, by the same codes; ValueError if their predictions lie further apart than 1."""
    first, *others = published
    arrays = {"pictures": np.array(packed.pictures, "<u2"), "size": np.array(packed.size, "<u2")}
    codings = {}
    for spec in network.BODY:
        coding = packed.codings[spec.name]
        step = coding.step.astype(_STEP_TYPE)
        arrays |= {f"{spec.name}/channel": coding.channel.astype("<u2"), f"{spec.name}/step": step}
        codings[spec.name] = _coding(coding.channel, step)
    for spec in SPECS:
        layer = packed.layers[spec.name]
        plain = [foreseen(spec, weights, codings, packed.head_scales, layer.scale) for weights in (first, *others)]
        # Modulo 256: what overflows comes back.
        arrays[f"{spec.name}/difference"] = (_channels_first(spec, layer.codes) - plain[0]).astype(np.int8)
        arrays |= {f"{spec.name}/scale": layer.scale, f"{spec.name}/bias": layer.bias}
        for weights, other in zip(others, plain[1:], strict=True):
            arrays |= _corrections(spec.name, weights, (other - plain[0]).ravel())
    arrays |= {f"{name}/range": np.array([head.scale, head.zero_point]) for name, head in packed.head_scales.items()}
    archive = io.BytesIO()
    np.savez(archive, **arrays)
    return lzma.compress(archive.getvalue(), filters=_FILTERS)


def unpack(data: bytes, weights: PoseNetWeights) -> Packed:
    """What `pack` was given, for one of its published files; ValueError or another reader's error for other bytes."""
    archive = lzma.LZMADecompressor(memlimit=_MOST_MEMORY).decompress(data, _MOST_BYTES)
    with np.load(io.BytesIO(archive), allow_pickle=False) as arrays:
        head_scales = {
            name: HeadScale(float(arrays[f"{name}/range"][0]), int(arrays[f"{name}/range"][1]))
            for name in network.HEAD_NAMES
        }
        codings = {
            spec.name: _coding(arrays[f"{spec.name}/channel"].astype(np.int64), arrays[f"{spec.name}/step"])
            for spec in network.BODY
        }
        layers = {}
        for spec in SPECS:
            scale, bias = arrays[f"{spec.name}/scale"], arrays[f"{spec.name}/bias"]
            plain = foreseen(spec, weights, codings, head_scales, scale)
            correction = arrays.get(_correction_name(spec.name, weights))
            if correction is not None:
                plain.reshape(-1)[correction[0]] -= correction[1]
            codes = (plain + arrays[f"{spec.name}/difference"]).astype(np.int8)
            layers[spec.name] = QuantisedLayer(_as_kernel(spec, codes), scale, bias)
        return Packed(layers, head_scales, codings, arrays["pictures"].tolist(), tuple(arrays["size"].tolist()))


def _coding(channel: np.ndarray, step: np.ndarray) -> Coding:
    """As much of a coding as foretells codes: copies of a channel share it equally, and their offsets do not matter."""
    share = 1 / np.bincount(channel)[channel]
    return Coding(channel, np.zeros(len(channel)), share, step.astype(np.float64))


def foreseen(
    spec: LayerSpec,
    weights: PoseNetWeights,
    codings: Mapping[str, Coding],
    head_scales: Mapping[str, HeadScale],
    scale: np.ndarray,
) -> np.ndarray:
    """Plain rounding of the published weights: int64 [C, K * K * C_in], or [C, 9] if depthwise."""
    layer, source, target = _surroundings(spec, weights, codings, head_scales)
    wanted = fitting.published(spec, layer, source, target)
    wanted = wanted if spec.kind == "depthwise" else wanted.T
    return np.clip(np.rint(wanted / scale.astype(np.float64)[:, None]), LOWEST_CODE, HIGHEST_CODE).astype(np.int64)


def _surroundings(
    spec: LayerSpec, weights: PoseNetWeights, codings: Mapping[str, Coding], head_scales: Mapping[str, HeadScale]
) -> tuple[ConvWeights, Coding, Coding]:
    """A layer's published weights, and how its input and its output are coded."""
    if spec in HEAD_SPECS:
        target = layerwise.head_coding(spec, head_scales[spec.name])
        return weights.heads[spec.name], codings[network.BODY[-1].name], target
    number = network.BODY.index(spec)
    pixels = layerwise.picture_coding(weights.normalisation.scale)
    source = codings[network.BODY[number - 1].name] if number else pixels
    return weights.body[spec.name], source, codings[spec.name]


def _channels_first(spec: LayerSpec, codes: np.ndarray) -> np.ndarray:
    """Codes in the order of the file, int64 [C, K]: a channel's differences are of one size, and stand together."""
    return np.ascontiguousarray(codes.reshape(-1, spec.out_channels).T).astype(np.int64)


def _as_kernel(spec: LayerSpec, codes: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(codes.T).reshape(spec.kernel_shape)


def _corrections(layer: str, weights: PoseNetWeights, apart: np.ndarray) -> dict[str, np.ndarray]:
    """Where other weights foretell other codes, and by how much: int32 [2, n]; nothing where they never do."""
    places = np.flatnonzero(apart)
    if np.abs(apart).max() > 1:
        raise ValueError(f"layer {layer}: {weights.origin} is another network, its weights differ by a step and more")
    return {_correction_name(layer, weights): np.stack([places, apart[places]]).astype("<i4")} if len(places) else {}


def _correction_name(layer: str, weights: PoseNetWeights) -> str:
    return f"{layer}/{weights.digest()[:16]}"
