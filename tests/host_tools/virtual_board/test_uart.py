"""The UART's receive ring: 2 KiB, and silent about what it drops."""

import threading

import pytest

from host_tools.virtual_board.clock import JumpingClock
from host_tools.virtual_board.uart import CTRL_C, Uart
from tests.patience import HANG_SECONDS


@pytest.fixture
def interrupts() -> list[int]:
    return []


@pytest.fixture
def clock() -> JumpingClock:
    return JumpingClock()


@pytest.fixture
def uart(clock: JumpingClock, interrupts: list[int]) -> Uart:
    return Uart(clock, lambda: interrupts.append(1))


def test_what_is_received_is_read_in_order(uart: Uart) -> None:
    uart.receive(b"abc")
    assert (uart.waiting(), uart.take(2), uart.take(9), uart.take(9)) == (3, b"ab", b"c", b"")


def test_the_ring_drops_what_it_has_no_room_for(uart: Uart) -> None:
    uart.receive(bytes(2040) + b"123456789abc")
    assert uart.dropped == 4
    assert uart.take(4096)[2040:] == b"12345678"
    uart.receive(b"x")
    assert uart.take(9) == b"x"


def test_ctrl_c_interrupts_and_is_kept(uart: Uart, interrupts: list[int]) -> None:
    uart.receive(b"\x03")
    assert interrupts == []
    uart.interrupt_byte = CTRL_C
    uart.receive(b"a\x03b")
    assert interrupts == [1]
    assert uart.take(9) == b"\x03a\x03b"


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


def test_reading_waits_until_something_comes(clock: JumpingClock, uart: Uart) -> None:
    line = threading.Thread(target=clock.at, args=((700, lambda: uart.receive(b"late")),))
    line.start()
    while not clock.awaited:
        pass
    assert uart.read(9, 5000, lambda: False) == b"late"
    assert clock.now() == 700
    line.join(HANG_SECONDS)


def test_reading_waits_no_longer_than_asked(clock: JumpingClock, uart: Uart) -> None:
    assert uart.read(9, 20_000, lambda: False) == b""
    assert clock.now() == 20_000
    assert uart.read(9, 20_000, lambda: True) == b""
    assert clock.now() == 20_000
