"""UART1 to UART3 (SDK: uart.h, a DesignWare 16550 with FIFOs)."""

from __future__ import annotations

from host_tools.k210.blocks.addresses import Irq
from host_tools.k210.blocks.registers import Chip
from host_tools.k210.blocks.serial_line import BITS, SerialLine

_DATA, _IER, _FCR, _LCR, _LSR, _USR, _TFL, _RFL, _DLF = 0x00, 0x04, 0x08, 0x0C, 0x14, 0x7C, 0x80, 0x84, 0xC0
_DIVISOR_ACCESS = 0x80
_FIFO = 16
_RX_INTERRUPT, _TX_INTERRUPT, _TX_THRESHOLD_MODE = 1, 2, 0x80
_LSR_DATA, _LSR_TX, _LSR_IDLE = 1, 0x20, 0x40
_USR_TX_ROOM, _USR_TX_EMPTY, _USR_RX = 2, 4, 8
_IIR_NONE, _IIR_TX, _IIR_RX, _IIR_FIFOS = 1, 2, 4, 0xC0


class Uart(SerialLine):
    """The line's rate is the APB clock's; the firmware may use it for whatever is connected to the board's pins."""

    fifo = _FIFO

    def __init__(self, chip: Chip, number: int) -> None:
        super().__init__(chip, f"uart{number + 1}")
        self._number = number
        self._divisor = 0

    def reset(self) -> None:
        super().reset()
        self._divisor = 0

    @property
    def byte_cycles(self) -> int:
        """CPU cycles that a byte takes on the line: the divisor has four bits behind the point."""
        sixteenths = 16 * self._divisor + (self.values.get(_DLF, 0) & 15)
        sysctl = self.chip.sysctl
        return max(1, BITS * max(1, sixteenths) * sysctl.cpu_hertz // sysctl.apb_hertz(0))

    def _interrupts(self) -> int:
        enabled = self.values.get(_IER, 0)
        if enabled & _RX_INTERRUPT and self._received:
            return _IIR_RX
        return _IIR_TX if enabled & _TX_INTERRUPT and not self._sending else _IIR_NONE

    def _update(self) -> None:
        self.chip.interrupt(Irq.UART1 + self._number, self._interrupts() != _IIR_NONE)

    def _line_status(self) -> int:
        """Bit 5 means "full" while FIFO and threshold interrupts are on (DesignWare's THRE mode), else "empty"."""
        threshold_mode = self.values.get(_IER, 0) & _TX_THRESHOLD_MODE and self.values.get(_FCR, 0) & 1
        if len(self._sending) >= _FIFO:
            self.chip.clock.wait(self.chip.clock.shared.next_event)
        set_bit = len(self._sending) >= _FIFO if threshold_mode else not self._sending
        idle = 0 if self._sending else _LSR_IDLE
        return (_LSR_DATA if self._received else 0) | (_LSR_TX if set_bit else 0) | idle

    def get(self, offset: int) -> int:
        if self.values.get(_LCR, 0) & _DIVISOR_ACCESS and offset in (_DATA, _IER):
            return self._divisor >> 2 * offset & 0xFF
        if offset == _DATA:
            byte = self._received.popleft() if self._received else 0
            self._update()
            return byte
        if offset == _FCR:
            return _IIR_FIFOS | self._interrupts()
        if offset == _LSR:
            return self._line_status()
        if offset == _USR:
            room = _USR_TX_ROOM if len(self._sending) < _FIFO else 0
            return room | (0 if self._sending else _USR_TX_EMPTY) | (_USR_RX if self._received else 0)
        if offset in (_TFL, _RFL):
            return len(self._sending if offset == _TFL else self._received)
        return super().get(offset)

    def set(self, offset: int, value: int) -> None:
        if self.values.get(_LCR, 0) & _DIVISOR_ACCESS and offset in (_DATA, _IER):
            shift = 2 * offset
            self._divisor = self._divisor & ~(0xFF << shift) | (value & 0xFF) << shift
            return
        if offset == _DATA:
            self._send(value & 0xFF)
        else:
            super().set(offset, value)
        self._update()
