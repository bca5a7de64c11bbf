"""MaixPy's utime (and time) module, on the board's clock, which is the host's; Ctrl-C ends a sleep."""

import time as _time

import _host

ticks_add = _time.ticks_add
ticks_diff = _time.ticks_diff
_CPU_MHZ = 403
# The chip's calendar begins in 2000, Unix' in 1970.
_EPOCH = 946684800


def ticks_us():
    return _host.ticks()


def ticks_ms():
    return _host.ticks() // 1000


def ticks_cpu():
    return _host.ticks() * _CPU_MHZ


def time():
    """Seconds since the chip's reset: it has no other clock."""
    return _host.ticks() // 1000000


def localtime(seconds=None):
    """Year, month, day, hour, minute, second, weekday, day of the year."""
    return tuple(_time.localtime(_EPOCH + (time() if seconds is None else seconds))[:8])


def mktime(moment):
    """Seconds since the calendar's beginning."""
    return int(_time.mktime(tuple(moment) + (0,))) - _EPOCH  # noqa: RUF005 - no stars in its tuples


def sleep(seconds):
    sleep_us(int(seconds * 1000000))


def sleep_ms(milliseconds):
    sleep_us(_host.whole(milliseconds) * 1000)


def sleep_us(microseconds):
    microseconds = _host.whole(microseconds)
    # Below that the call itself takes longer.
    while microseconds > 200:
        _host.call(b"sleep", min(microseconds, 0x7FFFFFFF))
        microseconds -= 0x7FFFFFFF


def ticks():
    return ticks_ms()


def set_time(moment):
    """Sets the clock; here it stays the host's."""


class clock:  # noqa: N801 - MaixPy's name
    """Frames per second: an average that begins anew every two seconds."""

    def __init__(self):
        self.reset()

    def reset(self):
        self._since = self._last = ticks_ms()
        self._frames = 0
        self._fps = 0.0

    def tick(self):
        self._last = ticks_ms()
        if ticks_diff(self._last, self._since) >= 2000:
            self._since, self._frames = self._last, 0

    def fps(self):
        self._frames += 1
        passed = ticks_diff(ticks_ms(), self._since)
        if passed > 0:
            self._fps = self._frames * 1000 / passed
        return self._fps

    def avg(self):
        fps = self.fps()
        return 1000 / fps if fps else 0.0
