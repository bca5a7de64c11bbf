"""Damaged files for the parsers: byte edits drawn by hypothesis, and the count of what became of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from hypothesis import strategies as st

from conversion.errors import ConversionError
from conversion.posenet_weights import PoseNetWeights

# Processor time, so that a busy machine does not count; a sound file takes 0.05 s, with TensorFlow's import 5 s.
MOST_SECONDS = 20

_tally: dict[str, Counter] = {}


def report() -> list[str]:
    """One line per form: how many mutants were refused, accepted unchanged, accepted with changed numbers."""
    lines = []
    for form, count in _tally.items():
        total = sum(count.values())
        changed = count["changed"]
        lines.append(
            f"mutants of {form}: {total} tried, {count['refused']} refused, {count['same']} accepted with the same "
            f"numbers, {changed} ({changed / total:.1%}) with changed numbers"
        )
    return lines


def attempt(form: str, load: Callable[[], PoseNetWeights], original: str) -> None:
    """Loads a mutant, which must give a network or a ConversionError of one line; counts which.

    `original` is the digest of the weights in the sound file.
    """
    count = _tally.setdefault(form, Counter())
    started = time.process_time()
    try:
        weights = load()
    except ConversionError as error:
        message = str(error)
        count["refused"] += 1
    else:
        message = ""
        count["same" if weights.digest() == original else "changed"] += 1
    assert time.process_time() - started < MOST_SECONDS
    assert "\n" not in message
    assert len(message) < 1000


@st.composite
def damaged(draw: st.DrawFn, data: bytes, structure: Sequence[tuple[int, int]] = ()) -> bytes:
    """`data` with one fault: bits flipped, bytes replaced, cut short, grown, or a part moved.

    `structure` are the (start, end) ranges that are not weights; three faults in four are put there.
    """
    fault = draw(st.sampled_from(("flip", "flip", "word", "word", "cut", "grow", "move")))
    ranges = list(structure) if structure and draw(st.integers(0, 3)) else [(0, len(data))]
    start, end = draw(st.sampled_from(ranges))
    place = draw(st.integers(start, max(start, end - 1)))
    if fault == "flip":
        return data[:place] + bytes([data[place] ^ 1 << draw(st.integers(0, 7))]) + data[place + 1 :]
    if fault == "word":
        word = draw(st.sampled_from(_WORDS) | st.binary(min_size=1, max_size=8))
        return data[:place] + word + data[place + len(word) :]
    if fault == "cut":
        return data[:place]
    if fault == "grow":
        return data[:place] + draw(st.binary(min_size=1, max_size=64)) + data[place:]
    length = draw(st.integers(1, 64))
    return data[:place] + data[start : start + length] + data[place + length :]


def around(data: bytes, constants: Iterable[bytes]) -> list[tuple[int, int]]:
    """The (start, end) ranges of `data` outside of these constants (those of some size): its structure."""
    starts = ((data.find(constant), len(constant)) for constant in constants if len(constant) > _LARGE)
    ranges, end = [], 0
    for start, size in sorted(pair for pair in starts if pair[0] >= 0):
        if start > end:
            ranges.append((end, start))
        end = max(end, start + size)
    return [*ranges, (end, len(data))] if end < len(data) else ranges


_LARGE = 64
# Numbers that sizes, offsets and floats go wrong with: 0, -1, huge, sign bit, NaN, infinity.
_WORDS = (
    bytes(4),
    b"\xff" * 4,
    b"\xff\xff\xff\x7f",
    b"\x00\x00\x00\x80",
    b"\x00\x00\xc0\x7f",
    b"\x00\x00\x80\x7f",
    b"\x01\x00\x00\x00",
    b"\xff" * 8,
)


@st.composite
def damaged_json(draw: st.DrawFn, document: object) -> object:
    """A JSON document with one value, anywhere in it, replaced, removed or doubled."""
    if not isinstance(document, dict | list) or not document or draw(st.integers(0, 9)) == 0:
        return draw(_JUNK)
    keys = list(document) if isinstance(document, dict) else list(range(len(document)))
    key = draw(st.sampled_from(keys))
    copy = document.copy()
    fault = draw(st.integers(0, 19))
    if fault == 0:
        del copy[key]
    elif fault == 1 and isinstance(copy, list):
        copy.append(copy[key])
    elif fault == 2:
        copy[key] = copy[draw(st.sampled_from(keys))]
    else:
        copy[key] = draw(damaged_json(document[key]))
    return copy


_JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ("../x", "/etc/hostname", "a/b", ".", "", "\x00", "Conv2D", "Relu6", "VkFMSUQ=", "10000000000", "-1")
    ),
    st.lists(st.integers(-2, 2**40), max_size=5),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)
