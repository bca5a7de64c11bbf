"""The serial line as a host tool meets it: a pseudo-terminal with a baud rate, and with faults."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import serial

from host_tools.errors import BoardError
from host_tools.serial_link import link_note
from host_tools.virtual_board import Faults
from tests.jumping import VirtualBoard
from tests.patience import HANG_SECONDS

# Says back, as it came, whatever is sent.
ECHO = """
import machine, micropython
micropython.kbd_intr(-1)
uart = machine.UART.repl_uart()
print('ready')
while True:
    data = uart.read(256)
    if data:
        uart.write(data)
"""
PRINTING = "import utime\nn = 0\nwhile True:\n    n += 1\n    print('line', n)\n    utime.sleep_ms(5)\n"


@contextmanager
def opened(port: str, baud: int = 115200) -> Iterator[serial.Serial]:
    with serial.Serial(port, baud, timeout=HANG_SECONDS) as client:
        yield client


def ended_process() -> int:
    """The number of a process that is over."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        return process.pid


def echoed(client: serial.Serial, data: bytes, piece: int = 256) -> bytes:
    """What comes back of data that is sent piece by piece."""
    answer = b""
    for start in range(0, len(data), piece):
        client.write(data[start : start + piece])
        answer += client.read(len(data[start : start + piece]))
    return answer


@pytest.fixture(scope="module")
def echo() -> Iterator[VirtualBoard]:
    with VirtualBoard(files={"main.py": ECHO}) as board:
        board.wait_for("ready\r\n")
        yield board


def test_every_byte_goes_both_ways_as_it_is(echo: VirtualBoard) -> None:
    with opened(echo.port) as client:
        data = bytes(range(256)) * 8
        assert echoed(client, data) == data


def test_prints_end_in_carriage_return_and_line_feed_but_the_uart_adds_nothing() -> None:
    source = "import machine\nprint('a\\nb')\nmachine.UART.repl_uart().write(b'c\\nd')\nprint('e')\n"
    with VirtualBoard(files={"main.py": source}) as board:
        board.wait_for("a\r\nb\r\nc\nde\r\n")


def test_at_another_rate_the_client_reads_garbage() -> None:
    with VirtualBoard(files={"main.py": PRINTING}) as board, opened(board.port, 9600) as client:
        board.wait_for("line 10\r\n")
        with board.clock.host_waits():
            garbage = client.read(100)
            assert b"line" not in garbage
            client.baudrate = 115200
            client.reset_input_buffer()
            assert b"line" in client.read(1000)


def test_at_another_rate_the_board_reads_garbage() -> None:
    source = "import machine\nprint('ready')\nu = machine.UART.repl_uart()\nwhile u.any() < 5: pass\nprint(u.read(9))\n"
    with VirtualBoard(files={"main.py": source}) as board, opened(board.port, 9600) as client:
        board.wait_for("ready\r\n")
        client.write(b"hello")
        assert b"hello" not in board.wait_for(re.compile("b'.*'"))[0].encode()


@pytest.mark.parametrize("baud", [9600, 1_500_000, 1_234_567])
def test_at_another_rate_nobody_understands_anybody(echo: VirtualBoard, baud: int) -> None:
    with opened(echo.port, baud) as client:
        answer = echoed(client, b"hello there")
        assert b"hello" not in answer
    with opened(echo.port) as client:
        assert echoed(client, b"hello there") == b"hello there"


def test_a_nearly_equal_rate_will_do(echo: VirtualBoard) -> None:
    with opened(echo.port, 117_000) as client:
        assert echoed(client, b"hello") == b"hello"


def test_the_program_changes_the_rate() -> None:
    source = (
        "import machine\nuart = machine.UART.repl_uart()\nuart.init(1500000, 8, None, 1, read_buf_len=2048)\n" + ECHO
    )
    with VirtualBoard(files={"main.py": source}) as board:
        board.wait_for("ready\r\n")
        with opened(board.port, 1_500_000) as client:
            assert echoed(client, b"fast") == b"fast"
        board.reset()
        board.wait_for("ready\r\n")


def test_what_nobody_hears_is_lost(echo: VirtualBoard) -> None:
    with VirtualBoard(files={"main.py": PRINTING}) as board:
        board.wait_for("line 50\r")
        with opened(board.port) as client, board.clock.host_waits():
            assert b"line 1\r\n" not in client.read(200)
        board.wait_for("line 100\r")


def test_a_client_that_does_not_read_holds_the_board_up_only_for_a_while() -> None:
    source = "while True: print('x' * 1000)\n"
    with VirtualBoard(files={"main.py": "print('begun')\n" + source}) as board, opened(board.port):
        board.wait_for("begun")
        with board.clock.host_gone():
            board.send(b"\x03")
            board.wait_for("KeyboardInterrupt")


def test_too_much_at_once_is_dropped_silently() -> None:
    source = "import machine, utime\nprint('busy')\nutime.sleep_ms(500)\nu = machine.UART.repl_uart()\n"
    source += "n = 0\nwhile u.any(): n += len(u.read(512))\nprint('got', n)\n"
    with VirtualBoard(files={"main.py": source}) as board:
        board.wait_for("busy\r\n")
        board.send(b"a" * 5000)
        assert board.wait_for(re.compile(r"got (\d+)"))[1] == "2048"
        assert board.dropped == 2952


