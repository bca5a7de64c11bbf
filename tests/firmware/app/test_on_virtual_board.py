"""The program on the virtual board: the host's numbers, on every board, with every fault, for a long time."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from conversion import memory_budget, network, test_card
from conversion.decoding import board_decoder
from host_tools import boards
from host_tools.virtual_board import Faults
from host_tools.virtual_board.hardware import ROTATIONS
from host_tools.virtual_board.panel import Glass
from tests.firmware.app import puppet, sentences, virtual
from tests.firmware.app.virtual import FIRMWARE, Program
from tests.samples import sample

BOARDS = tuple(boards.all_boards())
FAULTS = {
    "drop": Faults(drop=0.002),
    "corrupt": Faults(corrupt=0.002),
    "stall": Faults(stall=1.0),
    "slow": Faults(slow=2000),
    "camera": Faults(camera=4),
    "no_camera": Faults(no_camera=1),
    "memory": Faults(memory=memory_budget.MINIMUM.free_bytes - 100_000),
    "reboot": Faults(reboot=12),
}
HEAP_HOOK = """
import gc
import pose_app
import pose_preview
pose_preview.CARD_SEARCH_MS = 0  # previews from the first frame on
def on_frame(poses, frame, image):
    gc.collect()
    print("heap", frame, gc.mem_alloc())
pose_app.run(on_frame)
"""


PUPPET = puppet.model()
# With a card in the slot, MaixPy starts the card's main.py, or one that it writes there itself.
ON_CARD = {"main.py": FIRMWARE / "main.py"}


def pixels(seed: int, width: int, height: int) -> bytes:
    """Random RGB565 pixels, high byte first."""
    return np.random.default_rng(seed).integers(0, 256, 2 * width * height).astype(np.uint8).tobytes()


def expected(model: virtual.Model, data: bytes) -> tuple[bytes, list[dict]]:
    """Heads and poses that the host computes for pixels."""
    simulation = model.simulation
    words = np.frombuffer(data, ">u2").astype(np.uint16).reshape(simulation.height, simulation.width)
    heads = simulation.heads(test_card.planes_of(words))
    poses = [pose.wire for pose in board_decoder.decode(heads, model.device_card, **board_decoder.ON_BOARD)]
    return b"".join(heads[name].tobytes() for name in network.HEAD_NAMES), poses


def wire(poses: list[tuple]) -> list[dict]:
    """Fields of POSE sentences in the form of the host's poses."""
    return [
        {"score": fields[2], "keypoints": [list(fields[at : at + 3]) for at in range(3, 54, 3)]} for fields in poses
    ]


