"""The figures of a proof; apart from proving itself, so that reading kept ones needs no TensorFlow."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

# Greatest differences allowed, in logits and pixels.
PUBLISHED_TOLERANCE = 1e-4
TFLITE_TOLERANCE = 1e-3
# A quantised file agrees with its own float weights to within its quantisation: Coral's heatmap has 37 dB.
QUANTISED_HEATMAP_DB = 35.0

Differences = dict[str, float]


@dataclass(frozen=True)
class Proof:
    """Greatest absolute differences per size and head, in the head's own unit (logit or pixels).

    `published` were allowed to be `tolerance`; for a quantised file `published_db` has dB per size and head instead.
    """

    published: dict[str, Differences]
    tolerance: float
    published_db: dict[str, dict[str, float]]
    tflite: dict[str, Differences]

    def to_json(self) -> bytes:
        """For the cache."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, raw: bytes) -> Proof:
        """What `to_json` gave; ValueError or TypeError for anything else."""
        found = cls(**json.loads(raw))
        tables = (found.published, found.published_db, found.tflite)
        numbers = [found.tolerance, *(value for table in tables for row in table.values() for value in row.values())]
        if not all(isinstance(value, float | int) for value in numbers):
            raise ValueError("a proof of something else than numbers")
        return found
