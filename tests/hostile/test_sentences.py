"""What a board sends costs a small multiple of its bytes, and nothing of it reaches a terminal as a command."""

from __future__ import annotations

import itertools
import time
import tracemalloc

import pytest

from host_tools.monitor import event_format
from host_tools.serial_link import Block, Decoder, Hello, Restarted, Trouble, limits, sentences
from tests.host_tools import fake_board
from tests.samples import sample

BYTES = 200_000
# Sound frames take 1 to 2 microseconds a byte here; a byte of an attack may take so many times as much.
MOST_TIMES = 25
# Whatever is said; the reader keeps two kilobytes of a line, the blocks one block.
MOST_MEMORY = 8 << 20
STEP = 512


def played(attack: str) -> bytes:
    said = bytearray()
    for piece in fake_board.ATTACKS[attack]():
        said += piece
        if len(said) >= BYTES:
            break
    return bytes(said)


def fed(decoder: Decoder, data: bytes) -> float:
    """Seconds of processor time; what is due is done after every piece, as the link does."""
    started = time.process_time()
    for number, at in enumerate(range(0, len(data), STEP)):
        for event in decoder.feed(data[at : at + STEP], number / 20):
            event_format.of(event) if not isinstance(event, sentences.Frame) else None
        decoder.due(number / 20)
    return time.process_time() - started


@pytest.fixture(scope="module")
def usual() -> float:
    """Seconds a byte of sound frames."""
    data = b"".join(fake_board.frames())
    return min(fed(Decoder(), data) for _ in range(3)) / len(data)


@pytest.mark.parametrize("attack", sample(fake_board.ATTACKS, *range(0, len(fake_board.ATTACKS), 4)))
def test_no_byte_costs_much(attack: str, usual: float) -> None:
    data = played(attack)
    seconds = min(fed(Decoder(), data) for _ in range(3))
    assert seconds <= MOST_TIMES * usual * len(data) + 0.01, (seconds, usual * len(data))


