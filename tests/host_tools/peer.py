"""The other end of a pseudo-terminal: a board that says what a test wants, and can be unplugged."""

from __future__ import annotations

import os
import select
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from host_tools.serial_link import sentences
from host_tools.serial_link.link import Link
from host_tools.serial_link.sentences import Sentence
from tests.patience import HANG_SECONDS

_POLL_MS = 10
HELLO = (1, "0.1.0", 77, "MaixPy", "v0.6.3", "maix_bit", 0, 320, 240, 320, 240, 1000, "-", 720, 115200, 0, 0)
Answer = Callable[[Sentence], bytes]


def hello(boot: int = 77, **changes: object) -> bytes:
    """The HELLO of a board in this life of its program."""
    names = ("protocol", "firmware", "boot", "system", "release", "board")
    fields = dict(zip(names, HELLO, strict=False)) | {"boot": boot} | changes
    return sentences.made("HELLO", *fields.values(), *HELLO[len(names) :])


def reply(sentence: Sentence, status: int = 0, value: int = 0, text: str = "") -> bytes:
    """The REPLY to a sentence."""
    return sentences.made("REPLY", int(sentence.fields[0]), status, value, text)


def polite(sentence: Sentence) -> bytes:
    """What a board answers that does everything."""
    return (hello() if sentence.kind == "HELLO" else b"") + reply(sentence, value=1)


def silent(sentence: Sentence) -> bytes:
    """What a board answers that does not listen."""
    return b""


class Peer:
    """A pseudo-terminal; every sentence that comes goes to `answer`, whose bytes go back. `heard` keeps them.

    `raw` answers to bytes as they come, in place of `answer`.
    """

    def __init__(self, answer: Answer = silent, raw: Callable[[bytes], bytes] | None = None) -> None:
        self._master, slave = os.openpty()
        self.port = os.ttyname(slave)
        tty.setraw(slave)
        os.close(slave)
        self.answer, self._raw = answer, raw
        self.heard: list[Sentence] = []
        self.bytes = bytearray()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.unplug()

    def send(self, data: bytes) -> None:
        """Bytes from the board; blocks while the other side does not read."""
        while data and not self._over.is_set():
            if select.select([], [self._master], [], 0.1)[1]:
                data = data[os.write(self._master, data[:2048]) :]

    def unplug(self) -> None:
        """Pull the cable."""
        self._over.set()
        self._thread.join()
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def _listen(self) -> None:
        reader = sentences.Reader()
        poll = select.poll()
        poll.register(self._master, select.POLLIN)
        while not self._over.is_set():
            events = poll.poll(_POLL_MS)
            if not events or not events[0][1] & select.POLLIN:
                # Nobody has the port open: poll returns at once.
                self._over.wait(_POLL_MS / 1000)
                continue
            try:
                data = os.read(self._master, 4096)
            except OSError:
                continue
            self._take(data, reader)

    def _take(self, data: bytes, reader: sentences.Reader) -> None:
        self.bytes += data
        if self._raw:
            self.send(self._raw(data))
            return
        for sentence in reader.feed(data):
            self.heard.append(sentence)
            self.send(self.answer(sentence))


@contextmanager
def linked(answer: Callable[[Sentence], bytes] = polite, **options: object) -> Iterator[tuple[Peer, Link]]:
    """A board that answers like this, and a link to it."""
    with Peer(answer) as peer, Link(peer.port, **options) as link:
        yield peer, link


def collected(link: Link, wanted: Callable[[list], bool], seconds: float = HANG_SECONDS) -> list:
    """Events until there are enough of them."""
    events, deadline = [], time.monotonic() + seconds
    while not wanted(events):
        assert time.monotonic() < deadline, events
        events += link.poll(0.2)
    return events
