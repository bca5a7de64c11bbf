"""The KPU's second half: batch norm and activation table, from convolution sums to bytes, exactly and fast.

Every byte is a rising step function of its channel's sum, given by at most 255 integer thresholds. A straight line
in floating point guesses the byte from below and from above; the guess is proven at every threshold when the layer is
loaded, and where both guesses differ the threshold itself decides. Tables that do not rise are computed literally.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from conversion.errors import ModelFormatError
from conversion.kmodel.layer import SEGMENTS
from conversion.kmodel.registers import sign_extended

# Batch norm results and segment starts are signed 36-bit numbers; the lowest one belongs to no segment.
LOWEST = -(1 << 35) + 1
HIGHEST = (1 << 35) - 1
UNREACHED = HIGHEST + 1
# Beyond this a shift of 64-bit products means nothing; compilers emit up to 43.
MAX_SHIFT = 62
LEVELS = 256
# A straight line that is further off than this leaves too many bytes to the thresholds to be worth its while.
_WORST_ERROR = 1 / 8
# The ways in which a line and a clip may round, on top of the error measured at the thresholds (float32 at 255).
_ROUNDING = 2.0**-14


class BatchNorm:
    """v = (sum * multiplier >> shift) + offset per channel; arrays are int64 [C]."""

    def __init__(self, data: bytes) -> None:
        words = np.frombuffer(data, "<u8").tolist()
        self.multiplier = np.array([sign_extended(word, 24) for word in words], np.int64)
        self.offset = np.array([sign_extended(word >> 24, 32) for word in words], np.int64)
        self.shift = np.array([word >> 56 & 15 for word in words], np.int64)

    def apply(self, sums: np.ndarray, channels: slice = slice(None)) -> np.ndarray:
        """int64 [C, n] sums of these channels (36 bits, so that the product fits 64) -> int64 [C, n]."""
        multiplier, shift, offset = (part[channels, None] for part in (self.multiplier, self.shift, self.offset))
        return (sums * multiplier >> shift) + offset


class ActivationTable:
    """Sixteen straight pieces; arrays are int64 [16]. Raises ModelFormatError where `data` is no sound table."""

    def __init__(self, data: bytes, where: str) -> None:
        self._data = bytes(data)
        segments = struct.unpack_from(f"<{SEGMENTS}Q", data)
        self.start = np.array([sign_extended(segment >> 24, 36) for segment in segments], np.int64)
        self.multiplier = np.array([sign_extended(segment >> 8, 16) for segment in segments], np.int64)
        self.shift = np.array([segment & 0xFF for segment in segments], np.int64)
        self.offset = np.frombuffer(data, np.uint8, SEGMENTS, 8 * SEGMENTS).astype(np.int64)
        if self.start[0] != LOWEST - 1 or (np.diff(self.start) < 0).any():
            raise ModelFormatError(f"{where}: the activation table's segments do not ascend from -2^35")
        if self.shift.max() > MAX_SHIFT:
            raise ModelFormatError(f"{where}: the activation table shifts by {self.shift.max()} bits")

    def apply(self, values: np.ndarray) -> np.ndarray:
        """int64 values of 36 bits -> uint8, literally: the last segment that starts below the value, rounded."""
        segment = np.searchsorted(self.start, values, side="left") - 1
        product = (values - self.start[segment]) * self.multiplier[segment]
        result = _shifted(product, self.shift[segment]) + self.offset[segment]
        return np.clip(result, 0, LEVELS - 1).astype(np.uint8)

    @property
    def rises(self) -> bool:
        """True if no value gives less than the value below it."""
        used = np.diff(self.start, append=HIGHEST) > 0
        below = self.start[1:].clip(LOWEST, HIGHEST - 1)
        return bool((self.multiplier[used] >= 0).all() and (self.apply(below) <= self.apply(below + 1)).all())

    def thresholds(self) -> np.ndarray:
        """int64 [256]: the lowest value whose result is at least k (a rising table only), UNREACHED if none is."""
        return _thresholds(self._data)

    def _search_thresholds(self) -> np.ndarray:
        levels = np.arange(LEVELS)
        low, high = np.full(LEVELS, LOWEST), np.full(LEVELS, UNREACHED)
        while (low < high).any():
            middle = (low + high) >> 1
            reached = self.apply(middle.clip(max=HIGHEST)) >= levels
            low, high = np.where(reached, low, middle + 1).clip(max=UNREACHED), np.where(reached, middle, high)
        return high


@lru_cache(maxsize=256)
def _thresholds(data: bytes) -> np.ndarray:
    """Most of the time that loading a model takes; a command loads the same one several times."""
    found = ActivationTable(data, "")._search_thresholds()
    found.flags.writeable = False
    return found


def _shifted(product: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """product / 2^shift, ties to even; below zero it rounds as the KPU does, which is not symmetrical."""
    quotient = product >> shift
    fraction = product - (quotient << shift)
    half = (np.int64(1) << shift) >> 1
    carry = (shift > 0) & ((fraction > half) | ((fraction == half) & (quotient & 1 == 1)))
    return quotient + np.where(carry, np.where(product < 0, -1, 1), 0)


@dataclass(frozen=True)
class SumRange:
    """What a layer's convolution can give: `low` to `high` plus `constant`, int64 [C] each."""

    low: np.ndarray
    high: np.ndarray
    constant: np.ndarray


