"""Frames of the program on the vendor's own firmware: heads equal to the simulator's at every size, in one place."""

from __future__ import annotations

import io
import json
import re
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conversion.kpu.simulator import Kpu
from conversion.test_card import planes_of
from host_tools import boards, cli, payload
from host_tools.verification import upload
from tests.command_line import invoke
from tests.firmware.app import virtual
from tests.host_tools.k210 import states
from tests.host_tools.k210.asker import Asker
from tests.host_tools.k210.images import IMAGES
from tests.host_tools.k210.on_line import OnLine
from tests.host_tools.verification import small
from tests.host_tools.virtual_board import kmodels

CHUNK_BYTES = 720
RAISED_BAUD = 1_500_000
# Sizes of the camera, and one that only picture files have.
CAMERA_SIZES = ((320, 240), (224, 224), (256, 192))
FILES_SIZE = (384, 256)
# The program with an eye on where its heads lie: `places` has each address at which a frame found them.
WATCHED = """
import uctypes, pose_loop
app = pose_loop.App(None)
places = []
send = app.requests.send_frame
def watched(source, heads=0):
    found = [uctypes.addressof(head) for head in app.engine.heads]
    if found not in places:
        places.append(found)
    send(source, heads)
app.requests.send_frame = watched
app.run()
"""

# The program, which says what of the heap is free now and then.
WEIGHED = """
import gc, pose_loop
app = pose_loop.App(None)
count = app._count_frame
def counted():
    count()
    if app.frame % 100 == 0:
        gc.collect()
        print("frame %d: %d" % (app.frame, gc.mem_free()))
app._count_frame = counted
app.run()
"""
FRAMES = 600


@pytest.mark.soak
@pytest.mark.parametrize("name", IMAGES)
def test_heads_lie_in_one_place_over_frames_uploads_and_self_tests(name: str) -> None:
    """With two camera buffers: what was uploaded stays in the one that the program holds."""
    board = states.running(name)
    assert b"one camera buffer" not in board.sent
    board.enter_raw()
    begin = len(board.sent)
    board.type(WATCHED.encode() + b"\x04")
    board.wait("$FRAME,", begin)
    asker = Asker(board)
    # The line carries every frame then, and a block in no time: the chip is emulated for seconds less.
    asker.ask("BAUD", RAISED_BAUD)
    board.frames(2)
    asker.ask("PAUSE")
    words = upload.to_words(np.asarray(small.scene().crop((0, 0, kmodels.WIDTH, kmodels.HEIGHT))))
    upload.send(asker, words, CHUNK_BYTES, lambda done, total: None)
    expected = crc32_of_heads(planes_of(words))
    for _ in range(3):
        assert asker.digest("RUN", 0) == expected
        # The camera goes on meanwhile.
        board.machine.run_for(0.1)
    assert asker.digest("SELFTEST", 0) == small.card()["test_vector"]["heads_crc32"]
    asker.ask("RESUME")
    board.frames(2)
    begin = len(board.sent)
    board.type(b"\x03")
    board.wait(b"\x04>", begin)
    assert board.execute("print(len(places))").strip() == "1"


@pytest.mark.soak
@pytest.mark.parametrize("name", IMAGES)
def test_500_frames_use_no_more_heap_than_100_and_no_error_comes(name: str) -> None:
    board = states.running(name)
    board.enter_raw()
    begin = len(board.sent)
    board.type(WEIGHED.encode() + b"\x04")
    board.wait(b"frame %d: " % FRAMES, begin, seconds=600)
    board.frames(1)
    sent = bytes(board.sent[begin:])
    free = [int(number) for number in re.findall(rb"frame \d+: (\d+)\r\n", sent)]
    assert len(free) == FRAMES // 100
    # What is said in between comes and goes.
    assert abs(free[0] - free[-1]) < 256, free
    assert b"$ERROR," not in sent


def crc32_of_heads(planes: np.ndarray) -> int:
    """CRC-32 of all heads of planes uint8 [3, H, W], one after another."""
    heads = Kpu(kmodels.model()).run(np.ascontiguousarray(planes))[1:]
    return zlib.crc32(b"".join(head.tobytes() for head in heads))


def photo(path: Path, size: tuple[int, int]) -> Path:
    """Coloured patches of that size."""
    small.scene().resize(size, Image.Resampling.BICUBIC).save(path)
    return path


def verified(board: OnLine, kmodel: Path, *arguments: object) -> None:
    ended = invoke(cli.main, ["verify", "--json", "--port", board.port, "--model", kmodel, *arguments])
    assert ended.exit_code == 0, ended
    assert json.loads(ended.stdout)["verified"], ended


# Heads of every size on every image: test_real_images.py.
SIZES_OF_IMAGES = [("minimum", size) for size in CAMERA_SIZES] + [
    (name, CAMERA_SIZES[0]) for name in IMAGES if name != "minimum"
]


@pytest.mark.soak
@pytest.mark.parametrize(("name", "size"), SIZES_OF_IMAGES)
def test_heads_and_poses_are_the_simulators_at_every_size_of_the_camera(
    name: str, size: tuple[int, int], tmp_path: Path
) -> None:
    kmodel = virtual.write_random_model(tmp_path, *size)
    board = states.deployed(name, kmodel=kmodel)
    board.power_on()
    with OnLine(board) as on_line:
        verified(on_line, kmodel)
        verified(on_line, kmodel, "--image", photo(tmp_path / "photo.png", size))


@pytest.mark.soak
@pytest.mark.parametrize("name", IMAGES)
def test_picture_files_larger_than_the_camera_run_in_the_larger_heap(name: str, tmp_path: Path) -> None:
    kmodel = virtual.write_random_model(tmp_path, *FILES_SIZE)
    config = {**boards.pose_config(boards.find(states.BOARD)), **payload.DEFAULT_SETTINGS, "pictures": "/flash"}
    picture = io.BytesIO()
    small.scene().resize(FILES_SIZE, Image.Resampling.BICUBIC).save(picture, "JPEG")
    files = {payload.POSE_CONFIG: json.dumps(config).encode(), "picture.jpg": picture.getvalue()}
    board = states.deployed(name, files, kmodel=kmodel)
    board.power_on()
    with OnLine(board) as on_line:
        verified(on_line, kmodel)
        verified(on_line, kmodel, "--image", photo(tmp_path / "photo.png", FILES_SIZE))
