"""The three timers of four channels, which are also the PWM (SDK: timer.h, DesignWare APB timers)."""

from __future__ import annotations

from fractions import Fraction

from host_tools.k210.blocks.addresses import Irq
from host_tools.k210.blocks.registers import WORD, Chip, Registers

CHANNELS = 4
_STEP = 0x14
_LOAD, _VALUE, _CONTROL, _EOI, _STATUS = 0x00, 0x04, 0x08, 0x0C, 0x10
_ALL_STATUS, _ALL_EOI, _ALL_RAW, _VERSION, _LOAD2 = 0xA0, 0xA4, 0xA8, 0xAC, 0xB0
_ENABLE, _USER_MODE, _MASKED, _PWM = 1, 2, 4, 8
_COUNT_OF_CHANNELS = _STEP * CHANNELS


class Timers(Registers):
    """Channels count down; at zero they raise their flag and begin anew. Two channels share an interrupt line."""

    def __init__(self, chip: Chip, number: int) -> None:
        super().__init__(chip, f"timer{number}", {_VERSION: 0x3231_302A})
        self._number = number
        self.reset()

    def reset(self) -> None:
        super().reset()
        self._raised = [False] * CHANNELS
        self._began = [0] * CHANNELS
        # Which start of a channel an event belongs to: events of an earlier one are void.
        self._generation = [0] * CHANNELS

    def pwm(self, channel: int) -> tuple[float, float] | None:
        """(frequency in Hz, share of time that the output is high) of a channel in PWM mode, or None."""
        if self._control(channel) & (_ENABLE | _PWM) != _ENABLE | _PWM:
            return None
        low = self.values.get(_STEP * channel + _LOAD, 0) + 1
        high = self.values.get(_LOAD2 + 4 * channel, 0) + 1
        return self.chip.sysctl.timer_hertz(self._number) / (low + high), high / (low + high)

    def _control(self, channel: int) -> int:
        return self.values.get(_STEP * channel + _CONTROL, 0)

    def _period(self, channel: int) -> int:
        """Ticks from one zero to the next."""
        control = self._control(channel)
        load = self.values.get(_STEP * channel + _LOAD, 0) if control & (_USER_MODE | _PWM) else WORD
        if control & _PWM:
            return load + self.values.get(_LOAD2 + 4 * channel, 0) + 2
        return load + 1

    def _cycles(self, ticks: int) -> int:
        clock = self.chip.clock
        return max(1, int(ticks * Fraction(clock.hertz, max(1, self.chip.sysctl.timer_hertz(self._number)))))

    def _start(self, channel: int) -> None:
        self._generation[channel] += 1
        self._began[channel] = self.chip.clock.cycles
        self.chip.clock.after(self._cycles(self._period(channel)), self._zero, channel, self._generation[channel])

    def _zero(self, channel: int, generation: int) -> None:
        if generation == self._generation[channel] and self._control(channel) & _ENABLE:
            self._raised[channel] = True
            self._start(channel)
            self._update()

    def _status(self) -> int:
        flags = (self._raised[c] and not self._control(c) & _MASKED for c in range(CHANNELS))
        return sum(flag << number for number, flag in enumerate(flags))

    def _update(self) -> None:
        status, line = self._status(), Irq.TIMER0A + 2 * self._number
        self.chip.interrupt(line, bool(status & 3))
        self.chip.interrupt(line + 1, bool(status & 12))

    def _clear(self, channels: int) -> None:
        for channel in range(CHANNELS):
            if channels >> channel & 1:
                self._raised[channel] = False
        self._update()

    def get(self, offset: int) -> int:
        if offset == _ALL_STATUS:
            return self._status()
        if offset == _ALL_RAW:
            return sum(raised << number for number, raised in enumerate(self._raised))
        if offset == _ALL_EOI:
            self._clear(0xF)
            return 0
        if offset >= _COUNT_OF_CHANNELS:
            return super().get(offset)
        channel, register = divmod(offset, _STEP)
        if register == _EOI:
            self._clear(1 << channel)
            return 0
        if register == _STATUS:
            return self._status() >> channel & 1
        return self._value(channel) if register == _VALUE else super().get(offset)

    def _value(self, channel: int) -> int:
        if not self._control(channel) & _ENABLE:
            return 0
        cycles = self.chip.clock.cycles - self._began[channel]
        ticks = cycles * self.chip.sysctl.timer_hertz(self._number) // self.chip.clock.hertz
        return max(0, self._period(channel) - 1 - ticks)

    def set(self, offset: int, value: int) -> None:
        channel, register = divmod(offset, _STEP)
        before = self.values.get(offset, 0)
        super().set(offset, value)
        if offset < _COUNT_OF_CHANNELS and register == _CONTROL:
            if value & _ENABLE and not before & _ENABLE:
                self._start(channel)
            elif not value & _ENABLE:
                self._generation[channel] += 1
                self._raised[channel] = False
            self._update()
