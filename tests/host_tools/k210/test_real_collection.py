"""MaixPy's own garbage collection on real images: what it frees though it is in use, and that our program keeps clear.

The firmware looks for pointers on the C stack, and not in the registers s5 to s11 where nobody has saved them. The
arguments of a class lie in such a register until `__init__` has run, whose variables want memory where they are many.
"""

from __future__ import annotations

import pytest

from host_tools.k210.errors import CrashError, WaitError
from tests.host_tools.k210 import states
from tests.host_tools.k210.asker import Asker
from tests.host_tools.verification import small

CLASSES = """
import gc
class Few:
    def __init__(self, a, b):
        self.sum = a + b
class Many:
    def __init__(self, a, b):
        c = a; d = b; e = c; f = d; g = e; h = f; i = g; j = h; k = i; l = j
        self.sum = a + b
def made(kind):
    kept = []
    for n in range(200):
        kept.append(kind(n, 1))
    return [each.sum for each in kept] == list(range(1, 201))
"""
AT_EACH_ALLOCATION = "gc.threshold(32)\n"
# The program as deployed, but for how often the firmware collects while modules are imported.
PROGRAM = b"""
import pose_heap
pose_heap.COLLECT_EVERY = 32
print("at each allocation")
import pose_app
pose_app.run()
"""


@pytest.mark.parametrize("name", states.EACH)
def test_a_class_loses_its_arguments_when_the_firmware_collects_by_itself(name: str) -> None:
    """Why the program collects before memory is lacking. Without collections, and with few variables, all is well."""
    board = states.at_the_prompt(name)
    board.execute(CLASSES)
    assert board.execute("print(made(Many))").split() == ["True"]
    assert board.execute(f"{AT_EACH_ALLOCATION}print(made(Few))").split() == ["True"]
    with pytest.raises((CrashError, WaitError)):
        board.execute(f"{AT_EACH_ALLOCATION}print(made(Many))")


@pytest.mark.soak
@pytest.mark.parametrize("name", states.IMAGES)
def test_modules_are_imported_right_with_a_collection_at_each_allocation(name: str) -> None:
    """Compiling and importing, for which the program lets the firmware collect, hold nothing in those registers."""
    machine = states.deployed(name, {"main.py": PROGRAM})
    machine.power_on()
    board = states.PatientSession(machine)
    board.wait("at each allocation")
    board.wait("$FRAME,")
    assert machine.resets == 0
    asker = Asker(board)
    asker.ask("PAUSE")
    assert asker.digest("SELFTEST", 0) == small.card()["test_vector"]["heads_crc32"]
