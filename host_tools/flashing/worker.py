"""kflash in a process of its own, which its owner may kill: writes a kfpkg and reports each step as a line of JSON.

Usage: python -m host_tools.flashing.worker JOB (an object in JSON: port, baud, board, file, ranges). The process ends
when its stdin does, so it never outlives its owner.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from typing import NoReturn

import kflash
import serial

from conversion.processes import end_with_parent, leave_terminal
from host_tools import time_limits
from host_tools.errors import LinkError
from host_tools.flashing import isp
from host_tools.flashing.watch import DamagedAnswer, Stage, Watch, WrongAnswer
from host_tools.serial_link import opening

FAILED = 3
_NO_SUCH_LINES = (errno.ENOTTY, errno.EINVAL)
# A frame is written in such pieces, each of them a sign of life.
_PIECE = 4096
_PROGRESS_SECONDS = 0.1
_SETTLE_SECONDS = 0.05
# kflash writes 64 KiB at a time. What a line damages goes in pieces of one sector of the flash chip, so often at most.
_SMALL, _MOST_TRIES = 4096, 10
_DRAIN_SECONDS, _BUSY_SECONDS = 0.2, 0.5
_SILENT = ("no answer",)


class Reporter:
    """Says what happens on the stream that the owner reads; kflash's own prints do not get there."""

    def __init__(self) -> None:
        self._stream = os.fdopen(os.dup(1), "wb", buffering=0)
        os.dup2(2, 1)
        self.stage = Stage.OPEN
        self._last = 0.0

    def say(self, **event: object) -> None:
        """One line of JSON."""
        self._stream.write(json.dumps(event).encode() + b"\n")

    def enter(self, stage: Stage) -> None:
        """Another stage has begun."""
        self.stage = stage
        self.say(event="stage", stage=stage.name)

    def progress(self, written: int) -> None:
        """So many bytes are on their way, now and then."""
        if time.monotonic() - self._last > _PROGRESS_SECONDS:
            self._last = time.monotonic()
            self.say(event="progress", written=written)

    def fail(self, kind: str, text: str) -> NoReturn:
        """The end. kflash catches every exception, so none is raised."""
        self.say(event="failed", kind=kind, stage=self.stage.name, text=" ".join(text.split()))
        os._exit(FAILED)


