"""What a board can tell: a frozen dataclass for each kind of sentence, checked field by field, and the link's own.

The table of sentences is firmware/README.md, "The serial line"; whole frames are `sentences.Frame`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass

from conversion.network import HEAD_NAMES
from host_tools.serial_link import error_codes, limits, sentences, units
from host_tools.serial_link.field_kinds import NAME, Field
from host_tools.serial_link.field_kinds import name as _name
from host_tools.serial_link.field_kinds import sha256 as _sha256
from host_tools.serial_link.field_kinds import within as _within
from host_tools.serial_link.sentences import Frame, Sentence

PROTOCOL = 1


@dataclass(frozen=True)
class Hello:
    """Who is there. Sizes are 0 without model or LCD, `source` -1 without frames, `kmodel_sha256` None if unknown.

    `turned` 1: people lie on their side in the picture of `width` x `height`. `preview_missing`: KiB of memory that
    previews lack. Both are 0 from an older program.
    """

    protocol: int
    firmware: str
    boot: int
    system: str
    release: str
    board: str
    source: int
    width: int
    height: int
    lcd_width: int
    lcd_height: int
    kmodel_bytes: int
    kmodel_sha256: str | None
    chunk_bytes: int
    baud: int
    turned: int = 0
    preview_missing: int = 0

    @property
    def picture(self) -> tuple[int, int]:
        """Width and height of the picture as people stand in it."""
        return (self.height, self.width) if self.turned else (self.width, self.height)


@dataclass(frozen=True)
class OtherProtocol:
    """A HELLO of a program whose sentences mean something else; `firmware` is its version, "" where it is no name."""

    protocol: int
    firmware: str


@dataclass(frozen=True)
class Digest:
    """CRC-32 of a frame's heads: of all, and of each by its name."""

    frame: int
    heads: int
    by_head: dict[str, int]


@dataclass(frozen=True)
class Block:
    """A whole block of data whose CRC-32 is right: `kind` is HEADS, RUNS or JPEG."""

    kind: str
    data: bytes
    frame: int


@dataclass(frozen=True)
class BlockLost:
    """A block that did not arrive whole; `kind` is "" and `frame` None where even its announcement was lost."""

    kind: str
    frame: int | None
    reason: str


@dataclass(frozen=True)
class SelfTest:
    """The end of a self-test: `result` is 0 passed, 1 heads differ, 2 poses differ; poses are counts."""

    frame: int
    result: int
    expected_crc32: int
    found_crc32: int
    expected_poses: int
    found_poses: int
    text: str


@dataclass(frozen=True)
class Settings:
    """The program's settings: scores in 1/32768, `nms_radius` in input pixels, `mode` 0 several poses, 1 one; `share`
    is percent of the time for sending, `vote` in input pixels, `zoom` -1 follow where memory allows, 0 off, 1 follow, 2
    to 4 full frame and 1 to 3 windows, `smooth` 0 or 1; None from a program that knows no such setting yet."""

    mode: int
    max_poses: int
    root_score: int
    nms_radius: int
    pose_score: int
    frame_ms: int
    stats_ms: int
    preview_ms: int
    preview_quality: int
    share: int | None = None
    vote: int | None = None
    zoom: int | None = None
    smooth: int | None = None


@dataclass(frozen=True)
class LayerTime:
    """What the first `number` of a network's `layers` took on the KPU, with the copy of the last one's whole result."""

    number: int
    layers: int
    microseconds: int


@dataclass(frozen=True)
class Stats:
    """The program's counts; `state` as in STATES, `system_free` is -1 where the firmware cannot say."""

    uptime_ms: int
    state: int
    frames: int
    sent: int
    skipped: int
    bytes: int
    received: int
    damaged: int
    errors: int
    heap_free: int
    heap_used: int
    system_free: int
    baud: int


STATES = ("starting", "running", "paused", "waiting after an error", "receiving pixels")


@dataclass(frozen=True)
class Trouble:
    """Something went wrong on the board, `count` times since it last said so; `remedies.remedy(code)` helps.

    `code` is one of ErrorCode, or that of a newer program.
    """

    code: int
    count: int
    text: str

    @property
    def keeps_from_frames(self) -> bool:
        """Whether the board computes no frames meanwhile."""
        return error_codes.keeps_from_frames(self.code)


@dataclass(frozen=True)
class Print:
    """A line that the board printed for people; characters that would control a terminal are replaced."""

    text: str


@dataclass(frozen=True)
class Restarted:
    """The program has started again: another boot number. The Hello itself comes after this."""

    hello: Hello


@dataclass(frozen=True)
class Lost:
    """The port is gone; a patient link tries to find it again."""

    reason: str


@dataclass(frozen=True)
class Found:
    """The port is there (again), perhaps under another name."""

    port: str


@dataclass(frozen=True)
class Reply:
    """The answer to a sentence of the host; Link takes these itself."""

    id: int
    status: int
    value: int
    text: str


@dataclass(frozen=True)
class Announcement:
    """A block of data begins; the link's own."""

    bulk: int
    kind: str
    size: int
    chunk_bytes: int
    crc32: int
    frame: int


@dataclass(frozen=True)
class Chunk:
    """A piece of a block, still in base64; the link's own."""

    bulk: int
    number: int
    base64: str


@dataclass(frozen=True)
class Absurd:
    """A valid sentence whose fields cannot be: it is counted, and goes no further."""

    kind: str
    reason: str


