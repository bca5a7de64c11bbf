"""Seeded damage: bytes, JSON documents and TOML texts with a fault, the same for the same number."""

from __future__ import annotations

import json
import random

# What sizes, offsets and floats go wrong with, in both byte orders: 0, -1, huge, sign bit, NaN, infinity.
_WORDS = (
    bytes(4), b"\xff" * 4, b"\xff\xff\xff\x7f", b"\x7f\xff\xff\xff", b"\x00\x00\x00\x80", b"\x80\x00\x00\x00",
    b"\x00\x00\xc0\x7f", b"\x00\x00\x80\x7f", b"\x01\x00\x00\x00", b"\xff" * 8, b"\x00" * 16,
    b"\x1b]0;owned\x07", b"\xed\xa0\x80", b"../", b"\r\n", b"9" * 30, b"\xe2\x80\xae",
)  # fmt: skip
_JUNK = (
    None, True, False, 0, -1, 1, 255, 256, 1 << 31, 1 << 32, 1 << 62, 1 << 63, -(1 << 63), 10**30, 10**400, 0.5, -0.0,
    1e308, float("inf"), float("nan"), "", "x", "x" * 5000, "x" * 70_000, "../x", "/etc/hostname", "a/b", ".", "..",
    "\0", "\x1b]0;owned\x07\x1b[2J", "\ud800", "\u202e", "é", "10000000000", "-1", [], {}, [[]], [None] * 20,
    {"a": {"b": {"c": 1}}}, list(range(1000)),
)  # fmt: skip


def of_bytes(source: random.Random, data: bytes) -> bytes:
    """`data` with one to three faults: bits flipped, words replaced, cut short, grown, a part moved or doubled."""
    made = bytearray(data)
    for _ in range(source.choice((1, 1, 1, 2, 3))):
        _damage(source, made)
    return bytes(made)


def _damage(source: random.Random, made: bytearray) -> None:
    at = source.randrange(len(made)) if made else 0
    fault = source.randrange(8)
    if fault <= 1 and made:
        made[at] ^= 1 << source.randrange(8)
    elif fault <= 3:
        word = source.choice(_WORDS) if source.random() < 0.7 else source.randbytes(source.randint(1, 8))
        made[at : at + len(word)] = word
    elif fault == 4:
        del made[at:]
    elif fault == 5:
        made[at:at] = source.randbytes(source.randint(1, 64))
    elif fault == 6:
        del made[at : at + source.randint(1, 64)]
    else:
        start, size = source.randrange(len(made) + 1), source.randint(1, 256)
        made[at:at] = made[start : start + size]


def of_json(source: random.Random, document: object) -> bytes:
    """A JSON document with one to three values replaced, removed, doubled or nested; sometimes its text damaged."""
    made = document
    for _ in range(source.choice((1, 1, 1, 2, 3))):
        made = _with_fault(source, made)
    text = json.dumps(made, ensure_ascii=source.random() < 0.5).encode("utf-8", errors="surrogatepass")
    fate = source.randrange(12)
    if fate == 0:
        return of_bytes(source, text)
    if fate == 1:
        depth = source.choice((10, 70, 100_000))
        return b"[" * depth + text + b"]" * depth
    return text.replace(b"Infinity", b"1e400") if fate == 2 else text


def _with_fault(source: random.Random, document: object) -> object:
    """Another document, which shares with this one what is not on the way to the fault."""
    if not isinstance(document, dict | list) or not document or source.random() < 0.05:
        return source.choice(_JUNK)
    made = document.copy()
    key = source.choice(list(made) if isinstance(made, dict) else range(len(made)))
    fault = source.randrange(12)
    if fault == 0:
        del made[key]
    elif fault == 1 and isinstance(made, list):
        made.append(made[key])
    elif fault == 2:
        made[key] = source.choice(list(made.values()) if isinstance(made, dict) else made)
    elif fault == 3 and isinstance(made, dict):
        made[source.choice(("", "x", "__proto__", "\x1b[2J", "file", "poses"))] = made.pop(key)
    else:
        made[key] = _with_fault(source, made[key])
    return made


def of_text(source: random.Random, text: str) -> bytes:
    """Lines of a text exchanged, doubled or damaged, values replaced by junk of JSON."""
    if source.random() < 0.3:
        return of_bytes(source, text.encode())
    lines = text.splitlines()
    at = source.randrange(len(lines))
    name, equals, _ = lines[at].partition(" = ")
    if equals and source.random() < 0.7:
        lines[at] = f"{name} = {json.dumps(source.choice(_JUNK))}"
    elif source.random() < 0.5:
        lines.insert(at, source.choice(lines))
    else:
        del lines[at]
    return "\n".join(lines).encode("utf-8", errors="surrogatepass")
