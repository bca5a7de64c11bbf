"""Who wrote what is read: compared with one list entry per byte."""

from hypothesis import given
from hypothesis import strategies as st

from conversion.inspection.flow import Flow

SIZE = 40
RANGES = st.tuples(st.integers(0, SIZE), st.integers(0, SIZE))


@given(st.lists(st.tuples(st.sampled_from(["kpu", "main"]), RANGES), max_size=30), RANGES)
def test_the_last_writer_of_every_byte(writes: list[tuple[str, tuple[int, int]]], read: tuple[int, int]) -> None:
    flow = Flow()
    cells: dict[str, list[int | None]] = {"kpu": [None] * SIZE, "main": [None] * SIZE}
    for writer, (space, (start, end)) in enumerate(writes):
        flow.write(space, start, end, writer)
        cells[space][start:end] = [writer] * max(0, end - start)
    start, end = read
    for space, bytes_ in cells.items():
        expected = {writer for writer in bytes_[start:end] if writer is not None}
        assert flow.read(space, start, end) == tuple(sorted(expected))


def test_spaces_and_several_writers() -> None:
    flow = Flow()
    flow.write("kpu", 0, 10, (3, -1))
    assert flow.read("kpu", 9, 10) == (-1, 3)
    assert flow.read("kpu", 10, 20) == ()
    assert flow.read("main", 0, 10) == ()
