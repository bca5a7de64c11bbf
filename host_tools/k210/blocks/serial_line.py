"""The line of a UART, of either kind: bytes arrive and leave one after the other, each in its time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from host_tools.k210.blocks.registers import Chip, Registers

# Start bit, eight bits, stop bit.
BITS = 10
# What a crash quotes of what was sent before it.
_LAST_BYTES = 400


class SerialLine(Registers):
    """`feed` puts bytes on the line to the chip; `on_sent` gets each byte when its last bit has left the chip.

    A UART's own registers decide `byte_cycles`, and what is done in `_update` when bytes have come or gone.
    """

    # Bytes that are received and not read.
    fifo = 0

    def __init__(self, chip: Chip, name: str, initial: dict[int, int] | None = None) -> None:
        super().__init__(chip, name, initial)
        self.on_sent: Callable[[bytes], None] | None = None
        # Bytes that found the receive FIFO full, since power-on.
        self.overruns = 0
        self._line: deque[int] = deque()
        self._received: deque[int] = deque()
        self._sending: deque[int] = deque()
        self._last: deque[int] = deque(maxlen=_LAST_BYTES)
        self._arriving = False
        # When the last byte has arrived, and when the present one has left.
        self._arrival = self._departure = 0

    def reset(self) -> None:
        super().reset()
        for action in (self._arrive, self._sent):
            self.chip.clock.cancel(action)
        for queue in (self._line, self._received, self._sending):
            queue.clear()
        self._arriving = False

    def __getstate__(self) -> dict:
        return {**self.__dict__, "on_sent": None}

    @property
    def byte_cycles(self) -> int:
        """CPU cycles that a byte takes on the line at the chip's setting."""
        raise NotImplementedError

    def _update(self) -> None:
        """Set the interrupt line."""
        raise NotImplementedError

    @property
    def waiting(self) -> int:
        """Bytes that `feed` got and that have not reached the chip."""
        return len(self._line)

    @property
    def last_words(self) -> str:
        """The end of what the chip has sent, as lines of text."""
        return "\n".join(bytes(self._last).decode(errors="replace").split("\r\n")).strip()

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
        if len(self._received) < self.fifo:
            self._received.append(byte)
        else:
            self.overruns += 1
        self._update()
        self._expect(self._arrival)

    def _send(self, byte: int) -> None:
        self._sending.append(byte)
        if len(self._sending) == 1:
            self._leave(self.chip.clock.cycles)

    def _leave(self, begin: int) -> None:
        """The oldest byte goes onto the line at that cycle."""
        self._departure = begin + self.byte_cycles
        self.chip.clock.at(self._departure, self._sent)

    def _sent(self) -> None:
        byte = self._sending.popleft()
        self._last.append(byte)
        if self.on_sent:
            self.on_sent(bytes((byte,)))
        if self._sending:
            self._leave(self._departure)
        self._update()
