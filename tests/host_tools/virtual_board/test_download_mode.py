"""The virtual board's boot ROM: what a chip without firmware does, and one that is reset into download mode."""

import dataclasses
import struct
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from PIL import Image

from conversion import firmware_image
from host_tools.errors import BoardError
from host_tools.flashing import images, isp
from host_tools.flashing.isp import Operation, Status
from host_tools.virtual_board import session
from host_tools.virtual_board.rom import DownloadFault
from tests.host_tools.virtual_board import kmodels
from tests.host_tools.virtual_board.shell import Shell
from tests.jumping import VirtualBoard
from tests.patience import until

FIRMWARE = images.in_flash(firmware_image.make_test_image(bytes(9999)))


# Nothing came in so long where nothing was to come; what has to come is waited for.
SILENCE_SECONDS = 0.3


class Client:
    """Speaks the download protocol by hand."""

    def __init__(self, port: str) -> None:
        self.line = serial.Serial(port, isp.BAUD, timeout=SILENCE_SECONDS)

    def short(self, operation: int) -> bytes:
        self.line.write(isp.frame(bytes([operation]) + bytes(12)))
        return self.answer()

    def ask(self, operation: int, address: int = 0, data: bytes = b"", length: int | None = None) -> bytes:
        rest = struct.pack("<II", address, len(data) if length is None else length) + data
        self.line.write(isp.frame(struct.pack("<HHI", operation, 0, zlib.crc32(rest)) + rest))
        return b"" if operation in isp.SILENT else self.answer()

    def answer(self) -> bytes:
        """The body of the next frame."""
        deframer, found = isp.Deframer(), []
        until(lambda: found.extend(deframer.feed(self.line.read(max(1, self.line.in_waiting)))) or found)
        return found[0]

    def gets_no_answer(self, operation: int) -> bool:
        """Whether no frame follows before it is silent."""
        self.line.write(isp.frame(bytes([operation]) + bytes(12)))
        deframer = isp.Deframer()
        while data := self.line.read(max(1, self.line.in_waiting)):
            if list(deframer.feed(data)):
                return False
        return True

    def load_stub(self) -> None:
        assert self.short(Operation.GREET) == bytes([0xC2, 0xE0])
        for at in range(0, 3000, 1000):
            assert self.ask(Operation.WRITE_RAM, isp.RAM_START + at, bytes(1000)) == bytes([0xC3, 0xE0])
        self.ask(Operation.START, isp.RAM_START)
        assert self.short(Operation.STUB_GREET) == bytes([0xD2, 0xE0])


@pytest.fixture
def blank() -> Iterator[VirtualBoard]:
    with VirtualBoard(flash=b"") as board:
        yield board


@pytest.fixture
def client(blank: VirtualBoard) -> Iterator[Client]:
    client = Client(blank.port)
    with client.line:
        yield client


def test_a_blank_chip_says_nothing_and_answers_the_greeting(blank: VirtualBoard, client: Client) -> None:
    assert client.line.read(100) == b""
    assert client.short(Operation.GREET) == bytes([0xC2, 0xE0])
    assert blank.output() == ""


def test_the_stub_writes_erases_and_reboots(blank: VirtualBoard, client: Client) -> None:
    client.load_stub()
    assert client.ask(Operation.INIT_FLASH, 1) == bytes([0xD7, 0xE0])
    assert client.ask(Operation.WRITE_FLASH, 0, FIRMWARE) == bytes([0xD4, 0xE0])
    assert client.ask(Operation.WRITE_FLASH, 0x300000, b"\xc0\xdb" * 30000) == bytes([0xD4, 0xE0])
    assert blank.flash.read(0x300000, 60001) == b"\xc0\xdb" * 30000 + b"\xff"
    assert client.ask(Operation.ERASE_FLASH, 0x300000, length=0x1000) == bytes([0xD8, 0xE0])
    assert client.short(Operation.FLASH_STATUS) == bytes([0xD9, 0xE0])
    assert blank.flash.read(0x300FFF, 2) == b"\xff\xc0"
    assert client.short(Operation.REBOOT) == bytes([0xD5, 0xE0])
    blank.wait_for("init end")


def test_requests_that_are_wrong_are_answered_so(client: Client) -> None:
    assert client.ask(Operation.WRITE_FLASH, 0, b"x") == bytes([0xD4, Status.INVALID_COMMAND])
    client.load_stub()
    assert client.ask(Operation.WRITE_FLASH, 0xFFFFFF, b"xy") == bytes([0xD4, Status.BAD_WRITE])
    assert client.ask(Operation.WRITE_FLASH, 0, bytes(65537)) == bytes([0xD4, Status.BAD_LENGTH])
    assert client.ask(Operation.WRITE_RAM, isp.RAM_START, b"x") == bytes([0xC3, Status.INVALID_COMMAND])
    rest = struct.pack("<II", 0, 1) + b"x"
    client.line.write(isp.frame(struct.pack("<HHI", Operation.WRITE_FLASH, 0, zlib.crc32(rest) ^ 1) + rest))
    assert client.answer() == bytes([0xD4, Status.BAD_CHECKSUM])