class WatchedPort:
    """The serial port that kflash is given: what it needs of pyserial's, with a Watch in between."""

    def __init__(self, name: str, watch: Watch, reporter: Reporter) -> None:
        """Opens the port."""
        self._watch, self._reporter = watch, reporter
        self._clean = bytearray()
        self._damaged = 0
        try:
            self._port = opening.open_port(name, isp.BAUD)
        except LinkError as error:
            reporter.fail("port", str(error))
        if isinstance(self._port, serial.Serial):
            self._port.write_timeout = time_limits.PIECE_WRITE.seconds
        reporter.enter(Stage.ENTER)

    def isOpen(self) -> bool:  # noqa: N802 - pyserial's name
        """kflash closes the port after each greeting without an answer; it stays open here, for no line to change."""
        return True

    def open(self) -> None:
        """As above."""

    def close(self) -> None:
        """As above; the port is closed when the process ends."""

    def setDTR(self, asserted: bool) -> None:  # noqa: N802 - pyserial's name
        """Set a line; a pseudo-terminal and a raw socket have none."""
        self._set_line("dtr", asserted)

    def setRTS(self, asserted: bool) -> None:  # noqa: N802 - pyserial's name
        """As above."""
        self._set_line("rts", asserted)

    def _set_line(self, line: str, asserted: bool) -> None:
        try:
            setattr(self._port, line, asserted)
        except OSError as error:
            if error.errno not in _NO_SUCH_LINES:
                self._lost(error)

    @property
    def baudrate(self) -> int:
        """The rate; may be set."""
        return self._port.baudrate

    @baudrate.setter
    def baudrate(self, rate: int) -> None:
        try:
            # kflash changes it right behind the last frame, which an adapter may still hold.
            self._port.flush()
            time.sleep(_SETTLE_SECONDS)
            self._port.baudrate = rate
        except (ValueError, *opening.FAILURES) as error:
            self._reporter.fail("speed", f"the adapter cannot do {rate} baud ({error})")

    def write(self, frame: bytes) -> int:
        """Send a frame, if it is right."""
        try:
            self._watch.sending(frame)
        except WrongAnswer as wrong:
            self._reporter.fail("answer", str(wrong))
        self.flushInput()
        if self._watch.repeatable:
            self._clean += self._confirmed(frame)
        else:
            self._send(frame)
        return len(frame)

    def _send(self, frame: bytes) -> None:
        start = self._watch.written
        for at in range(0, len(frame), _PIECE):
            try:
                self._port.write(frame[at : at + _PIECE])
            except opening.FAILURES as error:
                self._lost(error)
            if self._watch.stage is Stage.WRITE:
                self._reporter.progress(start + min(at, isp.MOST_DATA))

    def _confirmed(self, frame: bytes) -> bytes:
        """Send a frame until it has arrived; the board's answer. A large one that has not goes in small pieces."""
        piece = self._watch.piece
        if piece and self._damaged and len(piece.data) > _SMALL:
            return self._in_small_pieces(piece)
        silent = 0
        for attempt in range(_MOST_TRIES):
            # Wherever in a frame the chip believes to be, two ENDs are the begin of one.
            self._send(isp.END + frame if attempt else frame)
            try:
                answer = self._answer()
                if attempt:
                    self._drain()
                return answer
            except DamagedAnswer as error:
                damage = error
                silent += error.args == _SILENT
            self._damaged += 1
            self._reporter.say(event="repeat", text=str(damage))
            self._drain()
            self._watch.again()
            if piece and len(piece.data) > _SMALL:
                return self._in_small_pieces(piece)
            if silent > 1:
                break
        self._reporter.fail("silent" if silent > 1 else "answer", str(damage))

    def _in_small_pieces(self, piece: isp.Command) -> bytes:
        answer = b""
        for at in range(0, len(piece.data), _SMALL):
            small = isp.request(piece.operation, piece.address + at, piece.data[at : at + _SMALL])
            self._watch.sending(small)
            answer = self._confirmed(small)
            while self._is_busy(answer):
                time.sleep(_BUSY_SECONDS)
                self._watch.again()
                answer = self._confirmed(small)
        return answer

    def _is_busy(self, answer: bytes) -> bool:
        return isp.unescaped(answer.strip(isp.END))[1:2] == bytes([isp.Status.BUSY])

    def _answer(self) -> bytes:
        """The right answer to what was sent; DamagedAnswer for a damaged one, or none."""
        piece = self._watch.piece
        large = piece is not None and len(piece.data) > _SMALL
        limit = time_limits.PIECE_ANSWER if large else time_limits.SMALL_ANSWER
        deadline = time.monotonic() + limit.seconds
        clean = b""
        while not clean:
            if time.monotonic() > deadline:
                raise DamagedAnswer(*_SILENT)
            clean = self._received()
        return clean

    def _drain(self) -> None:
        """What else comes of a frame that was damaged, such as an answer for each half of it, belongs to nothing."""
        deadline = time.monotonic() + _DRAIN_SECONDS
        while time.monotonic() < deadline:
            self._port.read(max(1, self._port.in_waiting))

    def _received(self) -> bytes:
        """What came of right answers."""
        try:
            return self._watch.received(self._port.read(max(1, self._port.in_waiting)))
        except DamagedAnswer:
            raise
        except WrongAnswer as wrong:
            self._reporter.fail("answer", str(wrong))
        except opening.FAILURES as error:
            self._lost(error)

    def read(self, size: int = 1) -> bytes:
        """Bytes of a right answer; fewer when the port's timeout is over."""
        if not self._clean:
            try:
                self._clean += self._received()
            except DamagedAnswer as damage:
                self._reporter.fail("answer", str(damage))
        data = bytes(self._clean[:size])
        del self._clean[:size]
        return data

    def flushInput(self) -> None:  # noqa: N802 - pyserial's name
        """What was not read yet belongs to what is over."""
        self._clean.clear()
        try:
            self._port.reset_input_buffer()
        except opening.FAILURES as error:
            self._lost(error)

    def flushOutput(self) -> None:  # noqa: N802 - pyserial's name
        """Nothing is kept here."""

    def _lost(self, error: Exception) -> NoReturn:
        if isinstance(error, serial.SerialTimeoutException):
            self._reporter.fail("silent", "the port takes no more bytes")
        self._reporter.fail("lost", str(error))


def main() -> None:
    """Do the job."""
    leave_terminal()
    reporter = Reporter()
    job = json.loads(sys.argv[1])
    end_with_parent()
    watch = Watch(tuple(tuple(entry) for entry in job["ranges"]), reporter.enter)
    _give_kflash_our_port(watch, reporter)
    kflash.KFlash.print_callback = lambda *_, **__: None
    reporter.enter(Stage.OPEN)
    try:
        kflash.KFlash().process(
            terminal=False,
            dev=job["port"],
            baudrate=job["baud"],
            board=job["board"],
            file=job["file"],
            noansi=True,
            terminal_size=(80, 1),
        )
    except Exception as error:  # noqa: BLE001 - kflash raises nothing else, whatever happens
        reporter.fail("kflash", str(error) or type(error).__name__)
    if watch.stage is not Stage.RESTART:
        reporter.fail("kflash", "kflash ended early")
    reporter.say(event="done")


def _give_kflash_our_port(watch: Watch, reporter: Reporter) -> None:
    """kflash makes one serial.Serial; pyserial needs its own again to open the port itself."""
    original = serial.Serial

    def make(port: str, **_: object) -> WatchedPort:
        serial.Serial = original
        return WatchedPort(port, watch, reporter)

    serial.Serial = make


if __name__ == "__main__":
    main()