@pytest.mark.parametrize("attack", sample(fake_board.ATTACKS, *range(2, len(fake_board.ATTACKS), 4)))
def test_memory_stays(attack: str) -> None:
    data = played(attack)
    decoder = Decoder()
    tracemalloc.start()
    fed(decoder, data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MOST_MEMORY


def test_the_blocks_that_froze_the_monitor() -> None:
    decoder = Decoder()
    said = b"".join(sentences.made("BULK", n, "HEADS", 1_000_000, 1, 0, 1) for n in range(100))
    assert len(said) < 4096
    assert fed(decoder, said) < 0.5
    assert decoder.statistics.absurd == 100


@pytest.mark.parametrize(
    ("size", "chunk", "absurd"),
    [
        (limits.MOST_BLOCK_BYTES, limits.LEAST_CHUNK_BYTES, 0),
        (limits.MOST_BLOCK_BYTES + 1, limits.LEAST_CHUNK_BYTES, 1),
        (limits.MOST_BLOCK_BYTES, limits.LEAST_CHUNK_BYTES - 1, 1),
        (0, limits.LEAST_CHUNK_BYTES, 1),
    ],
)
def test_sizes_that_are_announced_have_limits(size: int, chunk: int, absurd: int) -> None:
    decoder = Decoder()
    decoder.feed(fake_board.bulk(1, size, chunk), 0.0)
    assert decoder.statistics.absurd == absurd


# A sound sentence, the field of it that is a number, its lowest and its highest value.
EDGES = [
    (("ERROR", "1", "1", "x"), 1, 1, 999),
    (("ERROR", "1", "1", "x"), 2, 1, 10**12 - 1),
    (("REPLY", "1", "0", "0", ""), 1, 0, 65_535),
    (("REPLY", "1", "0", "0", ""), 2, 0, 999),
    (("REPLY", "1", "0", "0", ""), 3, 1 - 10**12, 10**12 - 1),
    (("SETTINGS", "0", "5", "1", "20", "0", "100", "1000", "0", "50", "50"), 6, 0, 3_600_000),
    (("SETTINGS", "0", "5", "1", "20", "0", "100", "1000", "0", "50", "50"), 10, 1, 100),
    (("SELFTEST", "1", "0", "1", "1", "1", "1", ""), 2, 0, 2),
    (("SELFTEST", "1", "0", "1", "1", "1", "1", ""), 3, 0, 2**32 - 1),
    (("BULK", "1", "HEADS", "1", "64", "0", "1"), 1, 0, 10**12 - 1),
    (("BULK", "1", "HEADS", "1", "64", "0", "1"), 5, 0, 2**32 - 1),
]


@pytest.mark.parametrize(("sound", "place", "low", "high"), EDGES)
def test_numbers_are_taken_to_their_edges_and_not_beyond(
    sound: tuple[str, ...], place: int, low: int, high: int
) -> None:
    for value, absurd in ((low, 0), (high, 0), (low - 1, 1), (high + 1, 1)):
        decoder = Decoder()
        fields = (*sound[:place], str(value), *sound[place + 1 :])
        decoder.feed(sentences.made(*fields), 0.0)
        assert decoder.statistics.absurd == absurd, fields


def test_a_block_that_is_asked_for_piece_by_piece_costs_what_it_has_bytes() -> None:
    """Every second chunk comes, so that each request has a gap to find, of the smallest chunks that are allowed."""
    decoder = Decoder()
    size = limits.MOST_BLOCK_BYTES
    count = size // limits.LEAST_CHUNK_BYTES
    piece = "A" * 84 + "AA=="
    chunks = b"".join(sentences.made("CHUNK", 1, number, piece) for number in range(1, count, 2))
    last = b"".join(sentences.made("CHUNK", 1, number, piece) for number in range(0, count, 2))
    seconds = fed(decoder, fake_board.bulk(1, size) + chunks + sentences.made("CHUNK", 1, count - 1, piece) + last)
    assert seconds < 5
    assert decoder.statistics.absurd == 0


@pytest.mark.parametrize("text", [fake_board.ESCAPES, "\udc9b\ud800", "two\nlines", "\x85\u2028"])
def test_no_text_holds_what_a_terminal_obeys(text: str) -> None:
    decoder = Decoder()
    events = decoder.feed(fake_board.texts(text), 0.0)
    words = [event_format.of(event) for event in events if not hasattr(event, "status")]
    words += [event.text for event in events if hasattr(event, "text")]
    assert len(words) > 3
    for said in filter(None, words):
        assert said.replace("\t", " ").isprintable(), said
        said.encode()


@pytest.mark.parametrize(("attack", "kind"), [("a storm of errors", Trouble), ("a storm of greetings", Restarted)])
def test_storms_are_throttled_and_counted(attack: str, kind: type) -> None:
    decoder = Decoder()
    found = list(itertools.chain(*(decoder.feed(piece, 0.0) for piece in [played(attack)])))
    told = sum(isinstance(event, kind) for event in found)
    assert told == limits.STORM_BURST
    assert decoder.statistics.throttled > 100
    more = decoder.feed(played(attack), 1.0)
    assert sum(isinstance(event, kind) for event in more) == limits.STORM_PER_SECOND


def test_a_board_that_restarts_now_and_then_is_never_held_back() -> None:
    decoder = Decoder()
    for boot in range(200):
        events = decoder.feed(fake_board.actors.hello(boot=boot), boot / limits.STORM_PER_SECOND)
        assert any(isinstance(event, Hello) for event in events)
    assert decoder.statistics.throttled == 0


def test_a_block_within_the_limits_arrives() -> None:
    decoder = Decoder()
    said = sentences.made("BULK", 1, "JPEG", 1, limits.LEAST_CHUNK_BYTES, 3523407757, 1)
    assert decoder.feed(said + sentences.made("CHUNK", 1, 0, "AA=="), 0.0) == [Block("JPEG", b"\0", 1)]