Event = (
    Hello | OtherProtocol | Frame | Digest | Block | BlockLost | SelfTest | Settings | Stats | Trouble | Print
    | Restarted | Lost | Found
)  # fmt: skip

_WORD = _within(0, 2**32 - 1)
_COUNT = _within(0, 10**12 - 1)
_MILLISECONDS = _within(0, 3_600_000)
_BAUD = _within(1200, 4_000_000)
_SIZE = _within(0, 4096)
_POSES = _within(0, units.MOST_POSES)
_TEXT = sentences.text_of
# A chunk must fit into a sentence.
_BLOCK_BYTES = _within(1, limits.MOST_BLOCK_BYTES)
_CHUNK_BYTES = _within(limits.LEAST_CHUNK_BYTES, 3 * sentences.MAX_SENTENCE // 4)


def _digest(frame: int, heads: int, *each: int) -> Digest:
    return Digest(frame, heads, dict(zip(HEAD_NAMES, each, strict=True)))


# How many of the last fields of a type came with a later program; an older one leaves them out.
_LATER_FIELDS = {"SETTINGS": 4, "HELLO": 2}
_MOST_LAYERS = 9999
# Of each type: what it becomes, and its fields in their order; fields behind those are a newer program's.
_TABLE: dict[str, tuple[Callable[..., object], tuple[Field, ...]]] = {
    "HELLO": (
        Hello,
        (
            *(_within(PROTOCOL, PROTOCOL), _name, _WORD, _name, _name, _name, _within(-1, 3)),
            *(_SIZE, _SIZE, _SIZE, _SIZE, _within(0, 1 << 24), _sha256, _CHUNK_BYTES, _BAUD),
            *(_within(0, 1), _within(0, 1 << 14)),
        ),
    ),
    "DIGEST": (_digest, (_COUNT, *(_WORD,) * (1 + len(HEAD_NAMES)))),
    "BULK": (Announcement, (_COUNT, _name, _BLOCK_BYTES, _CHUNK_BYTES, _WORD, _COUNT)),
    "CHUNK": (Chunk, (_COUNT, _COUNT, str)),
    "SELFTEST": (SelfTest, (_COUNT, _within(0, 2), _WORD, _WORD, _POSES, _POSES, _TEXT)),
    "SETTINGS": (
        Settings,
        (
            *(_within(0, 1), _within(1, units.MOST_POSES), _within(1, units.THRESHOLD_ONE)),
            *(_within(0, units.MOST_RADIUS), _within(0, units.THRESHOLD_ONE)),
            *(_MILLISECONDS, _MILLISECONDS, _MILLISECONDS, _within(*units.PREVIEW_QUALITIES), _within(1, 100)),
            *(_within(0, units.MOST_VOTE), _within(units.LEAST_ZOOM, units.MOST_ZOOM), _within(0, 1)),
        ),
    ),
    "LAYER": (LayerTime, (_within(1, _MOST_LAYERS), _within(1, _MOST_LAYERS), _COUNT)),
    "STATS": (
        Stats,
        (_COUNT, _within(0, len(STATES) - 1), *(_COUNT,) * 9, _within(-1, 1 << 24), _BAUD),
    ),
    "ERROR": (Trouble, (_within(1, 999), _within(1, 10**12 - 1), _TEXT)),
    "REPLY": (Reply, (_within(0, 65535), _within(0, 999), _within(-(2**53), 2**53), _TEXT)),
}


def read(sentence: Sentence) -> Event | Reply | Announcement | Chunk | Absurd | None:
    """What a sentence says; None for FRAME and POSE (see `sentences.Frames`) and for types that are not known.

    Never raises: fields that cannot be give Absurd.
    """
    if sentence.kind not in _TABLE:
        return None
    made, kinds = _TABLE[sentence.kind]
    try:
        if sentence.kind == "HELLO" and sentences.integer("".join(sentence.fields[:1])) != PROTOCOL:
            return _other_protocol(sentence)
        needed = len(kinds) - _LATER_FIELDS.get(sentence.kind, 0)
        if len(sentence.fields) < needed:
            raise ValueError(f"{len(sentence.fields)} fields, {needed} are needed")
        return made(*(kind(text) for kind, text in zip(kinds, sentence.fields, strict=False)))
    except ValueError as error:
        return Absurd(sentence.kind, str(error))


def check(event: object) -> None:
    """ValueError unless a board could say this: every field of an event from elsewhere is within its sentence's limits.

    Kinds that are no board's sentence pass, but for what they hold of one: Restarted has a Hello.
    """
    for entry in fields(event):
        if is_dataclass(getattr(event, entry.name)):
            check(getattr(event, entry.name))
    for name, (made, kinds) in _TABLE.items():
        if made is type(event):
            values = [getattr(event, entry.name) for entry in fields(event)]
            # An older program says nothing of these.
            while len(kinds) - len(values) < _LATER_FIELDS.get(name, 0) and values[-1] is None:
                values.pop()
            for value, kind in zip(values, kinds, strict=False):
                kind("-" if value is None else str(value))


def _other_protocol(sentence: Sentence) -> OtherProtocol:
    protocol = _within(0, 9999)(sentence.fields[0])
    if len(sentence.fields) < 2:
        raise ValueError("a HELLO without the program's version")
    return OtherProtocol(protocol, sentence.fields[1] if NAME.fullmatch(sentence.fields[1]) else "")
