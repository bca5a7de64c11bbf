"""How long each layer takes on a board's KPU, against the time model (`conversion.kpu.time`).

The board times the first layer, the first two, and so on, each time with the copy of the last one's whole result to
main memory, which an ordinary run does not have. What is the copy's follows from all of them: results grow and shrink
from layer to layer, while what has been computed only grows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from conversion.feature_map import FeatureMap
from conversion.kmodel.v3 import V3Model
from conversion.kpu import time as kpu_time
from conversion.progress import Report, Talk, silent, unreported
from host_tools import time_limits
from host_tools.errors import BoardError, LinkError
from host_tools.serial_link import LayerTime, Link, Restarted, Trouble, remedy
from host_tools.verification import layers
from host_tools.verification.model import Model
from host_tools.verification.session import opened

_TRIES = 3
_POLL_SECONDS = 0.25


@dataclass(frozen=True)
class Layer:
    """A layer's number from 1, its name, and its microseconds: by the time model, and on the board."""

    number: int
    name: str
    estimated_us: float
    measured_us: float


@dataclass(frozen=True)
class Profile:
    """All layers; what the processor's copy of a result takes a byte, and what every run takes beside KPU and copy."""

    board: str
    size: str
    layers: tuple[Layer, ...]
    copy_nanoseconds_a_byte: float
    fixed_us: float

    @property
    def estimated_us(self) -> float:
        """Of all layers, without any copy."""
        return sum(layer.estimated_us for layer in self.layers)

    @property
    def measured_us(self) -> float:
        """Of all layers, without any copy."""
        return sum(layer.measured_us for layer in self.layers)

    def to_dict(self) -> dict:
        """The form of `profile --json`."""
        return {
            "board": self.board,
            "size": self.size,
            "estimated_us": round(self.estimated_us, 1),
            "measured_us": round(self.measured_us, 1),
            "copy_nanoseconds_a_byte": round(self.copy_nanoseconds_a_byte, 2),
            "fixed_us": round(self.fixed_us, 1),
            "layers": [
                {
                    "layer": layer.number,
                    "name": layer.name,
                    "estimated_us": round(layer.estimated_us, 1),
                    "measured_us": round(layer.measured_us, 1),
                }
                for layer in self.layers
            ],
        }


def run(link: Link, model: Model, report: Report = unreported, talk: Talk = silent) -> Profile:
    """Have the board measure, paused; it goes on afterwards if it ran before.

    BoardError or LinkError where it cannot: another kmodel, no copy for measuring, no memory, an older program.
    """
    with opened(link, model, talk) as session:
        for _ in range(_TRIES):
            times = _measured(link, report)
            if times is not None:
                width, height = model.size
                return judged(session.hello.board, f"{width}x{height}", model, times)
        raise LinkError(f"{link.port}: of {_TRIES} measurements none has arrived whole; take another cable, or no hub")


def _measured(link: Link, report: Report) -> list[int] | None:
    """Microseconds of the first layer, of the first two, …; None where some were lost on the line."""
    count = link.ask("PROFILE")
    found: dict[int, int] = {}
    silence = 0.0
    while silence < time_limits.PROFILE_SILENCE.seconds:
        events = link.poll(_POLL_SECONDS)
        silence = 0.0 if events else silence + _POLL_SECONDS
        for event in events:
            if isinstance(event, Restarted):
                raise LinkError(f"{link.port}: the board has restarted while it measured; look at its power supply")
            if isinstance(event, Trouble) and (event.keeps_from_frames or not found):
                raise BoardError(
                    f"{link.port}: the board reports error {event.code}: {event.text}; {remedy(event.code)}"
                )
            if isinstance(event, LayerTime):
                found[event.number] = event.microseconds
                report("the board measures", event.number, count, "layers")
                if event.number == count:
                    return [found[n] for n in range(1, count + 1)] if len(found) == count else None
    return None


def judged(board: str, size: str, model: Model, times: Sequence[int]) -> Profile:
    """Each layer's own time from those of the first layers (microseconds); LinkError unless there is one for each.

    times[n] = fixed + factor · (the model's time of the first n layers) + the copy's time for each of its bytes and of
    its rows, by least squares; then the copy is subtracted.
    """
    convolutions = [each.layer for each in model.kmodel.convolutions]
    if len(times) != len(convolutions):
        raise LinkError(f"the board measured {len(times)} layers, the kmodel has {len(convolutions)}: run `deploy`")
    estimated = np.array([kpu_time.seconds(layer.registers) * 1e6 for layer in convolutions])
    copied = _copied(model.kmodel, lambda result: result.bytes)
    rows = _copied(model.kmodel, lambda result: result.channels * result.height)
    terms = np.column_stack([np.ones(len(times)), estimated.cumsum(), copied, rows])
    (fixed, _, a_byte, a_row), *_ = np.linalg.lstsq(terms, np.array(times, float), rcond=None)
    measured = np.diff(np.array(times) - a_byte * copied - a_row * rows, prepend=fixed)
    names = [place.name for place in layers.table(model, ())]
    found = zip(range(1, len(times) + 1), names, map(float, estimated), map(float, measured), strict=True)
    return Profile(board, size, tuple(Layer(*row) for row in found), float(1000 * a_byte), float(fixed))


def _copied(model: V3Model, size: Callable[[FeatureMap], int]) -> np.ndarray:
    """What a run of the first n layers copies: the last one's result, and the heads before it, as in every run."""
    convolutions = model.convolutions
    results = np.array([size(each.layer.destination) for each in convolutions], float)
    kept = np.where([each.main_memory is not None for each in convolutions], results, 0)
    return results + kept.cumsum() - kept
