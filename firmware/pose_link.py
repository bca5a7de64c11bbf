"""The serial line: sentences in and out, an account of what it can carry, and the way back to the usual speed."""

import pose_wire
import utime

BAUD = 115200
# Start bit, 8 data bits, stop bit.
BITS_PER_BYTE = 10
RECEIVE_BYTES = 2048
# A raised speed without a valid sentence from the host for this long is given up.
FALLBACK_MS = 3000
# Whoever wants frames says something more often than this; a plain serial monitor, or nobody, is silent.
SILENT_MS = 30000
# The account holds at most what the line carries in this time, or one frame.
ACCOUNT_MS = 500
# The UART's transmitter still holds a few bytes when write() returns.
DRAIN_MS = 20


class Link:
    """The UART as a carrier of sentences.

    `bytes` sent, `received` and `damaged` sentences are counted.
    """

    def __init__(self, uart):
        self.baud = BAUD
        self.bytes = 0
        self.received = 0
        self.damaged = 0
        self._uart = uart
        self._data = b""
        self._at = 0
        self._line = bytearray(pose_wire.MAX_SENTENCE)
        self._length = 0
        self._heard = utime.ticks_ms()
        self._spoken = False
        self._largest = 0
        self._credit = 0
        self._earned = utime.ticks_us()

    def expect(self, size):
        """So many bytes may come as one frame: the account must be able to hold them."""
        self._largest = size

    def credit(self):
        """The bytes that the line can carry now without falling behind."""
        now = utime.ticks_us()
        earned = utime.ticks_diff(now, self._earned) * self.baud // (BITS_PER_BYTE * 1000000)
        if earned:
            most = max(self.baud * ACCOUNT_MS // (BITS_PER_BYTE * 1000), self._largest)
            self._credit = min(self._credit + earned, most)
            self._earned = now
        return self._credit

    def send(self, writer):
        """Sends what the writer holds, whatever the account says, and takes it off the account."""
        self.credit()
        self._uart.write(writer.view[: writer.size])
        self._credit -= writer.size
        self.bytes += writer.size

    def receive(self):
        """The fields of the next valid sentence that has come in, or None."""
        while True:
            line = self._next_line()
            if line is None:
                return None
            fields = pose_wire.parse(line)
            if fields:
                self.received += 1
                self._heard = utime.ticks_ms()
                self._spoken = True
                return fields
            if fields is not None:
                self.damaged += 1

    def silent(self):
        """Whether no host has spoken for a while."""
        if self._spoken and utime.ticks_diff(utime.ticks_ms(), self._heard) > SILENT_MS:
            # Kept, since ticks come round again.
            self._spoken = False
        return not self._spoken

    def _next_line(self):
        """The next line that is complete, without its end, or None."""
        while True:
            if self._at >= len(self._data):
                waiting = self._uart.any()
                data = self._uart.read(waiting) if waiting else None
                if not data:
                    return None
                self._data = data
                self._at = 0
            end = self._data.find(b"\n", self._at)
            stop = end if end >= 0 else len(self._data)
            self._keep(stop)
            self._at = stop + 1
            if end >= 0:
                length = self._length
                self._length = 0
                if length <= pose_wire.MAX_SENTENCE:
                    return bytes(self._line[:length])
                self.damaged += 1

    def _keep(self, stop):
        """Adds what was read up to `stop` to the line; of a line that is too long, only the length."""
        length = self._length + stop - self._at
        if length <= pose_wire.MAX_SENTENCE:
            self._line[self._length : length] = self._data[self._at : stop]
        self._length = length

    def set_baud(self, rate):
        """Changes the speed, after what was written has left."""
        utime.sleep_ms(DRAIN_MS)
        self._uart.init(rate, 8, None, 1, read_buf_len=RECEIVE_BYTES)
        self.baud = rate
        self._data = b""
        self._length = 0
        self._heard = utime.ticks_ms()

    def fall_back(self):
        """Goes back to the usual speed if the host has been silent; call it when all that came in has been received.

        Returns whether it did.
        """
        if self.baud == BAUD or utime.ticks_diff(utime.ticks_ms(), self._heard) < FALLBACK_MS:
            return False
        self.set_baud(BAUD)
        return True
