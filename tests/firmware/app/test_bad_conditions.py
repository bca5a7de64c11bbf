"""What goes wrong on a board: each thing is said in one clear line, on LCD and line, and the program goes on trying."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Callable

import pytest

from tests.firmware.app import sentences, stand_ins
from tests.firmware.app.board import ADDRESS, KMODEL_FILE, Board, kmodel_bytes


def no_card(board: Board) -> None:
    board.card = None


def card_entry(*path: str, value: object) -> Callable[[Board], None]:
    """A card with one entry changed, or without it where the value is None."""

    def change(board: Board) -> None:
        card = copy.deepcopy(board.card)
        table = card
        for name in path[:-1]:
            table = table[name]
        if value is None:
            del table[path[-1]]
        else:
            table[path[-1]] = value
        board.card = card

    return change


def config_entry(name: str, value: object) -> Callable[[Board], None]:
    def change(board: Board) -> None:
        board.config[name] = value

    return change


def file_bytes(name: str, data: bytes) -> Callable[[Board], None]:
    def change(board: Board) -> None:
        board.files[name] = data

    return change


def no_kmodel(board: Board) -> None:
    board.flash = {}


def kmodel(data: bytes) -> Callable[[Board], None]:
    def change(board: Board) -> None:
        board.flash = {ADDRESS: data}

    return change


def damaged_kmodel(board: Board) -> None:
    data = bytearray(board.kmodel)
    data[4000] ^= 1
    board.flash = {ADDRESS: bytes(data)}


def fault(name: str, value: object) -> Callable[[Board], None]:
    def change(board: Board) -> None:
        stand_ins.FAULTS[name] = value

    return change


def pictures(*sizes: tuple[int, int], heap: int = 900_000) -> Callable[[Board], None]:
    def change(board: Board) -> None:
        board.config.update(camera=None, pictures="/sd/people")
        board.free_heap = heap
        for number, size in enumerate(sizes):
            board.files[f"/sd/people/{number}.jpg"] = b""
            stand_ins.IMAGES[f"/sd/people/{number}.jpg"] = size

    return change


V5 = b"LDMK" + (5).to_bytes(4, "little") + bytes(500)
V4 = b"LDMK" + (4).to_bytes(4, "little") + bytes(500)
OTHER_NETWORK = (3).to_bytes(4, "little") + bytes(20) + (2).to_bytes(4, "little") + bytes(500)

CONDITIONS = {
    "no card": (no_card, 21, "no pose_model.json in /flash or /sd: put it there with `deploy`"),
    "card not JSON": (file_bytes("/flash/pose_model.json", b'{"format":'), 22, "not JSON; write it again"),
    "card a list": (file_bytes("/flash/pose_model.json", b"[]"), 22, 'format is not "posenet-maix device card 1"'),
    "card version": (card_entry("format", value="posenet-maix device card 2"), 22, "format is not"),
    "card incomplete": (card_entry("kmodel", "bytes", value=None), 22, "bytes is missing"),
    "card without checksum": (card_entry("kmodel", "crc32", value=None), 22, "crc32 is missing"),
    "card without sigmoid": (card_entry("sigmoid", value=None), 22, "sigmoid is missing"),
    "card with texts": (card_entry("input", "width", value="320"), 22, "an entry is of the wrong kind"),
    "card with nonsense": (card_entry("sigmoid", value=[1, 2]), 22, "sigmoid must be 256 scores"),
    "card of V5": (card_entry("kmodel", "version", value=5), 24, "describes a kmodel V5, this program runs V3"),
    "no kmodel": (no_kmodel, 23, f"no kmodel at flash 0x300000, nor as {KMODEL_FILE} in /flash or /sd"),
    "kmodel V4": (kmodel(V4), 24, "flash 0x300000 holds a kmodel V4, but this program and most MaixPy builds run V3"),
    "kmodel V5": (kmodel(V5), 24, "flash 0x300000 holds a kmodel V5"),
    "another network": (kmodel(OTHER_NETWORK), 25, "another network's kmodel (2 outputs)"),
    "another size": (kmodel(kmodel_bytes(224, 224)), 25, "is for another size: its heatmap has 3332 bytes, at 320x240"),
    "another kmodel": (damaged_kmodel, 25, "is not the one that pose_model.json describes (CRC-32"),
    "no memory for the kmodel": (fault("load", "2006, ERR_NO_MEM"), 27, "no memory for the kmodel"),
    "version refused": (fault("load", "2002, only support kmodel V3"), 24, "the firmware does not load it"),
    "kmodel refused": (fault("load", "2005, ERR_READ_FILE"), 28, "the firmware refused it"),
    "no camera": (fault("no_camera", True), 30, "no camera found (Reset Failed): check its ribbon"),
    "a board without camera": (config_entry("camera", None), 30, 'name a folder of pictures, "pictures"'),
    "camera silent": (fault("silent_frames", range(1, 10_000)), 31, "the camera does not deliver (Sensor timeout!)"),
    "KPU fails": (fault("forward", True), 33, "the KPU failed: [MAIXPY]kpu: ERR_RUN_MODEL"),
    "no pictures": (pictures(), 32, "no .jpg or .bmp in /sd/people: put pictures of 320x240 there"),
    "pictures of another size": (pictures((640, 480)), 32, "0.jpg is 640x480, the model needs 320x240"),
    "no heap for pictures": (pictures((320, 240), heap=300_000), 27, "enlarge it with `deploy --heap 768`"),
    "config not JSON": (file_bytes("/flash/pose_config.json", b"{"), 20, "is not JSON; write it again with `deploy"),
    "config of another version": (config_entry("format", "x"), 20, 'format is not "posenet-maix board 1"'),
    "config with an unknown name": (config_entry("lcdd", {}), 20, "pose_config.json: there is no lcdd"),
    "config with an unknown entry": (config_entry("lcd", {"rotate": 1}), 20, "there is no lcd.rotate"),
    "config out of range": (config_entry("lcd", {"rotation": 4}), 20, "lcd.rotation is 4, must be a whole number"),
    "config with a float": (config_entry("draw_score", 0.5), 20, "draw_score is 0.5, must be a whole number"),
    "config with a text": (config_entry("model", {"address": "0x300000"}), 20, "model.address is 0x300000"),
    "config with a truth": (config_entry("selftest", True), 20, "selftest is True, must be a whole number"),
    "config key without pin": (config_entry("pause_button", {"pressed": 0}), 20, "pause_button.pin is missing"),
    "config section null": (config_entry("model", None), 20, "model is not a section"),
    "config board no text": (config_entry("board", 5), 20, "board is not a text"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "code", "says"), CONDITIONS.values(), ids=CONDITIONS)
def test_it_is_said_on_lcd_and_line_and_tried_again(change: Callable[[Board], None], code: int, says: str) -> None:
    board = Board()
    change(board)
    board.tell(6000, "PING,1")
    board.tell(6500, "STATS,2")
    found = board.run(12_000)
    errors = sentences.of(found, "ERROR")
    assert {fields[0] for fields in errors} == {code}
    assert says in errors[0][2]
    assert "\n" not in errors[0][2]
    # On the LCD too, with the time of the next try; the words may be broken into lines.
    assert board.lcd.texts[0] == f"Error {code}"
    assert says.split(":")[0].replace(" ", "")[:40] in board.lcd.message().replace(" ", "")
    assert "Next try in" in board.lcd.message()
    # Not a flood, but tried again; the host is answered meanwhile.
    assert 2 <= len(errors) <= 5
    assert [fields[:2] for fields in sentences.of(found, "REPLY")] == [(1, 0), (2, 0)]
    assert sentences.of(found, "STATS")[0][1] in (0, 1, 3)
    assert sentences.frames(found) == []


def test_a_model_larger_than_the_camera_is_refused_with_the_reason() -> None:
    board = Board(384, 256)
    (first, *_) = sentences.of(board.run(3000), "ERROR")
    assert first[0] == 26
    assert "the model is 384x256, the camera gives 320x240: make a smaller one" in first[2]
    assert board.sensor.calls == []


def test_a_camera_without_memory() -> None:
    board = Board()

    def set_framesize(size: int) -> None:
        raise OSError(12)

    board.sensor.set_framesize = set_framesize
    (first, *_) = sentences.of(board.run(3000), "ERROR")
    assert first[0] == 27
    assert "no memory for the camera" in first[2]


def test_a_failing_lcd_is_said_once_and_frames_go_on() -> None:
    board = Board()
    stand_ins.FAULTS["lcd"] = True
    found = board.run(5000)
    assert [fields[:2] for fields in sentences.of(found, "ERROR")] == [(40, 1)]
    assert len(sentences.frames(found)) > 10


def test_waits_grow_and_frames_come_when_it_is_mended() -> None:
    board = Board()
    stand_ins.FAULTS["no_camera"] = True
    tries: list[int] = []
    reset = board.sensor.reset

    def watched(**kwargs: object) -> None:
        tries.append(board.clock.ms)
        stand_ins.FAULTS["no_camera"] = board.clock.ms < 20_000
        reset(**kwargs)

    board.sensor.reset = watched
    found = board.run(40_000)
    waits = [round((later - earlier) / 1000) for earlier, later in itertools.pairwise(tries)]
    assert waits == [1, 2, 4, 8, 16]
    assert len(sentences.frames(found)) > 10
    # The kmodel stayed where it was.
    assert board.kpu.loaded == [ADDRESS]


def test_resume_tries_again_at_once() -> None:
    board = Board()
    board.card, card = None, board.card

    def network_is_back() -> None:
        board.card = card

    board.tell(9000, "RESUME,1")
    read = board.uart.any

    def watched() -> int:
        if board.clock.ms > 8000:
            network_is_back()
        return read()

    board.uart.any = watched
    frames = sentences.frames(board.run(12_000))
    assert 9000 < frames[0][0][1] < 9500


def test_single_camera_timeouts_cost_a_frame_and_are_no_error() -> None:
    board = Board()
    stand_ins.FAULTS["silent_frames"] = (5, 9, 10)
    found = board.run(5000)
    assert sentences.of(found, "ERROR") == []
    assert len(sentences.frames(found)) > 10


def test_a_camera_that_comes_back_is_started_again() -> None:
    board = Board()
    stand_ins.FAULTS["silent_frames"] = range(5, 8)
    found = board.run(8000)
    assert [fields[0] for fields in sentences.of(found, "ERROR")] == [31]
    assert sum(name == "reset" for name, *_ in board.sensor.calls) == 2
    assert board.kpu.loaded == [ADDRESS]
    assert sentences.frames(found)[-1][0][1] > 7000


def test_a_network_of_other_sizes_is_noticed_at_the_first_frame() -> None:
    board = Board()
    board.heads = [head[:-1] for head in board.heads]
    (first, *_) = sentences.of(board.run(3000), "ERROR")
    assert first[0] == 33
    assert first[2] == "output 1 has 5099 bytes, the card says 5100"


def test_an_error_in_the_makers_hook_is_said_and_frames_go_on() -> None:
    board = Board()

    def on_frame(poses: list, frame: int, image: object) -> None:
        raise ZeroDivisionError("division by zero")

    found = board.run(10_000, on_frame)
    errors = sentences.of(found, "ERROR")
    frames = sentences.frames(found)
    assert {fields[0] for fields in errors} == {41}
    assert errors[0][2] == "on_frame: ZeroDivisionError: division by zero"
    # Said at 0, 1, 3 and 7 s, and counted.
    assert len(errors) == 4
    assert 30 < sum(fields[1] for fields in errors) <= len(frames) + 3
    assert "Traceback: ZeroDivisionError" in board.printed
    assert any(kind == "string" and "division" in args[2] for kind, args, _ in board.lcd.shown[-1][3])


def test_anything_else_is_said_with_its_traceback_and_survived() -> None:
    board = Board()
    calls = []

    def network(planes: bytes) -> list[bytes]:
        calls.append(1)
        if len(calls) == 5:
            raise AttributeError("surprise")
        return board.heads

    board.kpu.network = network
    found = board.run(8000)
    assert [fields[0:3:2] for fields in sentences.of(found, "ERROR")] == [(50, "AttributeError: surprise")]
    assert "Traceback: AttributeError" in board.printed
    assert len(sentences.frames(found)) > 15


def test_a_full_heap_is_said_with_the_remedy() -> None:
    board = Board()

    def network(planes: bytes) -> list[bytes]:
        raise MemoryError("memory allocation failed, allocating 5100 bytes")

    board.kpu.network = network
    (first, *_) = sentences.of(board.run(3000), "ERROR")
    assert first[0] == 27
    assert "allocating 5100 bytes" in first[2]
    assert "deploy --heap 768" in first[2]


def test_ctrl_c_in_the_middle_of_waiting_ends_it() -> None:
    board = Board()
    board.card = None
    board.run(3300)
    assert board.printed.splitlines()[-1].startswith("posenet: stopped")


@pytest.mark.parametrize("when", [0, 40, 90, 95, 110, 160, 200])
def test_ctrl_c_ends_it_at_any_moment(when: int) -> None:
    """`run` asserts that KeyboardInterrupt comes out."""
    Board().run(when + 1)


def test_floats_in_the_card_are_of_no_consequence() -> None:
    """A model card instead of a device card has floats beside what is read: replaced by null, nothing changes."""
    board = Board()
    board.card["heads"] = [{**head, "scale": None} for head in board.card["heads"]]
    assert json.dumps(board.card).count("null") == 4
    assert len(sentences.frames(board.run(2000))) > 5