def test_a_stub_with_a_gap_in_it_crashes(client: Client) -> None:
    assert client.short(Operation.GREET)
    for address in (isp.RAM_START, isp.RAM_START + 2000):
        assert client.ask(Operation.WRITE_RAM, address, bytes(1000)) == bytes([0xC3, 0xE0])
    client.ask(Operation.START, isp.RAM_START)
    assert client.gets_no_answer(Operation.STUB_GREET)
    # Greeted anew, as after DTR and RTS, it is the ROM again.
    assert client.short(Operation.GREET) == bytes([0xC2, 0xE0])


def test_at_another_rate_than_the_stubs_it_hears_and_says_garbage(client: Client) -> None:
    client.load_stub()
    client.ask(Operation.STUB_BAUD, 0, (460800).to_bytes(4, "little"), 4)
    assert client.gets_no_answer(Operation.STUB_GREET)
    client.line.baudrate = 460800
    assert client.short(Operation.STUB_GREET) == bytes([0xD2, 0xE0])


def test_without_a_whole_firmware_it_stays_in_download_mode(blank: VirtualBoard, client: Client) -> None:
    client.load_stub()
    assert client.ask(Operation.WRITE_FLASH, 0, FIRMWARE[:-1] + b"?") == bytes([0xD4, 0xE0])
    assert client.short(Operation.REBOOT) == bytes([0xD5, 0xE0])
    assert client.short(Operation.GREET) == bytes([0xC2, 0xE0])
    assert blank.output() == ""


def test_a_running_board_is_reset_into_download_mode_and_the_button_gets_it_out() -> None:
    with VirtualBoard(files={"main.py": "while True: print('running')\n"}) as board:
        board.wait_for("running")
        client = Client(board.port)
        with client.line:
            client.line.reset_input_buffer()
            assert client.short(Operation.GREET) == bytes([0xC2, 0xE0])
            # What was on its way still comes, then nothing more.
            while client.line.read(4096):
                pass
            assert client.short(Operation.GREET) == bytes([0xC2, 0xE0])
            board.reset()
            board.wait_for("init end")
            board.wait_for("running")


def test_it_runs_from_the_flash_it_is_given(tmp_path: Path) -> None:
    image = FIRMWARE.ljust(0x300000, b"\xff") + kmodels.kmodel()
    (tmp_path / "flash.bin").write_bytes(image)
    for flash in (image, tmp_path / "flash.bin"):
        with VirtualBoard(flash=flash, files={"main.py": ""}) as board:
            source = "import KPU\nfrom Maix import utils\nprint(bytes(utils.flash_read(0, 16)))\nKPU.load(0x300000)\n"
            assert Shell(board).run(source) == repr(FIRMWARE[:16])
    assert (tmp_path / "flash.bin").read_bytes() == image
    with pytest.raises(BoardError, match="16777217 bytes do not fit the flash chip"):
        VirtualBoard(flash=bytes(2**24 + 1))
    with pytest.raises(BoardError, match=r"none.bin: cannot be read"):
        VirtualBoard(flash=tmp_path / "none.bin")


def test_a_firmware_that_was_damaged_does_not_start_again() -> None:
    with VirtualBoard(flash=FIRMWARE, files={"main.py": ""}) as board:
        shell = Shell(board)
        board.flash.program(100, b"?")
        board.send(b"import machine\nmachine.reset()\x04")
        client = Client(shell.board.port)
        with client.line:
            assert client.short(Operation.GREET) == bytes([0xC2, 0xE0])


def test_unplugged_the_line_and_its_link_are_gone(tmp_path: Path) -> None:
    fault = DownloadFault("unplug", Operation.GREET)
    with VirtualBoard(flash=b"", link=tmp_path / "port", download_faults=[fault]) as board:
        client = Client(board.port)
        with pytest.raises(serial.SerialException), client.line:
            client.short(Operation.GREET)
        assert not (tmp_path / "port").is_symlink()


def test_the_command_starts_a_blank_board(tmp_path: Path) -> None:
    """Until it is told to end; a blank board has no kmodel, and needs none to be there."""
    photo = tmp_path / "photo.png"
    Image.new("RGB", (320, 240)).save(photo)
    options = session.BoardOptions(None, "maix_bit", photo, tmp_path / "port", None, None, (), blank=True)
    over, shown, told = threading.Event(), [], []

    def use(line: str) -> None:
        shown.append(line)
        client = Client(str(tmp_path / "port"))
        with client.line:
            assert client.short(Operation.GREET) == bytes([0xC2, 0xE0])
        over.set()

    session.run(options, over, use, told.append)
    assert shown[0].startswith(f"{tmp_path / 'port'} -> /dev/pts/")
    assert told == ["Sipeed Maix Bit, blank, in download mode; Ctrl-C ends it"]
    with pytest.raises(BoardError, match="a blank board has nothing on it: leave --model and --firmware out"):
        session.run(dataclasses.replace(options, model=Path("x")), over, shown.append, told.append)


def test_a_fault_that_there_is_not() -> None:
    with pytest.raises(BoardError, match="download fault flood: no such fault; there are bad_checksum, "):
        DownloadFault("flood", Operation.GREET)
