"""UARTHS: the fast UART of the REPL (SDK: uarths.h, SiFive's UART). Bytes take the time that their line needs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from host_tools.k210.blocks.addresses import Irq
from host_tools.k210.blocks.registers import Chip, Registers

_TXDATA, _RXDATA, _TXCTRL, _RXCTRL, _IE, _IP, _DIV = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x18
_FULL = _EMPTY = 1 << 31
_FIFO = 8
_TX_BELOW, _RX_ABOVE = 1, 2
# Start bit, eight bits, stop bit.
BITS = 10
# What the divider holds after a reset: 115200 baud at 400 MHz.
_RESET_DIVIDER = 3471


class Uarths(Registers):
    """`feed` puts bytes on the line to the chip; `on_sent` gets each byte when its last bit has left the chip."""

    def __init__(self, chip: Chip) -> None:
        super().__init__(chip, "uarths", {_DIV: _RESET_DIVIDER})
        self.on_sent: Callable[[bytes], None] | None = None
        # Bytes that found the receive FIFO full, since power-on.
        self.overruns = 0
        self._line: deque[int] = deque()
        self._received: deque[int] = deque()
        self._sending: deque[int] = deque()
        self._arriving = False
        # When the last byte has arrived, and when the present one has left.
        self._arrival = self._departure = 0

    def reset(self) -> None:
        super().reset()
        for action in (self._arrive, self._sent):
            self.chip.clock.cancel(action)
        self._received.clear()
        self._sending.clear()
        self._line.clear()
        self._arriving = False

    def __getstate__(self) -> dict:
        return {**self.__dict__, "on_sent": None}

    @property
    def byte_cycles(self) -> int:
        """Cycles that a byte takes on the line at the chip's setting."""
        return BITS * ((self.values[_DIV] & 0xFFFF) + 1)

    @property
    def baud(self) -> int:
        """Bits a second at the chip's setting."""
        return self.chip.clock.hertz // ((self.values[_DIV] & 0xFFFF) + 1)

    @property
    def waiting(self) -> int:
        """Bytes that `feed` got and that have not reached the chip."""
        return len(self._line)

    @property
    def departure(self) -> int:
        """The cycle at which the byte that `on_sent` gets has left the chip."""
        return self._departure

    def feed(self, data: bytes) -> None:
        """Put bytes on the line; they arrive one after the other, at the chip's rate."""
        self._line.extend(data)
        if not self._arriving:
            self._expect(self.chip.clock.cycles)

    def _expect(self, begin: int) -> None:
        """The next byte, if there is one, begins on the line at that cycle: one follows the other, however late the
        chip looks."""
        self._arriving = bool(self._line)
        if self._arriving:
            self._arrival = begin + self.byte_cycles
            self.chip.clock.at(self._arrival, self._arrive)

    def _arrive(self) -> None:
        byte = self._line.popleft()
        if len(self._received) < _FIFO:
            self._received.append(byte)
        else:
            self.overruns += 1
        self._update()
        self._expect(self._arrival)

    def _send(self, byte: int) -> None:
        if len(self._sending) > _FIFO:
            return  # the FIFO is full and the guest did not look: lost, as on the chip
        self._sending.append(byte)
        if len(self._sending) == 1:
            self._leave(self.chip.clock.cycles)
        self._update()

    def _leave(self, begin: int) -> None:
        """The oldest byte goes onto the line at that cycle."""
        self._departure = begin + self.byte_cycles
        self.chip.clock.at(self._departure, self._sent)

    def _sent(self) -> None:
        byte = self._sending.popleft()
        if self.on_sent:
            self.on_sent(bytes((byte,)))
        if self._sending:
            self._leave(self._departure)
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
