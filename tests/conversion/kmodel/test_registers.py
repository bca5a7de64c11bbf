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


# Word, lowest and highest bit of each field, and what is stored: the vendor's kpu_layer_argument_t (kpu.h).
FIELDS = """
    int_en 0 0 0, ram_flag 0 1 1, full_add 0 2 2, depth_wise_layer 0 3 3,
    image_src_addr 1 0 14, image_dst_addr 1 32 46,
    i_ch_num 2 0 9 less one, o_ch_num 2 32 41 less one, o_ch_num_coef 2 48 57 less one,
    i_row_wid 3 0 9 less one, i_col_high 3 10 18 less one, o_row_wid 3 32 41 less one, o_col_high 3 42 50 less one,
    kernel_type 4 0 2, pad_type 4 3 3, pool_type 4 4 7, first_stride 4 8 8, bypass_conv 4 9 9, load_para 4 10 10,
    dma_burst_size 4 16 23, pad_value 4 24 31, bwsx_base_addr 4 32 63,
    load_coor 5 0 0, load_time 5 1 6 less one, para_size 5 15 31, para_start_addr 5 32 63,
    coef_column_offset 6 0 3, coef_row_offset 6 4 15,
    channel_switch_addr 7 0 14, row_switch_addr 7 16 19, coef_size 7 20 27, coef_group 7 28 30, load_act 7 31 31,
    active_addr 7 32 63,
    wb_channel_switch_addr 8 0 14, wb_row_switch_addr 8 16 19, wb_group 8 20 22,
    shr_w 9 0 3, shr_x 9 4 7, arg_w 9 8 31 signed, arg_x 9 32 55 signed,
    arg_add 10 0 39 signed,
    send_data_out 11 0 0, channel_byte_num 11 16 31 less one, dma_total_byte 11 32 63 less one
"""


def test_every_field_has_the_bits_that_the_kpu_reads() -> None:
    """Its least and its greatest value fill them, and one beyond is refused."""
    table = [line.split() for line in FIELDS.split(",")]
    assert [name for name, *_ in table] == [field.name for field in fields(Registers)]
    for name, word, low, high, *kind in table:
        bits = (1 << int(high) + 1) - (1 << int(low))
        largest = bits >> int(low)
        least, greatest = (-(largest + 1) // 2, largest // 2) if kind == ["signed"] else (0, largest)
        one = len(kind) == 2
        for value, stored in ((greatest, greatest << int(low)), (least, (least & largest) << int(low))):
            packed = replace(BLANK, **{name: value + one}).pack()
            assert int.from_bytes(packed[8 * int(word) :][:8], "little") ^ stored == 0, name
        for beyond in (least + one - 1, greatest + one + 1):
            with pytest.raises(
                KpuMemoryError, match=f"{name} cannot hold {beyond}: it has {largest.bit_length()} bits"
            ):
                replace(BLANK, **{name: beyond}).pack()


# As values that mean something.
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
