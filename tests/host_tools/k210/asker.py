"""Asks the running program of an emulated board in this process, and waits for what it answers."""

from __future__ import annotations

import re

from host_tools.serial_link import Decoder, Event, Frame, sentences
from host_tools.time_limits import Tries
from tests.host_tools.k210.states import PatientSession


class Asker:
    """Asks a running program, and waits for its replies."""

    def __init__(self, board: PatientSession) -> None:
        self.board = board
        self._id = 0

    def answer(self, kind: str, *fields: int | str | None) -> tuple[int, int, str]:
        """Status, value and text of its reply."""
        self._id += 1
        begin = len(self.board.sent)
        self.board.type(sentences.made(kind, self._id, *fields))
        self.board.wait(b"$REPLY,%d," % self._id, begin)
        self.board.wait(b"\n", self.board.sent.find(b"$REPLY,", begin))
        found = re.search(rb"\$REPLY,%d,(\d+),(-?\d+),(.*)\*" % self._id, bytes(self.board.sent[begin:]))
        return int(found[1]), int(found[2]), found[3].decode()

    def ask(self, kind: str, *fields: int | str | None, tries: Tries | None = None) -> int:
        """The value of its reply; `tries` are of no use where nothing gets lost."""
        status, value, text = self.answer(kind, *fields)
        assert status == 0, text
        return value

    def digest(self, kind: str, *fields: int) -> int:
        """The checksum of the heads of the frame that this asks for."""
        begin = len(self.board.sent)
        frame = self.ask(kind, *fields)
        self.board.wait(b"$DIGEST,%d," % frame, begin)
        self.board.wait(b"\n", self.board.sent.find(b"$DIGEST,%d," % frame, begin))
        return int(re.search(rb"\$DIGEST,%d,(\d+)," % frame, bytes(self.board.sent))[1])

    def frames(self, count: int) -> list[Frame]:
        """So many of the next frames that are sent, whole."""
        begin = len(self.board.sent)
        while True:
            self.board.frames(1)
            events: list[Event] = Decoder().feed(bytes(self.board.sent[begin:]), 0.0)
            found = [event for event in events if isinstance(event, Frame)]
            if len(found) >= count:
                return found[:count]
