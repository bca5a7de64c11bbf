"""Boards that compute something else: exit code 1, and what is said is what was done to them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conversion import photos
from conversion.decoding import board_decoder
from conversion.kmodel import v3
from conversion.kpu.posenet import Simulation
from conversion.test_card import planes_of
from host_tools.verification import layers, upload
from host_tools.verification.model import Model
from tests.host_tools.verification import small
from tests.host_tools.verification.command import Ended, state, told, verdict, verify
from tests.host_tools.virtual_board import kmodels
from tests.samples import sample

PIX_TO_AI = "        picture.pix_to_ai()\n"
SWAPPED_BYTES = """\
        data = memoryview(picture.to_bytes())
        for n in range(0, len(data), 2):
            data[n], data[n + 1] = data[n + 1], data[n]
        picture.pix_to_ai()
        for n in range(0, len(data), 2):
            data[n], data[n + 1] = data[n + 1], data[n]
"""
UNSTABLE = """\
        data = memoryview(picture.to_bytes())
        kept = bytes(data[:64])
        for n in range(64):
            data[n] ^= 37 * app.frame + n & 255
        picture.pix_to_ai()
        data[:64] = kept
"""
BOTH = pytest.mark.parametrize("mode", sample(["image", "board"], 0))


def flat(ended: Ended) -> str:
    """What was said, without the table's line breaks."""
    return " ".join(ended.stdout.split())


@pytest.fixture
def arguments(kmodel: Path, photo: Path) -> Callable[[str], tuple]:
    def of(mode: str) -> tuple:
        return ("--model", kmodel, *(("--image", photo) if mode == "image" else ("--frames", 1)))

    return of


def weight_of(model: Model, head: str, channel: int) -> int:
    """Where one weight of a head lies in the kmodel."""
    (start, end), _ = layers.parameters_of(model, head, channel)
    return (start + end) // 2


def with_byte_changed(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1 :]


@BOTH
def test_one_changed_weight_of_a_head_is_found_and_placed(model: Model, arguments: Callable, mode: str) -> None:
    at = weight_of(model, "displacement_fwd", 9)
    with small.board_with_other_kmodel(with_byte_changed(model.data, at)) as board:
        ended = verify(board.port, *arguments(mode))
        assert state(board) == "running"
    assert ended.exit_code == 1, ended
    assert ended.stdout.startswith("DIFFERS  ")
    assert "heads DIFFERENT (CRC-32 " in flat(ended)
    assert "equal to what the host decodes from the board's heads" in flat(ended), "the decoder is not to blame"
    assert "the first byte that differs is displacement_fwd, channel 9 (y), cell y " in flat(ended)
    assert "heatmap, offset, displacement_bwd are exact" in flat(ended)
    start, end = layers.parameters_of(model, "displacement_fwd", 9)[0]
    assert f"displacement_fwd channel 9: weights at 0x{start:x} to 0x{end - 1:x} of the kmodel" in flat(ended)
    assert f"(0x{0x300000 + start:x} of flash)" in flat(ended)
    said = [line for line in ended.stderr.splitlines() if not line.startswith("· ")]
    assert len(said) == 1
    assert said[0].startswith("error: the board does not compute what the host computes; ")


def test_the_first_differing_byte_is_the_one_that_differs(model: Model, arguments: Callable, photo: Path) -> None:
    changed = with_byte_changed(model.data, weight_of(model, "offset", 20))
    with small.board_with_other_kmodel(changed) as board:
        code, found = verdict(board.port, *arguments("image"))
    assert code == 1
    assert found["verified"] is False
    (finding,) = found["findings"]
    first = finding["heads"]["first"]
    assert (first["head"], first["channel"]) == ("offset", 20)
    planes = planes_of(upload.to_words(photos.letterbox(photos.read(photo), *model.size)))
    right = b"".join(head.tobytes() for head in model.simulation.heads(planes).values())
    wrong = b"".join(
        head.tobytes() for head in Simulation(v3.read(changed, "changed"), "changed").heads(planes).values()
    )
    differing = np.flatnonzero(np.frombuffer(right, np.uint8) != np.frombuffer(wrong, np.uint8))
    assert first["at"] == differing[0]
    assert (first["expected"], first["found"]) == (right[differing[0]], wrong[differing[0]])
    assert finding["heads"]["heads"][0]["differing"] == len(differing)
    suspects = [layer["name"] for layer in finding["layers"] if layer["suspect"]]
    assert suspects == ["offset"]


