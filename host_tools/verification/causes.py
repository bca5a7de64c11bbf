"""Looks for the cause of wrong heads: simulates what may have gone wrong, and names what gives the board's bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from conversion import network
from conversion.errors import ConversionError
from conversion.kmodel.v3 import ConvLayer, V3Model
from conversion.kpu.posenet import Heads, Simulation
from conversion.progress import Report
from conversion.test_card import planes_of
from host_tools.verification import pictures
from host_tools.verification.comparison import differing_bytes
from host_tools.verification.model import Model

# Pooling that keeps the top left pixel of each 2x2 window, and the top right one.
_LEFT, _RIGHT = 5, 6
# An imperfect explanation is worth telling if it leaves at most this share of the differing bytes.
_WORTH_TELLING = 0.2


@dataclass(frozen=True)
class Cause:
    """What happened, in words; `left` bytes still differ when it is simulated (0: it explains everything)."""

    text: str
    left: int

    @property
    def certain(self) -> bool:
        """Whether simulating it gives exactly the board's heads."""
        return self.left == 0


def find(model: Model, words: np.ndarray, expected: Heads, found: Heads, report: Report) -> Cause | None:
    """The cause that explains the board's heads `found` for a picture of RGB565 `words`, uint16 [H, W].

    The first exact one, else the best of those that explain most of what differs, else None. `expected` are the heads
    as they should be; `report` is told of each trial.
    """
    trials = list(_trials(model, words, expected))
    best = None
    most = _WORTH_TELLING * differing_bytes(expected, found)
    for number, (text, heads_of) in enumerate(trials):
        report("looking for the cause", number, len(trials), "guesses")
        heads = _tried(heads_of)
        if heads is None:
            continue
        left = differing_bytes(heads, found)
        if left <= most and (best is None or left < best.left):
            best = Cause(text, left)
        if left == 0:
            break
    return best


def _tried(heads_of: Callable[[], Heads]) -> Heads | None:
    """None where the simulator itself refuses what is to be simulated."""
    try:
        return heads_of()
    except ConversionError:
        return None


def _trials(model: Model, words: np.ndarray, expected: Heads) -> Iterator[tuple[str, Callable[[], Heads]]]:
    yield from _read_wrongly(expected)
    for text, planes in pictures.slips(words):
        yield text, lambda planes=planes: model.simulation.heads(planes())
    true = planes_of(words)
    for text, kmodel in _other_chips(model.kmodel):
        yield text, lambda kmodel=kmodel: Simulation(kmodel, str(model.path)).heads(true)


def _read_wrongly(expected: Heads) -> Iterator[tuple[str, Callable[[], Heads]]]:
    """The right heads, taken from memory in a wrong way."""
    forward, backward = network.HEAD_NAMES[2:]
    swapped = {**expected, forward: expected[backward], backward: expected[forward]}
    yield f"the heads {forward} and {backward} are swapped", lambda: swapped
    yield "the heads are stored cell by cell (NHWC), not channel by channel", lambda: _each(expected, _cell_by_cell)
    yield "the heads are read with x and y swapped", lambda: _each(expected, _transposed)
    yield "the heads are empty (zeros): the KPU wrote nothing there", lambda: _each(expected, np.zeros_like)
    yield "the heads are signed (value - 128)", lambda: _each(expected, lambda head: head ^ 0x80)


def _each(heads: Mapping[str, np.ndarray], change: Callable[[np.ndarray], np.ndarray]) -> Heads:
    return {name: change(head) for name, head in heads.items()}


def _cell_by_cell(head: np.ndarray) -> np.ndarray:
    return head.transpose(1, 2, 0).reshape(head.shape)


def _transposed(head: np.ndarray) -> np.ndarray:
    return head.transpose(0, 2, 1).reshape(head.shape)


def _other_chips(kmodel: V3Model) -> Iterator[tuple[str, V3Model]]:
    """The model on a KPU that does something else than the simulator thinks."""
    yield (
        "the KPU pads pictures with 0, not with the layer's pad value",
        _with_layers(kmodel, lambda layer: _with_registers(layer, pad_value=0)),
    )
    yield (
        "the KPU's pooling by 2 keeps the right one of two pixels, not the left one (or the other way round)",
        _with_layers(kmodel, _other_corner),
    )


def _with_layers(kmodel: V3Model, change: Callable[[ConvLayer], ConvLayer]) -> V3Model:
    return replace(
        kmodel,
        layers=tuple(change(layer) if isinstance(layer, ConvLayer) else layer for layer in kmodel.layers),
    )


def _with_registers(conv: ConvLayer, **values: int) -> ConvLayer:
    return replace(conv, layer=replace(conv.layer, registers=replace(conv.layer.registers, **values)))


def _other_corner(conv: ConvLayer) -> ConvLayer:
    pool = conv.layer.registers.pool_type
    return _with_registers(conv, pool_type={_LEFT: _RIGHT, _RIGHT: _LEFT}.get(pool, pool))