class Activation:
    """Batch norm and table of one layer: sums without their constant, float [C, n] -> uint8 [C, n].

    Raises ModelFormatError if a sum or a batch norm result can leave the KPU's 36 bits.
    """

    def __init__(
        self, batch_norm: BatchNorm, table: ActivationTable, sums: SumRange, dtype: np.dtype, where: str
    ) -> None:
        self.table = table
        self._batch_norm, self._constant = batch_norm, sums.constant[:, None]
        ends = np.stack((sums.low, sums.high), 1) + self._constant
        _demand_36_bits(ends, f"{where}: convolution sums")
        _demand_36_bits(batch_norm.apply(ends), f"{where}: batch norm results")
        rises = table.rises and (batch_norm.multiplier >= 0).all()
        self._line = _fit(batch_norm, table, sums, dtype) if rises else None

    @property
    def fast(self) -> bool:
        """True if a line was proven; otherwise every byte is computed literally."""
        return self._line is not None

    def __call__(self, sums: np.ndarray, channels: slice = slice(None)) -> np.ndarray:
        return self.literal(sums, channels) if self._line is None else self._line.apply(sums, channels)

    def literal(self, sums: np.ndarray, channels: slice = slice(None)) -> np.ndarray:
        """The same in 64-bit integers, segment by segment."""
        values = self._batch_norm.apply(sums.astype(np.int64) + self._constant[channels], channels)
        return self.table.apply(values)


def _demand_36_bits(ends: np.ndarray, what: str) -> None:
    worst = ends.flat[np.abs(ends).argmax()]
    if not LOWEST <= worst <= HIGHEST:
        raise ModelFormatError(f"{what} reach {worst}; the KPU has 36 bits for them")


