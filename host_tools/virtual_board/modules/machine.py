"""MaixPy's machine module: the UARTs, of which the REPL's has a line to the host, and the chip's reset."""

import _host
import _utime

PWRON_RESET = HARD_RESET = 0
SOFT_RESET = 1
WDT_RESET = 2
WDT1_RESET = 3
_REPL_BAUD = 115200
_MAX_BAUD = 0x500000
_RING_BYTES = 2048
_PIECE = 2048


class UART:
    """A UART. Received bytes lie in a ring, which drops silently what it has no room for."""

    UART1, UART2, UART3, UARTHS = 0, 1, 2, 4
    PARITY_ODD, PARITY_EVEN = 1, 2

    def __init__(self, id, *arguments, **keywords):  # noqa: A002 - MaixPy's name
        if id not in (0, 1, 2, 4):
            _host.whole(id)
            # The firmware prints whether the number is wrong in place of the number.
            raise ValueError("[MAIXPY]UARTtrue:does not exist")
        self._id = id
        self._open = True
        self.init(*arguments, **keywords)

    def init(
        self,
        baudrate=_REPL_BAUD,
        bits=8,
        parity=None,
        stop=None,
        *,
        timeout=1000,
        timeout_char=10,
        read_buf_len=_RING_BYTES,
        ide=False,
        from_ide=True,
    ):
        """Sets the line; what was received is lost."""
        if not 0 <= baudrate <= _MAX_BAUD:
            raise ValueError("[MAIXPY]UART:invalid baudrate")
        if not 5 <= bits <= 8:
            raise ValueError("[MAIXPY]UART:invalid data bits")
        if parity not in (None, 0, 1, 2):
            raise ValueError("[MAIXPY]UART:invalid parity")
        if stop not in (None, 0, 1, 1.5, 2):
            raise ValueError("[MAIXPY]UART:invalid stop bits")
        if self._id == UART.UARTHS and (bits != 8 or parity):
            raise ValueError("[MAIXPY]UART:invalid param")
        if ide:
            raise NotImplementedError("UART.init(ide=): not on the virtual board")
        self._timeout = timeout_char
        self._facts = (baudrate, bits, ("None", "odd", "even")[parity or 0], stop or 1)
        self._call(b"uart_init", baudrate, read_buf_len)

    def _call(self, name, *numbers, data=None):
        """Only the REPL's UART has a line; the others are not connected."""
        if self._id != UART.UARTHS:
            return (0,) * 8
        return _host.call(name, *numbers, data=data)

    def any(self):
        return self._call(b"uart_any")[0] if self._open else 0

    def readchar(self):
        """One byte, -1 where none is there."""
        return self._call(b"uart_readchar")[0] if self._id == UART.UARTHS and self._open else -1

    def read(self, size=-1):
        """What is there, None if nothing comes within timeout_char milliseconds."""
        if not self._open or not size:
            return b"" if not size else None
        found = b""
        while size < 0 or len(found) < size:
            piece = self._piece(_PIECE if size < 0 else size - len(found))
            if not piece:
                break
            found += piece
        return found or None

    def readinto(self, memory, size=None):
        data = self.read(len(memory) if size is None else size)
        if data is None:
            return None
        memory[: len(data)] = data
        return len(data)

    def readline(self, size=-1):
        line = b""
        while not line.endswith(b"\n") and len(line) != size:
            piece = self._piece(1)
            if not piece:
                break
            line += piece
        return line or None

    def _piece(self, size):
        if self._id != UART.UARTHS:
            _utime.sleep_ms(self._timeout)
            return b""
        return _host.fetch(b"uart_read", size, self._timeout) or b""

    def write(self, data, size=None):
        """Sends bytes as they are, the first `size` of them; returns when they are on the line."""
        if not self._open:
            return 0
        if isinstance(data, (int, type(None))):
            raise TypeError("object with buffer protocol required")
        data = data.encode() if isinstance(data, str) else data
        data = data if size is None else data[:size]
        size = len(data)
        if size:
            self._call(b"uart_write", data=data)
        return size

    def deinit(self):
        self._open = False

    @staticmethod
    def repl_uart():
        """The UART that the REPL is on."""
        return _repl[0]

    set_repl_uart = _host.missing("UART.set_repl_uart")

    def __iter__(self):
        return iter(self.readline, None)

    def __repr__(self):
        baud, bits, parity, stop = self._facts
        return f"[MAIXPY]UART{self._id + 1}:( baudrate={baud}, bits={bits}, parity={parity}, stop={stop})"


_repl = []


class WDT:
    """The watchdog: resets the chip unless fed in time."""

    WDT_DEVICE_0, WDT_DEVICE_1 = 0, 1

    def __init__(self, id=0, timeout=5000, callback=None, context=None):  # noqa: A002 - MaixPy's name
        if id not in (WDT.WDT_DEVICE_0, WDT.WDT_DEVICE_1):
            raise ValueError(f"WDT({id}) does not exist")
        if timeout <= 0:
            raise ValueError("WDT timeout too short")
        if callback is not None:
            raise NotImplementedError("WDT(callback=): not on the virtual board")
        self._timeout = timeout
        self._context = context
        self.feed()

    def feed(self):
        _host.call(b"watchdog", self._timeout)

    def stop(self):
        _host.call(b"watchdog", 0)

    def context(self):
        return self._context


def reset():
    """Starts the chip anew; does not return."""
    _host.call(b"reset")


def reset_cause():
    return _host.call(b"reset_cause")[0]


def unique_id():
    return bytes(range(32))


Timer = _host.missing("machine.Timer")
PWM = _host.missing("machine.PWM")
I2C = _host.missing("machine.I2C")
SPI = _host.missing("machine.SPI")
SDCard = _host.missing("machine.SDCard")
_repl.append(UART(UART.UARTHS, _REPL_BAUD, 8))
