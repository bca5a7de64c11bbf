"""What an evaluation found, summed up over its photos, and its two written forms: JSON and the model card's entry."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from conversion.evaluation.bootstrap import Difference
from conversion.evaluation.coco import CocoSet
from conversion.evaluation.displacement import Displacement
from conversion.evaluation.layers import LayerLoss
from conversion.evaluation.oks import Alone, Precision

# What is written of a displacement; the number of keypoints stands apart.
_MOVED = ("median", "p90", "cell_flips", "jumps", "steady_median", "steady_p90")


@dataclass(frozen=True)
class FalsePositives:
    """Poses that a stage finds on photos without people."""

    photos: int
    photos_with_poses: int
    poses: int

    @property
    def poses_a_photo(self) -> float:
        """Mean number of poses on a photo."""
        return self.poses / self.photos


@dataclass(frozen=True)
class ZoomFigures:
    """What a board with a VGA camera reaches with one value of `zoom`; `difference` in AP is to zoom 0, `runs` of the
    network a photo."""

    zoom: int
    precision: Precision
    alone: Alone
    difference: Difference
    runs: float

    def to_dict(self) -> dict:
        """For JSON."""
        return {
            "zoom": self.zoom,
            **_rounded(asdict(self.precision), 4),
            "difference": {"ap": self.difference.to_list()},
            "one_person": self.alone.oks and round(self.alone.oks, 4),
            "runs": round(self.runs, 2),
        }


@dataclass(frozen=True)
class LargerFigures:
    """What the published network reaches on a larger picture, of that width and height; `difference` as of zoom."""

    size: tuple[int, int]
    precision: Precision
    difference: Difference

    def to_dict(self) -> dict:
        """For JSON."""
        return {
            "size": "{}x{}".format(*self.size),
            **_rounded(asdict(self.precision), 4),
            "difference": {"ap": self.difference.to_list()},
        }


@dataclass(frozen=True)
class Evaluation:
    """Figures by stage, in the order of the chain, and what the kmodel loses (empty, and None, for floats).

    `model` names what was evaluated; `model_sha256` is the kmodel file's, or for floats the digest of all weights.
    `differences` in AP are those of a kmodel's stages to the float network that is padded as the KPU pads; `alone`
    counts photos of one person, `false_positives` is empty unless photos without people were given, `zoom` and `larger`
    unless zoom was asked for.
    """

    model: str
    model_sha256: str
    size: tuple[int, int]
    coco: CocoSet
    precision: Mapping[str, Precision]
    differences: Mapping[str, Difference]
    alone: Mapping[str, Alone]
    sqnr_db: Mapping[str, float]
    displacement: Displacement | None
    layers: Sequence[LayerLoss]
    false_positives: Mapping[str, FalsePositives]
    zoom: Sequence[ZoomFigures] = ()
    larger: Sequence[LargerFigures] = ()

    def to_dict(self) -> dict:
        """For --json."""
        moved = self.displacement
        zoom = {"zoom": [each.to_dict() for each in self.zoom], "float": [each.to_dict() for each in self.larger]}
        return {
            "stages": [{"name": stage, **_rounded(asdict(found), 4)} for stage, found in self.precision.items()],
            "sqnr_db": _rounded(self.sqnr_db, 2),
            "displacement_px": moved and _displacement(moved),
            "images": len(self.coco.photos),
            "model_sha256": self.model_sha256,
            "differences": {stage: {"ap": found.to_list()} for stage, found in self.differences.items()},
            **(zoom if self.zoom else {}),
        }

    def card_entry(self, command: str) -> dict:
        """For the model card: all figures, with the command, the set and its hash that they come from."""
        figures = self.to_dict()
        del figures["model_sha256"], figures["images"]
        return {
            "command": command,
            "set": {
                "name": self.coco.name,
                "annotations": self.coco.file,
                "sha256": self.coco.sha256,
                "where": self.coco.choice["where"],
                "images": len(self.coco.photos),
                "persons": self.coco.persons,
            },
            **figures,
            "keypoints": self.displacement and self.displacement.keypoints,
            "one_person": {stage: asdict(found) for stage, found in self.alone.items()},
            "layers_db": {
                layer.name: _rounded({"weights": layer.weights_db, "kpu": layer.kpu_db}, 2) for layer in self.layers
            },
            "false_positives": {
                stage: {**asdict(found), "poses_a_photo": round(found.poses_a_photo, 4)}
                for stage, found in self.false_positives.items()
            },
        }


def _displacement(moved: Displacement) -> dict:
    interval = moved.p90_interval and [round(end, 4) for end in moved.p90_interval]
    return {**_rounded({name: getattr(moved, name) for name in _MOVED}, 4), "p90_interval": interval}


def signed(change: float, digits: int) -> str:
    """A change with its sign, as tables and plots show it; none has no sign."""
    shown = round(change, digits)
    return f"{shown:+.{digits}f}" if shown else f"{0:.{digits}f}"


def _rounded(figures: Mapping[str, float | None], digits: int) -> dict[str, float | None]:
    """JSON has no infinity: what is exact, or was never measured, is null."""
    return {
        name: None if value is None or not math.isfinite(value) else round(value, digits)
        for name, value in figures.items()
    }
