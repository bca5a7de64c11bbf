"""Which kmodel a file is, told from its first bytes: every tool that takes kmodels asks here."""

from __future__ import annotations

import struct
from dataclasses import dataclass

# The first word of V3 is its version; from V4 on it is this identifier ("LDMK" in the file), and the version follows.
V3 = 3
IDENTIFIER = 0x4B4D444C
# First words of files that hide their content: the firmware's own numbers for them, and the version if it is known.
_ENCRYPTED = {0x2713: 3, 0x534D444C: 4, 0x454D444C: None}
_WORDS = struct.Struct("<2I")


@dataclass(frozen=True)
class Recognised:
    """A kmodel of some version (None: an encrypted `.emodel`), readable or encrypted for one board."""

    version: int | None
    encrypted: bool

    @property
    def name(self) -> str:
        """What it is, with an article, such as "a kmodel V3"."""
        what = "emodel" if self.version is None else f"kmodel V{self.version}"
        return f"an encrypted {what}, which only the board it was made for can read" if self.encrypted else f"a {what}"

    @property
    def is_v3(self) -> bool:
        """Whether it is the version that every MaixPy v1 loads, and can be read."""
        return self.version == V3 and not self.encrypted


def recognise(data: bytes) -> Recognised | None:
    """The kmodel that a file with these (first) bytes is, sound or damaged; None if it is something else."""
    first, second = _WORDS.unpack(data[: _WORDS.size].ljust(_WORDS.size, b"\0"))
    if first in _ENCRYPTED:
        return Recognised(_ENCRYPTED[first], encrypted=True)
    if first == V3:
        return Recognised(V3, encrypted=False)
    return Recognised(second, encrypted=False) if first == IDENTIFIER else None
