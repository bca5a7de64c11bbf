"""The long run: three sources at 20 frames a second and a whole virtual board, one monitor; nothing lost, memory flat.

`POSENET_SOAK_SECONDS` sets another length than ten minutes.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

import pytest

from host_tools.monitor.replay import read
from host_tools.serial_link.sentences import Frame
from tests.firmware.app.virtual import Program
from tests.host_tools.monitor import actors
from tests.host_tools.monitor.actors import Puppet
from tests.host_tools.monitor.running import started
from tests.patience import HANG_SECONDS

SECONDS = float(os.environ.get("POSENET_SOAK_SECONDS", "600"))
PER_SECOND = 20
SOURCES = 3
# What the allocator gives back late moves the size of a Python process by some hundred KiB. In ten minutes 36,000
# frames of the sources pass: who keeps 60 bytes of each is found.
MOST_GROWTH_BYTES = 2 << 20
_SAMPLE_SECONDS = 1.0
_WARM_UP = 0.25


def replayed(count: int) -> Iterator[bytes]:
    """Sentences of so many frames, 0 to 2 people, with a print now and then."""
    for number in range(1, count + 1):
        people = [actors.person(60 + 100 * who + number % 50, 60) for who in range(number // 7 % 3)]
        yield actors.lines(actors.frame(number, people, 50 * number)) + (b"a print\r\n" if number % 100 == 0 else b"")


def resident_bytes(process: int) -> int:
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def collect(output: TextIO, numbers: dict[str, list[int]]) -> None:
    for line in output:
        frame = json.loads(line)
        numbers[frame["board"]].append(frame["frame"])


@pytest.mark.soak
def test_nothing_is_lost_and_memory_stays_flat(tmp_path: Path) -> None:
    numbers: dict[str, list[int]] = defaultdict(list)
    sizes: list[int] = []
    count = round(PER_SECOND * SECONDS)
    with ExitStack() as parts:
        board = parts.enter_context(Program(config={"settings": {"root_score": 1}}))
        board.next("FRAME")
        puppets = [parts.enter_context(Puppet(replayed(count), per_second=PER_SECOND)) for _ in range(SOURCES)]
        ports = [board.port, *(puppet.port for puppet in puppets)]
        options = itertools.chain(*(("--port", port) for port in ports))
        recording = tmp_path / "long.jsonl"
        monitor = parts.enter_context(started(*options, "--json", "--ids", "--smooth", "--record", recording))
        reader = threading.Thread(target=collect, args=(monitor.stdout, numbers))
        reader.start()
        begin = time.monotonic()
        while time.monotonic() < begin + SECONDS + 3:
            time.sleep(_SAMPLE_SECONDS)
            assert monitor.poll() is None, monitor.stderr.read()
            sizes.append(resident_bytes(monitor.pid))
        monitor.send_signal(signal.SIGINT)
        assert monitor.wait(HANG_SECONDS) == 0
        reader.join(HANG_SECONDS)
        summary = monitor.stderr.read().splitlines()[-1]
        board.reach(int(board.next("FRAME").fields[0]) + 1)
        sent = [frame[0] for frame, _ in board.frames()]
    print(report(numbers, sizes, summary))
    of_puppets = [numbers[f"maix_bit@{puppet.port.removeprefix('/dev/')}"] for puppet in puppets]
    assert of_puppets == [list(range(1, count + 1))] * SOURCES
    of_board = numbers[f"maix_bit@{board.port.removeprefix('/dev/')}"]
    places = [sent.index(number) for number in of_board]
    gaps = [place for place, (one, next_one) in enumerate(itertools.pairwise(places)) if next_one != one + 1]
    # What a board says while the line's speed is raised, once after the greeting, nobody can read.
    assert gaps == [] or (len(gaps) == 1 and gaps[0] < PER_SECOND), of_board[: gaps[-1]]
    assert len(of_board) > SECONDS
    assert "came faster" not in summary
    for mishap in ("damaged", "torn", "absurd", "restarts", "reconnects"):
        assert mishap not in summary
    recorded = sum(isinstance(event, Frame) for _, _, event in read(recording))
    assert recorded == sum(map(len, numbers.values()))
    assert growth(sizes) < MOST_GROWTH_BYTES


def growth(sizes: list[int]) -> float:
    """How much larger the process is in the last quarter than in the second; the first one is its start."""
    quarter = round(_WARM_UP * len(sizes))
    return statistics.median(sizes[-quarter:]) - statistics.median(sizes[quarter : 2 * quarter])


def report(numbers: dict[str, list[int]], sizes: list[int], summary: str) -> str:
    frames = {label: len(found) for label, found in numbers.items()}
    mebibytes = [size / (1 << 20) for size in sizes]
    return (
        f"{SECONDS:g} s, frames {frames}; resident MiB {min(mebibytes):.1f} to {max(mebibytes):.1f}, growth "
        f"{growth(sizes) / 1024:.0f} KiB; {summary}"
    )