def test_reading_and_its_kinds_of_nothing() -> None:
    source = """
import machine
u = machine.UART.repl_uart()
print(u.any(), u.readchar(), u.read(), u.readline(), u.readinto(bytearray(3)))
print('now')
while u.any() < 14: pass
b = bytearray(5)
print(u.readchar(), u.read(2), u.readline(), u.any(), u.readinto(b, 3), u.read())
"""
    with VirtualBoard(files={"main.py": source}) as board:
        board.wait_for("0 -1 None None None\r\nnow")
        board.send(b"abcde\nfghijklm")
        board.wait_for(r"97 b'bc' b'de\n' 8 3 b'ijklm'")


def test_the_uart_refuses_nonsense() -> None:
    source = """
from machine import UART
for make in (lambda: UART(7), lambda: UART(UART.UARTHS, 99999999), lambda: UART(UART.UARTHS, 9600, 7),
             lambda: UART(0, 9600, 9), lambda: UART(0, 9600, 8, 5), lambda: UART(0, 9600, 8, None, 3)):
    try: make()
    except ValueError as e: print(e)
print(UART(UART.UART1, 9600, 8, 1).read(), UART.repl_uart())
"""
    with VirtualBoard(files={"main.py": source}) as board:
        board.wait_for(
            "[MAIXPY]UARTtrue:does not exist\r\n[MAIXPY]UART:invalid baudrate\r\n[MAIXPY]UART:invalid param\r\n"
            "[MAIXPY]UART:invalid data bits\r\n[MAIXPY]UART:invalid parity\r\n[MAIXPY]UART:invalid stop bits\r\n"
            "None [MAIXPY]UART5:( baudrate=115200, bits=8, parity=None, stop=1)"
        )


class TestFaults:
    DATA = bytes(range(32, 127)) * 30
    END = b"\n" * 20

    def test_bytes_get_lost(self) -> None:
        with VirtualBoard(files={"main.py": ECHO}, faults=Faults(drop=0.01)) as board:
            board.wait_for("ready\r\n")
            with opened(board.port) as client:
                # Some bytes of the end arrive, when all that were before them have come or are lost.
                client.write(self.DATA + self.END)
                arrived = client.read_until(self.END[:1])[:-1]
        assert 0.005 < 1 - len(arrived) / len(self.DATA) < 0.06

    def test_bits_flip(self) -> None:
        with VirtualBoard(files={"main.py": ECHO}, faults=Faults(corrupt=0.01)) as board:
            board.wait_for("ready\r\n")
            with opened(board.port) as client:
                arrived = echoed(client, self.DATA)
        different = sum(a != b for a, b in zip(self.DATA, arrived, strict=True))
        assert 0.005 < different / len(self.DATA) < 0.05

    def test_a_slow_line_takes_its_time(self) -> None:
        with VirtualBoard(files={"main.py": ECHO}, faults=Faults(slow=4000)) as board:
            board.wait_for("ready\r\n")
            with opened(board.port) as client:
                begin = board.clock.now()
                assert echoed(client, self.DATA[:1000]) == self.DATA[:1000]
                # There and back: the board sends while more comes.
                assert board.clock.now() - begin >= 250_000

    def test_a_stalling_line_loses_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("host_tools.virtual_board.serial_line._STALL_EVERY_US", 200_000)
        with VirtualBoard(files={"main.py": ECHO}, faults=Faults(stall=0.3)) as board:
            board.wait_for("ready\r\n")
            with opened(board.port) as client:
                begin = board.clock.now()
                for _ in range(4):
                    assert echoed(client, b"hello") == b"hello"
                    board.pass_time(0.1)
                assert board.clock.now() - begin > 700_000


class TestLink:
    def test_it_leads_to_the_port_and_goes_with_the_board(self, tmp_path: Path) -> None:
        link = tmp_path / "board"
        with VirtualBoard(files={"main.py": ECHO}, link=link) as board:
            assert str(link.readlink()) == board.port
            board.wait_for("ready\r\n")
            with opened(str(link)) as client:
                assert echoed(client, b"hi") == b"hi"
        assert not link.is_symlink()

    def test_a_dead_link_is_replaced_but_nothing_else(self, tmp_path: Path) -> None:
        link = tmp_path / "board"
        link.symlink_to("/dev/pts/none")
        with VirtualBoard(link=link) as board:
            assert str(link.readlink()) == board.port
        # Its board was killed, and the system has given its port to somebody else.
        link.symlink_to(tmp_path)
        link_note.write(link, link_note.LinkNote("maix_bit", "a stand-in", process=ended_process()))
        link_note.clear(link)
        assert not link.is_symlink()
        link.symlink_to(tmp_path)
        link_note.write(link, link_note.LinkNote("maix_bit", "a stand-in", process=os.getpid()))
        link_note.clear(link)
        with pytest.raises(BoardError, match="end the board that has it"):
            VirtualBoard(link=link)
        link.unlink()
        link.write_text("precious")
        with pytest.raises(BoardError, match="cannot be made a link to the board"):
            VirtualBoard(link=link)
        assert link.read_text() == "precious"
