"""The camera: frames at their rate into memory by a program, and what the three sensors make of their registers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from host_tools.k210 import Machine
from host_tools.k210.bus import SENSORS
from host_tools.k210.parts.image_sensor import ImageSensor
from tests.host_tools.k210.programs import RESULTS, SYMBOLS, done, machine, results

WIDTH, HEIGHT = 32, 16
PLANES, DISPLAY = RESULTS + 0x1000, RESULTS + 0x8000
# Lets the sensor out of reset, sets one register by the port's own bus, and asks for two frames at their starts.
FRAMES = f"""
    li s0, DVP
    li s2, RESULTS
    li t0, 0x10000
    sw t0, 0x10(s0)
    li t0, 0x1
    sw t0, 0x14(s0)
    li t0, {1 | 0x30 << 1 | 0x13 << 8 | 0x05 << 16}
    sw t0, 0x18(s0)
    li t0, 0x3000000
    sw t0, 0x20(s0)
    li t0, {PLANES}
    sw t0, 0x04(s0)
    li t0, {PLANES + WIDTH * HEIGHT}
    sw t0, 0x08(s0)
    li t0, {PLANES + 2 * WIDTH * HEIGHT}
    sw t0, 0x0c(s0)
    li t0, {DISPLAY}
    sw t0, 0x28(s0)
    li t0, {HEIGHT << 20 | WIDTH // 8 << 12 | 0x20C}
    sw t0, 0x00(s0)
    mv s3, s2
    addi s4, s2, 16
frame:
    lw t0, 0x20(s0)
    andi t0, t0, 1
    beq t0, zero, frame
    li t0, 0x30003
    sw t0, 0x20(s0)
finish:
    lw t0, 0x20(s0)
    andi t0, t0, 0x100
    beq t0, zero, finish
    li t0, 0x300
    sw t0, 0x20(s0)
    csrr t1, mcycle
    sd t1, 0(s3)
    addi s3, s3, 8
    bne s3, s4, frame
"""


class Numbered:
    """Frames that can be told apart: red is the number, green the column, blue the row."""

    def picture(self, number: int, width: int, height: int) -> np.ndarray:
        y, x = np.mgrid[0:height, 0:width]
        return np.stack([np.full_like(x, 8 * number), x % 256, y % 256], -1).astype(np.uint8)


def test_frames_come_at_their_rate_and_are_stored_twice() -> None:
    made = machine(FRAMES, camera=Numbered(), camera_rate=Fraction(100))
    made.run(lambda: done(made), seconds=2, real_seconds=60)
    first, second = results(made, 2)
    assert abs(second - first - 260_000) < 100
    planes = np.frombuffer(made.memory.load(PLANES, 3 * WIDTH * HEIGHT), np.uint8).reshape(3, HEIGHT, WIDTH)
    wanted = Numbered().picture(made.bus.dvp.frames - 1, 320, 240)[:HEIGHT, :WIDTH][:, ::-1]
    # The sensor's own register says "not mirrored", which the module's mounting shows as mirrored.
    mirrored = Numbered().picture(made.bus.dvp.frames - 1, 320, 240)[:, ::-1][:HEIGHT, :WIDTH]
    assert (planes.transpose(1, 2, 0) == mirrored).all()
    assert (wanted[..., 0] == planes[0]).all()
    words = np.frombuffer(made.memory.load(DISPLAY, 2 * WIDTH * HEIGHT), "<u2").reshape(HEIGHT, -1, 2)[..., ::-1]
    expected = mirrored.astype(int)
    assert (words.reshape(HEIGHT, WIDTH) == (
        expected[..., 0] >> 3 << 11 | expected[..., 1] >> 2 << 5 | expected[..., 2] >> 3
    )).all()  # fmt: skip


def write(sensor: ImageSensor, register: int, *values: int) -> None:
    sensor.start()
    for byte in (register, *values):
        sensor.write(byte)


def read(sensor: ImageSensor, register: int) -> int:
    sensor.start()
    sensor.write(register)
    return sensor.read()


@pytest.mark.parametrize(
    ("name", "identity"),
    [("OV2640", {0x0A: 0x26, 0x0B: 0x42}), ("OV7740", {0x0A: 0x77, 0x0B: 0x42}), ("GC0328", {0xF0: 0x9D})],
)
def test_sensors_know_who_they_are_and_forget_the_rest_in_a_reset(name: str, identity: dict[int, int]) -> None:
    sensor = SENSORS[name](Numbered())
    write(sensor, 0x33, 0x55)
    assert read(sensor, 0x33) == 0x55
    assert sensor.written
    assert not sensor.awake
    sensor.set_lines(reset_high=True, power_down=False, was_high=False)
    assert sensor.awake
    assert not sensor.streaming
    assert {register: read(sensor, register) for register in identity} == identity
    assert read(sensor, 0x33) == 0
    sensor.set_lines(reset_high=True, power_down=True, was_high=True)
    assert not sensor.awake


def test_a_window_of_the_gc0328_moves() -> None:
    sensor = SENSORS["GC0328"](Numbered())
    write(sensor, 0xFE, 0)
    for register, value in ((0x59, 0x22), (0x51, 0), (0x52, 10), (0x53, 0), (0x54, 20)):
        write(sensor, register, value)
    frame = sensor.frame(1, 8, 4)
    assert frame[0, 0].tolist() == [8, 20, 10]
    assert sensor.window[2:] == (320, 240)


def test_sizes_and_flips() -> None:
    ov7740, ov2640 = SENSORS["OV7740"](Numbered()), SENSORS["OV2640"](Numbered())
    for size, registers in (((640, 480), (0xA0, 0xF0)), ((320, 240), (0x50, 0x78))):
        write(ov7740, 0x31, registers[0])
        write(ov7740, 0x32, registers[1])
        assert ov7740.window[2:] == size
    write(ov7740, 0x0C, 0xC0)
    assert ov7740.frame(0, 320, 240)[0, 0].tolist() == [0, 319 % 256, 239]
    write(ov2640, 0xFF, 0)
    for register, value in ((0x5A, 640 // 4), (0x5B, 480 // 4), (0x5C, 0)):
        write(ov2640, register, value)
    assert ov2640.window == (0, 0, 640, 480)
    write(ov2640, 0xFF, 1)
    write(ov2640, 0x04, 0xA8)
    assert ov2640.frame(0, 320, 240)[0, 0].tolist() == [0, 0, 0]


def test_the_two_wire_bus_reaches_an_awake_sensor_only() -> None:
    made = Machine()
    (sensor,) = made.bus.dvp.sensors
    i2c = made.bus.i2c[2]
    made.bus.fpioa.write(4 * 41, 4, 130)
    i2c.write(0x04, 4, 0x30)
    i2c.write(0x10, 4, 0x0A)
    assert i2c.read(0x80, 4) == 1
    i2c.read(0x54, 4)
    made.bus.dvp.write(0x10, 4, 0x10000)
    assert sensor.awake
    i2c.write(0x10, 4, 0x0A)
    i2c.write(0x10, 4, 0x100)
    assert i2c.read(0x80, 4) == 0
    assert i2c.read(0x10, 4) == 0x26


def test_symbols_are_those_of_the_map() -> None:
    assert SYMBOLS["DVP"] == 0x5043_0000
