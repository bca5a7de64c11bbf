"""`profile`: layer by layer against the time model, on the virtual board and by numbers alone; and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from conversion.kmodel import profiling, v3
from conversion.kpu import time as kpu_time
from host_tools import boards, cli
from host_tools.errors import BoardError, LinkError
from host_tools.flashing import flash as flashing
from host_tools.serial_link import Frame, LayerTime
from host_tools.verification import model as models
from host_tools.verification import profile
from host_tools.virtual_board import frame_rate
from host_tools.virtual_board.emulated_host import EmulatedHost
from tests.command_line import invoke
from tests.host_tools.k210.images import image
from tests.host_tools.peer import Peer, hello, reply
from tests.host_tools.verification import small
from tests.host_tools.verification.command import state
from tests.host_tools.virtual_board import kmodels
from tests.jumping import VirtualBoard

# What else a layer costs the processor: the start of the next one, an interrupt.
TOLERANCE_US = 60
PLACE = profiling.address(0x300000, len(kmodels.kmodel()))


@pytest.fixture
def board() -> Iterator[VirtualBoard]:
    with small.board() as running:
        running.wait_for("$FRAME,")
        yield running


def times(model: models.Model, factor: float, copy: float, fixed: float) -> list[int]:
    """Microseconds that a board would measure whose KPU takes `factor` times the estimate."""
    layers = model.kmodel.convolutions
    alone = np.cumsum([factor * kpu_time.seconds(each.layer.registers) * 1e6 for each in layers])
    sizes = [each.layer.destination.bytes for each in layers]
    heads = np.cumsum([0, *(0 if each.main_memory is None else size for each, size in zip(layers, sizes, strict=True))])
    copied = np.array(sizes) + heads[:-1]
    return [round(fixed + t + copy * size) for t, size in zip(alone, copied, strict=True)]


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.3])
@pytest.mark.parametrize("copy", [0.0176, 0.03])
def test_the_copy_of_results_is_told_from_the_layers(kmodel: Path, factor: float, copy: float) -> None:
    model = models.load(kmodel)
    found = profile.judged("maix_bit", "96x80", model, times(model, factor, copy, 1200))
    assert found.copy_nanoseconds_a_byte == pytest.approx(1000 * copy, rel=0.05)
    assert found.measured_us == pytest.approx(factor * found.estimated_us, abs=5)
    for layer in found.layers:
        assert layer.measured_us == pytest.approx(factor * layer.estimated_us, abs=5)


def test_another_number_of_layers_is_another_program(kmodel: Path) -> None:
    with pytest.raises(LinkError, match=r"3 layers, the kmodel has \d+: run `deploy`"):
        profile.judged("maix_bit", "96x80", models.load(kmodel), [1, 2, 3])


def test_the_copy_asks_for_room_and_is_the_kmodel_otherwise() -> None:
    whole, copy = kmodels.kmodel(), profiling.copy(kmodels.kmodel())
    assert [n for n, (a, b) in enumerate(zip(whole, copy, strict=True)) if a != b and not 20 <= n < 24] == []
    asked = v3.read(copy, "the copy").main_memory_bytes
    largest = max(each.layer.destination.bytes for each in kmodels.model().convolutions)
    assert asked >= largest + 64
    assert asked >= 12 * kmodels.WIDTH * kmodels.HEIGHT + 64


def test_flash_writes_it_behind_the_kmodel(kmodel: Path) -> None:
    writing = flashing.prepare(boards.find("maix_bit"), kmodel, profile=True)
    assert [(entry.address, entry.data) for entry in writing.package.entries] == [
        (0x300000, kmodels.kmodel()),
        (PLACE, profiling.copy(kmodels.kmodel())),
    ]


def test_a_board_is_measured_and_goes_on(board: VirtualBoard, kmodel: Path) -> None:
    board.flash.write(PLACE, profiling.copy(kmodels.kmodel()))
    ended = invoke(cli.main, ["profile", "--port", board.port, "--model", kmodel, "--json"])
    assert ended.exit_code == 0, ended
    found = json.loads(ended.stdout)
    assert found["board"] == "maix_bit"
    assert found["layers"][0]["name"] == "conv0"
    assert len(found["layers"]) == len(kmodels.model().convolutions)
    for layer in found["layers"]:
        assert layer["measured_us"] == pytest.approx(layer["estimated_us"], abs=5)
    assert state(board) == "running"
    again = invoke(cli.main, ["profile", "--port", board.port, "--model", kmodel])
    assert again.exit_code == 0, again
    assert "all layers" in again.stdout
    assert "ns a byte" in again.stdout


def test_a_board_without_the_copy_says_how_it_comes_there(board: VirtualBoard, kmodel: Path) -> None:
    ended = invoke(cli.main, ["profile", "--port", board.port, "--model", kmodel])
    assert ended.exit_code == 2
    assert "flash --profile" in " ".join(ended.stderr.split())
    assert state(board) == "running"


def test_an_older_program_is_told_from_it(kmodel: Path) -> None:
    def answer(sentence: object) -> bytes:
        if sentence.kind == "PROFILE":
            return reply(sentence, 1, 0, "no sentence PROFILE is known")
        return hello() + reply(sentence, value=1)

    with Peer(answer) as peer:
        from host_tools.serial_link import Link, Refused

        with Link(peer.port) as link, pytest.raises(Refused, match="older than this tool: run `make deploy`"):
            link.ask("PROFILE")


@pytest.mark.soak
def test_the_vendors_firmware_is_measured_on_the_emulated_chip(kmodel: Path) -> None:
    """Where the KPU takes the estimated time by construction; the rest is told from it."""
    usual = frame_rate.Conditions()
    machine = frame_rate.running(image("minimum"), boards.find("maix_bit"), kmodel, usual, print)
    host = EmulatedHost(machine)
    host.ask("PAUSE")
    with pytest.raises(BoardError, match="flash --profile"):
        host.ask("PROFILE")
    machine.flash.put(PLACE, profiling.copy(kmodels.kmodel()))
    count = host.ask("PROFILE")
    host.wait(lambda: sum(isinstance(event, LayerTime) for event in host.events) == count, 60)
    told = [event.microseconds for event in host.events if isinstance(event, LayerTime)]
    found = profile.judged("maix_bit", "96x80", models.load(kmodel), told)
    for layer in found.layers:
        assert layer.measured_us == pytest.approx(layer.estimated_us, abs=TOLERANCE_US)
    host.ask("RESUME")
    host.events.clear()
    host.wait(lambda: any(isinstance(event, Frame) for event in host.events), 20)
