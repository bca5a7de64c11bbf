"""UARTHS: the fast UART of the REPL (SDK: uarths.h, SiFive's UART). Bytes take the time that their line needs."""

from __future__ import annotations

from host_tools.k210.blocks.addresses import Irq
from host_tools.k210.blocks.registers import Chip
from host_tools.k210.blocks.serial_line import BITS, SerialLine

_TXDATA, _RXDATA, _TXCTRL, _RXCTRL, _IE, _IP, _DIV = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x18
_FULL = _EMPTY = 1 << 31
_FIFO = 8
_TX_BELOW, _RX_ABOVE = 1, 2
# What the divider holds after a reset: 115200 baud at 400 MHz.
_RESET_DIVIDER = 3471


class Uarths(SerialLine):
    """The line's rate is the CPU's clock over a divider."""

    fifo = _FIFO

    def __init__(self, chip: Chip) -> None:
        super().__init__(chip, "uarths", {_DIV: _RESET_DIVIDER})

    @property
    def byte_cycles(self) -> int:
        return BITS * ((self.values[_DIV] & 0xFFFF) + 1)

    @property
    def baud(self) -> int:
        """Bits a second at the chip's setting."""
        return self.chip.clock.hertz // ((self.values[_DIV] & 0xFFFF) + 1)

    def _send(self, byte: int) -> None:
        if len(self._sending) > _FIFO:
            return  # the FIFO is full and the guest did not look: lost, as on the chip
        super()._send(byte)
        self._update()

    @property
    def _queued(self) -> int:
        """Bytes in the transmit FIFO: the one that is being sent has left it."""
        return max(0, len(self._sending) - 1)

    def _pending(self) -> int:
        bits = _TX_BELOW if self._queued < (self.values.get(_TXCTRL, 0) >> 16 & 7) else 0
        return bits | (_RX_ABOVE if len(self._received) > (self.values.get(_RXCTRL, 0) >> 16 & 7) else 0)

    def _update(self) -> None:
        self.chip.interrupt(Irq.UARTHS, bool(self._pending() & self.values.get(_IE, 0)))

    def get(self, offset: int) -> int:
        if offset == _TXDATA:
            if self._queued >= _FIFO:
                # The guest waits for room: until the next byte has left, which is an event.
                self.chip.clock.wait(self.chip.clock.shared.next_event)
            return _FULL if self._queued >= _FIFO else 0
        if offset == _RXDATA:
            if not self._received:
                return _EMPTY
            byte = self._received.popleft()
            self._update()
            return byte
        return self._pending() if offset == _IP else super().get(offset)

    def set(self, offset: int, value: int) -> None:
        if offset == _TXDATA:
            self._send(value & 0xFF)
            return
        super().set(offset, value)
        if offset in (_TXCTRL, _RXCTRL, _IE):
            self._update()
