"""From weights to a verified kmodel with its card and report; every slow step is kept by content and done once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from conversion import __version__, card, files, metrics, network, photos
from conversion import weights as weights_files
from conversion.errors import ModelFormatError, ProofError, SizeError
from conversion.kmodel import assemble, sampling, turning, v3, v5_container
from conversion.kmodel.plan import RamPlan, check_size
from conversion.kpu import fastest
from conversion.kpu.posenet import Heads, Simulation, real_values
from conversion.nncase import compilation, sizes
from conversion.nncase.compilation import Compiled
from conversion.posenet_weights import Origin, PoseNetWeights
from conversion.progress import Talk
from conversion.quantisation import calibration, choice
from conversion.quantisation.choice import Choice
from conversion.tensorflow import reference
from conversion.test_vector import test_vector

# The figures of a run are taken on the first photos of the calibration, so that a repeated run takes seconds.
MEASURED_PHOTOS = 8
# Correct conversions of plain rounding have 9 dB and more; a head below this is not the network any more.
LEAST_SQNR_DB = 3.0


@dataclass(frozen=True)
class Recipe:
    """What a user asks for; the command line explains each."""

    output: Path
    width: int = 320
    height: int = 240
    weights: Path | None = None
    calibration: Path | None = None
    version: int = v3.VERSION
    known_only: bool = False
    quantisation: str | None = None
    turned: bool = False

    @property
    def compile_size(self) -> tuple[int, int]:
        """The size that nncase compiles: its own file is for one size, V3 is planned anew for any."""
        return (self.width, self.height) if self.version == v5_container.VERSION else compilation.COMPILE_SIZE

    @property
    def picture(self) -> tuple[int, int]:
        """Width and height of the picture as people stand in it; in memory that of a turned one lies on its side."""
        return (self.height, self.width) if self.turned else (self.width, self.height)

    @property
    def name(self) -> str:
        """The kmodel's file."""
        return f"{network.NAME}-{self.width}x{self.height}{'-turned' if self.turned else ''}.kmodel"


@dataclass(frozen=True)
class Kmodel:
    """A finished conversion: what is written, and what the report and the summary tell about it."""

    path: Path
    data: bytes
    card: dict
    compiled: Compiled
    plan: RamPlan
    sample_heads: Heads
    sample_float_heads: Heads


def convert(recipe: Recipe, progress: bool, talk: Talk) -> Kmodel:
    """Convert, prove and measure; writes nothing but the cache. Raises ConversionError for whatever stops it.

    `progress` allows progress bars, `talk` is told what is being done.
    """
    check_size(recipe.width, recipe.height)
    if recipe.version == v5_container.VERSION:
        if recipe.turned:
            raise SizeError("a turned picture and format v5: nncase's own file cannot be turned; leave --format out")
        sizes.check(recipe.width, recipe.height)
    source = weights_files.load(recipe.weights, recipe.known_only, progress)
    talk(f"weights: {source.origin.form}, {source.origin}")
    for note in source.origin.notes:
        talk(f"note: {note}")
    rounding = choice.choose(recipe.quantisation, source, recipe.calibration, recipe.compile_size, talk)
    return rounded(recipe, source, rounding, progress, talk)


def rounded(recipe: Recipe, source: PoseNetWeights, rounding: Choice, progress: bool, talk: Talk) -> Kmodel:
    """`convert` for weights that have been read, and a rounding that has been chosen."""
    calibrated = rounding.name != choice.FAST
    compiled = compilation.compile_weights(source, rounding.pictures, calibrated, talk, progress, rounding.network)
    talk(f"planning KPU RAM for {recipe.width}x{recipe.height}")
    if recipe.version == v3.VERSION:
        upright = compiled.network
        compiled = replace(compiled, network=sampling.early(turning.turned(upright) if recipe.turned else upright))
    the_plan = fastest.plan(compiled.network, recipe.width, recipe.height)
    return _measured(recipe, source, rounding, compiled, the_plan, talk)


def _measured(
    recipe: Recipe, source: PoseNetWeights, rounding: Choice, compiled: Compiled, the_plan: RamPlan, talk: Talk
) -> Kmodel:
    model = assemble.assemble(compiled.network, the_plan)
    data = v3.write(model) if recipe.version == v3.VERSION else compiled.kmodel
    path = recipe.output / recipe.name
    simulation = Simulation(model, path.name, recipe.turned)
    the_card = {
        "format": card.FORMAT,
        "kmodel": card.kmodel_entry(path.name, data),
        **card.network_entries(compiled.network, the_plan, model.main_memory_bytes, recipe.turned),
        "source": _source(source.origin),
        "tools": {
            "posenet-maix": __version__,
            "nncase": compilation.nncase_version(),
            "tensorflow": reference.tensorflow_version(),
        },
        "calibration": dict(rounding.photos),
    }
    talk("measuring the kmodel against the float network")
    measured = calibration.pictures(recipe.calibration, *recipe.picture, MEASURED_PHOTOS)
    figures = measure(source, simulation, measured, the_card)
    _demand(figures)
    the_card["quantisation"] = {"recipe": rounding.name, "sqnr_db": figures, "photos": len(measured)}
    the_card["test_vector"] = test_vector(simulation, the_card)
    sample = photos.letterbox(photos.bundled(photos.SAMPLE), *recipe.picture)
    return Kmodel(
        path=path,
        data=data,
        card=the_card,
        compiled=compiled,
        plan=the_plan,
        sample_heads=simulation.heads(simulation.in_memory(photos.planes(sample))),
        sample_float_heads=_first(reference.float_heads(source, sample[None])),
    )


def measure(source: PoseNetWeights, simulation: Simulation, pictures: np.ndarray, the_card: dict) -> dict[str, float]:
    """SQNR in dB per head of a kmodel against the float network, pooled over upright uint8 [N, H, W, 3] pictures."""
    upright = photos.planes(pictures)
    raw = [simulation.upright(simulation.heads(simulation.in_memory(planes))) for planes in upright]
    stacked = {name: np.stack([heads[name] for heads in raw]) for name in network.HEAD_NAMES}
    figures = metrics.sqnr_db(reference.float_heads(source, pictures), real_values(stacked, the_card))
    return {name: round(value, 2) for name, value in figures.items()}


def _demand(figures: dict[str, float]) -> None:
    for name, value in figures.items():
        if value < LEAST_SQNR_DB:
            raise ProofError(f"head {name} of the kmodel has {value} dB against the float network; nothing is written")


def _source(origin: Origin) -> dict:
    return {
        "form": origin.form,
        "name": origin.name or "unknown",
        "sha256": dict(origin.files),
        "notes": list(origin.notes),
    }


def _first(heads: Heads) -> Heads:
    return {name: head[0] for name, head in heads.items()}


def write(kmodel: Kmodel) -> None:
    """Write kmodel and card, each whole or not at all; OutputError says why not.

    What `evaluate` has noted in the card of the very same kmodel stays.
    """
    try:
        noted = card.read_for(kmodel.path, kmodel.data)
    except ModelFormatError:
        noted = {}
    if "evaluation" in noted:
        kmodel.card["evaluation"] = noted["evaluation"]
    files.write(kmodel.path, kmodel.data)
    files.write(card.path_beside(kmodel.path), card.to_json(kmodel.card))
