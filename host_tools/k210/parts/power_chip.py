"""The power chip of M5StickV, Amigo and Cube (AXP192, AXP173): registers that remember, on a two-wire bus."""

from __future__ import annotations

ADDRESS = 0x34


class PowerChip:
    """Answers and keeps what is written; switching something off has no effect on the board here."""

    address = ADDRESS
    awake = True

    def __init__(self, clock_pin: int) -> None:
        self.clock_pin = clock_pin
        self.registers: dict[int, int] = {}
        self._pointer, self._first = 0, True

    def start(self) -> None:
        """A transfer begins: the next byte is a register's number."""
        self._first = True

    def write(self, byte: int) -> None:
        """A register's number, or its value."""
        if self._first:
            self._pointer, self._first = byte, False
        else:
            self.registers[self._pointer] = byte
            self._pointer = self._pointer + 1 & 0xFF

    def read(self) -> int:
        """The value of the register that was named; reading goes on to the next."""
        value = self.registers.get(self._pointer, 0)
        self._pointer = self._pointer + 1 & 0xFF
        return value
