"""MaixPy's Maix module: pins, the board's configuration, the firmware's memory and flash."""

import json as _json

import _host

_CONFIG = "/flash/config.json"
# What the PLLs make of the 400 MHz that MaixPy asks for.
_CPU_MHZ = 403
_KPU_MHZ = 398
# Kendryte's numbers of what a pin can do.
_GPIOHS0 = 24
_GPIO0 = 56
_UART1_RX = 64
_RESV0 = 120


class FPIOA:
    """Which function each pin has: two of them never share one."""

    RESV0 = _RESV0
    UARTHS_RX, UARTHS_TX = 18, 19
    UART1_RX, UART1_TX, UART2_RX, UART2_TX, UART3_RX, UART3_TX = range(_UART1_RX, _UART1_RX + 6)
    _pins = {18: 4, 19: 5}  # noqa: RUF012 - one table for the chip

    def set_function(self, pin, func, set_sl=-1, set_st=-1, set_io_driving=-1):
        if not 0 <= pin < 48:
            raise ValueError("Don't have this Pin")
        for used in [used for used in self._pins if self._pins[used] == pin]:
            del self._pins[used]
        if func != _RESV0:
            self._pins[func] = pin
        return True

    def get_Pin_num(self, func):  # noqa: N802 - MaixPy's name
        return self._pins.get(func)

    def help(self, func=None):
        print("FPIOA: see MaixPy's documentation")


for _n in range(32):
    setattr(FPIOA, f"GPIOHS{_n}", _GPIOHS0 + _n)
for _n in range(8):
    setattr(FPIOA, f"GPIO{_n}", _GPIO0 + _n)


class GPIO:
    """A pin; its level is the host's to set and to see."""

    IN, PULL_DOWN, PULL_UP, OUT = 0, 1, 2, 3
    PULL_NONE = -1
    WAKEUP_NOT_SUPPORT = 4
    IRQ_NONE, IRQ_RISING, IRQ_FALLING, IRQ_BOTH = 0, 1, 2, 3

    def __init__(self, number, mode=None, pull=None, *, value=None):
        if not 0 <= number < 40:
            raise ValueError("invalid pin")
        self._number = number
        self._mode = GPIO.IN
        self.mode(mode, pull)
        if value is not None:
            self.value(value)

    def init(self, mode, pull=None, *, value=None):
        self.mode(mode, pull)
        if value is not None:
            self.value(value)

    def mode(self, mode=None, pull=None):
        if mode is None:
            return
        if self._number < 32 and _GPIOHS0 + self._number not in FPIOA._pins:
            # An assertion in the vendor's driver, which fails for ever.
            _host.crash("(gpiohs.c:38) io_number >= 0")
        if pull not in (None, GPIO.PULL_NONE):
            if mode == GPIO.OUT:
                raise ValueError("When this pin is in output mode, it is not allowed to pull up and down.")
            mode = pull
        self._mode = mode

    def value(self, level=None):
        pin = FPIOA._pins.get(_GPIOHS0 + self._number if self._number < 32 else _GPIO0 + self._number - 32, -1)
        if level is None:
            return _host.call(b"pin_get", pin, self._mode)[0]
        _host.call(b"pin_set", pin, int(bool(level)))

    def __call__(self, *level):
        return self.value(*level)

    def __repr__(self):
        return f"Pin({self._number})"

    irq = _host.missing("GPIO.irq")
    disirq = _host.missing("GPIO.disirq")


for _n in range(32):
    setattr(GPIO, f"GPIOHS{_n}", _n)
for _n in range(8):
    setattr(GPIO, f"GPIO{_n}", 32 + _n)


class config:  # noqa: N801 - MaixPy's name
    """/flash/config.json, read once."""

    _values = None

    @staticmethod
    def get_value(key, default):
        if config._values is None:
            try:
                with open(_CONFIG) as file:
                    values = _json.load(file)
            except (OSError, ValueError):
                return default
            config._values = values if isinstance(values, dict) else {}
        return config._values.get(key, default)


class utils:  # noqa: N801 - MaixPy's name
    """Memory and flash."""

    @staticmethod
    def gc_heap_size(size=0):
        """The size that is set; with one, sets it for the next start of the chip and returns nothing."""
        found = _host.call(b"gc_heap_size", size)[0]
        return None if size else found

    @staticmethod
    def heap_free():
        return _host.call(b"heap_free")[0]

    @staticmethod
    def flash_read(address, size):
        """Takes twice `size` of MicroPython's heap; the chip's addresses begin anew behind its end."""
        data = bytearray(size)
        if size:
            _host.call(b"flash_read", address, size, into=data)
        return bytes(data)


class freq:  # noqa: N801 - MaixPy's name
    """The chip's clocks, in MHz."""

    @staticmethod
    def get():
        return _CPU_MHZ, _KPU_MHZ

    @staticmethod
    def get_cpu():
        return _CPU_MHZ

    @staticmethod
    def get_kpu():
        return _KPU_MHZ

    set = _host.missing("Maix.freq.set")


I2S = FFT = Audio = _host.missing("Maix: sound")
