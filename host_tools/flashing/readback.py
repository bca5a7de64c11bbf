"""Compares a board's flash with files: the board's MicroPython reads the flash, the host knows what must stand there.

kflash cannot read, and the ROM cannot either. So this proves what the running MaixPy reads, at most 4 KiB at a time.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from host_tools import time_limits
from host_tools.errors import FlashError
from host_tools.flashing.kfpkg import Entry, Package
from host_tools.prompt.repl import Prompt

# What MaixPy's flash_read is asked for at a time: it takes twice that of MicroPython's heap.
BLOCK_BYTES = 4096
_ROW_BYTES = 64
# Blocks whose checksum differs are read whole, since the line may have damaged what the board said; not for ever.
_MOST_SUSPECTS = 8
_ERASED = 0xFF

# CanMV calls the module maix.
_IMPORTS = """
import ubinascii
try:
    from Maix import utils
except ImportError:
    from maix import utils
"""
_CHECKSUMS = (
    _IMPORTS
    + """
address, end = {start}, {end}
while address < end:
    size = min({block}, end - address)
    print("%08x %08x" % (address, ubinascii.crc32(utils.flash_read(address, size)) & 0xffffffff))
    address += size
"""
)
_ROWS = (
    _IMPORTS
    + """
data = utils.flash_read({start}, {size})
for at in range(0, {size}, {row}):
    row = data[at:at + {row}]
    print("%08x %08x %s" % ({start} + at, ubinascii.crc32(row) & 0xffffffff, ubinascii.hexlify(row).decode()))
"""
)
_CHECKSUM_LINE = re.compile(r"([0-9a-f]{8}) ([0-9a-f]{8})")
_ROW_LINE = re.compile(r"([0-9a-f]{8}) ([0-9a-f]{8}) ((?:[0-9a-f]{2})+)")

Report = Callable[[int], None]


@dataclass(frozen=True)
class Difference:
    """The first byte of a file that does not stand in flash, and how many blocks of 4 KiB differ, of how many."""

    entry: Entry
    address: int
    expected: int
    found: int
    blocks: int
    of_blocks: int
    erased: bool

    def __str__(self) -> str:
        """One line."""
        hint = "; the block is erased" if self.erased else ""
        return (
            f"flash {self.address:#x} holds {self.found:#04x}, {self.entry.name} has {self.expected:#04x} at byte "
            f"{self.address - self.entry.address}; {self.blocks} of {self.of_blocks} blocks of 4 KiB differ{hint}"
        )


def compare(prompt: Prompt, package: Package, report: Report) -> list[Difference]:
    """Compare flash with every file of a package: the first difference of each file that differs.

    `report` gets the bytes read so far. LinkError if the board does not answer or raises; FlashError if what comes is
    damaged on the way again and again.
    """
    before, differences = 0, []
    for entry in package.entries:
        difference = _first_difference(prompt, entry, lambda done, before=before: report(before + done))
        if difference is not None:
            differences.append(difference)
        before += entry.size
    return differences


def _first_difference(prompt: Prompt, entry: Entry, report: Report) -> Difference | None:
    image = entry.image
    suspects = _suspects(prompt, entry, image, report)
    for start in suspects[:_MOST_SUSPECTS]:
        expected = image[start : start + BLOCK_BYTES]
        found = _block(prompt, entry.address + start, len(expected))
        if found != expected:
            at = next(at for at, pair in enumerate(zip(expected, found, strict=True)) if pair[0] != pair[1])
            blocks = len(suspects) - suspects.index(start)
            erased = set(found) == {_ERASED}
            address, total = entry.address + start + at, -(-len(image) // BLOCK_BYTES)
            return Difference(entry, address, expected[at], found[at], blocks, total, erased)
    if len(suspects) > _MOST_SUSPECTS:
        raise FlashError(
            f"{prompt.port}: {len(suspects)} checksums of {entry.name} were damaged on the way, so nothing is proved; "
            "take a shorter cable and run the same command again"
        )
    return None


def _suspects(prompt: Prompt, entry: Entry, image: bytes, report: Report) -> list[int]:
    """Where the blocks begin whose checksum did not come or is another one."""
    sound: set[int] = set()
    starts = range(0, len(image), BLOCK_BYTES)

    def take(line: str) -> None:
        match = _CHECKSUM_LINE.fullmatch(line.strip())
        start = int(match[1], 16) - entry.address if match else -1
        if match and start in starts:
            report(start)
            if zlib.crc32(image[start : start + BLOCK_BYTES]) == int(match[2], 16):
                sound.add(start)

    source = _CHECKSUMS.format(start=entry.address, end=entry.end, block=BLOCK_BYTES)
    limit = time_limits.READ_BACK.seconds + time_limits.READ_BACK_A_BLOCK.seconds * len(starts)
    prompt.execute(source, seconds=limit, line=take)
    return [start for start in starts if start not in sound]


def _block(prompt: Prompt, address: int, size: int) -> bytes:
    """Up to 4 KiB of flash; FlashError if a row of it comes damaged."""
    source = _ROWS.format(start=address, size=size, row=_ROW_BYTES)
    rows = {}
    for line in prompt.execute(source, seconds=time_limits.READ_BACK.seconds).splitlines():
        match = _ROW_LINE.fullmatch(line.strip())
        data = bytes.fromhex(match[3]) if match else b""
        if match and zlib.crc32(data) == int(match[2], 16):
            rows[int(match[1], 16) - address] = data
    found = b"".join(rows.get(at, b"") for at in range(0, size, _ROW_BYTES))
    if len(found) != size:
        raise FlashError(
            f"{prompt.port}: the block at flash {address:#x} came damaged over the line, so nothing is proved; take a "
            "shorter cable and run the same command again"
        )
    return found
