"""The vendor's own images on the emulated chip: they boot, load our kmodel, and compute what the simulator computes.

`make test` takes the smallest image, `make soak` all of them.
"""

from __future__ import annotations

import binascii
import hashlib
import io
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conversion.kmodel import v3
from conversion.kpu.simulator import Kpu
from host_tools.k210 import Ended, Machine, Session, WaitError
from host_tools.payload import FIRMWARE
from tests.firmware.app import virtual
from tests.host_tools.k210 import fat, states
from tests.host_tools.k210.images import IMAGES, image
from tests.host_tools.k210.test_real_frames import CAMERA_SIZES
from tests.host_tools.virtual_board import kmodels

REAL_SECONDS = states.REAL_SECONDS
EACH = states.EACH
CAMERA_OF = """
import sensor, lcd, image
sensor.reset()
sensor.set_pixformat(sensor.RGB565)
sensor.set_framesize(sensor.QVGA)
sensor.set_windowing({})
sensor.run(1)
"""
CAMERA = CAMERA_OF.format((kmodels.WIDTH, kmodels.HEIGHT))
HEADS = """
import KPU, ubinascii
task = KPU.load(0x300000)
KPU.forward(task, sensor.snapshot())
for n in range(1, 5):
    print(ubinascii.crc32(memoryview(KPU.get_output(task, n))))
"""

# Plain blocks of 16x16 pixels, of other colours in each row and column.
BLOCKS = [[(40 * column, 255 - 60 * row, 30 * (row + column)) for column in range(6)] for row in range(4)]
COMPRESSED = """
import image, ubinascii
blocks = {blocks}
i = image.Image(size=(16 * len(blocks[0]), 16 * len(blocks)))
for y, row in enumerate(blocks):
    for x, colour in enumerate(row):
        i.draw_rectangle(16 * x, 16 * y, 16, 16, color=colour, fill=True)
print(str(ubinascii.b2a_base64(i.compressed(quality=90).to_bytes()), 'ascii'))
"""


class Noise:
    """A camera that always sees the same noise."""

    def picture(self, number: int, width: int, height: int) -> np.ndarray:
        return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


def session(name: str) -> Session:
    """A board at the raw prompt, from a saved state."""
    made = states.plain(name)
    made.look_at(Noise())
    return Session(made)


@pytest.mark.parametrize("name", EACH)
def test_it_boots_to_its_prompt_by_the_flash_chips_content(name: str) -> None:
    board = session(name)
    assert "v0.6.2-84" in board.execute("import os; print(os.uname())", real_seconds=REAL_SECONDS)
    assert board.machine.flash.erases > 0
    assert all("not modelled" not in note.text for note in board.machine.notes)


@pytest.mark.parametrize("name", EACH)
def test_heads_are_those_of_the_simulator(name: str) -> None:
    board = session(name)
    board.execute(CAMERA, real_seconds=REAL_SECONDS)
    printed = board.execute(HEADS, real_seconds=REAL_SECONDS).split()
    picture = Noise().picture(0, 320, 240)[: kmodels.HEIGHT, : kmodels.WIDTH].transpose(2, 0, 1)
    heads = Kpu(v3.read(kmodels.kmodel(), "small")).run(np.ascontiguousarray(picture))[1:]
    assert [int(text) for text in printed if text.isdigit()] == [zlib.crc32(head.tobytes()) for head in heads]
    assert board.machine.kpu.layers > 0


@pytest.mark.soak
@pytest.mark.parametrize("size", CAMERA_SIZES)
@pytest.mark.parametrize("name", IMAGES)
def test_heads_of_every_size_are_those_of_the_simulator(name: str, size: tuple[int, int], tmp_path: Path) -> None:
    """Without the program: what `verify` sees with it is in test_real_frames.py."""
    kmodel = virtual.write_random_model(tmp_path, *size).read_bytes()
    board = session(name)
    board.machine.flash.put(0x300000, kmodel)
    board.execute(CAMERA_OF.format(size), real_seconds=REAL_SECONDS)
    printed = board.execute(HEADS, real_seconds=REAL_SECONDS).split()
    picture = Noise().picture(0, 320, 240)[: size[1], : size[0]].transpose(2, 0, 1)
    heads = Kpu(v3.read(kmodel, "random")).run(np.ascontiguousarray(picture))[1:]
    assert [int(text) for text in printed if text.isdigit()] == [zlib.crc32(head.tobytes()) for head in heads]


