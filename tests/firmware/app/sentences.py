"""Reading the board's sentences, and making the host's, from the table in the firmware's README and nothing else."""

from __future__ import annotations

import base64
import binascii
import re
import urllib.parse
import zlib
from dataclasses import dataclass

# Type: kinds of its fields, in order: i integer, n name, b base64, t text; a tail of + repeats 17 triples of integers.
TABLE = {
    "HELLO": "inixxxiiiiiiniiii".replace("x", "n"),
    "FRAME": "iiiiiiiii",
    "POSE": "iii" + "iii" * 17,
    "DIGEST": "iiiiii",
    "BULK": "iniiii",
    "CHUNK": "iib",
    "SELFTEST": "iiiiiit",
    "SETTINGS": "i" * 13,
    "LAYER": "iii",
    "STATS": "i" * 13,
    "ERROR": "iit",
    "REPLY": "iiit",
}
# What may follow the fields above: of a frame with zoom the time to make its windows, and one to four windows.
_MORE = {"FRAME": tuple("i" * (1 + 3 * windows) for windows in range(1, 5))}
_KINDS = {
    "i": re.compile(r"-?\d+"),
    "n": re.compile(r"[A-Za-z0-9._-]+"),
    "b": re.compile(r"[A-Za-z0-9+/]+={0,2}"),
    "t": re.compile(r"(?:[ -~]|%[0-9A-F]{2})*"),
}
_LINE = re.compile(r"\$([A-Z]{1,12}),([^$*]*)\*([0-9A-F]{4})")


@dataclass(frozen=True)
class Sentence:
    """One sentence: its type, its fields (integers as int, texts unescaped), and its bytes on the line."""

    type: str
    fields: tuple
    size: int


def crc(body: str) -> str:
    """CRC-16/CCITT-FALSE: the polynomial 0x1021 from 0xFFFF."""
    return f"{binascii.crc_hqx(body.encode(), 0xFFFF):04X}"


def made(body: str) -> bytes:
    """A sentence of the host."""
    return f"${body}*{crc(body)}\r\n".encode()


def sentence(line: bytes) -> Sentence:
    """A whole line as a sentence; AssertionError for whatever the table does not allow."""
    assert len(line) <= 1024, len(line)
    assert line.endswith(b"\r\n"), line
    match = _LINE.fullmatch(line[:-2].decode("ascii"))
    assert match, line
    kind, body, found = match.groups()
    assert found == crc(f"{kind},{body}"), line
    fields = body.split(",")
    forms = [TABLE[kind] + more for more in ("", *_MORE.get(kind, ()))]
    (kinds,) = [form for form in forms if len(form) == len(fields)] or [""]
    assert kinds, line
    return Sentence(kind, tuple(map(_value, fields, kinds)), len(line))


def _value(field: str, kind: str) -> int | str | bytes:
    assert _KINDS[kind].fullmatch(field), (field, kind)
    if kind == "i":
        return int(field)
    if kind == "b":
        return base64.b64decode(field, validate=True)
    return urllib.parse.unquote(field) if kind == "t" else field


def read(data: bytes) -> list[Sentence]:
    """All sentences of what a board wrote to its UART: nothing else may be among them."""
    return [sentence(line) for line in data.splitlines(keepends=True)]


def of(found: list[Sentence], kind: str) -> list[tuple]:
    """The fields of the sentences of one type."""
    return [item.fields for item in found if item.type == kind]


def frames(found: list[Sentence]) -> list[tuple[tuple, list[tuple]]]:
    """(frame, its poses) of each frame; AssertionError for one that is torn."""
    result: list[tuple[tuple, list[tuple]]] = []
    for item in found:
        if item.type == "FRAME":
            result.append((item.fields, []))
        elif item.type == "POSE":
            frame, poses = result[-1]
            assert item.fields[:2] == (frame[0], len(poses))
            poses.append(item.fields)
    assert all(len(poses) == frame[3] for frame, poses in result)
    return result


def block(found: list[Sentence], number: int) -> bytes:
    """The data of a block, from its announcement and chunks; AssertionError unless whole and right."""
    (announced,) = [fields for fields in of(found, "BULK") if fields[0] == number]
    _, _, size, chunk, checksum, _ = announced
    pieces = {index: data for bulk, index, data in of(found, "CHUNK") if bulk == number}
    data = b"".join(pieces[index] for index in sorted(pieces))
    assert sorted(pieces) == list(range(-(-size // chunk)))
    assert all(len(pieces[index]) == chunk for index in list(pieces)[:-1])
    assert len(data) == size
    assert zlib.crc32(data) == checksum
    return data