@dataclass(frozen=True)
class _Line:
    """Two guesses at every byte: the whole parts of sum * slope + intercept and of `gap` more, within `ends`.

    `thresholds` [C, 256] are the lowest sums that give at least a byte; slope and intercept are [C, 1].
    """

    slope: np.ndarray
    intercept: np.ndarray
    gap: float
    ends: tuple[int, int]
    thresholds: np.ndarray

    def apply(self, sums: np.ndarray, channels: slice) -> np.ndarray:
        """float [C, n] -> uint8 [C, n], exact: where the guesses differ, by one, the upper one's threshold decides."""
        lower, upper = self.guesses(sums, channels)
        unsettled = np.flatnonzero(lower != upper)
        level = upper.reshape(-1)[unsettled]
        rows = self.thresholds[channels].reshape(-1)
        at = rows[unsettled // sums.shape[1] * LEVELS + level]
        lower.reshape(-1)[unsettled] = level - (sums.reshape(-1)[unsettled] < at)
        return lower

    def guesses(self, sums: np.ndarray, channels: slice) -> tuple[np.ndarray, np.ndarray]:
        """The lower and the upper guess; both rise with the sum, as rounding and clipping keep order."""
        values = sums * self.slope[channels]
        values += self.intercept[channels]
        values.clip(*self.ends, out=values)
        lower = values.astype(np.uint8)
        values += self.gap
        return lower, values.astype(np.uint8)

    def holds(self, thresholds: np.ndarray, sums: SumRange) -> bool:
        """Proof: steps that rise on both sides keep their order everywhere if they keep it at each step."""
        levels = np.arange(1, LEVELS)
        steps = thresholds[:, 1:]
        dtype = self.slope.dtype
        _, upper = self.guesses(steps.astype(dtype), slice(None))
        lower, _ = self.guesses((steps - 1).astype(dtype), slice(None))
        reached, avoided = steps <= sums.high[:, None], steps > sums.low[:, None]
        return bool((upper >= levels)[reached].all() and (lower < levels)[avoided].all())


def _fit(batch_norm: BatchNorm, table: ActivationTable, sums: SumRange, dtype: np.dtype) -> _Line | None:
    """A line for a rising layer, proven; None if no single line comes close to its steps."""
    reached = table.thresholds()
    thresholds = _sum_thresholds(batch_norm, reached, sums)
    slope, intercept = (values[:, None].astype(dtype) for values in _main_piece(batch_norm, table, reached, sums))
    ends = (int(table.apply(np.array(LOWEST))), int(table.apply(np.array(HIGHEST))))
    levels = np.arange(ends[0] + 1, ends[1] + 1)
    steps = thresholds[:, levels]
    late = (levels - (steps.astype(dtype) * slope + intercept))[steps <= sums.high[:, None]]
    early = ((steps - 1).astype(dtype) * slope + intercept - levels)[steps > sums.low[:, None]]
    before, behind = late.max(initial=0) + _ROUNDING, early.max(initial=0) + _ROUNDING
    if max(before, behind) > _WORST_ERROR:
        return None
    line = _Line(slope, (intercept - behind).astype(dtype), float(before + behind), ends, thresholds.astype(dtype))
    return line if line.holds(thresholds, sums) else None


def _sum_thresholds(batch_norm: BatchNorm, reached: np.ndarray, sums: SumRange) -> np.ndarray:
    """int64 [C, 256]: the lowest sum, without its constant, that gives at least k; high + 1 if none does."""
    rest = (reached - batch_norm.offset[:, None]) << batch_norm.shift[:, None]
    flat = batch_norm.multiplier == 0
    lowest = -(-rest // np.where(flat, 1, batch_norm.multiplier)[:, None]) - sums.constant[:, None]
    always, never = np.int64(LOWEST * 2), np.int64(HIGHEST * 2)
    lowest = np.where(flat[:, None], np.where(rest <= 0, always, never), lowest)
    return lowest.clip(sums.low[:, None], sums.high[:, None] + 1)


def _main_piece(
    batch_norm: BatchNorm, table: ActivationTable, reached: np.ndarray, sums: SumRange
) -> tuple[np.ndarray, np.ndarray]:
    """Slope and intercept, float64 [C], of the table's piece with the most steps, as byte + 1/2 over the sum."""
    steps = reached[(reached > LOWEST) & (reached < UNREACHED)]
    pieces = np.searchsorted(table.start, steps, side="left") - 1
    main = np.bincount(pieces, minlength=1).argmax()
    rise = np.ldexp(float(table.multiplier[main]), -int(table.shift[main]))
    gain = np.ldexp(batch_norm.multiplier.astype(np.float64), -batch_norm.shift)
    offset = sums.constant * gain + batch_norm.offset - table.start[main]
    return gain * rise, offset * rise + table.offset[main] + 0.5
