"""The program while all is well, on a board of stand-ins: loading, frames, sentences, LCD, sources, the key."""

from __future__ import annotations

import importlib
import itertools
import json
import types

import pytest

import conversion
from conversion import card
from conversion.decoding import board_decoder
from tests.firmware import synthetic
from tests.firmware.app import sentences, stand_ins
from tests.firmware.app.board import ADDRESS, KMODEL_FILE, Board, device_card, kmodel_bytes, people


def test_frames_carry_what_the_decoder_finds() -> None:
    board = Board()
    frames = sentences.frames(board.run(2000))
    decoder = board_decoder.decoder_for(board.card, **board_decoder.ON_BOARD)
    count = decoder.decode(board.heads)
    assert count == 3
    assert len(frames) > 5
    for number, (frame, poses) in enumerate(frames, start=frames[0][0][0]):
        assert frame[0] == number
        assert frame[2:4] == (0, count)
        for index, fields in enumerate(poses):
            pose = decoder.poses[index]
            assert fields[2] == pose.score
            assert fields[3:] == tuple(
                n for keypoint in zip(pose.x16, pose.y16, pose.scores, strict=True) for n in keypoint
            )


def test_stage_times_are_in_every_frame() -> None:
    board = Board()
    frames = [frame for frame, _ in sentences.frames(board.run(2000))]
    for frame in frames[1:]:
        capture, kpu, _, draw, send = frame[4:]
        # The stand-ins' camera takes 33 ms, the KPU 40, the line 11520 bytes a second.
        assert 33_000 <= capture < 34_000
        assert 40_000 <= kpu < 41_000
        assert draw >= 0
        assert 40_000 < send < 80_000
    assert all(later[1] > earlier[1] for earlier, later in itertools.pairwise(frames))


def test_a_turned_model_is_said_drawn_without_letters_and_sent_as_it_lies_in_memory() -> None:
    straight, turned = Board(), Board()
    turned.card["input"]["turned"] = 1
    frames = [sentences.frames(board.run(2000)) for board in (straight, turned)]
    assert sentences.of(turned.sent(), "HELLO")[-1][15] == 1
    assert [poses[0][2:] for _, poses in frames[0]] == [poses[0][2:] for _, poses in frames[1]]
    kinds = [{kind for kind, _, _ in board.lcd.shown[-1][3]} for board in (straight, turned)]
    assert kinds == [{"line", "circle", "string"}, {"line", "circle"}]


def test_hello_says_what_runs() -> None:
    board = Board()
    first, second = sentences.of(board.run(1000), "HELLO")
    assert first[6:13] == (-1, 0, 0, 0, 0, 0, "-")
    assert second[6:13] == (0, 320, 240, 320, 240, len(board.kmodel), board.card["kmodel"]["sha256"])
    assert second[0] == 1
    assert second[3] == "MaixPy"
    assert second[5] == "maix_bit"
    assert second[13:] == (720, 115200, 0, 0)
    assert first[2] == second[2] < 2**32


def test_hello_comes_again() -> None:
    board = Board()
    assert len(sentences.of(board.run(65_000), "HELLO")) == 4


def test_the_firmwares_version_is_the_projects() -> None:
    assert sentences.of(Board().run(500), "HELLO")[0][1] == conversion.__version__


def test_each_start_has_another_boot_id() -> None:
    """Also where the board's clock and its random bytes are the same each time."""
    board = Board()
    boots = [sentences.of(board.run(500), "HELLO")[0][2]]
    for _ in range(3):
        again = Board()
        again.files = board.files
        boots.append(sentences.of(again.run(500), "HELLO")[0][2])
    assert len(set(boots)) == 4


def test_a_frame_makes_one_kpu_call() -> None:
    """The four outputs are looked at once, to know that they lie in what `forward` returns."""
    board = Board()
    frames = sentences.frames(board.run(3000))
    assert len(frames) > 10
    assert all(head[3] == 3 for head, _ in frames)
    assert board.kpu.outputs_taken == 4


def test_a_block_that_moves_is_found_again() -> None:
    board = Board()
    board.run(1000)
    with board.modules():
        model = importlib.import_module("pose_model")
        network = model.Network(board.kpu, importlib.import_module("pose_card").load())
        for _ in range(2):
            board.kpu.block = bytearray()
            heads = network.run(types.SimpleNamespace(size=(320, 240), planes=b""))
            assert [bytes(head) for head in heads] == board.heads


def test_a_firmware_whose_outputs_lie_elsewhere_is_asked_for_them() -> None:
    board = Board()
    board.kpu.apart = 16
    frames = sentences.frames(board.run(3000))
    assert all(head[3] == 3 for head, _ in frames)
    assert board.kpu.outputs_taken == 4 + 4 * len(board.kpu.pictures)


