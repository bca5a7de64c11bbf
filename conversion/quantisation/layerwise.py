"""The calibration itself: layer after layer, the float network beside the quantised one, on the same photos."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from conversion import network
from conversion.errors import PhotoError
from conversion.network import LayerSpec
from conversion.posenet_weights import ConvWeights, PoseNetWeights
from conversion.progress import Report
from conversion.quantisation import (
    channel_duplication,
    emulation,
    fitting,
    head_ranges,
    layer_statistics,
    range_coverage,
)
from conversion.quantisation.channel_duplication import Coding
from conversion.quantisation.float_layer import STEP, FloatLayer, activated
from conversion.quantisation.layer_statistics import Moments, Part
from conversion.quantisation.layers import in_chunks
from conversion.quantisation.nncase_grid import BYTE_STEP, RELU_CEILING, zero_point
from conversion.quantisation.result import HEAD_SPECS, HeadScale, QuantisedLayer, QuantisedNetwork

# A channel's bytes reach a little beyond what it reaches on the photos...
_HEADROOM = 1.02
# ...but one channel of each layer must reach the end, for nncase to know where it is.
_SATURATION = 0.98
# Channels that hardly ever speak are not blown up further than this.
_MOST_GAIN = 32.0
# A pointwise layer and the heads have one weight scale for all their inputs: blowing up small ones costs precision
# there, so those are blown up by half of it (in powers). A depthwise layer has a scale for each.
_SHARED_POWER = 0.5
_SEED = 0
# How often the heads are fitted, with ranges ever narrower, until a picture reaches the ends of each.
_ATTEMPTS = 4


@dataclass(frozen=True)
class _Signal:
    """A feature map in both networks: `real` uint16 [N, H, W, C] (see `float_layer`), `bytes` uint8 [N, H, W, S].

    Of the picture, both are its pixels.
    """

    real: np.ndarray
    bytes: np.ndarray
    coding: Coding


class Calibration:
    """Quantises one network on one set of photos, uint8 [N, H, W, 3].

    `reaching` are the pictures that nncase may see, and within whose ends the heads' ranges lie; by default the same.
    `offset_reach` is how far the offsets' range goes below and above 0, in pixels.
    After `run`, `codings` says by layer how the body's maps are coded.
    """

    def __init__(
        self,
        weights: PoseNetWeights,
        pictures: np.ndarray,
        reaching: np.ndarray | None = None,
        offset_reach: tuple[float, float] = head_ranges.OFFSET_REACH_PX,
    ) -> None:
        self._weights = weights
        self._offset_reach = offset_reach
        self._reaching = pictures if reaching is None else reaching
        self.codings: dict[str, Coding] = {}
        self._random = np.random.default_rng(_SEED)
        self._slots = channel_duplication.assign(weights)
        self._signal = _Signal(pictures, pictures, picture_coding(weights.normalisation.scale))

    def run(self, report: Report) -> QuantisedNetwork:
        """The quantised network; `report` gets (layer, layers done, layers in all)."""
        total = len(network.BODY) + 1
        layers: dict[str, QuantisedLayer] = {}
        for number, spec in enumerate(network.BODY):
            report(spec.name, number, total)
            layers[spec.name], self._signal = self._body_layer(spec)
        report("heads", total - 1, total)
        heads, scales, pictures = self._heads(layers)
        report("done", total, total)
        return QuantisedNetwork(layers | heads, scales, self._weights.normalisation.scale, pictures)

    def _body_layer(self, spec: LayerSpec) -> tuple[QuantisedLayer, _Signal]:
        source, weights = self._signal, self._weights.body[spec.name]
        real, statistics = self._observe(spec, weights, activated)
        target = self._slots[spec.name].coded(_steps(spec, real.max((0, 1, 2)) * STEP))
        unit = source.coding.step[0] / BYTE_STEP if spec is network.BODY[0] else 1.0
        chosen = statistics if spec.kind == "depthwise" else statistics.of_outputs(target.channel)
        layer = fitting.fit(spec, weights, chosen, source.coding, target, unit)
        self.codings[spec.name] = target
        return layer, _Signal(real, emulation.run_layer(spec, layer, source.bytes), target)

    def _heads(
        self, body: Mapping[str, QuantisedLayer]
    ) -> tuple[dict[str, QuantisedLayer], dict[str, HeadScale], np.ndarray]:
        """Heads, their scales, and the pictures for nncase. Ranges that no picture reaches are narrowed."""
        results, statistics = self._observe_heads()
        fed = range_coverage.Fed(body, self._weights.normalisation.scale, self._reaching)
        scales = {
            name: head_ranges.head_scale(name, results[..., own], self._offset_reach)
            for name, own in _channels_of_heads()
        }
        for _ in range(_ATTEMPTS):
            heads = self._fitted_heads(statistics, scales)
            ends = fed.ends(heads)
            narrowed = {name: head_ranges.reached(scale, ends[name]) for name, scale in scales.items()}
            if narrowed == scales:
                return heads, scales, self._reaching[range_coverage.sufficient(ends)]
            scales = narrowed
        raise PhotoError("calibration: the photos do not take the heads to the ends of their ranges; give more of them")

    def _observe_heads(self) -> tuple[np.ndarray, Moments]:
        """All heads read the same map: what they give, real values [N, h, w, C], and their statistics together."""
        weights = [self._weights.heads[name] for name in network.HEAD_NAMES]
        together = ConvWeights(
            np.concatenate([head.kernel for head in weights], axis=3), np.concatenate([head.bias for head in weights])
        )
        spec = LayerSpec("heads", "pointwise", 1, 1, network.FEATURE_CHANNELS, len(together.bias))
        results, statistics = self._observe(spec, together, np.asarray)
        return results * STEP, statistics

    def _fitted_heads(self, statistics: Moments, scales: Mapping[str, HeadScale]) -> dict[str, QuantisedLayer]:
        source, layers = self._signal, {}
        for spec, (name, own) in zip(HEAD_SPECS, _channels_of_heads(), strict=True):
            target = head_coding(spec, scales[name])
            observed = statistics.of_outputs(own)
            layers[name] = fitting.fit(spec, self._weights.heads[name], observed, source.coding, target, BYTE_STEP)
        return layers

    def _observe(
        self, spec: LayerSpec, weights: ConvWeights, kept: Callable[[np.ndarray], np.ndarray]
    ) -> tuple[np.ndarray, Moments]:
        """What the float layer gives [N, h, w, C], through `kept`, and the statistics of both networks."""
        source = self._signal
        layer = FloatLayer(spec, weights, self._weights.normalisation)
        count, height, width, _ = source.real.shape
        shape = (count, height // spec.stride, width // spec.stride, spec.out_channels)
        kept_results = np.empty(shape, kept(np.zeros(0)).dtype)
        cells = kept_results[0, ..., 0].size
        sample = layer_statistics.sample(self._random, spec, count * cells)
        # A depthwise layer writes the slots that it reads; which channels a dense one writes is settled afterwards.
        outputs = source.coding.channel if spec.kind == "depthwise" else np.arange(spec.out_channels)

        def work(part: slice) -> Part:
            results = layer(source.real[part])
            kept_results[part] = kept(results)
            first, last = np.searchsorted(sample, (part.start * cells, part.stop * cells))
            inputs = source.bytes[part].astype(np.float32) - zero_point(spec)
            return layer_statistics.part(spec, inputs, results[..., outputs], sample[first:last] - part.start * cells)

        return kept_results, layer_statistics.combined(spec, in_chunks(work, kept_results))


def _steps(spec: LayerSpec, peak: np.ndarray) -> np.ndarray:
    """Real value of a byte for each channel, from the largest value (after ReLU6) that it has on the photos."""
    end = np.clip(peak * _HEADROOM, RELU_CEILING / _MOST_GAIN, RELU_CEILING)
    gain = RELU_CEILING / end
    if spec.kind == "depthwise" or spec is network.BODY[-1]:
        gain **= _SHARED_POWER
    loudest = peak.argmax()
    if 0 < peak[loudest] < RELU_CEILING:
        gain[loudest] = RELU_CEILING / (_SATURATION * peak[loudest])
    return BYTE_STEP / gain


def picture_coding(pixel_scale: float) -> Coding:
    """How pixels code what the network sees: the real value of one step is `pixel_scale`."""
    return channel_duplication.in_order(network.INPUT_CHANNELS).coded(np.full(network.INPUT_CHANNELS, pixel_scale))


def _channels_of_heads() -> Iterator[tuple[str, np.ndarray]]:
    """Each head, and where its channels are among those of all heads together."""
    first = 0
    for head in network.HEADS:
        yield head.name, np.arange(first, first + head.channels)
        first += head.channels


def head_coding(spec: LayerSpec, scale: HeadScale) -> Coding:
    """How a head's bytes code its channels."""
    ones = np.ones(spec.out_channels)
    return Coding(np.arange(spec.out_channels), ones * scale.zero_point, ones, ones * scale.scale)
