"""How much a board may ask of the host: sizes that it announces, how often it may say the same kind of thing.

Nothing that a board sends may cost more than a small multiple of its bytes. The firmware stays far below all of these.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# The heads of 512x256, the largest model, have 58,880 bytes, a preview at its best some 30 kB; chunks of 720 bytes.
MOST_BLOCK_BYTES = 1 << 18
LEAST_CHUNK_BYTES = 64
# Events that wait for who asks for one of them; what a board says meanwhile is dropped from the oldest on.
MOST_KEPT_EVENTS = 20_000
# Names that one port's boards may have in turn: outputs keep something for each.
MOST_NAMES = 16
# Of each kind that is told of in words: so many at once, and then so many a second.
STORM_BURST = 20
STORM_PER_SECOND = 5.0


@dataclass
class Throttle:
    """Lets a burst of each kind through, then a few a second. `held_back` counts the others."""

    burst: float = STORM_BURST
    per_second: float = STORM_PER_SECOND
    held_back: int = 0
    _left: dict[type, tuple[float, float]] = field(default_factory=dict)

    def lets_through(self, kind: type, seconds: float) -> bool:
        """Whether one more of this kind may pass at that time of a clock that goes forward."""
        left, before = self._left.get(kind, (self.burst, seconds))
        left = min(self.burst, left + (seconds - before) * self.per_second)
        passes = left >= 1
        self._left[kind] = (left - 1 if passes else left, seconds)
        self.held_back += not passes
        return passes
