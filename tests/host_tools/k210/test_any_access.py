"""Whatever a guest does to registers, the host goes on: no access is a crash of the emulator."""

from __future__ import annotations

from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.k210 import EmulatorError, Machine
from tests.host_tools.k210.programs import machine


@cache
def board() -> Machine:
    """A board for all examples, so that registers also meet what others have left."""
    return machine("nop", finish=True)


PLACES = sorted((base, size) for base, size, _ in Machine().bus.regions)
VALUES = st.one_of(
    st.integers(0, 2**64 - 1), st.sampled_from((0, 1, 3, 0x101, 0x303, 0x8000_0000, 0x4000_0000, 0x8010_0000))
)
ACCESS = st.tuples(
    st.sampled_from(PLACES), st.integers(0, 0x200), st.sampled_from((1, 2, 4, 8)), st.one_of(st.none(), VALUES)
)


@settings(max_examples=300)
@given(st.lists(ACCESS, min_size=1, max_size=60))
def test_no_access_to_registers_stops_the_host(accesses: list) -> None:
    made = board()
    for (base, size), number, width, value in accesses:
        device, _ = made.find(base)
        offset = number * width % size
        if value is None:
            answer = device.read(offset, width)
            assert 0 <= answer < 1 << 8 * width
        else:
            device.write(offset, width, value & (1 << 8 * width) - 1)
    try:
        made.run_for(0.0002)
    except EmulatorError:
        if not made.powered:
            made.power_on()
        made.power_on()
