"""The emulated KPU against the simulator: random layers by registers and by a program, with DMA, interrupts, notes."""

from __future__ import annotations

import struct
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion.feature_map import LINE_BYTES
from conversion.kmodel.layer import KpuLayer
from conversion.kpu.simulator import Kpu
from conversion.kpu.time import cycles
from host_tools.k210 import Machine, UnmodelledError
from host_tools.k210.blocks.addresses import DMAC, KPU, Irq
from tests.conversion.kpu.layers import layers, single
from tests.host_tools.k210.programs import done, machine

WEIGHTS, NORM, TABLE, RESULT = 0x8020_0000, 0x8040_0000, 0x8041_0000, 0x8042_0000
PICTURE = 0x4060_0000
FIFO = KPU + 0x30
CHANNEL = 2
# Gives the twelve words at RESULTS + 256 to the KPU, and waits for its interrupt flag.
BY_PROGRAM = """
    li s0, KPU
    li s1, RESULTS
    addi s1, s1, 256
    li t0, 1
    sd t0, 0x40(s0)
    li t0, 7
    sd t0, 0x20(s0)
    li s2, 12
next:
    ld t0, 0(s1)
    sd t0, 0(s0)
    addi s1, s1, 8
    addi s2, s2, -1
    bne s2, zero, next
wait:
    ld t0, 0x10(s0)
    andi t0, t0, 1
    beq t0, zero, wait
"""


def placed(layer: KpuLayer, send: bool = False) -> KpuLayer:
    """With its addresses and what the driver sets: source at line 0, result behind it."""
    registers = replace(
        layer.registers, int_en=1, image_src_addr=0, image_dst_addr=layer.source.lines, bwsx_base_addr=NORM,
        para_start_addr=WEIGHTS, active_addr=TABLE, load_para=1, load_coor=1, load_act=1, send_data_out=int(send),
    )  # fmt: skip
    return replace(layer, registers=registers)


def fill(made: Machine, layer: KpuLayer, picture: np.ndarray) -> tuple[int, ...]:
    """Put parameters and picture where the layer expects them, noise everywhere else; the layer's words."""
    memory = made.memory
    memory.kpu_ram[:] = np.random.default_rng(5).integers(0, 256, len(memory.kpu_ram), np.uint8)
    for address, data in ((WEIGHTS, layer.weights), (NORM, layer.batch_norm), (TABLE, layer.activation)):
        memory.store(address, data)
    source = layer.source
    for number, plane in enumerate(picture):
        group, within = divmod(number, source.groups)
        for row, pixels in enumerate(plane):
            line = group * source.group_lines + row * source.row_lines
            memory.store(PICTURE + line * LINE_BYTES + within * source.row_pitch, pixels.tobytes())
    return struct.unpack("<12Q", layer.registers.pack())


def start(made: Machine, words: tuple[int, ...]) -> None:
    kpu = made.kpu
    kpu.write(0x40, 8, 1)
    kpu.write(0x20, 8, 7)
    for word in words:
        kpu.write(0, 4, word & 0xFFFF_FFFF)
        kpu.write(4, 4, word >> 32)


@cache
def idle() -> Machine:
    """A board whose program has nothing to do, for all layers one after another."""
    made = machine("nop")
    made.run(lambda: done(made), seconds=1, real_seconds=60)
    return made


def result_of(made: Machine, layer: KpuLayer) -> np.ndarray:
    """What lies in the KPU's RAM where the result belongs, uint8 [C, H, W]."""
    map_, at = layer.destination, layer.registers.image_dst_addr
    channel, y, x = np.ogrid[: map_.channels, : map_.height, : map_.width]
    lines = at + channel // map_.groups * map_.group_lines + y * map_.row_lines
    return made.memory.kpu_ram[lines * LINE_BYTES + channel % map_.groups * map_.row_pitch + x]


def expected(layer: KpuLayer, picture: np.ndarray) -> bytes:
    return Kpu(single(layer), seed=3).run(picture)[0].tobytes()


def picture_for(layer: KpuLayer, seed: int) -> np.ndarray:
    source = layer.source
    return np.random.default_rng(seed).integers(0, 256, (source.channels, source.height, source.width), np.uint8)