def test_memory_is_taken_in_order_and_printed_first() -> None:
    board = Board()
    board.run(500)
    lines = board.printed.splitlines()
    assert "memory in KiB: kmodel 39 + camera 750 + LCD 150 = 939 KiB needed, 3906 KiB free" in lines[0]
    assert lines[0].endswith("; MicroPython's heap 489 KiB")
    assert lines[1] == "posenet: kmodel 320x240 from flash 0x300000"
    assert board.kpu.loaded == [ADDRESS]
    assert [name for name, *_ in board.sensor.calls] == ["reset", "set_pixformat", "set_framesize"]


def test_too_little_memory_is_said_before_loading() -> None:
    board = Board()
    board.free = 500_000
    board.run(500)
    said = board.printed.splitlines()
    assert "camera 375 + LCD 150" in said[0]
    assert said[1] == "posenet: one camera buffer, which costs frames a second"
    assert "likely too little: flash a `minimum` build" in said[2]


@pytest.mark.parametrize(
    ("wanted", "free", "two"),
    [(-1, 1_100_000, True), (-1, 1_000_000, False), (-1, -1, False), (1, 600_000, True), (0, 4_000_000, False)],
)
def test_two_camera_buffers_where_memory_allows(wanted: int, free: int, two: bool) -> None:
    board = Board()
    board.config["camera"] = {"dual_buffer": wanted}
    board.free = free
    board.run(500)
    assert (("reset", (), {"dual_buff": True}) in board.sensor.calls) == two
    assert ("camera 750" in board.printed) == two


def test_the_full_camera_frame_needs_no_window() -> None:
    board = Board()
    board.run(500)
    assert not any(call[0] == "set_windowing" for call in board.sensor.calls)


@pytest.mark.parametrize(("camera", "where"), [(0x2642, "top left part"), (0x7742, "top left part"), (0x9D, "middle")])
def test_a_smaller_model_sees_a_window_and_says_so_once(camera: int, where: str) -> None:
    board = Board(224, 160)
    board.sensor.id = camera
    frames = sentences.frames(board.run(2000))
    assert len(frames) > 5
    assert ("set_windowing", (48, 40, 224, 160)) in board.sensor.calls
    assert board.printed.count("the model sees 224x160 of the frame") == 1
    assert where in board.printed
    assert set(board.kpu.pictures) == {(224, 160)}


def test_flips_and_double_buffer_come_from_the_config() -> None:
    board = Board()
    board.config["camera"] = {"vflip": 1, "hmirror": 0, "dual_buffer": 1}
    board.run(500)
    assert ("reset", (), {"dual_buff": True}) in board.sensor.calls
    assert ("set_vflip", (1,), {}) in board.sensor.calls
    assert ("set_hmirror", (0,), {}) in board.sensor.calls
    assert "camera 750" in board.printed


def test_the_lcd_shows_every_frame_with_skeletons_and_fps() -> None:
    board = Board()
    found = board.run(3000)
    assert len(board.lcd.shown) >= len(sentences.frames(found))
    size, roi, offset, drawn = board.lcd.shown[-1]
    assert (size, roi, offset) == ((320, 240), (0, 0, 320, 240), (0, 0))
    assert sum(kind == "line" for kind, _, _ in drawn) == 36
    (caption,) = [args[2] for kind, args, _ in drawn if kind == "string" and "fps" in args[2]]
    rate = 1000 * len(board.lcd.shown) / 3000
    assert abs(float(caption.split()[0]) - rate) < 1.5


def test_it_runs_without_an_lcd() -> None:
    board = Board()
    board.config["lcd"] = None
    found = board.run(2000)
    assert len(sentences.frames(found)) > 5
    assert sentences.of(found, "HELLO")[-1][9:11] == (0, 0)
    assert board.lcd.calls == []
    assert "LCD" not in board.printed


def test_it_runs_without_a_config() -> None:
    board = Board()
    board.config = None
    assert len(sentences.frames(board.run(6000))) > 5
    assert "no pose_config.json, so taking a standard LCD and camera" in board.printed


def test_it_runs_from_image_files_without_a_camera() -> None:
    board = Board(224, 160)
    stand_ins.FAULTS["no_camera"] = True
    board.config.update(camera=None, pictures="/sd/people")
    for name in ("b.jpg", "a.BMP", "notes.txt"):
        board.files[f"/sd/people/{name}"] = b""
        stand_ins.IMAGES[f"/sd/people/{name}"] = (224, 160)
    board.free_heap = 400_000
    frames = sentences.frames(board.run(2000))
    assert len(frames) > 5
    assert {frame[2] for frame, _ in frames} == {1}
    assert board.sensor.taken == 0
    assert "camera" not in board.printed


