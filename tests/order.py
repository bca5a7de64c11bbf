"""The order of the test files, which processes take one after the other: none shall be left alone with the last one."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeVar

# Files that take long, by their paths' beginnings, and such of them as mostly wait. They come first, so that no process
# has one left when the others have nothing to do; in turn, so that some compute while others wait.
LONG = (
    *("tests/conversion/test_cli", "tests/conversion/test_pipeline", "tests/host_tools/k210/test_real_"),
    *("tests/host_tools/deployment/test_deploy", "tests/conversion/evaluation/test_evaluate", "tests/test_setup"),
    *("tests/host_tools/virtual_board/test_demo", "tests/host_tools/verification/test_verify"),
    *("tests/firmware/app/test_zoom_on_board", "tests/host_tools/verification/test_differences"),
    *("tests/firmware/app/test_on_virtual_board", "tests/conversion/test_forms", "tests/conversion/weights/"),
    *("tests/conversion/kpu/test_nncase", "tests/conversion/tensorflow/", "tests/conversion/quantisation/"),
    *("tests/conformance/test_on_images", "tests/mutants/", "tests/hostile/test_mutants"),
)
WAITING = (
    *("tests/host_tools/flashing/test_download", "tests/host_tools/verification/test_conditions"),
    *("tests/host_tools/monitor/web/test_page.", "tests/host_tools/prompt/test_repl", "tests/host_tools/test_walk"),
    *("tests/host_tools/flashing/test_flash.", "tests/host_tools/monitor/test_command"),
    *("tests/host_tools/test_time_limits", "tests/host_tools/deployment/test_interruptions"),
    *("tests/host_tools/deployment/test_bad_line", "tests/host_tools/serial_link/test_link_"),
)


class Item(Protocol):
    """A test: where it stands."""

    nodeid: str
    path: Path


T = TypeVar("T", bound=Item)


def in_turn(items: Sequence[T]) -> list[T]:
    """A file that waits, one that takes long, and so on, then all others; each whole, in the order of its tests."""
    waiting, rest = _taken_out(items, WAITING)
    long, others = _taken_out(rest, LONG)
    pairs = itertools.zip_longest(waiting, long, fillvalue=())
    return [*itertools.chain.from_iterable(file for pair in pairs for file in pair), *others]


def _taken_out(items: Sequence[T], beginnings: tuple[str, ...]) -> tuple[list[list[T]], list[T]]:
    """The tests of each file whose path begins so, in the order of the beginnings; and the others."""
    taken = [item for beginning in beginnings for item in items if item.nodeid.startswith(beginning)]
    files = [list(file) for _, file in itertools.groupby(taken, lambda item: item.path)]
    return files, [item for item in items if not item.nodeid.startswith(beginnings)]
