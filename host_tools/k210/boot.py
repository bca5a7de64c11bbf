"""What the K210's mask ROM does with a flash chip: find the firmware at address 0, check it, and copy it into RAM.

The format is that of kflash 1.1.6: flags, length, firmware, SHA-256 over all three.
"""

from __future__ import annotations

import hashlib

from host_tools.flashing.images import DIGEST_BYTES, FIRMWARE_HEADER, in_flash
from host_tools.k210.engine import csr
from host_tools.k210.engine.memory import GENERAL_BYTES, RAM, Memory
from host_tools.k210.errors import NoFirmwareError
from host_tools.k210.parts.spi_flash import SpiFlash

_ENCRYPTED = 0x01
# The entry code begins behind this in every firmware of the SDK (crt.S): what stands before are a jump and flags.
ENTRY_HEADER = 0x18


def firmware_of(flash: SpiFlash) -> bytes:
    """The firmware at flash address 0; NoFirmwareError says why there is none that the ROM starts."""
    flags, length = FIRMWARE_HEADER.unpack(flash.read(0, FIRMWARE_HEADER.size))
    if flags & _ENCRYPTED and length <= GENERAL_BYTES:
        raise NoFirmwareError(
            "the firmware in flash is encrypted for one chip, whose key nobody can read; take the .bin as published"
        )
    if not 0 < length <= GENERAL_BYTES:
        raise NoFirmwareError("there is no firmware at flash address 0; write one with `make flash FIRMWARE=`")
    image = flash.read(0, FIRMWARE_HEADER.size + length + DIGEST_BYTES)
    if hashlib.sha256(image[:-DIGEST_BYTES]).digest() != image[-DIGEST_BYTES:]:
        raise NoFirmwareError(
            f"the firmware at flash address 0 ({length} bytes) is damaged: its SHA-256 is another; write it again"
        )
    return image[FIRMWARE_HEADER.size : -DIGEST_BYTES]


def put(flash: SpiFlash, firmware: bytes) -> None:
    """Write a firmware, a .bin as published, to where the ROM looks for it, as kflash does."""
    flash.put(0, in_flash(firmware))


def load(flash: SpiFlash, memory: Memory) -> bytes:
    """Copy the firmware into RAM, ready to run; what was copied."""
    firmware = firmware_of(flash)
    memory.store(RAM, firmware)
    csr.rewrite(memory.data[: len(firmware)], ENTRY_HEADER)
    return firmware
