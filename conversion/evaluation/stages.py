"""The chain from the published network to what a board computes: every stage run on one photo, poses and differences.

TensorFlow runs the float stages, the simulated KPU the kmodel. Nothing here imports nncase.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from conversion import letterbox, metrics, network, photos
from conversion.decoding import board_decoder
from conversion.decoding.dialects import tfjs
from conversion.decoding.pose import Pose
from conversion.evaluation import channels, displacement, layers, readback
from conversion.evaluation.chain import FLOAT, INTEGER, KMODEL, PADDED, ROUNDED, VOTED, Findings, Setup, Zoomed
from conversion.evaluation.coco import AnnotationError, CocoPhoto
from conversion.evaluation.zoom import ZoomedBoard
from conversion.kmodel import v3
from conversion.kpu.posenet import Heads, Simulation, real_values
from conversion.kpu.simulator import Kpu
from conversion.posenet_weights import PoseNetWeights
from conversion.tensorflow import graph, published
from conversion.weights import frozen_graph, tfjs_graph

_VOTE = board_decoder.ON_BOARD["vote"]
# Published files that are graphs for pictures of any size; the others fix it, or hold weights alone.
_OF_ANY_SIZE = (tfjs_graph.FORM, frozen_graph.FORM)
# Larger pictures, which the KPU cannot hold, for the published network alone: what zoom is compared with.
LARGER = ((481, 353), (641, 481))


@dataclass(frozen=True)
class Run:
    """Heads of one photo: in real units by stage, the KPU's bytes, and the sums of `layers.sums`."""

    heads: Mapping[str, Heads]
    raw: Heads | None
    layers: list[np.ndarray]


class Stages:
    """Every stage of a chain, made ready once for many photos."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self._published = _published(setup.weights, setup.width + 1, setup.height + 1)
        larger = LARGER if setup.zoom else ()
        self._larger = {size: _published(setup.weights, *size) for size in larger}
        self._zoomed = None
        if setup.zoom:
            machine = Simulation(v3.read(setup.kmodel, "the kmodel"), "the kmodel")
            self._zoomed = ZoomedBoard(machine.heads, setup.card, setup.zoom)
        self._padded = graph.build(setup.weights, setup.width, setup.height)
        self._machine = None if setup.kmodel is None else _Machine(setup)

    def size(self, stage: str) -> tuple[int, int]:
        """Width and height of a stage's picture.

        At multiples of 16 the published network's own padding shifts its grid: it runs one pixel larger, at the sizes
        16n + 1 that it was made for, where it equals the re-padded network exactly.
        """
        width, height = self.setup.width, self.setup.height
        return (width + 1, height + 1) if stage == FLOAT else (width, height)

    def run(self, photo: Image.Image) -> Run:
        """All stages on one photo."""
        picture = photos.letterbox(photo, *self.size(PADDED))
        heads = {
            FLOAT: _first(self._published(photos.letterbox(photo, *self.size(FLOAT))[None])),
            PADDED: _first(self._padded(picture[None])),
        }
        if self._machine is None:
            return Run(heads, None, [])
        raw, real, sums = self._machine.run(picture)
        return Run(heads | real, raw, sums)

    def poses(self, run: Run, **parameters: float) -> dict[str, list[Pose]]:
        """The poses that each stage's decoder finds, in pixels of its picture; parameters as of `decode.decode`."""
        found = {stage: tfjs.decode(heads, **parameters) for stage, heads in run.heads.items()}
        if run.raw is not None:
            found[INTEGER] = list(board_decoder.decode(run.raw, self.setup.card, **parameters))
            found[VOTED] = list(board_decoder.decode(run.raw, self.setup.card, vote=_VOTE, **parameters))
        return found

    def singles(self, run: Run) -> dict[str, Pose]:
        """Each stage's answer if there is one person, in pixels of its picture."""
        found = {stage: tfjs.decode_single(heads) for stage, heads in run.heads.items()}
        if run.raw is not None:
            found[INTEGER] = board_decoder.decode_single(run.raw, self.setup.card)
            found[VOTED] = board_decoder.decode_single(run.raw, self.setup.card, vote=_VOTE)
        return found

    def zoomed(self, photo: Image.Image) -> dict[int, Zoomed]:
        """What the board finds with each value of `zoom` that was asked for."""
        return {} if self._zoomed is None else self._zoomed.look(photo)

    def larger(self, photo: Image.Image) -> dict[tuple[int, int], list[Pose]]:
        """The poses of the published network on larger pictures, in pixels of the photo."""
        found = {}
        for size, run in self._larger.items():
            poses = tfjs.decode(_first(run(photos.letterbox(photo, *size)[None])), **board_decoder.EVALUATION)
            found[size] = [_to_photo(pose, photo.size, size) for pose in poses]
        return found