def test_models_larger_than_the_camera_run_from_files() -> None:
    board = Board(384, 256)
    board.config.update(camera=None, pictures="/sd/people")
    board.files["/sd/people/a.jpg"] = b""
    stand_ins.IMAGES["/sd/people/a.jpg"] = (384, 256)
    board.free_heap = 800_000
    assert len(sentences.frames(board.run(2000))) > 5


@pytest.mark.parametrize("path", ["/flash/posenet.kmodel", f"/flash/{KMODEL_FILE}", f"/sd/{KMODEL_FILE}"])
def test_the_kmodel_may_lie_in_a_file(path: str) -> None:
    board = Board()
    board.flash = {}
    board.files[path] = board.kmodel
    assert len(sentences.frames(board.run(2000))) > 5
    assert board.kpu.loaded == [path]


def test_flash_comes_before_files() -> None:
    board = Board()
    board.files[f"/sd/{KMODEL_FILE}"] = board.files["/flash/posenet.kmodel"] = board.kmodel
    board.run(500)
    assert board.kpu.loaded == [ADDRESS]


def test_another_models_kmodel_in_flash_is_passed_over() -> None:
    board = Board()
    board.flash = {ADDRESS: device_and_kmodel(224, 224)[1]}
    board.files[f"/sd/{KMODEL_FILE}"] = board.kmodel
    assert len(sentences.frames(board.run(2000))) > 3
    assert board.kpu.loaded == [f"/sd/{KMODEL_FILE}"]


def device_and_kmodel(width: int, height: int) -> tuple[dict, bytes]:
    board = Board(width, height)
    return board.card, board.kmodel


def test_the_flash_address_is_the_configs() -> None:
    board = Board()
    board.flash = {0x500000: board.kmodel}
    board.config["model"] = {"address": 0x500000}
    board.run(500)
    assert board.kpu.loaded == [0x500000]


def test_it_waits_for_a_slow_card() -> None:
    board = Board()
    board.flash = {}
    board.mounted_ms["sd"] = 2000
    board.files[f"/sd/{KMODEL_FILE}"] = board.kmodel
    found = board.run(4000)
    assert board.kpu.loaded == [f"/sd/{KMODEL_FILE}"]
    assert sentences.of(found, "ERROR") == []


def test_a_card_in_the_slot_wins_where_the_program_came_from_it() -> None:
    board = Board()
    other = device_card(320, 240, board.kmodel)
    other["kmodel"]["sha256"] = "cd" * 32
    board.files["/sd/pose_model.json"] = json.dumps(other).encode()
    board.cwd = "/sd"
    assert sentences.of(board.run(500), "HELLO")[-1][12] == "cd" * 32


def test_the_key_pauses_and_wakes() -> None:
    board = Board()
    board.config["pause_button"] = {"pin": 10, "pressed": 0}
    presses = [(1000, 1200), (3000, 3200)]
    board.gpio.level = lambda: int(not any(first <= board.clock.ms < last for first, last in presses))
    found = board.run(5000)
    moments = [frame[1] for frame, _ in sentences.frames(found)]
    assert not [moment for moment in moments if 1300 < moment < 2900]
    assert [moment for moment in moments if moment > 3300]
    assert ("register", 10, 127) in board.gpio.calls


def test_the_makers_hook_sees_poses_frame_and_picture() -> None:
    board = Board()
    seen = []

    def on_frame(poses: list, frame: int, image: stand_ins.Image) -> None:
        seen.append((len(poses), frame, image.size, sum(item[0] == "line" for item in image.drawn)))
        image.draw_string(1, 2, "mine", color=(1, 2, 3))

    frames = sentences.frames(board.run(2000, on_frame))
    assert [item[1] for item in seen] == list(range(1, len(seen) + 1))
    # The skeletons come after it, over what it draws.
    assert {(item[0], item[2], item[3]) for item in seen} == {(3, (320, 240), 0)}
    assert len(frames) > 5
    # What it draws is on the LCD.
    assert all(shown[3][0] == ("string", (1, 2, "mine"), (1, 2, 3)) for shown in board.lcd.shown)


def test_nobody_in_the_picture_gives_frames_without_poses() -> None:
    board = Board()
    board.heads = people(320, 240, 0)
    frames = sentences.frames(board.run(1000))
    assert len(frames) > 5
    assert all(frame[3] == 0 for frame, _ in frames)


def test_the_device_card_of_the_host_is_the_one_that_the_program_reads() -> None:
    """The stand-ins' card is what the host makes of a model card."""
    entries = Board().card
    model_card = {
        **synthetic.card(320, 240),
        "kmodel": card.kmodel_entry(KMODEL_FILE, kmodel_bytes(320, 240)),
        "memory": entries["memory"],
    }
    made = board_decoder.device_card(model_card)
    assert made == entries


def test_ctrl_c_gives_the_memory_back() -> None:
    board = Board()
    board.run(1000)
    assert board.kpu.closed == 1
    assert board.printed.splitlines()[-1].startswith("posenet: stopped")
