"""It is the board that decodes: heads go in, poses come out of the firmware's own file, run by MicroPython."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conversion import network, photos
from conversion.decoding import board_decoder
from conversion.kpu.simulator import Kpu
from tests.host_tools.virtual_board import kmodels
from tests.host_tools.virtual_board.shell import Shell
from tests.jumping import VirtualBoard

DECODER = Path(__file__).resolve().parents[3] / "firmware" / "pose_decoder.py"
PROGRAM = f"""
import gc, json, KPU as kpu, sensor
import pose_decoder
with open("/flash/pose_model.json") as file:
    decoder = pose_decoder.PoseDecoder(json.load(file))
task = kpu.load(0x300000)
sensor.reset()
sensor.set_pixformat(sensor.RGB565)
sensor.set_framesize(sensor.QVGA)
sensor.set_windowing(({kmodels.WIDTH}, {kmodels.HEIGHT}))
kpu.forward(task, sensor.snapshot())
n = decoder.decode([memoryview(kpu.get_output(task, i)) for i in (1, 2, 3, 4)])
print(json.dumps([[p.score, [[p.x16[k], p.y16[k], p.scores[k]] for k in range(17)]] for p in decoder.poses[:n]]))
"""


def poses_on_board(decoder: str, photo: Image.Image) -> list:
    files = {"main.py": "", "pose_decoder.py": decoder}
    with VirtualBoard(kmodels.kmodel(), kmodels.device_card(), files, camera=photo) as board:
        return json.loads(Shell(board).run(PROGRAM).split("\n")[-1])


@pytest.fixture(scope="module")
def expected(noise_photo: Image.Image) -> list:
    """The same on the host: simulator, then decoder."""
    planes = photos.planes(np.asarray(noise_photo))[:, : kmodels.HEIGHT, : kmodels.WIDTH]
    outputs = Kpu(kmodels.model()).run(planes)[1:]
    heads = {
        spec.name: values.reshape(spec.channels, kmodels.HEIGHT // 16, kmodels.WIDTH // 16)
        for spec, values in zip(network.HEADS, outputs, strict=True)
    }
    poses = board_decoder.decode(heads, kmodels.device_card())
    return [[pose.wire["score"], pose.wire["keypoints"]] for pose in poses]


def test_the_board_finds_the_poses_that_the_host_finds(expected: list, noise_photo: Image.Image) -> None:
    assert len(expected) == 5
    assert poses_on_board(DECODER.read_text(), noise_photo) == expected


@pytest.mark.parametrize(
    ("line", "damaged"),
    [
        ("pose.x16[part] = xs[part] + 2 >> 2", "pose.x16[part] = xs[part] + 4 >> 2"),
        ("at = first + cell", "at = first"),
        ("left -= 1", "left -= 2"),
    ],
)
def test_one_damaged_line_on_the_board_shows(expected: list, noise_photo: Image.Image, line: str, damaged: str) -> None:
    """Else the host would be decoding for the board."""
    source = DECODER.read_text()
    assert source.count(line) == 1
    assert poses_on_board(source.replace(line, damaged), noise_photo) != expected
