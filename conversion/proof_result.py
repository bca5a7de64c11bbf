"""The figures of a proof; apart from proving itself, so that reading kept ones needs no TensorFlow."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

# Greatest differences allowed, in logits and pixels.
PUBLISHED_TOLERANCE = 1e-4
TFLITE_TOLERANCE = 1e-3

Differences = dict[str, float]


@dataclass(frozen=True)
class Proof:
    """Greatest absolute differences per head, in the head's own unit (logit or pixels)."""

    published: dict[str, Differences]
    tflite: dict[str, Differences]

    def to_json(self) -> bytes:
        """For the cache and for --json."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, raw: bytes) -> Proof:
        """What `to_json` gave."""
        return cls(**json.loads(raw))
