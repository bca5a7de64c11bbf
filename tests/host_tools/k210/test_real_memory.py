"""Memory that real images leave: the figures of `conversion/maixpy_memory.toml` are what the emulated board says."""

from __future__ import annotations

import pytest

from conversion import memory_budget
from tests.host_tools.k210 import states

# As the first program that runs; MaixPy's own demo would have taken some.
MAIN = b"""
import gc
from Maix import utils
print("free", utils.heap_free(), gc.mem_free() + gc.mem_alloc())
"""


@pytest.mark.parametrize("name", states.EACH)
def test_a_first_program_finds_what_the_file_says(name: str) -> None:
    board = states.at_the_prompt(name, {"main.py": MAIN})
    begin = len(board.sent)
    board.machine.reset()
    board.wait("free ", begin)
    _, free, heap = board.wait("\r\n", board.sent.find(b"free ", begin)).split()
    assert int(free) == memory_budget.BUILDS[name].free_bytes
    assert int(heap) == memory_budget.MICROPYTHON_HEAP_USABLE_BYTES
