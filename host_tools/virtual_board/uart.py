"""The REPL's UART: a receive ring that drops silently, a byte that interrupts, and a baud rate."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

RING_BYTES = 2048
BAUD = 115200
CTRL_C = 0x03
NO_INTERRUPT = -1


class Uart:
    """The board's side of the line. Any thread may receive or read."""

    def __init__(self, interrupt: Callable[[], None]) -> None:
        """`interrupt` is called, from the receiving thread, for each byte that interrupts a program."""
        self._interrupt = interrupt
        self._changed = threading.Condition()
        self._ring = bytearray()
        self.dropped = 0
        self.power_off()

    def power_off(self) -> None:
        """As after a reset of the chip."""
        self.set_up(BAUD, RING_BYTES)
        self.interrupt_byte = NO_INTERRUPT

    def set_up(self, baud: int, ring_bytes: int) -> None:
        """UART.init(): what was received is lost."""
        with self._changed:
            self.baud = baud
            self._capacity = ring_bytes
            self._ring.clear()
            self._changed.notify_all()

    def receive(self, data: bytes) -> None:
        """Bytes from the line. One that interrupts is kept as well; one that finds no room is lost, whatever it is."""
        for byte in data:
            with self._changed:
                if len(self._ring) >= self._capacity:
                    self.dropped += 1
                    continue
                self._ring.append(byte)
                self._changed.notify_all()
            if byte == self.interrupt_byte:
                self._interrupt()

    def waiting(self) -> int:
        """Bytes in the ring."""
        return len(self._ring)

    def read(self, size: int, timeout: float) -> bytes:
        """At most `size` bytes, b"" if none comes within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while not self._ring and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)
            data = bytes(self._ring[:size])
            del self._ring[:size]
        return data