def check(layer: KpuLayer, seed: int, send: bool) -> None:
    made, picture = idle(), picture_for(layer, seed)
    layer = placed(layer, send)
    words = fill(made, layer, picture)
    size = layer.destination.bytes
    if send:
        dmac = made.bus.dmac
        items = -(-size // 8)
        made.memory.store(RESULT, bytes(8 * items + 8))
        for register, value in ((0x00, FIFO), (0x08, RESULT), (0x10, items - 1), (0x18, 1 << 4 | 3 << 8 | 3 << 11)):
            dmac.write(0x100 * (CHANNEL + 1) + register, 8, value)
        dmac.write(0x18, 8, 0x101 << CHANNEL)
    begin, notes = made.clock.cycles, len(made.notes)
    start(made, words)
    made.run(lambda: made.kpu.read(0x10, 8) & 1, seconds=1, real_seconds=60)
    assert made.clock.cycles - begin >= cycles(layer.registers) * made.clock.hertz // made.sysctl.kpu_hertz
    wanted = expected(layer, picture)
    assert result_of(made, layer).tobytes() == wanted
    if send:
        made.run(lambda: not made.bus.dmac.read(0x18, 8) & 1 << CHANNEL, seconds=1, real_seconds=60)
        assert made.memory.load(RESULT, size) == wanted
        assert made.memory.load(RESULT + 8 * -(-size // 8), 8) == bytes(8)
    assert made.notes[notes:] == []


@given(layers(), st.integers(0, 1 << 32), st.booleans())
def test_every_layer_gives_the_simulators_bytes(layer: KpuLayer, seed: int, send: bool) -> None:
    check(layer, seed, send)


@pytest.mark.soak
@given(layers(), st.integers(0, 1 << 32), st.booleans())
def test_very_many_layers_give_the_simulators_bytes(layer: KpuLayer, seed: int, send: bool) -> None:
    check(layer, seed, send)


def sample() -> KpuLayer:
    """One layer that computes something."""
    from conversion.feature_map import FeatureMap
    from tests.conversion.kmodel import networks

    return networks.layer(np.random.default_rng(1), FeatureMap(3, 8, 20), 5, 3, False, 1)


def test_a_program_runs_a_layer() -> None:
    made, layer = machine(BY_PROGRAM), placed(sample())
    picture = picture_for(layer, 2)
    made.memory.store(0x8010_0100, struct.pack("<12Q", *fill(made, layer, picture)))
    made.run(lambda: done(made), seconds=1, real_seconds=60)
    assert result_of(made, layer).tobytes() == expected(layer, picture)
    assert made.kpu.layers == 1


def test_the_interrupt_comes_when_the_layer_is_over() -> None:
    made, layer = machine("nop"), placed(sample())
    words = fill(made, layer, picture_for(layer, 2))
    made.kpu.write(0x18, 8, 0)
    made.kpu.write(0x28, 8, 0)
    start(made, words)
    made.kpu.write(0x20, 8, 6)
    line = 1 << Irq.KPU
    assert not made.bus.plic.level & line
    made.run(lambda: bool(made.bus.plic.level & line), seconds=1, real_seconds=60)
    made.kpu.write(0x20, 8, 7)
    assert not made.bus.plic.level & line


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"image_dst_addr": 1}, "over its own source"),
        ({"image_dst_addr": 32767}, "beyond the KPU's RAM"),
        ({"row_switch_addr": 0}, "over each other"),
        ({"load_time": 2}, "2 loads of 5 channels for 5 channels"),
        ({"para_size": 12}, "loads of 12 bytes"),
        ({"para_start_addr": WEIGHTS + 4}, "no multiple of 8"),
        ({"para_start_addr": 0x1000_0000}, "beyond memory"),
        ({"active_addr": NORM}, "zeros are written"),
    ],
)
def test_what_silicon_does_without_a_word_is_noted(changes: dict[str, int], words: str) -> None:
    made, layer = machine("nop"), placed(sample())
    memory_words = fill(made, layer, picture_for(layer, 2))
    changed = replace(layer.registers, **changes)
    assert memory_words != struct.unpack("<12Q", changed.pack())
    start(made, struct.unpack("<12Q", changed.pack()))
    made.run_for(0.001)
    assert any(words in note.text for note in made.notes), [note.text for note in made.notes]


def test_what_is_not_modelled_ends_the_run_where_that_is_wanted() -> None:
    made, layer = machine("nop", stop_at_unmodelled=True), placed(sample())
    fill(made, layer, picture_for(layer, 2))
    start(made, struct.unpack("<12Q", replace(layer.registers, full_add=1).pack()))
    with pytest.raises(UnmodelledError, match="full_add"):
        made.run_for(0.001)


def test_the_dma_registers_are_where_the_map_says() -> None:
    assert idle().find(DMAC)[0] is idle().bus.dmac
