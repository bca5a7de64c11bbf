"""A fake board on a pseudo-terminal that means harm: it can send anything, at any speed, and answer as it likes.

`python -m tests.host_tools.fake_board ATTACK` plays one until Ctrl-C, and prints its port.
"""

from __future__ import annotations

import itertools
import random
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator

from host_tools.serial_link import sentences
from host_tools.serial_link.sentences import Sentence
from tests.host_tools import peer
from tests.host_tools.monitor import actors

# What a terminal obeys: title, clear screen, colours, cursor, a link, the 8-bit form; and what turns text around.
ESCAPES = "\x1b]0;owned\x07\x1b[2J\x1b[31m\x1b[1;1H\x1b]8;;http://x\x1b\\\x9b5A\u202e\u2066\r\x08\x7f\x00"
HTML = '<img src=x onerror="document.title=1"><script>document.title="owned"</script>&lt;b&gt;'
WIDE = ("9223372036854775808", "-9223372036854775809", "1" + "0" * 400, "999999999999", "-1", "1e400", "NaN", "")
NAMED = ("HELLO", "STATS", "SETTINGS", "DIGEST", "BULK", "CHUNK", "SELFTEST", "ERROR", "REPLY", "FRAME", "POSE")


def quoted(text: str) -> str:
    """A text as a sentence carries it."""
    return urllib.parse.quote(text, safe="", errors="surrogatepass")


def texts(text: str) -> bytes:
    """This text in every field that holds one, and as prints."""
    return b"".join(
        (
            sentences.made("ERROR", 23, 1, quoted(text)),
            sentences.made("SELFTEST", 1, 2, 3, 4, 0, 0, quoted(text)),
            sentences.made("REPLY", 1, 2, 0, quoted(text)),
            text.encode("utf-8", errors="surrogatepass") + b"\r\n",
            b"Traceback (most recent call last):\r\nValueError: " + text.encode(errors="surrogatepass") + b"\r\n",
        )
    )


def of_wide_numbers() -> bytes:
    """Every sentence with a number that does not fit, in each of its fields in turn."""
    said = b""
    for kind, place, value in itertools.product(NAMED, range(16), WIDE):
        fields = ["1"] * 16
        fields[place] = value
        said += sentences.made(kind, *fields)
    return said


def bulk(number: int, size: int = 1 << 18, chunk: int = 64, kind: str = "HEADS") -> bytes:
    """The announcement of a block."""
    return sentences.made("BULK", number, kind, size, chunk, 0, 1)


def frames() -> Iterator[bytes]:
    """Two hundred sound ones."""
    return map(actors.lines, actors.walking(200, people=2))


def greeting() -> bytes:
    """A sound HELLO."""
    return actors.hello()


def endless(piece: bytes) -> Iterator[bytes]:
    """The same again and again."""
    return itertools.repeat(piece)


def _random() -> Iterator[bytes]:
    source = random.Random(7)
    while True:
        yield source.randbytes(512)


def _renamed() -> Iterator[bytes]:
    for number in itertools.count(1):
        yield actors.hello(board=f"board{number}", boot=number % 2**32)


def _unfinished_blocks() -> Iterator[bytes]:
    for number in itertools.count(1):
        yield bulk(number)
        yield sentences.made("CHUNK", number, 4000, "A" * 84)


# What is said, for as long as anybody listens.
ATTACKS: dict[str, Callable[[], Iterator[bytes]]] = {
    "silence": lambda: iter(()),
    "a line without end": lambda: endless(b"x" * 1000),
    "commas without end": lambda: endless(b"," * 1000),
    "dollars without end": lambda: endless(b"$A," * 300),
    "empty lines": lambda: endless(b"\n" * 500),
    "random bytes": _random,
    "blocks of a million chunks": lambda: (
        sentences.made("BULK", number % 10**6, "HEADS", 1 << 20, 1, 0, 1) for number in itertools.count()
    ),
    "blocks that never end": _unfinished_blocks,
    "chunks of no block": lambda: (sentences.made("CHUNK", n % 10**6, 0, "AAAA") for n in itertools.count()),
    "a storm of errors": lambda: endless(texts("storm") * 5),
    "a storm of greetings": lambda: (actors.hello(boot=n % 2**32) for n in itertools.count()),
    "another name each time": _renamed,
    "numbers too wide": lambda: itertools.chain([greeting()], endless(of_wide_numbers())),
    "escape sequences": lambda: itertools.chain([greeting()], endless(texts(ESCAPES))),
    "surrogates": lambda: itertools.chain([greeting()], endless(texts("\udc9b\ud800"))),
    "HTML": lambda: itertools.chain([greeting()], itertools.cycle([texts(HTML), *frames()])),
    "answers to what nobody asked": lambda: (
        sentences.made("REPLY", n % 65536, n % 1000, n, quoted(ESCAPES)) for n in itertools.count()
    ),
    "a prompt again and again": lambda: endless(b"\r\n>>> \r\nraw REPL; CTRL-B to exit\r\n>OK\x04\x04>"),
    "answers of a board's helpers": lambda: endless(
        b'\r\nraw REPL; CTRL-B to exit\r\n>OK@{"platform": "MaixPy", "version": 1e400, "free": -1}\r\n'
        b'@{"file": "../../x", "bytes": 5}\r\n@' + b"[" * 2000 + b"\r\n\x04\x04>"
    ),
    "a core dump": lambda: endless(b"core dump: " + ESCAPES.encode() + b"\r\n"),
}  # fmt: skip


class FakeBoard(peer.Peer):
    """Plays an attack from the first byte that it hears on (or at once), beside answering as `answer` does.

    `pause` seconds are between pieces; `bytewise` sends each byte alone.
    """

    def __init__(
        self,
        attack: Iterator[bytes],
        answer: peer.Answer = peer.polite,
        pause: float = 0.0,
        bytewise: bool = False,
        at_once: bool = False,
    ) -> None:
        self._attack, self._pause, self._bytewise = attack, pause, bytewise
        self.heard_something = threading.Event()
        if at_once:
            self.heard_something.set()
        super().__init__(answer)
        self._player = threading.Thread(target=self._play, daemon=True)
        self._player.start()

    def unplug(self) -> None:
        """Pull the cable."""
        self._over.set()
        self.heard_something.set()
        self._player.join()
        super().unplug()

    def _take(self, data: bytes, reader: sentences.Reader) -> None:
        self.heard_something.set()
        super()._take(data, reader)

    def _play(self) -> None:
        self.heard_something.wait()
        for piece in self._attack:
            for part in (piece[at : at + 1] for at in range(len(piece))) if self._bytewise else (piece,):
                if self._over.wait(self._pause):
                    return
                self.send(part)


def refusing(sentence: Sentence) -> bytes:
    """Says no to everything, in words that mean harm."""
    said = sentences.made("REPLY", sentence.fields[0], 2, 0, quoted(ESCAPES + HTML))
    return greeting() + said if sentence.kind == "HELLO" else said


def of_another_id(sentence: Sentence) -> bytes:
    """Answers what nobody asked, with numbers of 53 bits."""
    return sentences.made("REPLY", (int(sentence.fields[0]) + 1) % 65536, 0, 2**53, "")


def main() -> None:
    """Play the attack that the command line names."""
    with FakeBoard(ATTACKS[sys.argv[1]](), at_once=True) as board:
        print(board.port, flush=True)
        while True:
            time.sleep(1)


if __name__ == "__main__":
    main()
