"""The firmware that we run on, MaixPy or CanMV: its names for flash, memory, pins, UART and reset."""

import os
import sys

import machine
import utime

SYSTEM = sys.platform
CANMV = SYSTEM == "CanMV"
if CANMV:
    from maix import GPIO, utils
else:
    from Maix import GPIO, utils

# LCD and SD card use high-speed GPIOs from 29 on; makers' programs mostly begin at 0.
BUTTON_GPIO = 27
DEBOUNCE_MS = 50
# A name field holds only these; see README.md.
NAME = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"


def uart():
    """The REPL's UART, which carries the sentences."""
    return machine.UART.repl_uart()


def reset():
    """Resets the chip."""
    machine.reset()


def system_free():
    """Free bytes of the firmware's own heap, which holds model, camera and LCD; -1 where it cannot be asked.

    Only what lies above everything that was ever taken: freed blocks below are not counted (after a soft reset).
    """
    try:
        return utils.heap_free()
    except AttributeError:
        return -1


def flash_read(address, size):
    """Bytes of the SPI flash. It takes twice that much of MicroPython's heap: at most 4 KiB at a time."""
    return utils.flash_read(address, size)


def name_of(text):
    """A text as a name field: what a name may not hold becomes `_`, nothing becomes `-`."""
    return "".join([letter if letter in NAME else "_" for letter in text]) or "-"


def release():
    """The firmware's version, as a name."""
    return name_of(os.uname().version.split(" ")[0])


class Button:
    """A key of the board; `pressed()` is true once for each press."""

    def __init__(self, pin, pressed_level):
        from fpioa_manager import fm

        fm.register(pin, fm.fpioa.GPIOHS0 + BUTTON_GPIO, force=True)
        pull = GPIO.PULL_DOWN if pressed_level else GPIO.PULL_UP
        self._gpio = GPIO(GPIO.GPIOHS0 + BUTTON_GPIO, GPIO.IN, pull)
        self._level = pressed_level
        self._down = self._gpio.value() == pressed_level
        self._changed = utime.ticks_ms()

    def pressed(self):
        """Whether it went down since the last call."""
        down = self._gpio.value() == self._level
        now = utime.ticks_ms()
        if down == self._down or utime.ticks_diff(now, self._changed) < DEBOUNCE_MS:
            return False
        self._down = down
        self._changed = now
        return down
