"""kmodel V5: what nncase wrote is read, everything but a chain on the KPU is refused, and damage is found."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion.errors import ModelFormatError, UnsupportedModelError
from conversion.feature_map import FeatureMap
from conversion.kmodel import v5
from tests.conversion.kmodel import mutants

GOLDEN = Path(__file__).parents[2] / "golden" / "kpu"


def golden(name: str) -> bytes:
    """A small V5 file that nncase compiled; tests/golden/regenerate_kpu.py makes them anew."""
    with np.load(GOLDEN / f"{name}.npz") as stored:
        return stored["kmodel"].tobytes()


FILE = golden("posenet_like")
NETWORK = v5.read(FILE, "test")
# Up to the first parameters: header, modules, functions, and the main program.
STRUCTURE = 1700


def test_layers_and_heads_are_read() -> None:
    assert [head.layer.destination.channels for head in NETWORK.heads] == [17, 34, 5]
    assert all(one.destination == two.source for one, two in zip(NETWORK.body, NETWORK.body[1:], strict=False))
    assert all(head.layer.source == NETWORK.body[-1].destination for head in NETWORK.heads)
    assert all(0 < head.scale < 1 and 0 <= head.zero_point <= 255 for head in NETWORK.heads)
    assert isinstance(NETWORK.source, FeatureMap)


@pytest.mark.parametrize("name", ["posenet_like", "loads_and_max_pooling", "curved_activations"])
def test_masking_keeps_the_network_and_clears_what_means_nothing(name: str) -> None:
    data = golden(name)
    dirty = bytearray(data)
    network = v5.read(data, "test")
    table = bytes(dirty).index(network.body[0].activation)
    dirty[table + 7] |= 0xF0
    assert v5.masked(bytes(dirty), "test") == data
    assert v5.masked(data, "test") == data


@pytest.mark.parametrize(
    ("change", "error", "problem"),
    [
        ((0, b"NOPE"), ModelFormatError, "identifier"),
        ((4, b"\x04"), ModelFormatError, "version 4"),
        ((20, b"\x00"), ModelFormatError, "0 modules"),
        ((24, b"\x07"), ModelFormatError, "entry module 7"),
    ],
)
def test_a_damaged_header_is_named(change: tuple[int, bytes], error: type, problem: str) -> None:
    at, raw = change
    with pytest.raises(error, match=problem) as caught:
        v5.read(FILE[:at] + raw + FILE[at + len(raw) :], "m.kmodel")
    assert str(caught.value).startswith("m.kmodel: ")


@pytest.mark.parametrize("length", [0, 3, 31, 32, 100, 1000, len(FILE) // 2, len(FILE) - 1])
def test_a_truncated_file_is_refused(length: int) -> None:
    with pytest.raises(ModelFormatError):
        v5.read(FILE[:length], "m.kmodel")


def test_an_operator_on_the_cpu_is_named() -> None:
    """The first dequantisation of the main program turned into another operator, with operands as long."""
    at = FILE.index(b"\x5e\x0b\x00") + 1
    for operator, name in ((0x14, "QUANTIZE"), (0x24, "TRANSPOSE")):
        with pytest.raises(UnsupportedModelError, match=f"{name} would run on the CPU"):
            v5.read(FILE[:at] + bytes([operator]) + FILE[at + 1 :], "m.kmodel")


@given(mutants.damaged(FILE, STRUCTURE))
def test_a_mutated_file_is_refused_cleanly_or_is_a_network(mutant: bytes) -> None:
    mutants.attempt("kmodel V5", lambda data: v5.read(data, "m.kmodel"), mutant, NETWORK)


@pytest.mark.soak
@given(mutants.damaged(FILE, STRUCTURE))
def test_many_mutated_files(mutant: bytes) -> None:
    mutants.attempt("kmodel V5", lambda data: v5.read(data, "m.kmodel"), mutant, NETWORK)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ModelFormatError):
        v5.read(b"LDMK\x05\x00\x00\x00" + data, "m.kmodel")
