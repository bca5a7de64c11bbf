"""Evaluates a kmodel, or the float network, on a COCO set: what each stage from published file to board costs."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from conversion import card, files, photos
from conversion import weights as weights_files
from conversion.errors import ModelFormatError, OutputError, SizeError, WeightsNotFoundError
from conversion.evaluation import bootstrap, channels, coco, displacement, layers, oks, plot, readback
from conversion.evaluation.bootstrap import Difference
from conversion.evaluation.chain import FLOAT, PADDED, Findings, Setup
from conversion.evaluation.coco import CocoSet
from conversion.evaluation.layers import LayerLoss
from conversion.evaluation.oks import Ranking
from conversion.evaluation.result import Evaluation, FalsePositives, LargerFigures, ZoomFigures
from conversion.evaluation.workers import Workers
from conversion.evaluation.zoom import BASIS
from conversion.kmodel import turning, v3
from conversion.kpu import posenet
from conversion.metrics import Noise
from conversion.network import OUTPUT_STRIDE
from conversion.outside.text import shown
from conversion.posenet_weights import PoseNetWeights
from conversion.printing import counted
from conversion.progress import Talk
from conversion.report import accuracy

FLOAT_MODEL = "float"
# What a card says of weights that are no published file.
UNKNOWN = "unknown"
DEFAULT_SIZE = (320, 240)
# Float pictures need not fit the KPU; below this nothing can be seen, above it memory ends.
FLOAT_SIDES = range(64, 1024 + 1, OUTPUT_STRIDE)


@dataclass(frozen=True)
class Trial:
    """What to evaluate on what. `model` is a kmodel with its card, or "float" for the weights alone.

    `size` is for floats (None: 320x240); a kmodel has its own. `weights` None: those that the card names, or the
    published default. `no_people` is a folder of photos without people, `upright` takes photos that are higher than
    wide. `zoom` are settings of the board to compare.
    """

    model: str
    annotations: Path
    images: Path
    where: str | None = None
    size: tuple[int, int] | None = None
    limit: int | None = None
    weights: Path | None = None
    no_people: Path | None = None
    upright: bool = False
    zoom: tuple[int, ...] = ()
    # That figures of fewer photos may take the place of those of more in the card.
    replace: bool = False

    @property
    def goes_into_card(self) -> bool:
        """Whether the figures are worth keeping: those of a kmodel on a whole set."""
        return self.model != FLOAT_MODEL and self.limit is None

    def command(self) -> str:
        """The command that asks for this; files by their names alone, wherever they lie here."""
        words = ["python", "-m", "conversion", "evaluate", Path(self.model).name]
        options = {
            "coco": self.annotations.name,
            "images": self.images.name,
            "where": self.where,
            "size": self.size and f"{self.size[0]}x{self.size[1]}",
            "limit": self.limit,
            "weights": self.weights and self.weights.name,
            "no-people": self.no_people and self.no_people.name,
            "zoom": ",".join(map(str, self.zoom)) or None,
        }
        for name, value in options.items():
            if value is not None:
                words += [f"--{name}", str(value)]
        if self.upright:
            words.append("--upright")
        return shlex.join(words)


def evaluate(trial: Trial, progress: bool, talk: Talk) -> Evaluation:
    """Run every stage on every photo, on all cores. Raises ConversionError for whatever stops it.

    `progress` allows progress bars, `talk` is told what is being done. Starts processes by spawning: a script that
    calls this needs the usual `if __name__ == "__main__"`.
    """
    chosen = coco.read(trial.annotations, trial.images, trial.where, trial.limit, trial.upright)
    empty = photos.in_folder(trial.no_people) if trial.no_people else []
    setup, digest = _setup(trial, progress)
    talk(f"weights: {setup.weights.origin.form}, {setup.weights.origin}")
    talk(f"{', '.join(setup.stages)} at {setup.width}x{setup.height}, {counted(len(chosen.photos), 'photo')}")
    with Workers(setup, max(len(chosen.photos), len(empty)), progress) as workers:
        findings = workers.examine(chosen.photos)
        counts = workers.count_poses(empty)
    return _summed_up(trial, setup, digest, chosen, findings, counts)


def _setup(trial: Trial, progress: bool) -> tuple[Setup, str]:
    """What the workers get, and the SHA-256 that identifies it."""
    if trial.model == FLOAT_MODEL:
        if trial.zoom:
            raise SizeError("--zoom: the windows are a board's; give a kmodel in place of float")
        size = _float_size(trial.size or DEFAULT_SIZE)
        weights = weights_files.load(trial.weights, progress=progress)
        return Setup(weights, *size), weights.digest()
    path = Path(trial.model)
    found = posenet.read_described(path)
    readback.read(found.model, str(path))
    size = found.simulation.picture
    if trial.size not in (None, size):
        raise SizeError(f"{path}: the kmodel is for {size[0]}x{size[1]}; leave --size out or make another kmodel")
    weights = _weights_of(found.card, path, trial.weights, progress)
    # Zoom 0 is what the others are compared with.
    zoom = tuple(sorted({BASIS, *trial.zoom})) if trial.zoom else ()
    return Setup(weights, *size, found.data, found.card, zoom), _sha256(found.data)


def _float_size(size: tuple[int, int]) -> tuple[int, int]:
    if not all(side in FLOAT_SIDES for side in size):
        raise SizeError(
            f"size {size[0]}x{size[1]}: width and height must be multiples of {OUTPUT_STRIDE}, {FLOAT_SIDES[0]} to "
            f"{FLOAT_SIDES[-1]}"
        )
    return size


def _weights_of(the_card: dict, path: Path, given: Path | None, progress: bool) -> PoseNetWeights:
    """The weights that a kmodel was made of: what it is compared with must be its own float network."""
    source = the_card.get("source")
    if not isinstance(source, dict) or not isinstance(source.get("sha256"), dict):
        raise ModelFormatError(f"{card.path_beside(path)}: source is missing; make it anew with `make kmodel`")
    if given is None and source.get("name", UNKNOWN) == UNKNOWN:
        raise WeightsNotFoundError(f"{path} was made of weights that are not a published file; give them by --weights")
    weights = weights_files.load(given or Path(source["name"]), progress=progress)
    if sorted(weights.origin.files.values()) != sorted(source["sha256"].values()):
        raise ModelFormatError(
            f"{given or source['name']}: not the weights that {path} was made of ({', '.join(source['sha256'])}); give "
            f"those by --weights"
        )
    return weights


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _summed_up(
    trial: Trial,
    setup: Setup,
    digest: str,
    chosen: CocoSet,
    findings: Sequence[Findings],
    counts: Sequence[dict[str, int]],
) -> Evaluation:
    is_kmodel = setup.kmodel is not None
    poses = {stage: {found.photo: found.poses[stage] for found in findings} for stage in setup.stages}
    rankings = {stage: oks.ranking(chosen, found) for stage, found in poses.items() if stage != FLOAT}
    noise: dict[str, Noise] = {}
    for found in findings:
        noise = {head: noise.get(head, Noise()) + more for head, more in found.heads.items()}
    return Evaluation(
        model=Path(trial.model).name,
        model_sha256=digest,
        size=(setup.width, setup.height),
        coco=chosen,
        precision={stage: oks.precision(chosen, found) for stage, found in poses.items()},
        differences=_to_padded(rankings) if is_kmodel else {},
        alone={
            stage: oks.alone(chosen, {found.photo: found.singles[stage] for found in findings})
            for stage in setup.stages
        },
        sqnr_db={head: total.db for head, total in noise.items()},
        displacement=displacement.pooled([found.moved for found in findings]) if is_kmodel else None,
        layers=_layers(setup, findings) if is_kmodel else [],
        false_positives={stage: _false_positives([count[stage] for count in counts]) for stage in setup.stages}
        if counts
        else {},
        **_zoomed(chosen, findings) if setup.zoom else {},
    )


def _to_padded(rankings: dict[str, Ranking]) -> dict[str, Difference]:
    """AP of each stage that computes as the KPU does less that of `padded`, whose grid is the same."""
    basis = rankings.pop(PADDED)
    return bootstrap.differences(rankings, basis)


def _zoomed(chosen: CocoSet, findings: Sequence[Findings]) -> dict[str, list]:
    """The entries `zoom` and `larger`."""
    poses = {mode: {found.photo: found.zoomed[mode].poses for found in findings} for mode in findings[0].zoomed} | {
        size: {found.photo: found.larger[size] for found in findings} for size in findings[0].larger
    }
    rankings = {key: oks.ranking(chosen, found) for key, found in poses.items()}
    differences = bootstrap.differences(rankings, rankings[BASIS])
    zoom = [
        ZoomFigures(
            mode,
            oks.precision(chosen, poses[mode]),
            oks.alone(chosen, {found.photo: found.zoomed[mode].single for found in findings}),
            differences[mode],
            sum(found.zoomed[mode].runs for found in findings) / len(findings),
        )
        for mode in findings[0].zoomed
    ]
    larger = [LargerFigures(size, oks.precision(chosen, poses[size]), differences[size]) for size in findings[0].larger]
    return {"zoom": zoom, "larger": larger}


def _layers(setup: Setup, findings: Sequence[Findings]) -> list[LayerLoss]:
    model = v3.read(setup.kmodel, "the kmodel")
    upright = turning.turned_file(model) if card.turned(setup.card) else model
    matched = channels.match(setup.weights, readback.read(upright, "the kmodel").body)
    if matched is None:
        return []
    totals = [sum(parts) for parts in zip(*(found.layers for found in findings), strict=True)]
    return layers.losses(totals, matched)


def _false_positives(counts: Sequence[int]) -> FalsePositives:
    return FalsePositives(len(counts), sum(count > 0 for count in counts), sum(counts))


def write(evaluation: Evaluation, path: Path) -> Path:
    """Write the figures as JSON and, beside them, the plot; gives the plot's path. OutputError says why not."""
    drawn = path.with_suffix(".svg")
    files.write(drawn, plot.svg(evaluation).encode())
    files.write(path, (json.dumps(evaluation.to_dict(), indent=2) + "\n").encode())
    return drawn


