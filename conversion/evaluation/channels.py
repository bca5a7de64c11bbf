"""Which channel of a kmodel's layer stands for which channel of the float network, told by the kernels themselves.

A quantised network may scale channels, leave dead ones out and compute others twice. None of that is written in the
file, but kernels keep their direction: seen through the channels they read, a dense layer's kernels point the same way
as those of the float channel they were made from. A depthwise layer keeps the channels that it reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from conversion import network
from conversion.evaluation.readback import ReadLayer
from conversion.posenet_weights import PoseNetWeights

UNMATCHED = -1
# The cosine between a kernel and its quantised form is above 0.9 even for plain rounding; unrelated ones are near 0.
LEAST_COSINE = 0.6


@dataclass(frozen=True)
class Channels:
    """Of each channel of a kmodel's layer: the float channel it stands for, or UNMATCHED; the real value of a byte."""

    source: np.ndarray
    step: np.ndarray

    def merge(self, count: int) -> np.ndarray:
        """[C, count]: bytes [..., C] times it are the real values of `count` float channels, copies averaged."""
        matched = np.flatnonzero(self.source != UNMATCHED)
        copies = np.bincount(self.source[matched], minlength=count)
        matrix = np.zeros((len(self.source), count))
        matrix[matched, self.source[matched]] = self.step[matched] / copies[self.source[matched]]
        return matrix


def match(weights: PoseNetWeights, body: Sequence[ReadLayer]) -> list[Channels] | None:
    """The channels of every body layer; None if the layers are not PoseNet's, one by one."""
    kinds = [(layer.spec.kind, layer.spec.kernel) for layer in body]
    if kinds != [(spec.kind, spec.kernel) for spec in network.BODY]:
        return None
    channels = Channels(np.arange(network.INPUT_CHANNELS), np.full(network.INPUT_CHANNELS, weights.normalisation.scale))
    result = []
    for spec, layer in zip(network.BODY, body, strict=True):
        kernel = weights.body[spec.name].kernel.astype(np.float64)
        follow = _depthwise if spec.kind == "depthwise" else _dense
        channels = follow(kernel, layer.slopes, channels)
        result.append(channels)
    return result


def _dense(kernel: np.ndarray, slopes: np.ndarray, inputs: Channels) -> Channels:
    """`kernel` [K, K, C_in, C_out] of the float layer, `slopes` [taps, C, C'] of the kmodel's."""
    taps, _, count = slopes.shape
    known = np.flatnonzero(inputs.source != UNMATCHED)
    folded = np.zeros((taps, kernel.shape[2], count))
    # A copy adds its part: together the copies of a channel carry its weight.
    np.add.at(folded, (slice(None), inputs.source[known]), slopes[:, known] / inputs.step[known, None])
    wanted = kernel.reshape(taps, *kernel.shape[2:]).copy()
    wanted[:, np.setdiff1d(np.arange(kernel.shape[2]), inputs.source[known])] = 0
    folded, wanted = folded.reshape(-1, count), wanted.reshape(-1, kernel.shape[3])
    ours, theirs = np.linalg.norm(folded, axis=0), np.linalg.norm(wanted, axis=0)
    cosine = (folded / _positive(ours)).T @ (wanted / _positive(theirs))
    best, closest = cosine.argmax(1), cosine.max(1)
    return Channels(np.where(closest >= LEAST_COSINE, best, UNMATCHED), _step(ours, theirs[best], closest))


def _depthwise(kernel: np.ndarray, slopes: np.ndarray, inputs: Channels) -> Channels:
    """`kernel` [3, 3, C, 1] of the float layer, `slopes` [9, C'] of the kmodel's."""
    slopes, wanted = slopes / inputs.step, kernel.reshape(len(slopes), -1)[:, inputs.source]
    ours, theirs = np.linalg.norm(slopes, axis=0), np.linalg.norm(wanted, axis=0)
    cosine = (slopes * wanted).sum(0) / _positive(ours * theirs)
    # A channel that is always zero has lost its kernel, and stands for nothing.
    return Channels(np.where(ours > 0, inputs.source, UNMATCHED), _step(ours, theirs, cosine))


def _step(ours: np.ndarray, theirs: np.ndarray, cosine: np.ndarray) -> np.ndarray:
    """The step that brings a kernel nearest to the float one; where they hardly agree, as long as that one."""
    return _positive(theirs / _positive(ours * np.where(cosine >= LEAST_COSINE, cosine, 1.0)))


def _positive(norms: np.ndarray) -> np.ndarray:
    return np.where(norms > 0, norms, 1.0)
