"""The KPU's layer words: packing is exact both ways, and what a field cannot hold is refused by name."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion.errors import KpuMemoryError, ModelFormatError
from conversion.kmodel import registers
from conversion.kmodel.registers import Registers

BLANK = Registers.unpack(bytes(96))


@st.composite
def any_registers(draw: st.DrawFn) -> Registers:
    values = {}
    for field in fields(Registers):
        at = field.metadata["at"]
        low, high = (-(1 << at.width - 1), (1 << at.width - 1) - 1) if at.signed else (0, (1 << at.width) - 1)
        values[field.name] = draw(st.integers(low, high)) + at.less_one
    return Registers(**values)


@given(any_registers())
def test_unpacking_gives_what_was_packed(value: Registers) -> None:
    assert Registers.unpack(value.pack()) == value


@given(st.binary(min_size=96, max_size=96))
def test_any_words_are_refused_or_kept_exactly(packed: bytes) -> None:
    try:
        value = Registers.unpack(packed)
    except ModelFormatError:
        return
    assert value.pack() == packed


def test_no_two_fields_share_a_bit() -> None:
    taken: set[tuple[int, int]] = set()
    for field in fields(Registers):
        at = field.metadata["at"]
        bits = {(at.word, bit) for bit in range(at.low, at.low + at.width)}
        assert at.low + at.width <= 64
        assert not taken & bits, field.name
        taken |= bits


# Word and bits of each field: the vendor's kpu_layer_argument_t.
@pytest.mark.parametrize(
    ("name", "value", "word", "expected"),
    [
        ("depth_wise_layer", 1, 0, 1 << 3),
        ("image_dst_addr", 20160, 1, 20160 << 32),
        ("o_ch_num_coef", 24, 2, 23 << 48),
        ("o_col_high", 120, 3, 119 << 42),
        ("pad_value", 128, 4, 128 << 24),
        ("pool_type", 5, 4, 5 << 4),
        ("para_size", 648, 5, 648 << 15),
        ("coef_group", 1, 7, 1 << 28),
        ("wb_group", 2, 8, 2 << 20),
        ("arg_w", -128, 9, (2**24 - 128) << 8),
        ("arg_x", -128, 9, (2**24 - 128) << 32),
        ("arg_add", -1, 10, 2**40 - 1),
        ("dma_total_byte", 294912, 11, 294911 << 32),
    ],
)
def test_a_field_lies_where_the_kpu_reads_it(name: str, value: int, word: int, expected: int) -> None:
    packed = replace(BLANK, **{name: value}).pack()
    assert int.from_bytes(packed[8 * word : 8 * word + 8], "little") == expected


def test_a_value_too_large_is_refused_by_name() -> None:
    with pytest.raises(KpuMemoryError, match="image_dst_addr cannot hold 32768"):
        replace(BLANK, image_dst_addr=32768).pack()
    with pytest.raises(KpuMemoryError, match="load_time cannot hold 65"):
        replace(BLANK, load_time=65).pack()


def test_a_bit_of_no_field_is_refused() -> None:
    with pytest.raises(ModelFormatError, match="word 6"):
        Registers.unpack(bytes(6 * 8) + (1 << 63).to_bytes(8, "little") + bytes(5 * 8))


@given(st.integers(), st.integers(1, 64))
def test_sign_extension_keeps_the_low_bits(value: int, bits: int) -> None:
    extended = registers.sign_extended(value, bits)
    assert -(1 << bits - 1) <= extended < 1 << bits - 1
    assert (extended - value) % (1 << bits) == 0
