"""Sends a picture's pixels to the board's program, in chunks that it acknowledges one by one."""

from __future__ import annotations

import base64
import time
import zlib
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from conversion.progress import Count
from host_tools import time_limits
from host_tools.errors import LinkError
from host_tools.serial_link import ErrorCode, Refused
from host_tools.time_limits import Tries

# How the camera's own buffer holds a pixel: the byte with red first (firmware/README.md, "Host to board").
STORED = np.dtype(">u2")
_STARTS = 3


class Asker(Protocol):
    """The part of host_tools.serial_link.link.Link that an upload needs."""

    def ask(self, kind: str, *fields: int | str | None, tries: Tries = ...) -> int:
        """Send a sentence, wait for its reply, return the value."""


@dataclass(frozen=True)
class Sent:
    """What an upload took: pixel bytes, chunks, starts (1 if nothing went wrong), seconds."""

    bytes: int
    chunks: int
    starts: int
    seconds: float


def to_words(picture: np.ndarray) -> np.ndarray:
    """uint8 [H, W, 3] RGB as RGB565 words, uint16 [H, W]: each colour the nearest that five or six bits can say."""
    wide = picture.astype(np.uint32)
    red, green, blue = ((wide[..., plane] * most + 127) // 255 for plane, most in enumerate((31, 63, 31)))
    return (red << 11 | green << 5 | blue).astype(np.uint16)


def send(link: Asker, words: np.ndarray, chunk_bytes: int, progress: Count) -> Sent:
    """Put RGB565 words, uint16 [H, W], into the board's frame buffer; `chunk_bytes` is what its HELLO says.

    The board must be paused, or its next frame overwrites them. `progress(done, total)` counts pixel bytes. Lost and
    refused chunks are repeated, and the whole a few times. LinkError when that does not help, Refused for what cannot
    be: no model, another size.
    """
    data = words.astype(STORED).tobytes()
    started = time.monotonic()
    starts = 1
    while True:
        try:
            chunks = _send_once(link, words.shape, data, chunk_bytes, progress)
        except Refused as error:
            # What a new start mends: no such upload (any more), or pixels that arrived damaged.
            if error.code not in (ErrorCode.BAD_FIELD, ErrorCode.BAD_CHUNK) or starts == _STARTS:
                raise
            starts += 1
        else:
            return Sent(len(data), chunks, starts, time.monotonic() - started)


def _send_once(link: Asker, shape: tuple[int, ...], data: bytes, chunk_bytes: int, progress: Count) -> int:
    height, width = shape
    chunks = [data[at : at + chunk_bytes] for at in range(0, len(data), chunk_bytes)]
    count = link.ask("PIXELS", width, height, zlib.crc32(data))
    if count != len(chunks):
        raise LinkError(
            f"the board wants {count} chunks for {len(data)} bytes in pieces of {chunk_bytes}; its program is not of "
            "this version: run `deploy`"
        )
    wanted = 0
    while wanted < count:
        progress(wanted * chunk_bytes, len(data))
        wanted = _chunk(link, wanted, chunks[wanted], count)
    progress(len(data), len(data))
    return count


def _chunk(link: Asker, number: int, piece: bytes, count: int) -> int:
    """Send one chunk; the number of the next one that the board wants, which is always a later one."""
    fields = number, base64.b64encode(piece).decode()
    try:
        wanted = link.ask("CHUNK", *fields, tries=time_limits.CHUNK_ANSWER)
    except Refused as error:
        if error.code != ErrorCode.BAD_FIELD:
            raise
        # Damaged so that the sentence's checksum is right all the same: one in 65,536 damaged ones.
        wanted = link.ask("CHUNK", *fields, tries=time_limits.CHUNK_ANSWER)
    if not number < wanted <= count:
        raise LinkError(
            f"after chunk {number} of {count} the board wants {wanted}; its program is not sound: run `deploy`"
        )
    return wanted
