"""Runs a V3 kmodel on pictures: bytes of the four heads by name, and their real values through the model card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from conversion import card, network, portrait
from conversion.errors import ModelFormatError, UnsupportedModelError
from conversion.feature_map import FeatureMap
from conversion.kmodel import v3
from conversion.kmodel.recognise import recognise
from conversion.kmodel.v3 import ConvLayer, Output, V3Model
from conversion.kpu.simulator import Kpu
from conversion.outside import reading

Heads = dict[str, np.ndarray]
MAX_KMODEL_BYTES = v3.GENERAL_RAM_BYTES


class Simulation:
    """A PoseNet kmodel on a simulated KPU. `turned`: its picture lies on its side in memory, as its card says."""

    def __init__(self, model: V3Model, where: str, turned: bool = False) -> None:
        self._grids = _heads(model, where)
        self._kpu = Kpu(model)
        self.width = self._kpu.input_map.width
        self.height = self._kpu.input_map.height
        self.turned = turned

    @property
    def picture(self) -> tuple[int, int]:
        """Width and height of the picture as people stand in it."""
        return portrait.size((self.width, self.height)) if self.turned else (self.width, self.height)

    def in_memory(self, planes: np.ndarray) -> np.ndarray:
        """An upright picture's planes [3, H, W] as `heads` takes them: [3, height, width]."""
        return portrait.transposed(planes) if self.turned else planes

    def upright(self, heads: Heads) -> Heads:
        """Heads as they come as those of the upright picture."""
        return portrait.heads(heads) if self.turned else heads

    def heads(self, planes: np.ndarray) -> Heads:
        """uint8 [3, H, W] -> the raw uint8 [C, h, w] of every head by name."""
        outputs = self._kpu.run(planes)[1:]
        return {
            name: output.reshape(grid.channels, grid.height, grid.width)
            for name, output, grid in zip(network.HEAD_NAMES, outputs, self._grids, strict=True)
        }


def _heads(model: V3Model, where: str) -> list[FeatureMap]:
    """The maps of the four heads; UnsupportedModelError for another network's kmodel, ModelFormatError for damage."""
    if model.foreign_outputs:
        raise UnsupportedModelError(f"{where}: {model.foreign_outputs}; make one that gives them: `make kmodel`")
    heads = [layer for layer in model.convolutions if layer.main_memory is not None]
    grids = [head.layer.destination for head in heads]
    channels = tuple(grid.channels for grid in grids)
    if channels != tuple(head.channels for head in network.HEADS) or len(model.outputs) != 1 + len(grids):
        raise UnsupportedModelError(
            f"{where}: outputs with {channels} channels; a PoseNet kmodel of this project has "
            f"{tuple(head.channels for head in network.HEADS)} behind one output for the whole block"
        )
    _check_outputs(model, heads, where)
    return grids


def _check_outputs(model: V3Model, heads: Sequence[ConvLayer], where: str) -> None:
    """ModelFormatError unless the output table tells the heads' bytes where the layers write them, all in output 0."""
    block, *told = model.outputs
    written = [Output(head.main_memory, head.layer.destination.bytes) for head in heads]
    within = block.address == 0 and all(output.address + output.size <= block.size for output in told)
    if told != written or not within:
        raise ModelFormatError(
            f"{where}: is damaged: its output table does not say where its layers write the heads; make it again"
        )


def read_kmodel(path: Path) -> bytes:
    """The bytes of a V3 kmodel file; one clear line for anything that is not one."""
    try:
        data = reading.regular_bytes(path, MAX_KMODEL_BYTES)
    except OSError as error:
        raise ModelFormatError(f"{path}: cannot be read ({error.strerror})") from error
    found = recognise(data)
    if found and not found.is_v3:
        raise UnsupportedModelError(f"{path}: is {found.name}; only V3 is simulated, make one with `make kmodel`")
    return data


def _model(data: bytes, where: str) -> V3Model:
    try:
        return v3.read(data, where)
    except UnsupportedModelError as error:
        raise UnsupportedModelError(f"{error}; not a kmodel of this project, make one with `make kmodel`") from error


@dataclass(frozen=True)
class Described:
    """A V3 kmodel and the card beside it, each checked, and both against each other."""

    data: bytes
    model: V3Model
    simulation: Simulation
    card: dict


def read_described(path: Path) -> Described:
    """A kmodel with its card, as every tool that works with both must take them.

    ModelFormatError, UnsupportedModelError or KpuMemoryError for what is no V3 kmodel of this project, or a card that
    does not describe it.
    """
    data = read_kmodel(path)
    model = _model(data, str(path))
    # Before its card is asked for: a kmodel of another network has none.
    _heads(model, str(path))
    the_card = card.read_for(path, data)
    card.check_fits(the_card, path, data, model)
    # What takes longest comes last.
    return Described(data, model, Simulation(model, str(path), card.turned(the_card)), the_card)


def open_kmodel(path: Path) -> Simulation:
    """A simulation of the V3 kmodel in a file."""
    return Simulation(_model(read_kmodel(path), str(path)), str(path))


def real_values(heads: Mapping[str, np.ndarray], the_card: Mapping) -> Heads:
    """Bytes [..., C, h, w] as float32 real values (logits, pixels): (q - zero_point) * scale of the card's heads."""
    return {
        entry["name"]: (heads[entry["name"]].astype(np.float32) - entry["zero_point"]) * np.float32(entry["scale"])
        for entry in card.heads(the_card)
    }
