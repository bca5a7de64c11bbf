"""A K210 firmware: which build it is, whether the file is whole, where it was linked to; and what is none."""

from __future__ import annotations

from pathlib import Path

from conversion import firmware_image
from conversion.firmware_image import RAM_ADDRESS, RAM_BYTES, Firmware
from conversion.inspection.model import FilePart, Inspection

FORM = "K210 firmware"
_REFUSAL = "a firmware holds no weights; `make flash FIRMWARE=` takes it"


def describe(path: Path, data: bytes, files: tuple[FilePart, ...], found: Firmware) -> Inspection:
    """The firmware in a file, whole or cut short."""
    return Inspection(
        path=path,
        form=FORM,
        files=files,
        inputs=(),
        outputs=(),
        layers=(),
        refusal=_REFUSAL,
        facts=tuple(_facts(found)),
        remarks=tuple(_remarks(found)),
        firmware=_values(found),
    )


def what_else(data: bytes) -> str | None:
    """What a file is that is no firmware for the K210 but might be taken for one, in words; None for anything else."""
    other = firmware_image.other_processor(data)
    if other:
        return f"{other}, not for the K210"
    flashed = firmware_image.out_of_flash(data)
    if flashed and flashed.encrypted:
        return "an encrypted K210 firmware, read out of a flash: only the chip it was made for can read it"
    if flashed:
        return "a firmware read out of a flash, with the header and sum that kflash puts around it"
    if firmware_image.is_scrambled(data):
        return "encrypted or packed: if it is a firmware, only the chip it was made for can read it"
    return None


def _facts(found: Firmware) -> list[tuple[str, str]]:
    told = [("version", found.version), ("date", found.date), ("board", found.board)]
    return [
        ("build", str(found)),
        *[(name, text) for name, text in told if text],
        ("entry code", f"a K210's: the start routine is at {RAM_ADDRESS + found.start:#x}"),
        ("linked to", _linked(found)),
        ("complete", _complete(found)),
    ]


def _linked(found: Firmware) -> str:
    if found.linked_to_ram:
        return f"{RAM_ADDRESS:#x}, where the chip loads it"
    return "not told by what there is of it" if found.missing_bytes else "other addresses"


def _complete(found: Firmware) -> str:
    if not found.bytes_needed:
        return "the entry code does not tell"
    if found.missing_bytes:
        return f"no: {found.missing_bytes:,} bytes are missing of {found.bytes_needed:,} or more"
    return f"yes: its entry code asks for {found.bytes_needed:,} bytes"


def _remarks(found: Firmware) -> list[str]:
    if found.missing_bytes:
        return ["the file is cut short: download it again"]
    remarks = []
    if found.size > RAM_BYTES:
        remarks.append(f"a firmware runs in the K210's {RAM_BYTES >> 20} MiB of RAM, this one has {found.size:,} bytes")
    if not (found.linked_to_ram or found.test_image):
        remarks.append("a chip that loads it to the beginning of its RAM cannot run it")
    if found.test_image:
        remarks.append("a stand-in for a MaixPy, without a program: no board can run it")
    elif not found.micropython:
        remarks.append("there is no MicroPython in it, which this project's program needs")
    return remarks


def _values(found: Firmware) -> dict[str, object]:
    """What `document.py` lists under `firmware`."""
    return {
        "name": str(found),
        "version": found.version,
        "date": found.date,
        "board": found.board,
        "parts": list(found.parts),
        "start": RAM_ADDRESS + found.start,
        "bytes_needed": found.bytes_needed,
        "missing_bytes": found.missing_bytes,
        "linked_to_ram": found.linked_to_ram,
        "micropython": found.micropython,
        "test_image": found.test_image,
    }
