"""The image of a small FAT16 card with files in its root, enough for a firmware to mount it."""

from __future__ import annotations

import struct

SECTOR, CLUSTER_SECTORS, SECTORS = 512, 4, 32768
_FAT_SECTORS, _ROOT_ENTRIES = 32, 512
# Where the one partition begins, and its kind.
_START, _FAT16 = 1024, 0x06
_ENTRY = struct.Struct("<11sB14xHI")


def card(files: dict[str, bytes]) -> bytes:
    """16 MiB behind a partition table; names are 8.3 in capitals, each file a run of clusters."""
    boot = struct.pack(
        "<3s8sHBHBHHBHHHIIBBBI11s8s", b"\xeb\x3c\x90", b"MSDOS5.0", SECTOR, CLUSTER_SECTORS, 1, 1, _ROOT_ENTRIES,
        SECTORS, 0xF8, _FAT_SECTORS, 63, 255, _START, 0, 0x80, 0, 0x29, 1, b"MAIX       ", b"FAT16   ",
    )  # fmt: skip
    table, root, data, cluster = [0xFFF8, 0xFFFF], b"", b"", 2
    for name, content in files.items():
        base, _, extension = name.partition(".")
        root += _ENTRY.pack(f"{base:<8}{extension:<3}".encode(), 0x20, cluster, len(content))
        count = max(1, -(-len(content) // (SECTOR * CLUSTER_SECTORS)))
        table += [*range(cluster + 1, cluster + count), 0xFFFF]
        data += content.ljust(count * SECTOR * CLUSTER_SECTORS, b"\0")
        cluster += count
    fat = struct.pack(f"<{len(table)}H", *table).ljust(_FAT_SECTORS * SECTOR, b"\0")
    image = boot.ljust(510, b"\0") + b"\x55\xaa" + fat + root.ljust(32 * _ROOT_ENTRIES, b"\0") + data
    entry = struct.pack("<B3xB3xII", 0x80, _FAT16, _START, SECTORS)
    first = bytes(446) + entry + bytes(48) + b"\x55\xaa"
    return first.ljust(_START * SECTOR, b"\0") + image.ljust(SECTORS * SECTOR, b"\0")
