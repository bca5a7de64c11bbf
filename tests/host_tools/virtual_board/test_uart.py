"""The UART's receive ring: 2 KiB, and silent about what it drops."""

import threading
import time

import pytest

from host_tools.virtual_board.uart import CTRL_C, Uart


@pytest.fixture
def interrupts() -> list[int]:
    return []


@pytest.fixture
def uart(interrupts: list[int]) -> Uart:
    return Uart(lambda: interrupts.append(1))


def test_what_is_received_is_read_in_order(uart: Uart) -> None:
    uart.receive(b"abc")
    assert (uart.waiting(), uart.read(2, 0), uart.read(9, 0), uart.read(9, 0)) == (3, b"ab", b"c", b"")


def test_the_ring_drops_what_it_has_no_room_for(uart: Uart) -> None:
    uart.receive(bytes(2040) + b"123456789abc")
    assert uart.dropped == 4
    assert uart.read(4096, 0)[2040:] == b"12345678"
    uart.receive(b"x")
    assert uart.read(9, 0) == b"x"


def test_ctrl_c_interrupts_and_is_kept(uart: Uart, interrupts: list[int]) -> None:
    uart.receive(b"\x03")
    assert interrupts == []
    uart.interrupt_byte = CTRL_C
    uart.receive(b"a\x03b")
    assert interrupts == [1]
    assert uart.read(9, 0) == b"\x03a\x03b"


def test_ctrl_c_in_a_full_ring_is_lost(uart: Uart, interrupts: list[int]) -> None:
    """As in MaixPy's interrupt handler: a program that never reads cannot be stopped by a sender that never waits."""
    uart.interrupt_byte = CTRL_C
    uart.receive(bytes([1] * 2048) + b"\x03")
    assert interrupts == []


def test_init_sets_the_rate_and_forgets_what_was_received(uart: Uart) -> None:
    uart.receive(b"abc")
    uart.set_up(1_500_000, 16)
    uart.receive(bytes(20))
    assert (uart.baud, uart.waiting(), uart.dropped) == (1_500_000, 16, 4)
    uart.power_off()
    assert (uart.baud, uart.waiting()) == (115_200, 0)


def test_reading_waits_until_something_comes(uart: Uart) -> None:
    timer = threading.Timer(0.05, uart.receive, [b"late"])
    timer.start()
    assert uart.read(9, 5.0) == b"late"
    timer.join()


def test_reading_waits_no_longer_than_asked(uart: Uart) -> None:
    begin = time.monotonic()
    assert uart.read(9, 0.02) == b""
    assert 0.02 <= time.monotonic() - begin < 2