def test_the_hosts_pixels_give_the_hosts_heads_and_poses() -> None:
    with Program(size=(96, 64)) as board:
        board.next("FRAME")
        assert board.ask("PAUSE,1")[0] == 0
        data = pixels(1, 96, 64)
        board.upload(data)
        heads, poses = expected(board.model, data)
        assert poses
        number = board.ask("RUN,3,1")[1]
        digest = board.next("DIGEST")
        assert digest.fields[:2] == (number, zlib.crc32(heads))
        last = -(-len(heads) // 384) - 1
        board.next("CHUNK", rf"1,{last},")
        found = board.sentences()
    assert sentences.block(found, 1) == heads
    ((_, sent),) = [item for item in sentences.frames(found) if item[0][0] == number]
    assert wire(sent) == poses


def test_live_frames_are_decoded_as_on_the_host() -> None:
    """Heads of a live frame, dumped and decoded again: what cannot be shown is that the camera gave these planes."""
    with Program() as board:
        board.next("FRAME")
        assert board.ask("PAUSE,1")[0] == 0
        number = board.ask("HEADS,2")[1]
        size = sum(board.model.device_card["input"].values()) and 115 * 16
        board.next("CHUNK", rf"1,{-(-size // 384) - 1},")
        found = board.sentences()
        raw = np.frombuffer(sentences.block(found, 1), np.uint8).reshape(115, 4, 4)
        heads = dict(zip(network.HEAD_NAMES, np.split(raw, np.cumsum([17, 34, 32])), strict=True))
        decoded = board_decoder.decode(heads, board.model.device_card, **board_decoder.ON_BOARD)
        poses = [pose.wire for pose in decoded]
    ((_, sent),) = [item for item in sentences.frames(found) if item[0][0] == number]
    assert poses
    assert wire(sent) == poses


def test_the_self_test_passes() -> None:
    with Program(size=(96, 64), config={"selftest": 1}) as board:
        result = board.next("SELFTEST").fields
        vector = board.model.device_card["test_vector"]
        assert result[1:6] == (0, vector["heads_crc32"], vector["heads_crc32"], *[len(vector["poses"])] * 2)
        assert result[6] == "PASS"
        # Again on command, with other settings, which stay as they were.
        assert board.ask("POSES,1,1,20000,0")[0] == 0
        assert board.ask("SELFTEST,2")[0] == 0
        assert board.next("SELFTEST").fields[1] == 0
        assert board.ask("SETTINGS,3")[0] == 0
        assert sentences.of(board.sentences(), "SETTINGS")[-1][:4] == (0, 1, 20000, 0)
        assert "posenet: self-test: PASS" in board.output()


@pytest.mark.parametrize(
    ("old", "new"), [("ys[target] = y", "ys[target] = y + 64"), ("REFINEMENTS = const(2)", "REFINEMENTS = const(1)")]
)
def test_the_board_decodes_for_itself(old: str, new: str) -> None:
    """One damaged line of the decoder on the board, and the self-test fails: the host does not decode for it."""
    source = (FIRMWARE / "pose_decoder.py").read_text()
    assert old in source
    with Program(size=(96, 64), config={"selftest": 1}, files={"pose_decoder.py": source.replace(old, new)}) as board:
        result = board.next("SELFTEST").fields
    assert result[1] == 2
    assert "expected" in result[6]
    assert result[2] == result[3]


def test_a_wrong_checksum_fails_the_self_test() -> None:
    model = virtual.random_model(96, 64)
    wrong = {**model.device_card, "test_vector": {**model.device_card["test_vector"], "heads_crc32": 7}}
    with Program(model=replace(model, device_card=wrong), config={"selftest": 1}) as board:
        result = board.next("SELFTEST").fields
    assert result[1:3] == (1, 7)
    assert "the heads differ" in result[6]


def test_ctrl_c_gives_the_repl_and_it_runs_again() -> None:
    with Program() as board:
        board.reach(3)
        free = board.system_heap_free
        for _ in range(3):
            board.send(b"\x03")
            board.wait_for("posenet: stopped")
            board.wait_for(">>> ")
            board.send(b"import pose_app; pose_app.run()\r")
            board.reach(3)
        assert board.system_heap_free == free


def test_a_key_pauses() -> None:
    with Program("maix_cube") as board:
        board.set_pin(10, 1)
        board.reach(3)
        board.set_pin(10, 0)
        board.pass_time(0.6)
        assert board.ask("STATS,1")[0] == 0
        assert sentences.of(board.sentences(), "STATS")[-1][1] == 2


# As `deploy` has it: a picture of 426x320 has no room in MaixPy's own.
HEAP = {"heap": 768 * 1024}


def check_lcd(board: Program) -> None:
    """Each joint is on the LCD where it belongs in the whole picture, in the first person's colour."""
    seen = board.lcd()
    height, width = seen.shape[:2]
    columns, rows = min((width, width * 240 // 320), (height * 320 // 240, height))
    left, top = (width - columns) // 2, (height - rows) // 2
    places = [(left + round(x * columns / 320), top + round(y * rows / 240)) for x, y in puppet.STANDING]
    wrong = [place for place in places if np.abs(seen[place[::-1]].astype(int) - (0, 255, 0)).max() > 8]
    # The score is written over what is above the nose.
    assert len(wrong) <= 2, wrong


def check_board(board_id: str) -> None:
    """Some frames; the skeleton is on the LCD where it belongs, upright."""
    lcd = boards.find(board_id).lcd
    with Program(board_id, config=HEAP, model=PUPPET, camera=puppet.LIGHT) as board:
        board.reach(3)
        hello = sentences.of(board.sentences(), "HELLO")[-1]
        assert hello[5] == board_id
        assert hello[7:9] == (320, 240)
        assert hello[9:11] == ((lcd.width, lcd.height) if lcd else (0, 0))
        _, ((_, _, _, *fields),) = board.frames()[-1]
        assert list(zip(fields[::3], fields[1::3], strict=True)) == puppet.wire(puppet.STANDING)
        if lcd:
            check_lcd(board)


@pytest.mark.parametrize("board_id", sample(BOARDS, 0, 3, 5))
def test_every_board_runs_and_shows_the_skeleton_in_its_place(board_id: str) -> None:
    check_board(board_id)


@pytest.mark.parametrize(("width", "height"), sample([(320, 240), (240, 240), (135, 240), (480, 320)], 2, 3))
def test_other_lcds_show_the_skeleton_in_its_place(width: int, height: int) -> None:
    glass = Glass(width, height, ROTATIONS[0], inverted=False)
    config = {**HEAP, "lcd": {"width": width, "height": height}}
    with Program(config=config, glass=glass, model=PUPPET, camera=puppet.LIGHT) as board:
        board.reach(3)
        assert board.lcd().shape == (height, width, 3)
        check_lcd(board)


def live_with(fault: str, board_id: str = "maix_bit") -> None:
    """What is owed under a fault: frames go on where they can, else there is a clear error, and tries go on."""
    # Every frame that the line holds, though no host has spoken.
    with Program(board_id, faults=FAULTS[fault], config={"settings": {"share": 100}}) as board:
        if fault in ("no_camera", "memory"):
            code = 30 if fault == "no_camera" else 27
            error = board.next("ERROR", f"{code},").fields
            assert error[2]
            assert board.ask("PING,1")[0] == 0
            board.next("ERROR", f"{code},")
            return
        board.reach(2)
        if fault == "reboot":
            board.wait_for("init end")
            board.reach(6)
            boots = {fields[2] for fields in sentences.of(board.sentences(), "HELLO")}
            assert len(boots) == 2
        else:
            board.reach(6)
        assert board.ask("PING,1")[0] == 0
        assert sentences.of(board.sentences(), "ERROR") == []


@pytest.mark.parametrize("fault", sample(FAULTS, 0, 2, 4, 6))
def test_each_fault(fault: str) -> None:
    live_with(fault)


@pytest.mark.soak
@pytest.mark.parametrize("board_id", BOARDS)
@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_on_each_board(fault: str, board_id: str) -> None:
    live_with(fault, board_id)


def heap_of_frames(count: int, size: tuple[int, int]) -> list[int]:
    """Bytes of heap in use in each frame, after a collection."""
    with Program(size=size, files={"main.py": HEAP_HOOK}) as board:
        board.next("FRAME")
        board.ask("PREVIEW,1,200,40")
        board.wait_for(re.compile(rf"heap {count} \d+"))
        found = re.findall(r"heap (\d+) (\d+)", board.output())
    assert [int(number) for number, _ in found[:count]] == list(range(1, count + 1))
    return [int(size) for _, size in found[:count]]


def grows(used: list[int]) -> int:
    """By how many bytes the last third of the frames uses more than the second third, at their most."""
    third = len(used) // 3
    return max(used[2 * third :]) - max(used[third : 2 * third])


def test_30_frames_use_no_more_heap() -> None:
    used = heap_of_frames(30, (64, 64))
    assert grows(used) <= 256
    assert max(used) < 400_000


@pytest.mark.soak
def test_500_frames_use_no_more_heap() -> None:
    used = heap_of_frames(500, (320, 240))
    assert grows(used) <= 0
    assert max(used) < 400_000


def test_without_camera_from_files(tmp_path: Path) -> None:
    for number in range(3):
        virtual.scene(number).resize((64, 64)).save(tmp_path / f"{number}.jpg", quality=95)
    config = {"camera": None, "pictures": "/sd/people", "settings": {"share": 100}}
    pictures = {f"people/{number}.jpg": tmp_path / f"{number}.jpg" for number in range(3)}
    with Program(size=(64, 64), config=config, sd={**ON_CARD, **pictures}, faults=Faults(no_camera=1)) as board:
        board.reach(7)
        frames = board.frames()
    assert [frame[0] for frame, _ in frames[:6]] == [1, 2, 3, 4, 5, 6]
    assert {frame[2] for frame, _ in frames} == {1}
    # The same three pictures again, with somebody in each.
    poses = [[fields[2:] for fields in each] for _, each in frames[:6]]
    assert all(poses)
    assert poses[:3] == poses[3:]


def test_pictures_of_the_full_size_do_not_fit_the_heap_and_it_says_so(tmp_path: Path) -> None:
    virtual.scene().save(tmp_path / "a.jpg")
    config = {"camera": None, "pictures": "/sd/people"}
    with Program(size=(320, 240), config=config, sd={**ON_CARD, "people/a.jpg": tmp_path / "a.jpg"}) as board:
        assert "deploy --heap 768" in board.next("ERROR", "27,").fields[2]


def test_the_kmodel_from_a_slow_card() -> None:
    model = virtual.random_model(64, 64)
    with Program(sd={"random.kmodel": model.data}, sd_delay_ms=1500) as board:
        board.flash.write(0x300000, b"\xff" * 4096)
        board.reset()
        board.reach(2)
        assert "kmodel 64x64 from /sd/random.kmodel" in board.output()
