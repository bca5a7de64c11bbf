"""The REPL's UART: a receive ring that drops silently, a byte that interrupts, and a baud rate."""

from __future__ import annotations

import threading
from collections.abc import Callable

from host_tools.virtual_board.clock import Clock, Over

RING_BYTES = 2048
BAUD = 115200
CTRL_C = 0x03
NO_INTERRUPT = -1


class Uart:
    """The board's side of the line. Any thread may receive or read."""

    def __init__(self, clock: Clock, interrupt: Callable[[], None]) -> None:
        """`interrupt` is called, from the receiving thread, for each byte that interrupts a program."""
        self._clock = clock
        self._interrupt = interrupt
        self._lock = threading.Lock()
        self._ring = bytearray()
        self.dropped = 0
        self.power_off()

    def power_off(self) -> None:
        """As after a reset of the chip."""
        self.set_up(BAUD, RING_BYTES)
        self.interrupt_byte = NO_INTERRUPT

    def set_up(self, baud: int, ring_bytes: int) -> None:
        """UART.init(): what was received is lost."""
        with self._lock:
            self.baud = baud
            self._capacity = ring_bytes
            self._ring.clear()

    def receive(self, data: bytes) -> None:
        """Bytes from the line. One that interrupts is kept as well; one that finds no room is lost, whatever it is."""
        for byte in data:
            with self._lock:
                if len(self._ring) >= self._capacity:
                    self.dropped += 1
                    continue
                self._ring.append(byte)
            if byte == self.interrupt_byte:
                self._interrupt()
        self._clock.wake()

    def waiting(self) -> int:
        """Bytes in the ring."""
        return len(self._ring)

    def take(self, size: int) -> bytes:
        """At most `size` bytes of the ring."""
        with self._lock:
            data = bytes(self._ring[:size])
            del self._ring[:size]
        return data

    def read(self, size: int, timeout_us: int, over: Over) -> bytes:
        """At most `size` bytes, b"" if none comes in time, or before `over()`; the processor waits for them."""
        if not self._ring:
            self._clock.wait(self._clock.now() + timeout_us, lambda: bool(self._ring) or over())
        return self.take(size)