class _Machine:
    """The kmodel, as the KPU computes it and with real numbers."""

    def __init__(self, setup: Setup) -> None:
        model = v3.read(setup.kmodel, "the kmodel")
        self._card, self._weights = setup.card, setup.weights
        self._kpu = Kpu(model)
        self._network = readback.read(model, "the kmodel")
        self._channels = channels.match(setup.weights, self._network.body)

    def run(self, picture: np.ndarray) -> tuple[Heads, dict[str, Heads], list[np.ndarray]]:
        """uint8 [H, W, 3] -> raw heads, real heads of the stages "rounded" and "kmodel", sums of the layers."""
        results = dict(self._kpu.trace(photos.planes(picture)))
        whole = (*self._network.body, *self._network.heads)
        traced = [np.concatenate([results[number] for number in layer.numbers]) for layer in whole]
        exact = self._network.maps(picture[None])
        body = len(self._network.body)
        raw = self._handed_out(traced[body:])
        unrounded = (np.moveaxis(head[0], -1, 0) for head in exact[body:])
        real = {
            ROUNDED: real_values(dict(zip(network.HEAD_NAMES, unrounded, strict=True)), self._card),
            KMODEL: real_values(raw, self._card),
        }
        return raw, real, self._layer_sums(picture, exact[:body], traced[:body])

    def _handed_out(self, heads: list[np.ndarray]) -> Heads:
        """The heads as firmware gets them: outputs 1 to 4 in main memory; `heads` give the shapes."""
        blocks = [
            self._kpu.main_memory[output.address : output.address + output.size].copy()
            for output in self._kpu.model.outputs[1:]
        ]
        shaped = (block.reshape(head.shape) for block, head in zip(blocks, heads, strict=True))
        return dict(zip(network.HEAD_NAMES, shaped, strict=True))

    def _layer_sums(self, picture: np.ndarray, exact: layers.Maps, traced: layers.Maps) -> list[np.ndarray]:
        if self._channels is None:
            return []
        reference = layers.float_maps(self._weights, self._network.body, picture[None])
        on_kpu = [np.moveaxis(maps, 0, -1)[None] for maps in traced]
        return layers.sums(reference, self._channels, exact, on_kpu)


def _published(weights: PoseNetWeights, width: int, height: int) -> Callable[[np.ndarray], Heads]:
    """The published file itself where it runs at any size, else its weights with TensorFlow's own padding.

    Both are the same network, which `make kmodel` proves at the sizes that a file of a fixed size allows.
    """
    if weights.origin.form in _OF_ANY_SIZE:
        return published.published(weights).run
    return graph.build(weights, width, height, pads=None)


def _first(heads: Heads) -> Heads:
    return {name: head[0] for name, head in heads.items()}


def examine(stages: Stages, photo: CocoPhoto) -> Findings:
    """Everything that is measured on one annotated photo. PhotoError or AnnotationError names a photo that fails."""
    image = photos.read(photo.path)
    if photos.upright(image).size != photo.size:
        raise AnnotationError(
            f"{photo.path}: the photo has {'x'.join(map(str, photos.upright(image).size))} pixels, the annotations are "
            f"for {'x'.join(map(str, photo.size))}; take the original photo"
        )
    run = stages.run(image)

    def placed(pose: Pose, stage: str) -> Pose:
        return _to_photo(pose, photo.size, stages.size(stage))

    reference, kmodel = run.heads[PADDED], run.heads.get(KMODEL)
    return Findings(
        photo=photo.id,
        poses={
            stage: [placed(pose, stage) for pose in found]
            for stage, found in stages.poses(run, **board_decoder.EVALUATION).items()
        },
        singles={stage: placed(pose, stage) for stage, pose in stages.singles(run).items()},
        heads={} if kmodel is None else metrics.noise_of_heads(reference, kmodel),
        moved=np.empty((0, 2)) if kmodel is None else displacement.moved(reference, kmodel),
        layers=run.layers,
        zoomed=stages.zoomed(image),
        larger=stages.larger(image),
    )


def _to_photo(pose: Pose, photo: letterbox.Size, picture: letterbox.Size) -> Pose:
    return Pose(pose.score, letterbox.to_photo(pose.keypoints, photo, picture))


def count_poses(stages: Stages, path: Path) -> dict[str, int]:
    """How many poses each stage finds on a photo with the decoders' defaults: 5 at most, root score 0.5."""
    run = stages.run(photos.read(path))
    return {stage: len(found) for stage, found in stages.poses(run).items()}