def test_a_changed_weight_of_the_body_leaves_all_layers_before_the_heads(model: Model, arguments: Callable) -> None:
    place = layers.table(model, ())[5].parameters
    with small.board_with_other_kmodel(with_byte_changed(model.data, place[0] + 1)) as board:
        ended = verify(board.port, *arguments("image"))
    assert ended.exit_code == 1, ended
    assert "the fault is before the heads" in flat(ended) or "nearly all bytes differ" in flat(ended)
    assert "conv0" in ended.stdout
    assert "pointwise13" in ended.stdout


def test_another_kmodel_of_the_same_size_is_recognised(arguments: Callable) -> None:
    with small.board_with_other_kmodel(kmodels.kmodel(1)) as board:
        ended = verify(board.port, *arguments("image"))
    assert ended.exit_code == 1, ended
    assert "another kmodel, or a damaged one, is in the board's memory: run `flash`" in flat(ended)


@BOTH
def test_swapped_bytes_of_pixels_are_named(arguments: Callable, mode: str) -> None:
    with small.board(small.damaged("pose_requests.py", (PIX_TO_AI, SWAPPED_BYTES))) as board:
        ended = verify(board.port, *arguments(mode))
    assert ended.exit_code == 1, ended
    assert "explained exactly by this: the two bytes of each pixel are swapped" in flat(ended)
    assert "where to look" not in flat(ended), "the layers are not the fault"


def test_a_picture_that_never_reaches_the_kpu_is_named(arguments: Callable) -> None:
    files = small.damaged("pose_requests.py", (PIX_TO_AI, ""))
    with small.board(files, camera=Image.new("RGB", (320, 240), "black")) as board:
        ended = verify(board.port, *arguments("image"))
    assert ended.exit_code == 1, ended
    assert "explained exactly by this: the KPU got an empty (black) picture" in flat(ended)


def test_a_board_that_does_not_repeat_its_numbers_is_named(arguments: Callable) -> None:
    with small.board(small.damaged("pose_requests.py", (PIX_TO_AI, UNSTABLE))) as board:
        ended = verify(board.port, *arguments("image"))
    assert ended.exit_code == 1, ended
    assert "two runs on the same pixels gave different heads" in flat(ended)


@BOTH
def test_a_damaged_decoder_is_told_from_wrong_heads(arguments: Callable, mode: str) -> None:
    files = small.damaged(
        "pose_decoder.py", ("pose.y16[part] = ys[part] + 2 >> 2", "pose.y16[part] = ys[part] + 6 >> 2")
    )
    with small.board(files) as board:
        ended = verify(board.port, *arguments(mode))
    assert ended.exit_code == 1, ended
    assert "heads equal, byte for byte" in flat(ended)
    assert "poses DIFFERENT, integer for integer" not in flat(ended)
    assert "poses DIFFERENT" in flat(ended)
    assert re.search(r"the first integer that differs is pose 0, \w+ y: board -?\d+, host -?\d+", flat(ended))
    assert "pose_decoder.py or the device card pose_model.json on the board is not of this version" in flat(ended)
    assert "scores are right, only positions differ" in flat(ended)


def test_a_damaged_decoder_shows_in_live_frames(arguments: Callable) -> None:
    files = small.damaged("pose_decoder.py", ("REFINEMENTS = const(2)\n", "REFINEMENTS = const(1)\n"))
    with small.board(files) as board:
        code, found = verdict(board.port, *arguments("board"))
    assert code == 1
    assert [finding["equal"] for finding in found["findings"]] == [False, False]
    assert all(finding["heads"] is None for finding in found["findings"])


def test_another_test_vector_on_the_board_is_told_from_wrong_numbers(arguments: Callable) -> None:
    device_card = board_decoder.device_card({**small.card(), "test_vector": small.card(1)["test_vector"]})
    with small.board(device_card=device_card) as board:
        ended = verify(board.port, *arguments("board"))
        image = verify(board.port, *arguments("image"))
    assert (ended.exit_code, image.exit_code) == (1, 0), (ended, image)
    assert "the test vector in its device card pose_model.json is another model's, run `deploy`" in flat(ended)
    assert "heads equal, byte for byte" in flat(ended)


def test_a_decoder_that_ignores_the_settings_is_named(kmodel: Path, photo: Path) -> None:
    configured = "            self.engine.decoder.configure(*self.settings.decoder())\n"
    said = "        if self.look:\n"
    files = small.damaged("pose_loop.py", (configured + said, "            pass\n" + said))
    with small.board(files) as board:
        told(board, "POSES", 2, 100, 20, 0)
        ended = verify(board.port, "--model", kmodel, "--image", photo)
    assert ended.exit_code == 1, ended
    assert "the board has decoded with the decoder's defaults, not with the settings that it tells" in flat(ended)
