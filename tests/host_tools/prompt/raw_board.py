"""A raw prompt in this process: MicroPython's REPL as the virtual board has it, its jobs run by CPython, a bad line."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import traceback
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from unittest import mock

from host_tools.virtual_board import repl
from host_tools.virtual_board.repl import Repl, Run

Line = Callable[[bytes], bytes]
# All that comes is there at once: who asks so often for more would wait for ever.
_MOST_EMPTY = 200


class WaitsForEverError(Exception):
    """On a board it is the one who asked for the exchange who has a limit."""


@contextmanager
def board_modules() -> Iterator[None]:
    """The modules of the board that taker.py imports."""
    binascii = SimpleNamespace(crc32=lambda data: zlib.crc32(data) - (1 << 32 if zlib.crc32(data) >> 31 else 0))
    modules = {"ubinascii": binascii, "ujson": SimpleNamespace(dumps=json.dumps)}
    with mock.patch.dict(sys.modules, modules):
        yield


class RawBoard:
    """What `Exchange` needs of a port. `to_board` and `from_board` are what the line makes of bytes."""

    def __init__(self, to_board: Line = bytes, from_board: Line = bytes) -> None:
        self._to_board, self._from_board = to_board, from_board
        self._repl = Repl(b"")
        self._waiting = bytearray()
        self.globals: dict = {"__name__": "__main__"}
        self._empty = 0
        self._repl.feed(repl.CTRL_A)

    @property
    def in_waiting(self) -> int:
        """Bytes that may be read."""
        return len(self._waiting)

    def read(self, size: int) -> bytes:
        """Some of them; nothing where nothing can come any more."""
        self._empty = 0 if self._waiting else self._empty + 1
        if self._empty > _MOST_EMPTY:
            raise WaitsForEverError
        data = bytes(self._waiting[:size])
        del self._waiting[:size]
        return data

    def write(self, data: bytes) -> None:
        """Keys for the REPL; all that they cause happens at once."""
        self._empty = 0
        for byte in self._to_board(data):
            said, job = self._repl.feed(bytes([byte]))
            self._say(said)
            if isinstance(job, Run):
                self._say(self._repl.finished(self._run(job.source)))
            elif job is not None:
                self.globals = {"__name__": "__main__"}
                self._say(self._repl.start())

    def _say(self, data: bytes) -> None:
        self._waiting += self._from_board(data)

    def _run(self, source: bytes) -> bytes:
        """The traceback, if there is one; what is printed goes onto the line."""
        printed = io.StringIO()
        raised = b""
        try:
            with contextlib.redirect_stdout(printed), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                exec(source.decode("latin-1"), self.globals)
        except Exception as error:  # noqa: BLE001 - as a board's prompt does
            raised = "".join(traceback.format_exception_only(type(error), error)).replace("\n", "\r\n").encode()
        self._say(printed.getvalue().replace("\n", "\r\n").encode())
        return raised
