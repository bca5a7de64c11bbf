"""Which kmodel a file is, from its first bytes."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion.kmodel import v3, v4, v5_container
from conversion.kmodel.recognise import recognise
from tests.host_tools.virtual_board import kmodels

LATER = 0x4B4D444C
HIDDEN = "which only the board it was made for can read"


@pytest.mark.parametrize(
    ("data", "name", "is_v3"),
    [
        (kmodels.kmodel(), "a kmodel V3", True),
        (struct.pack("<I", 3), "a kmodel V3", True),
        (b"LDMK" + struct.pack("<I", 4), "a kmodel V4", False),
        (struct.pack("<2I", LATER, 5) + bytes(99), "a kmodel V5", False),
        (struct.pack("<2I", LATER, 77), "a kmodel V77", False),
        (struct.pack("<2I", 0x2713, 5), f"an encrypted kmodel V3, {HIDDEN}", False),
        (struct.pack("<2I", 0x534D444C, 4), f"an encrypted kmodel V4, {HIDDEN}", False),
        (struct.pack("<2I", 0x454D444C, 4), f"an encrypted emodel, {HIDDEN}", False),
    ],
)
def test_every_kmodel_has_a_name(data: bytes, name: str, is_v3: bool) -> None:
    found = recognise(data)
    assert (found.name, found.is_v3, found.encrypted) == (name, is_v3, "encrypted" in name)


def test_the_readers_and_the_recogniser_mean_the_same_versions() -> None:
    assert recognise(struct.pack("<2I", LATER, v4.VERSION)).version == 4
    assert recognise(struct.pack("<2I", LATER, v5_container.VERSION)).version == 5
    assert recognise(v3.write(kmodels.model())).version == 3


@given(st.binary(max_size=40))
def test_other_bytes_are_no_kmodel(data: bytes) -> None:
    firsts = [struct.pack("<I", first) for first in (3, LATER, 0x2713, 0x534D444C, 0x454D444C)]
    expected = data[:4].ljust(4, b"\0") in firsts
    assert (recognise(data) is not None) == expected