def _larger(noted: object, evaluation: Evaluation) -> str:
    """What a card's figures are of, where that is more photos than these; "" where it is not, or cannot be told."""
    the_set = noted.get("set") if isinstance(noted, dict) else None
    images = the_set.get("images") if isinstance(the_set, dict) else None
    if type(images) is not int or images <= len(evaluation.coco.photos):
        return ""
    name = the_set.get("name") or the_set.get("annotations")
    return f"{shown(name)}, {counted(images, 'photo')}; these are {len(evaluation.coco.photos)}"


def note_in_card(evaluation: Evaluation, trial: Trial) -> str:
    """Put the figures, with what they come from, into the kmodel's card as "evaluation", and into the report beside it.

    Says where they are, or why not: what cannot be written is no error, for the figures have been printed.
    """
    path = Path(trial.model)
    entries = card.read_for(path, posenet.read_kmodel(path))
    if (kept := _larger(entries.get("evaluation"), evaluation)) and not trial.replace:
        return f"the card keeps the figures of a larger set ({kept}); with --replace it takes these"
    entries["evaluation"] = evaluation.card_entry(trial.command())
    try:
        files.write(card.path_beside(path), card.to_json(entries))
    except OutputError as error:
        return f"the figures are not in the card: {error}"
    try:
        page = accuracy.update(path, entries, plot.svg(evaluation))
    except OutputError as error:
        return f"the figures are in {card.path_beside(path)}, but not in the report: {error}"
    return f"the figures are in {card.path_beside(path)}" + (f" and {page}" if page else "")
