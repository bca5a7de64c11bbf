"""What may be written into a board's flash: telling firmware and kmodels from everything else, by their content."""

from __future__ import annotations

import hashlib
import string
from pathlib import Path

from conversion import firmware_image, network
from conversion.errors import ConversionError
from conversion.firmware_image import Firmware
from conversion.kmodel import v3
from conversion.kmodel.recognise import recognise
from conversion.kmodel.v3 import V3Model
from conversion.kpu.posenet import MAX_KMODEL_BYTES
from conversion.outside import foreign
from host_tools.errors import FlashError

MOST_FLASH_BYTES = 16 * 1024 * 1024
FIRMWARE_HEADER, DIGEST_BYTES = firmware_image.FLASH_HEADER, firmware_image.DIGEST_BYTES
_DUAL_SPI = 0x02
_LOOKED_AT = 4096
_TEXT = frozenset(string.printable.encode())
_ZIP = "a zip archive: give a kfpkg or a release with --package, unpack anything else"


def read(path: Path, what: str) -> bytes:
    """The bytes of a file that could go into flash; FlashError where there is none, or it is too large."""
    try:
        if not path.is_file():
            raise FlashError(f"{path}: no such {what}")
        size = path.stat().st_size
        if size > 2 * MOST_FLASH_BYTES:
            raise FlashError(f"{path}: {size} bytes are no {what}; a board's flash has {MOST_FLASH_BYTES}")
        return path.read_bytes()
    except OSError as error:
        raise FlashError(f"{path}: the {what} cannot be read ({error.strerror})") from error


def is_kmodel(data: bytes) -> bool:
    """Whether a file is a kmodel of any version, sound or not."""
    return recognise(data) is not None


def check_kmodel(data: bytes, where: str) -> V3Model:
    """A kmodel of this project, which MaixPy loads and whose outputs are PoseNet's heads; FlashError for all others."""
    found = recognise(data)
    if found is None:
        raise FlashError(f"{where}: is no kmodel but {describe(data)}; make one with `make kmodel`")
    if found.encrypted:
        raise FlashError(f"{where}: is {found.name}")
    if not found.is_v3:
        raise FlashError(
            f"{where}: is {found.name}, but every MaixPy v1 loads V3 and only some builds more; make a V3 with "
            "`make kmodel`"
        )
    try:
        model = v3.read(data, where)
    except ConversionError as error:
        raise FlashError(f"{error}; not a kmodel of this project, make one with `make kmodel`") from error
    if len(data) > MAX_KMODEL_BYTES:
        raise FlashError(f"{where}: {len(data)} bytes, but MaixPy loads at most {MAX_KMODEL_BYTES}")
    _check_heads(model, where)
    return model


def _check_heads(model: V3Model, where: str) -> None:
    """Output 0 is the block of all heads, the others are the heads, of the size that the input asks for."""
    if model.foreign_outputs:
        raise FlashError(f"{where}: {model.foreign_outputs}; make one that gives them: `make kmodel`")
    picture = model.convolutions[0].layer.source if model.convolutions else None
    stride = network.OUTPUT_STRIDE
    cells = (picture.height // stride) * (picture.width // stride) if picture else 0
    wanted = [head.channels * cells for head in network.HEADS]
    if [output.size for output in model.outputs[1:]] != wanted:
        raise FlashError(
            f"{where}: is a kmodel V3 of another network: its outputs are not PoseNet's four heads; make one with "
            "`make kmodel`"
        )


def check_firmware(data: bytes, where: str) -> Firmware:
    """A MicroPython firmware as it is published, `.bin`, and what it is; FlashError says what else the file is."""
    flashed = firmware_image.out_of_flash(data)
    if flashed:
        raise FlashError(
            f"{where}: was read out of a flash: it has the header (flags {flashed.flags}) that kflash would write "
            "again; take the firmware as it was published"
        )
    found = firmware_image.recognise(data)
    if found is None:
        what = firmware_image.other_processor(data) or _known(data)
        raise FlashError(
            f"{where}: is no firmware but {what}; take a MaixPy v1 .bin"
            if what
            else f"{where}: is no firmware for the K210, or an encrypted one: it does not begin with the chip's entry "
            "code; take a MaixPy v1 .bin"
        )
    _check_found(found, where)
    return found


def _check_found(found: Firmware, where: str) -> None:
    """A recognised program can run: it is whole, linked to where the ROM loads it, and has a MicroPython."""
    if found.missing_bytes:
        raise FlashError(
            f"{where}: is cut short: {found.size} bytes, and its entry code asks for {found.missing_bytes} more; "
            "download it again"
        )
    if found.size > firmware_image.RAM_BYTES:
        raise FlashError(f"{where}: {found.size} bytes, but a firmware runs in the K210's 6 MiB of RAM")
    if not (found.linked_to_ram or found.test_image):
        raise FlashError(
            f"{where}: begins as a K210 program, but was linked to other addresses than "
            f"{firmware_image.RAM_ADDRESS:#x}, where the chip loads it; take a MaixPy v1 .bin"
        )
    if not found.micropython:
        raise FlashError(
            f"{where}: no firmware that could run the program: there is no MicroPython in it; take a MaixPy v1 .bin "
            "for the K210"
        )


def describe(data: bytes) -> str:
    """What a file seems to be, for a message."""
    return _known(data) or "something unknown"


def _known(data: bytes) -> str | None:
    """What a file is if that is plain from its first bytes; None for what may be machine code."""
    head = data[:_LOOKED_AT]
    if not head.strip(b"\0\xff"):
        return "empty" if not data else "erased flash or zeros"
    if head.startswith(b"PK\x03\x04"):
        return _ZIP
    if other := foreign.recognise(head):
        return str(other)
    kmodel = recognise(head)
    if kmodel:
        return kmodel.name if kmodel.encrypted else f"{kmodel.name}: give a model with --model"
    if head[4:8] == b"TFL3":
        return "a TFLite model"
    return _known_text(head)


def _known_text(head: bytes) -> str | None:
    return "text" if set(head) <= _TEXT else None


def in_flash(firmware: bytes) -> bytes:
    """What kflash makes of a firmware: flags, length, firmware, SHA-256 of these; so it lies at address 0."""
    body = FIRMWARE_HEADER.pack(_DUAL_SPI, len(firmware)) + firmware
    return body + hashlib.sha256(body).digest()
