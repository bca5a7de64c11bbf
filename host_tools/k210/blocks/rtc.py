"""RTC: a calendar that begins at 2000-01-01 and runs in emulated time (SDK: rtc.h). Alarms are not modelled."""

from __future__ import annotations

from datetime import datetime, timedelta

from host_tools.k210.blocks.registers import Chip, Registers

_DATE, _TIME, _CONTROL, _EXTENDED = 0x00, 0x04, 0x1C, 0x28
_CURRENT_COUNT = 0x14
_SETTING = 2
_EPOCH = datetime(2000, 1, 1)
_CENTURY = 100


class Rtc(Registers):
    """Date and time are set together, while the control register says so."""

    def __init__(self, chip: Chip) -> None:
        super().__init__(chip, "rtc")
        self._set_at, self._set_to = 0, _EPOCH

    def reset(self) -> None:
        """The calendar goes on through a reset of the chip: the SDK resets it on its own."""
        now = self.now()
        super().reset()
        self._set_at, self._set_to = self.chip.clock.nanoseconds, now

    def now(self) -> datetime:
        """The calendar's present."""
        return self._set_to + timedelta(microseconds=(self.chip.clock.nanoseconds - self._set_at) // 1000)

    def get(self, offset: int) -> int:
        now = self.now()
        if offset == _DATE:
            return now.isoweekday() % 7 | now.day << 8 | now.month << 16 | now.year % _CENTURY << 20
        if offset == _TIME:
            return now.second << 10 | now.minute << 16 | now.hour << 24
        if offset == _EXTENDED:
            leap = now.year % 4 == 0 and (now.year % _CENTURY or now.year % 400 == 0)
            return now.year // _CENTURY | bool(leap) << 5
        if offset == _CURRENT_COUNT:
            return now.microsecond * 26
        return super().get(offset)

    def set(self, offset: int, value: int) -> None:
        if offset in (_DATE, _TIME, _EXTENDED) and self.values.get(_CONTROL, 0) & _SETTING:
            self._set_calendar(offset, value)
        super().set(offset, value)

    def _set_calendar(self, offset: int, value: int) -> None:
        now = self.now()
        year, month, day = now.year, now.month, now.day
        hour, minute, second = now.hour, now.minute, now.second
        if offset == _DATE:
            year = year // _CENTURY * _CENTURY + (value >> 20) % _CENTURY
            month, day = value >> 16 & 15, value >> 8 & 31
        elif offset == _TIME:
            hour, minute, second = value >> 24 & 31, value >> 16 & 63, value >> 10 & 63
        else:
            year = (value & 31) * _CENTURY + year % _CENTURY
        try:
            wanted = datetime(year, month, day, hour, minute, second)
        except ValueError:
            self.chip.note(f"the RTC was set to a day or time that there is not ({value:#x}); it goes on as it was")
            return
        self._set_at, self._set_to = self.chip.clock.nanoseconds, wanted
