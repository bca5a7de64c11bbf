"""Every published form from file to keypoints, for the table in conversion/README.md.

`python -m tests.conversion.forms SHARED` prints it. SHARED is the folder of published models (see tests/README.md).
Of the frozen graph and the float TFLite file no copy is in it: files of the same structure are built from the
checkpoint's weights.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from conversion import network, pipeline, weights
from conversion.decoding import board_decoder
from conversion.pipeline import Kmodel, Recipe
from tests.conversion.weights import tf_files

CORAL = Path("coral") / "posenet_mobilenet_v1_075_353_481_quant_decoder.tflite"
HEADER = """\
| form | recognised as | equality with its own runtime | kmodel V3 | SQNR dB heatmap, offset, fwd, bwd | keypoints |
|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Form:
    """A published form: what people call it and the file or folder that is loaded."""

    name: str
    path: Path


@dataclass(frozen=True)
class Converted:
    """A form and the kmodel that was made of it."""

    form: Form
    recognised: str
    made: Kmodel

    @property
    def keypoints(self) -> int:
        """Keypoints of the sample photo that the board's single-pose decoder scores 0.5 or more."""
        pose = board_decoder.decode_single(self.made.sample_heads, self.made.card)
        return int((pose.keypoints[:, 2] >= 0.5).sum())

    @property
    def equality(self) -> str:
        """The figure of the proof: greatest difference, or dB for the quantised file."""
        proof = self.made.compiled.proof
        if proof.published_db:
            ((size, heads),) = proof.published_db.items()
            return f"heatmap {heads['heatmap']:.1f} dB at {size}"
        worst = max(max(heads.values()) for heads in proof.published.values())
        return f"{worst:.1g} at {', '.join(proof.published)}"


def forms(models: Path, scratch: Path) -> list[Form]:
    """All five, those without a copy built in `scratch`."""
    checkpoint = weights.load(models / "tfjs-checkpoint")
    frozen, float_tflite = scratch / "model-mobilenet_v1_075.pb", scratch / "multi_person_mobilenet_v1_075_float.tflite"
    frozen.write_bytes(tf_files.frozen_graph(checkpoint))
    float_tflite.write_bytes(tf_files.float_tflite(checkpoint))
    return [
        Form("tfjs graph model", models / "tfjs-graph"),
        Form("tfjs checkpoint", models / "tfjs-checkpoint"),
        Form("frozen graph, built from the checkpoint", frozen),
        Form("TFLite float, built from the checkpoint", float_tflite),
        Form("Coral quantised TFLite", models / CORAL),
    ]


def converted(models: Path, scratch: Path, quantisation: str = "fast") -> Iterator[Converted]:
    """Each form, converted at 320x240; plain rounding shows the importer as well and takes seconds."""
    for form in forms(models, scratch):
        recipe = Recipe(scratch, weights=form.path, quantisation=quantisation)
        made = pipeline.convert(recipe, False, lambda message: None)
        yield Converted(form, made.card["source"]["form"], made)


def row(one: Converted) -> str:
    """One row of the table."""
    card = one.made.card
    sqnr = ", ".join(f"{card['quantisation']['sqnr_db'][name]:.1f}" for name in network.HEAD_NAMES)
    return (
        f"| {one.form.name} | {one.recognised} | {one.equality} | {card['kmodel']['bytes']:,} bytes | {sqnr} | "
        f"{one.keypoints} |\n"
    )


def main(models: Path) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as scratch:
        print(HEADER, end="")
        for one in converted(models, Path(scratch)):
            print(row(one), end="", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
