"""A package for flashing, a .kfpkg or a release's zip with one in it: what each file is, and the kmodel's layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from conversion import firmware_image
from conversion.errors import ConversionError, ModelFormatError, UnsupportedModelError
from conversion.inspection.model import FilePart, Inspection
from conversion.outside import archives, foreign, json_text, reading
from conversion.outside.text import printable

LIST, SUFFIX = "flash-list.json", ".kfpkg"
_REFUSAL = "a package holds no weights; `make flash PACKAGE=` takes it"
_BEGINS = b"PK\x03\x04"
_MOST_FILES, _MOST_BYTES, _MOST_LIST_BYTES = 100, 64 * 1024 * 1024, 64 * 1024

# What a kmodel is called, None for what is none; and its description.
NameKmodel = Callable[[bytes], str | None]
DescribeKmodel = Callable[[Path, bytes], Inspection]


def is_zip(data: bytes) -> bool:
    """Whether a file is a zip archive."""
    return data.startswith(_BEGINS)


def describe(path: Path, data: bytes, name_kmodel: NameKmodel, describe_kmodel: DescribeKmodel) -> Inspection:
    """The files in a package; where just one is a kmodel, its layers, too. ModelFormatError for a damaged zip,
    UnsupportedModelError for one that is no package."""
    files = archives.unzipped(data, str(path), _MOST_FILES, _MOST_BYTES, ModelFormatError)
    form, inside, addresses = "kfpkg", files, _addresses(files.get(LIST), path)
    packed = [name for name in files if name.endswith(SUFFIX)]
    if LIST not in files and len(packed) == 1:
        form = f"release with {packed[0].rpartition('/')[2]}"
        inside = archives.unzipped(files[packed[0]], f"{path}: {packed[0]}", _MOST_FILES, _MOST_BYTES, ModelFormatError)
        addresses = _addresses(inside.get(LIST), path)
    elif LIST not in files:
        raise UnsupportedModelError(f"{path}: is a zip archive, but no kfpkg and no release: unpack it first")
    kmodels = [name for name, content in inside.items() if name_kmodel(content)]
    remarks = [f"{name}: listed, but not in the package" for name in addresses if name not in inside]
    made = None
    if len(kmodels) == 1:
        try:
            made = describe_kmodel(path.with_name(kmodels[0].rpartition("/")[2]), inside[kmodels[0]])
        except ConversionError as error:
            remarks.append(str(error))
    facts = tuple(
        (_place(name, addresses), _what(content, name_kmodel)) for name, content in inside.items() if name != LIST
    )
    parts = tuple(FilePart(name, len(content), reading.sha256(content)) for name, content in files.items())
    if made is None:
        return Inspection(path, form, parts, (), (), (), refusal=_REFUSAL, facts=facts, remarks=tuple(remarks))
    remarks += made.remarks
    facts += made.facts
    return replace(made, path=path, form=form, files=parts, refusal=_REFUSAL, facts=facts, remarks=tuple(remarks))


def _addresses(text: bytes | None, path: Path) -> dict[str, int]:
    """Where a list puts which file; ModelFormatError for one that is damaged."""
    if text is None:
        return {}
    try:
        entries = json_text.parse(text, _MOST_LIST_BYTES)["files"]
        return {str(entry["bin"]): int(entry["address"]) for entry in entries}
    except (ValueError, TypeError, KeyError) as error:
        raise ModelFormatError(f"{path}: its {LIST} is damaged ({printable(str(error))[:80]}); make it anew") from error


def _place(name: str, addresses: dict[str, int]) -> str:
    shown = printable(name)
    return f"{shown} at {addresses[name]:#x}" if name in addresses else shown


def _what(content: bytes, name_kmodel: NameKmodel) -> str:
    size = f"{len(content):,} bytes"
    if kmodel := name_kmodel(content):
        return f"{kmodel}, {size}"
    if firmware := firmware_image.recognise(content):
        return f"{firmware}, {size}"
    other = foreign.recognise(content[: foreign.HEAD_BYTES])
    return f"{other.what}, {size}" if other else size
