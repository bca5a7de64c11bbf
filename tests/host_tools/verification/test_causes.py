"""What went wrong on purpose is what is named as the cause; damage that no cause explains is not explained away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from conversion import network
from conversion.kmodel.registers import Registers
from conversion.kmodel.v3 import ConvLayer, V3Model
from conversion.kpu.posenet import Heads, Simulation
from conversion.progress import unreported
from conversion.test_card import draw, planes_of
from host_tools.verification import causes, pictures
from host_tools.verification.causes import Cause
from host_tools.verification.model import Model
from tests.host_tools.virtual_board import kmodels


def words() -> np.ndarray:
    """A picture without two rows, columns or colours alike."""
    return np.random.default_rng(8).integers(0, 1 << 16, (kmodels.HEIGHT, kmodels.WIDTH)).astype(np.uint16)


def found_for(model: Model, planes: np.ndarray) -> Cause | None:
    right = model.simulation.heads(planes_of(words()))
    return causes.find(model, words(), right, model.simulation.heads(planes), unreported)


SLIPS = [text for text, _ in pictures.slips(words())]


def test_every_slip_has_a_name_of_its_own() -> None:
    assert len(set(SLIPS)) == len(SLIPS) == 29


@pytest.mark.parametrize("number", range(len(SLIPS)), ids=SLIPS)
def test_each_slip_is_recognised(model: Model, number: int) -> None:
    text, planes = list(pictures.slips(words()))[number]
    assert found_for(model, np.ascontiguousarray(planes())) == Cause(text, 0)


# The same slips once more, in other words than the product's.
@pytest.mark.parametrize(
    ("slip", "said"),
    [
        (lambda right: planes_of((words() >> 8 | words() << 8).astype(np.uint16)), "bytes of each pixel are swapped"),
        (lambda right: right[::-1], "red and blue are swapped"),
        (lambda right: np.zeros_like(right), "empty (black) picture"),
        (lambda right: draw(kmodels.WIDTH, kmodels.HEIGHT), "test card"),
        (lambda right: np.roll(right.reshape(3, -1), kmodels.WIDTH, 1).reshape(right.shape), "one row later"),
        (lambda right: np.roll(right.reshape(3, -1), -1, 1).reshape(right.shape), "one pixel earlier"),
        (lambda right: right[:, :, ::-1], "mirrored"),
        (lambda right: right[:, ::-1], "upside down"),
        (lambda right: ~right, "negative"),
    ],
)
def test_slips_are_what_their_names_say(model: Model, slip: Callable[[np.ndarray], np.ndarray], said: str) -> None:
    cause = found_for(model, np.ascontiguousarray(slip(planes_of(words()))))
    assert cause.certain
    assert said in cause.text


def read_wrongly(heads: Heads) -> dict[str, Heads]:
    forward, backward = network.HEAD_NAMES[2:]
    return {
        "are swapped": {**heads, forward: heads[backward], backward: heads[forward]},
        "cell by cell": {
            name: np.stack([head[:, y, x] for y in range(head.shape[1]) for x in range(head.shape[2])]).reshape(
                head.shape
            )
            for name, head in heads.items()
        },
        "empty (zeros)": {name: head * 0 for name, head in heads.items()},
        "signed": {name: head - 128 for name, head in heads.items()},
    }


@pytest.mark.parametrize("said", ["are swapped", "cell by cell", "empty (zeros)", "signed"])
def test_heads_read_in_a_wrong_way_are_recognised(model: Model, said: str) -> None:
    right = model.simulation.heads(planes_of(words()))
    cause = causes.find(model, words(), right, read_wrongly(right)[said], unreported)
    assert cause.certain
    assert said in cause.text


def with_registers(kmodel: V3Model, change: Callable[[Registers], Registers]) -> V3Model:
    def changed(conv: ConvLayer) -> ConvLayer:
        return replace(conv, layer=replace(conv.layer, registers=change(conv.layer.registers)))

    return replace(kmodel, layers=tuple(changed(conv) for conv in kmodel.layers))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda registers: replace(registers, pad_value=0), "pads pictures with 0"),
        (
            lambda registers: replace(registers, pool_type={5: 6, 6: 5}.get(registers.pool_type, registers.pool_type)),
            "pooling by 2",
        ),
    ],
)
def test_a_chip_that_does_something_else_is_recognised(
    model: Model, change: Callable[[Registers], Registers], said: str
) -> None:
    right = model.simulation.heads(planes_of(words()))
    chip = Simulation(with_registers(model.kmodel, change), "chip")
    cause = causes.find(model, words(), right, chip.heads(planes_of(words())), unreported)
    assert cause.certain
    assert said in cause.text


def test_a_slip_with_a_few_other_bytes_is_named_as_nearly_explaining(model: Model) -> None:
    right = model.simulation.heads(planes_of(words()))
    found = model.simulation.heads(planes_of(words())[::-1].copy())
    found["heatmap"][0, 0, :3] ^= 1
    cause = causes.find(model, words(), right, found, unreported)
    assert cause == Cause("red and blue are swapped", 3)
    assert not cause.certain


@pytest.mark.parametrize("seed", range(3))
def test_noise_is_not_explained(model: Model, seed: int) -> None:
    right = model.simulation.heads(planes_of(words()))
    random = np.random.default_rng(seed)
    noise = {name: random.integers(0, 256, head.shape, np.uint8) for name, head in right.items()}
    assert causes.find(model, words(), right, noise, unreported) is None


def test_one_wrong_byte_is_not_explained(model: Model) -> None:
    right = model.simulation.heads(planes_of(words()))
    found = {name: head.copy() for name, head in right.items()}
    found["offset"][5, 2, 2] += 1
    assert causes.find(model, words(), right, found, unreported) is None


def test_the_cause_that_explains_most_is_taken(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that leaves a fifth of what differs is worth telling, one that leaves a byte more is not."""
    right = {name: np.zeros((2, 5, 5), np.uint8) for name in network.HEAD_NAMES}
    found = {name: head + 1 for name, head in right.items()}

    def leaving(count: int) -> Heads:
        wrong = np.zeros(200, np.uint8)
        wrong[:count] = 9
        return {
            name: found[name] + each.reshape(2, 5, 5)
            for name, each in zip(right, np.split(wrong, len(right)), strict=True)
        }

    def find(*left: int) -> Cause | None:
        trials = [(f"leaves {count}", lambda count=count: leaving(count)) for count in left]
        monkeypatch.setattr(causes, "_trials", lambda *_: iter(trials))
        return causes.find(model, words(), right, found, unreported)

    assert find(41) is None
    assert find(41, 40) == Cause("leaves 40", 40)
    assert find(40, 7, 30) == Cause("leaves 7", 7)
    assert find(3, 0, 1) == Cause("leaves 0", 0)
