"""What a file is that somebody hands in by mistake, told from its first bytes: one list for every tool."""

from __future__ import annotations

from dataclasses import dataclass

# So much of a file has to be looked at.
HEAD_BYTES = 64


@dataclass(frozen=True)
class Foreign:
    """A kind of file, with an article, and what to do about it."""

    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what}: {self.remedy}"


_ZIP, _GZIP = b"PK\x03\x04", b"\x1f\x8b"
_OTHERS = (
    (_GZIP, "a gzip archive", "unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it"),
    (b"Rar!", "a rar archive", "unpack it"),
    (b"\xfd7zXZ", "an xz archive", "unpack it"),
    (b"BZh", "a bzip2 archive", "unpack it"),
    (_ZIP, "a zip archive", "unpack it"),
    (b"version https://git-lfs", "a Git LFS pointer", "fetch the file itself"),
    (b"\x89HDF", "an HDF5 (Keras) file", "take one of the forms that PoseNet is published in"),
    (b"%PDF", "a PDF document", "take the file itself"),
    (b"\x89PNG", "a picture", "take the file itself"),
    (b"\xff\xd8\xff", "a picture", "take the file itself"),
    (b"\x7fELF", "an ELF file, which a chip cannot start from flash", "take the .bin of the same build"),
)


def recognise(head: bytes) -> Foreign | None:
    """What a file with these first bytes is; None for what is none of these."""
    for beginning, what, remedy in _OTHERS:
        if head.startswith(beginning):
            return Foreign(what, remedy)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        return Foreign("a web page (HTML or XML)", "the download went wrong, fetch the file itself")
    return None
