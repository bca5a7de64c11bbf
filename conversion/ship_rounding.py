"""Computes the rounding that `quantisation/known/` ships: `make rounding`. Needs the photos; nobody else does."""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import rich_click as click

from conversion import command_line, files, photos, pipeline, progress
from conversion import weights as weights_files
from conversion.errors import ConversionError, RoundingError
from conversion.evaluation import coco as coco_sets
from conversion.evaluation import evaluate
from conversion.evaluation.evaluate import Trial
from conversion.nncase.compilation import COMPILE_SIZE
from conversion.outside import reading
from conversion.pipeline import Recipe
from conversion.posenet_weights import PoseNetWeights
from conversion.printing import talk, talk_console
from conversion.quantisation import choice
from conversion.quantisation.known import learning, packing, range_pictures, shipped
from conversion.quantisation.known.packing import Packed
from conversion.weights import known

# What package data may take.
MOST_BYTES = 900_000


class _Commands(command_line.Commands):
    """With this package's errors."""

    errors = (ConversionError,)


@click.group(cls=_Commands, invoke_without_command=False)
def main() -> None:
    """The shipped rounding."""


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--weights", type=click.Path(path_type=Path), multiple=True, help="Default: both known tfjs forms.")
@click.option("--coco", type=click.Path(path_type=Path), required=True, help="Annotations of the photos that measure.")
@click.option("--images", type=click.Path(path_type=Path), required=True, help="Folder with those photos.")
@click.option("--where", metavar="FIELD=VALUE", help="Only photos whose image entry has this value.")
@click.option("--output", type=click.Path(path_type=Path), default=shipped.FOLDER, help="Folder; default: the package.")
def make(folder: Path, weights: tuple[Path, ...], coco: Path, images: Path, where: str | None, output: Path) -> None:
    """Fit the rounding of known weights to the photos in FOLDER, prove it, measure it on others, and write it."""
    names = weights or tuple(Path(each.name) for each in known.published() if each.form.startswith("tfjs"))
    # What would stop it after minutes of work, stops it now.
    files.check_writable(output)
    coco_sets.read(coco, images, where, None)
    published = [weights_files.load(name, progress=True) for name in names]
    talk(f"calibrating on the photos of {folder}")
    packed = computed(published[0], folder)
    data = packing.pack(packed, published)
    _check(data, packed, published)
    with tempfile.TemporaryDirectory(prefix="rounding-") as scratch:
        figures = _measured(packed, published[0], Path(scratch), Trial("", coco, images, where, weights=names[0]))
    files.write(output / shipped.CODES, data)
    files.write(output / shipped.DESCRIPTION, _json(description(folder, published, packed, data, figures)))
    click.echo(f"{len(data):,} bytes: {figures['sqnr_db']}, {figures['displacement_px']}")


def computed(weights: PoseNetWeights, folder: Path) -> Packed:
    """The rounding of some weights, fitted to the photos of a folder by the recipe of what is shipped."""
    pool = range_pictures.drawn(range(range_pictures.POOL), *COMPILE_SIZE)
    with progress.bar(talk_console.is_terminal) as report:
        network, codings = learning.learn(weights, folder, pool, report)
    numbers = [_number(picture, pool) for picture in network.pictures]
    return Packed(network.layers, network.head_scales, codings, numbers, COMPILE_SIZE)


def _number(picture: np.ndarray, pool: np.ndarray) -> int:
    return next(number for number, other in enumerate(pool) if np.array_equal(picture, other))


def _check(data: bytes, packed: Packed, published: Sequence[PoseNetWeights]) -> None:
    """RoundingError unless the file is small and gives back every code for each of the weights."""
    if len(data) > MOST_BYTES:
        raise RoundingError(f"{len(data)} bytes are more than the {MOST_BYTES} that may be shipped")
    wanted = shipped.codes_sha256(packed.layers)
    for weights in published:
        if shipped.codes_sha256(packing.unpack(data, weights).layers) != wanted:
            raise RoundingError(f"{weights.origin}: what was packed is not what is unpacked")


def _measured(packed: Packed, weights: PoseNetWeights, output: Path, trial: Trial) -> dict:
    """The kmodel proved as `make kmodel` proves it, and the figures that `evaluate` finds."""
    network = packed.network(weights)
    rounding = choice.Choice(choice.SHIPPED, network.pictures, {"photos": "a trial", "count": 0}, network)
    made = pipeline.rounded(Recipe(output), weights, rounding, talk_console.is_terminal, talk)
    pipeline.write(made)
    on_kmodel = Trial(str(made.path), trial.annotations, trial.images, trial.where, weights=trial.weights)
    found = evaluate.evaluate(on_kmodel, talk_console.is_terminal, talk).card_entry(on_kmodel.command())
    return {name: found[name] for name in ("set", "keypoints", "sqnr_db", "displacement_px")}


def description(
    folder: Path, published: Sequence[PoseNetWeights], packed: Packed, data: bytes, figures: Mapping
) -> dict:
    """What is written beside the codes `data`: whose they are, from which photos, and the figures that they reached."""
    listing = "".join(f"{reading.file_sha256(path)}  {path.name}\n" for path in photos.in_folder(folder))
    return {
        "format": shipped.FORMAT,
        "recipe": learning.RECIPE,
        "weights": [{"name": each.origin.name or "unknown", "sha256": each.digest()} for each in published],
        "photos": {"count": listing.count("\n"), "sha256": hashlib.sha256(listing.encode()).hexdigest()},
        "file": {"bytes": len(data), "sha256": reading.sha256(data)},
        "codes": {
            "count": sum(layer.codes.size for layer in packed.layers.values()),
            "sha256": shipped.codes_sha256(packed.layers),
        },
        "figures": figures,
    }


def _json(entries: Mapping) -> bytes:
    return (json.dumps(entries, indent=2) + "\n").encode()


if __name__ == "__main__":
    sys.exit(main())