def test_the_lcd_shows_what_the_camera_sees() -> None:
    board = session("minimum")
    board.execute(CAMERA + "lcd.init()\nlcd.display(sensor.snapshot(), oft=(0, 0))", real_seconds=REAL_SECONDS)
    shown = board.machine.lcd.picture()[: kmodels.HEIGHT, : kmodels.WIDTH].astype(int)
    seen = Noise().picture(0, 320, 240)[: kmodels.HEIGHT, : kmodels.WIDTH].astype(int)
    # What RGB565 leaves of a byte.
    assert (abs(shown - seen) <= 8).all()


@pytest.mark.soak
def test_two_runs_send_the_same_bytes_at_the_same_cycles() -> None:
    """Both from one state; the second one looked at on its way."""
    first, second = session("minimum"), session("minimum")
    code = CAMERA + "lcd.init()\nfor n in range(3): lcd.display(sensor.snapshot())\nprint(1 / 3)\n"
    first.execute(code, real_seconds=REAL_SECONDS)
    second.machine.serial.feed(code.encode() + b"\x04")
    # Driven alike: where a run ends is seen only between slices, and does not move them.
    later = second.machine.clock.seconds + 0.7
    second.machine.run(lambda: second.machine.clock.seconds > later, real_seconds=REAL_SECONDS)
    second.wait(b"\x04>", real_seconds=REAL_SECONDS)
    assert second.sent == first.sent
    assert second.lines == first.lines
    assert (second.machine.lcd.picture() == first.machine.lcd.picture()).all()


@pytest.mark.soak
def test_files_outlive_the_power() -> None:
    board = session("minimum")
    board.put("/flash/kept.txt", b"still here", real_seconds=REAL_SECONDS)
    board.machine.power_off()
    board.machine.power_on()
    again = Session(board.machine)
    again.boot(real_seconds=REAL_SECONDS)
    again.enter_raw(real_seconds=REAL_SECONDS)
    assert again.execute("print(open('/flash/kept.txt').read())", real_seconds=REAL_SECONDS).strip() == "still here"


def test_ctrl_c_stops_a_program_and_every_wait_has_a_limit() -> None:
    board = session("minimum")
    begin = len(board.sent)
    board.type(b"while True: pass\n\x04")
    with pytest.raises(WaitError, match=r"0\.2 s of the emulated board's time"):
        board.wait("never", begin, seconds=0.2, real_seconds=REAL_SECONDS)
    board.type(b"\x03")
    assert b"KeyboardInterrupt" in board.wait(b"\x04>", begin, real_seconds=REAL_SECONDS)


@pytest.mark.soak
@pytest.mark.parametrize("done", [0.0, 0.5])
def test_a_board_comes_back_from_a_power_cut_while_it_writes(done: float) -> None:
    board = session("minimum")
    board.machine.power_cut(20, done)
    board.type(b"f = open('/flash/torn.txt', 'wb')\nfor n in range(99): f.write(b'x' * 512)\nf.close()\n\x04")
    assert board.machine.run(seconds=60, real_seconds=REAL_SECONDS) is Ended.POWER_CUT
    board.machine.power_on()
    again = Session(board.machine)
    again.boot(real_seconds=REAL_SECONDS)
    again.enter_raw(real_seconds=REAL_SECONDS)
    assert again.execute("print(6 * 7)", real_seconds=REAL_SECONDS).strip() == "42"


@pytest.mark.soak
@pytest.mark.parametrize("name", EACH)
def test_a_picture_is_compressed_without_a_card_in_the_slot(name: str) -> None:
    """Half of the work is hart 1's, which looks for a card first: three times 65,535 bytes at 200 kHz."""
    board = session(name)
    # Asked for too early it waits until nobody looks any more.
    early = board.execute(COMPRESSED.format(blocks=BLOCKS), real_seconds=REAL_SECONDS)
    assert 8 < board.machine.clock.seconds < 12
    picture = Image.open(io.BytesIO(binascii.a2b_base64(early)))
    assert picture.size == (16 * len(BLOCKS[0]), 16 * len(BLOCKS))
    jpeg = binascii.a2b_base64(board.execute(COMPRESSED.format(blocks=BLOCKS), real_seconds=REAL_SECONDS))
    seen = np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB")).astype(int)
    drawn = np.array(BLOCKS, int).repeat(16, 0).repeat(16, 1)
    # What RGB565 and quality 90 leave of plain blocks.
    assert abs(seen - drawn).max() <= 16


