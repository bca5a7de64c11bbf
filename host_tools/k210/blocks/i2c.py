"""I2C masters 0 to 2 (SDK: i2c.h, DesignWare I2C): a command is carried out when it is written."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from host_tools.k210.blocks.addresses import Function
from host_tools.k210.blocks.registers import Chip, Registers

_TARGET, _DATA, _CLEAR, _CLEAR_ABORT, _ENABLE, _STATUS = 0x04, 0x10, 0x40, 0x54, 0x6C, 0x70
_TX_LEVEL, _RX_LEVEL, _ABORT_SOURCE = 0x74, 0x78, 0x80
_READ, _STOP = 0x100, 0x200
_NO_ACKNOWLEDGE = 1
_TX_ROOM, _TX_EMPTY, _RX_THERE = 2, 4, 8
_STEP = Function.I2C0_SDA - Function.I2C0_SCLK + 1
# As on the chip: more than the FIFO holds is lost.
_FIFO = 8


class I2cPart(Protocol):
    """A slave on the bus."""

    address: int
    clock_pin: int
    awake: bool

    def start(self) -> None:
        """A transfer to it begins."""

    def write(self, byte: int) -> None:
        """Take a byte."""

    def read(self) -> int:
        """Give a byte."""


class I2c(Registers):
    """`parts` are the slaves that its lines may lead to: those whose clock pin it has."""

    def __init__(self, chip: Chip, number: int) -> None:
        super().__init__(chip, f"i2c{number}")
        self._clock_function = Function.I2C0_SCLK + _STEP * number
        self.parts: list[I2cPart] = []
        self._rx: deque[int] = deque()
        self._abort, self._active = 0, None

    def reset(self) -> None:
        super().reset()
        self._rx.clear()
        self._abort, self._active = 0, None

    def _slave(self) -> I2cPart | None:
        address = self.values.get(_TARGET, 0) & 0x7F
        for part in self.parts:
            connected = self.chip.pins.is_function(part.clock_pin, self._clock_function)
            if part.address == address and part.awake and connected:
                return part
        return None

    def get(self, offset: int) -> int:
        if offset == _DATA:
            return self._rx.popleft() if self._rx else 0
        if offset in (_CLEAR, _CLEAR_ABORT):
            self._abort = 0
            return 0
        if offset == _STATUS:
            # Commands take no time here: the bus is idle, so that the next byte begins a transfer.
            self._active = None
            return _TX_ROOM | _TX_EMPTY | (_RX_THERE if self._rx else 0)
        if offset == _TX_LEVEL:
            return 0
        if offset == _RX_LEVEL:
            return len(self._rx)
        return self._abort if offset == _ABORT_SOURCE else super().get(offset)

    def set(self, offset: int, value: int) -> None:
        super().set(offset, value)
        if offset == _ENABLE:
            self._active = None
            self._rx.clear()
        elif offset == _DATA:
            self._command(value)

    def _command(self, value: int) -> None:
        slave = self._slave()
        if slave is None:
            self._abort = _NO_ACKNOWLEDGE
            return
        if value & _READ:
            if len(self._rx) < _FIFO:
                self._rx.append(slave.read())
            self._active = None
            return
        if self._active is not slave:
            self._active = slave
            slave.start()
        slave.write(value & 0xFF)
        if value & _STOP:
            self._active = None
