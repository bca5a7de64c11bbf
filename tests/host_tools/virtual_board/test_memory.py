"""The system heap: blocks never overlap, and only what lies above all of them counts as free."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion import memory_budget
from conversion.memory_budget import FULL, MINIMUM
from host_tools.virtual_board.memory import OutOfMemoryError, SystemHeap


@pytest.mark.parametrize(("build", "mib"), [(MINIMUM, 4.66), (FULL, 2.47)])
def test_it_has_what_the_firmware_leaves(build: memory_budget.Build, mib: float) -> None:
    assert SystemHeap(build.image_bytes).free / 2**20 == pytest.approx(mib, abs=0.01)


def test_a_smaller_heap_for_micropython_leaves_more() -> None:
    more = SystemHeap(MINIMUM.image_bytes, 256 * 1024).free - SystemHeap(MINIMUM.image_bytes).free
    assert more == 256 * 1024


def test_what_is_freed_in_the_middle_can_be_taken_but_does_not_count_as_free() -> None:
    heap = SystemHeap(MINIMUM.image_bytes)
    whole = heap.free
    low = heap.take(1000)
    heap.take(500)
    heap.give(low)
    assert heap.free == whole - 1500
    assert heap.take(1000) == low


def test_too_much_is_refused_and_changes_nothing() -> None:
    heap = SystemHeap(MINIMUM.image_bytes)
    heap.take(1000)
    free = heap.free
    with pytest.raises(OutOfMemoryError):
        heap.take(free + 1)
    assert heap.free == free
    heap.take(free)
    assert heap.free == 0


@given(st.lists(st.one_of(st.integers(0, 2_000_000), st.integers(-20, -1)), max_size=40))
def test_blocks_never_overlap(steps: list[int]) -> None:
    """A number takes so many bytes (0 takes one); a negative one gives the block of that index back."""
    heap, blocks = SystemHeap(MINIMUM.image_bytes), []
    for step in steps:
        size = max(step, 1)
        if step < 0:
            if blocks:
                heap.give(blocks.pop(step % len(blocks))[0])
            continue
        try:
            start = heap.take(step)
        except OutOfMemoryError:
            edges = [0, *sorted(edge for block in blocks for edge in block), heap.size]
            assert all(end - begin < size for begin, end in zip(edges[::2], edges[1::2], strict=True))
            continue
        assert 0 <= start <= start + size <= heap.size
        assert all(start + size <= low or high <= start for low, high in blocks)
        blocks.append((start, start + size))
    assert heap.free == heap.size - max((high for _, high in blocks), default=0)