def test_a_digest_of_many_pieces() -> None:
    code = "import uhashlib, ubinascii\nh = uhashlib.sha256()\nfor n in range(20): h.update(bytes([n]) * 777)\n"
    printed = session("minimum").execute(code + "print(ubinascii.hexlify(h.digest()))", real_seconds=REAL_SECONDS)
    assert hashlib.sha256(b"".join(bytes([n]) * 777 for n in range(20))).hexdigest() in printed


# In `make test` a folder is the card (test_real_sd_folder.py).
@pytest.mark.soak
def test_a_card_in_the_slot_is_mounted_read_and_written(tmp_path: Path) -> None:
    card = tmp_path / "card.img"
    text = bytes(range(256)) * 20
    card.write_bytes(fat.card({"TEXT.BIN": text}))
    made = Machine(image("minimum"), sd=card)
    made.power_on()
    board = Session(made)
    board.boot(real_seconds=REAL_SECONDS)
    board.enter_raw(real_seconds=REAL_SECONDS)
    code = "import ubinascii\nd = open('/sd/text.bin', 'rb').read()\nprint(len(d), ubinascii.crc32(d))\n"
    code += "f = open('/sd/new.txt', 'w')\nf.write('written on the chip')\nf.close()"
    assert board.execute(code, real_seconds=REAL_SECONDS).split() == [str(len(text)), str(zlib.crc32(text))]
    made.bus.sd.data.flush()
    assert b"written on the chip" in card.read_bytes()


# Board, and what makes its LCD show something, as the program does it.
BOARDS = {
    "maix_dock": ("", "lcd.init()"),
    "maix_cube": ('{"lcd":{"height":240,"width":240,"invert":1,"dir":96}}', "lcd.init()"),
    "maix_amigo_ips": ('{"lcd":{"height":320,"width":480,"invert":1,"dir":40,"lcd_type":2}}', "lcd.init()"),
    "m5stickv": ("", "lcd.init(type=3, width=240, height=135, freq=40000000)\nlcd.rotation(2)"),
}


@pytest.mark.soak
@pytest.mark.parametrize("name", BOARDS)
def test_sensors_and_lcds_of_other_boards_show_an_upright_picture(name: str) -> None:
    """The default scene rises in red to the right and in green downwards."""
    config, start = BOARDS[name]
    made = Machine(image("minimum"), board=name)
    made.power_on()
    board = Session(made)
    board.boot(real_seconds=REAL_SECONDS)
    board.enter_raw(real_seconds=REAL_SECONDS)
    if config:
        board.put("/flash/config.json", config.encode(), real_seconds=REAL_SECONDS)
    code = f"import sensor, lcd\n{start}\n"
    for settings in ("sensor.QVGA", "sensor.VGA"):
        code += f"i = None\nsensor.reset(dual_buff={settings == 'sensor.VGA'})\nsensor.set_pixformat(sensor.RGB565)\n"
        code += f"sensor.set_framesize({settings})\nsensor.set_windowing((320, 240))\nsensor.run(1)\n"
        code += "for n in range(3): i = sensor.snapshot()\nprint(i.width(), i.height())\n"
        code += "lcd.display(i)\n" if settings == "sensor.QVGA" else ""
    assert board.execute(code, real_seconds=REAL_SECONDS).count("320 240") == 2
    picture = made.lcd.picture().astype(int)
    rows, columns = picture.any((1, 2)).nonzero()[0], picture.any((0, 2)).nonzero()[0]
    seen = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    assert seen[5, -6, 0] > seen[5, 5, 0] + 150
    assert seen[-6, 5, 1] > seen[5, 5, 1] + 100


@pytest.mark.soak
def test_the_programs_file_takes_the_place_of_the_one_that_is_there() -> None:
    """pose_files.replace on MaixPy's SPIFFS: nothing is left beside it, and the next start finds the new one."""
    board = session("minimum")
    board.put("/flash/pose_files.py", (FIRMWARE / "pose_files.py").read_bytes(), real_seconds=REAL_SECONDS)
    script = """
import os, pose_files
for text in ("first", "the second, longer"):
    pose_files.replace("/flash/pose_config.json", text.encode())
print(open("/flash/pose_config.json").read(), [name for name in os.listdir("/flash") if name.startswith("pose_config")])
"""
    said = board.execute(script, real_seconds=REAL_SECONDS).strip()
    assert said == "the second, longer ['pose_config.json']"
