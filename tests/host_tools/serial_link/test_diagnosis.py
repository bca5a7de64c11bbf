"""One judge of what came instead: the same causes in the same words, whoever asks; what to do next depends on that."""

from __future__ import annotations

import pytest

from host_tools.serial_link.diagnosis import Heard, Wanted, ends_at_prompt, explain
from host_tools.serial_link.events import OtherProtocol

TRACEBACK = b'Traceback (most recent call last):\r\n  File "main.py"\r\nValueError: no\r\n'
BOOT = b"[MAIXPY] Pll0:freq:806000000\r\n[MaixPy] init end\r\n"
# What a real MaixPy says between its log and the program; who began to listen then has heard no more.
GREETING = b"Official Site : https://www.sipeed.com\r\nWiki : https://maixpy.sipeed.com\r\n"


def heard(said: bytes, **more: object) -> Heard:
    found = Heard("/dev/ttyUSB0", 115200, **more)
    found.add(said)
    return found


@pytest.mark.parametrize("wanted", Wanted)
@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (b"", "nothing comes from it: is the board on"),
        (b"hello\r\ncore dump: misaligned load\r\n", "the chip has crashed (misaligned load) and stands still"),
        (bytes(range(128, 144)), "what comes is no text at 115200 baud, so the board speaks at another rate"),
    ],
)
def test_a_cause_has_the_same_words_whoever_asks(said: bytes, cause: str, wanted: Wanted) -> None:
    told = explain(heard(said), wanted)
    assert told.startswith(f"/dev/ttyUSB0: {cause}")
    assert "\n" not in told


@pytest.mark.parametrize("wanted", Wanted)
def test_a_program_of_another_version_is_named_whoever_asks(wanted: Wanted) -> None:
    told = explain(heard(b"$HELLO,2,9.1*0000\r\n", other_protocol=OtherProtocol(2, "9.1")), wanted)
    assert "the board's program 9.1 speaks protocol 2" in told


@pytest.mark.parametrize(
    ("said", "wanted", "told"),
    [
        (TRACEBACK + b">>> ", Wanted.ANSWER, "(it ended with ValueError: no); press its reset key"),
        (TRACEBACK + b">>> ", Wanted.START, "(it ended with ValueError: no); deploy again"),
        (TRACEBACK + b">>> ", Wanted.PROMPT, "its program ignores Ctrl-C"),
        (b"done\r\n>>> ", Wanted.ANSWER, "its program does not run; press its reset key"),
        (b"done\r\n>>> ", Wanted.START, "its program does not run; its main.py does not start it"),
        (BOOT, Wanted.ANSWER, "MaixPy has started, but not the program: wait some seconds"),
        (GREETING, Wanted.ANSWER, "MaixPy has started, but not the program: wait some seconds"),
        (b"posenet: memory in KiB: kmodel 84\r\n", Wanted.ANSWER, "MaixPy has started, but not the program: wait"),
        (BOOT + b"mute\r\n", Wanted.START, "MaixPy has started, but not the program; the last line is 'mute'"),
        (b"mute\r\n", Wanted.ANSWER, "another program runs on the board, it says 'mute'"),
        (b"mute\r\n", Wanted.PROMPT, "no prompt, though the board talks (it says 'mute')"),
        (b"raw REPL; CTRL-B to exit\r\n>", Wanted.ANSWER, "in the raw REPL"),
        (b"", Wanted.PROMPT, "make erase BOARD=NAME PORT=/dev/ttyUSB0"),
    ],
)
def test_what_to_do_next_depends_on_what_was_wanted(said: bytes, wanted: Wanted, told: str) -> None:
    assert told in explain(heard(said), wanted)


@pytest.mark.parametrize(("strange", "another_rate"), [(1, False), (2, True)])
@pytest.mark.parametrize("wanted", [Wanted.ANSWER, Wanted.PROMPT])
def test_a_tenth_of_strange_bytes_is_the_limit(strange: int, another_rate: bool, wanted: Wanted) -> None:
    said = b"\xff" * strange + b"\r\n\x01\x02\x03\x04\x1b\t" + b"text" * 2 + b"s" * (3 - strange)
    assert len(said) == 19
    assert ("another rate" in explain(heard(said), wanted)) == another_rate


def test_few_bytes_are_not_judged() -> None:
    assert "another rate" not in explain(heard(b"\xff" * 15))
    assert "another rate" in explain(heard(b"\xff" * 16))


def test_only_a_prompt_that_nobody_has_typed_at_ends_a_start() -> None:
    assert ends_at_prompt(b"x\r\n>>> ")
    assert not ends_at_prompt(b"loading... ")
    assert not ends_at_prompt(b">>> print(")
