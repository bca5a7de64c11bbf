"""Frames through a line that damages one byte in a thousand: nothing wrong is accepted. 10 000 of them in `make soak`.

`python -m tests.host_tools.serial_link.bad_line` prints the figures.
"""

import threading

import pytest

from host_tools.serial_link import sentences
from host_tools.serial_link.events import Frame, Stats
from tests.host_tools.peer import collected, linked
from tests.host_tools.serial_link import bad_line
from tests.host_tools.serial_link.bad_line import Sent

RATE = 1e-3
STATS = sentences.made("STATS", *[0] * 12, 115200)


@pytest.fixture(scope="module", params=[3000, pytest.param(10_000, marks=pytest.mark.soak)])
def sent(request: pytest.FixtureRequest) -> Sent:
    """Frames, as the firmware's own code writes them."""
    return bad_line.sent_by_firmware(request.param, seed=1)


def check(sent: Sent, arrived: bad_line.Arrived, frames: list[Frame], statistics: object) -> None:
    """What holds on any line."""
    by_number = {frame.number: frame for frame in sent.frames}
    assert [frame for frame in frames if by_number.get(frame.number) != frame] == []
    numbers = [frame.number for frame in frames]
    assert numbers == sorted(set(numbers))
    # The line recovers at the next sentence: every frame arrives none of whose sentences was hit.
    assert {frame.number for frame in bad_line.frames_untouched(sent, arrived)} <= set(numbers)
    assert statistics.frames == len(frames) > 0.6 * len(sent.frames)
    assert statistics.frames + statistics.missed == numbers[-1] - numbers[0] + 1
    assert statistics.absurd == 0
    assert 0 < statistics.torn <= statistics.missed


def test_over_a_link(sent: Sent) -> None:
    arrived = bad_line.through_bad_line(sent.data, RATE, "corrupt", seed=1)
    with linked() as (peer, link):
        feeder = threading.Thread(target=peer.send, args=[arrived.data + STATS])
        feeder.start()
        events = collected(link, lambda events: any(isinstance(event, Stats) for event in events))
        feeder.join()
    check(sent, arrived, [event for event in events if isinstance(event, Frame)], link.statistics)
    assert link.statistics.bytes == len(arrived.data + STATS)
    # Not one sentence that was hit is read, and every other one is.
    assert link.statistics.sentences == sent.data.count(b"\n") - len(arrived.lines_hit) + 1


@pytest.mark.parametrize("fault", bad_line.FAULTS)
def test_every_sentence_is_read_or_counted(sent: Sent, fault: str) -> None:
    """Exactly: what was not read is damaged, or was taken for a print; one that looks like two may count twice."""
    arrived = bad_line.through_bad_line(sent.data, RATE, fault, seed=2)
    got = bad_line.read(arrived.data)
    check(sent, arrived, got.frames, got.statistics)
    lost = sent.data.count(b"\n") - got.statistics.sentences
    assert lost <= len(arrived.lines_hit)
    assert lost <= got.statistics.damaged + len(got.prints) <= lost + arrived.marks
    assert len(got.prints) <= 0.01 * lost


def test_in_whatever_pieces_bytes_come_the_result_is_the_same(sent: Sent) -> None:
    data = bad_line.through_bad_line(sent.data[:60_000], RATE, "insert", seed=3).data
    whole = bad_line.read(data, len(data))
    for step in (1, 7, 4096):
        assert bad_line.read(data, step) == whole


def test_without_damage_nothing_is_counted(sent: Sent) -> None:
    got = bad_line.read(sent.data)
    assert tuple(got.frames) == sent.frames
    assert (got.statistics.damaged, got.statistics.torn, got.statistics.missed, got.prints) == (0, 0, 0, [])
