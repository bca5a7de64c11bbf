"""The machine as a whole: crashes, limits, saved states, what is missing, and the terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from host_tools.k210 import CrashError, EmulatorError, Machine, Session, WaitError, requirements, snapshot
from host_tools.k210.engine import native
from tests.host_tools.k210.programs import machine
from tests.host_tools.k210.terminal import Terminal
from tests.host_tools.k210.test_serial import ECHO
from tests.patience import HANG_SECONDS

# Says a few words, calls two functions deep, and reads where there is nothing; its handler goes round in a circle.
CRASH = """
    la t0, handler
    csrw mtvec, t0
    li sp, 0x80200000
    li s0, UARTHS
    li t0, 15
    sw t0, 0x18(s0)
    li s1, 0x12345678
    jal ra, outer
outer:
    addi sp, sp, -16
    sd ra, 8(sp)
    jal ra, inner
inner:
    addi sp, sp, -16
    sd ra, 8(sp)
    li t0, 33
    sw t0, 0(s0)
    {fault}
handler:
    li t0, 63
    sw t0, 0(s0)
round:
    j round
"""
FAULTS = {
    "li t1, 0x70000000\n ld t2, 0(t1)": "load from where there is nothing (0x70000000)",
    "li t1, 0x70000000\n sd t2, 0(t1)": "store to where there is nothing (0x70000000)",
    "li t1, 0x70000000\n jalr zero, t1, 0": "fetch from where there is no memory",
    "unimp": "illegal instruction",
}


@pytest.mark.parametrize(("fault", "words"), FAULTS.items())
def test_a_crash_is_one_line_and_a_report(fault: str, words: str) -> None:
    made = machine(CRASH.format(fault=fault), finish=False)
    session = Session(made)
    with pytest.raises(CrashError) as error:
        session.wait("never", seconds=2, real_seconds=HANG_SECONDS)
    assert words in str(error.value)
    assert "\n" not in str(error.value)
    assert "s1 0000000012345678" in error.value.report
    # Two calls led there, the last one first.
    called, said = error.value.report.splitlines()[-2:]
    calls = called.removeprefix("called from ").split(", ")
    assert len(calls) == 2
    assert int(calls[0], 16) > int(calls[1], 16) > 0x8000_0000
    # What the firmware says after its crash is still heard.
    assert bytes(session.sent) == b"!?"
    assert said == "the firmware's last words: !?"


def test_a_crash_without_a_handler_ends_at_once() -> None:
    made = machine("csrw mtvec, zero\n unimp", finish=False)
    with pytest.raises(CrashError, match="illegal instruction"):
        made.run(seconds=5, real_seconds=HANG_SECONDS)
    assert made.clock.seconds < 0.5


def test_limits_and_switches() -> None:
    made = machine("nop")
    with pytest.raises(WaitError, match=r"0\.01 s of the emulated"):
        made.run(lambda: False, seconds=0.01)
    with pytest.raises(WaitError, match=r"0\.1 s of real time"):
        made.run(lambda: False, real_seconds=0.1)
    made.pollers.append(made.stop)
    made.run()
    made.power_off()
    with pytest.raises(EmulatorError, match="is off"):
        made.run()
    with pytest.raises(EmulatorError, match="power cut at operation 0"):
        made.power_cut(0)


def test_a_waiting_chip_with_nothing_to_wait_for_has_limits_too() -> None:
    made = machine("wfi", finish=False)
    with pytest.raises(WaitError, match="emulated"):
        made.run(lambda: False, seconds=1000)


def test_a_saved_machine_goes_on_where_it_was() -> None:
    made = machine(ECHO, finish=False)
    session = Session(made)
    session.type(b"ABCD")
    session.wait("BC", seconds=1, real_seconds=HANG_SECONDS)
    copy = snapshot.load(snapshot.save(made))
    again = Session(copy)
    again.wait("DE", seconds=1, real_seconds=HANG_SECONDS)
    session.wait("DE", seconds=1, real_seconds=HANG_SECONDS)
    assert copy.clock.cycles == made.clock.cycles
    assert copy.statistics.instructions == made.statistics.instructions


def test_a_damaged_state_is_refused() -> None:
    with pytest.raises(EmulatorError, match="cannot be read"):
        snapshot.load(b"no state")


def test_states_come_from_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("POSENET_MAIX_CACHE", str(tmp_path))
    made = []

    def make() -> Machine:
        made.append(machine("nop"))
        made[-1].run_for(0.01)
        return made[-1]

    first = snapshot.booted(b"key", make)
    assert first.clock.cycles == snapshot.booted(b"key", make).clock.cycles == made[0].clock.cycles
    assert len(made) == 1
    snapshot.booted(b"another", make)
    assert len(made) == 2


def test_without_unicorn_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    find = requirements.importlib.util.find_spec
    monkeypatch.setattr(
        requirements.importlib.util, "find_spec", lambda name: None if name == "unicorn" else find(name)
    )
    with pytest.raises(
        EmulatorError,
        match="the package unicorn, which is not installed: install this project's extra `emulator`: pip install",
    ):
        Machine()


def test_the_package_can_be_imported_without_unicorn() -> None:
    code = (
        "import sys\nfor name in ('unicorn', 'cryptography'): sys.modules[name] = None\n"
        "import host_tools.k210, host_tools.k210.snapshot"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=HANG_SECONDS)


def test_another_version_of_unicorn_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "UNICORN", "9.9")
    with pytest.raises(EmulatorError, match=r"needs unicorn 9\.9"):
        Machine()


def test_without_a_compiler_it_is_said_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("CC", "")
    monkeypatch.setenv("POSENET_MAIX_CACHE", str(tmp_path))
    monkeypatch.setattr(native, "library", native.library.__wrapped__)
    monkeypatch.setattr(requirements, "_said", False)
    Machine()
    Machine()
    assert capsys.readouterr().err.count("no C compiler") == 1


def test_a_terminal_carries_bytes_both_ways_and_takes_its_link_along(tmp_path: Path) -> None:
    # 26 MHz through 226 is what a tool finds that does not set a rate: 115200 baud.
    made, link = machine(ECHO.replace("255", "225"), finish=False), tmp_path / "board"
    terminal = Terminal(made, link)
    client = os.open(link, os.O_RDWR | os.O_NOCTTY)
    os.set_blocking(client, False)
    got, typed = bytearray(), []

    def heard() -> bool:
        # Not before the program has set its rate: at another one the letters arrive as garbage.
        if not typed and abs(terminal.baud - 115200) < 2000:
            typed.append(os.write(client, b"HAL"))
        try:
            got.extend(os.read(client, 16))
        except BlockingIOError:
            return False
        return got == b"IBM"

    made.run(heard, real_seconds=HANG_SECONDS)
    os.close(client)
    terminal.close()
    assert not link.exists()
    assert terminal._poll not in made.pollers


def test_nothing_of_the_emulator_reads_a_wall_clock() -> None:
    """Time comes from the emulated clock; the machine looks at the real one for its limits only."""
    folder = Path(requirements.__file__).parent
    users = {path.name for path in folder.rglob("*.py") if "import time" in path.read_text(encoding="utf-8")}
    assert users == {"machine.py"}
    assert "gettimeofday" not in "".join(path.read_text() for path in folder.rglob("*.[ch]"))
