"""The REPL as MicroPython 1.11 has it: friendly, raw and paste mode, byte by byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.virtual_board.repl import Repl, Run, SoftReset, needs_more

BANNER = b"BANNER\r\n"


def typed(repl: Repl, data: bytes) -> tuple[bytes, list[Run | SoftReset]]:
    """Everything echoed, and everything to do; jobs end at once and well."""
    echoed, jobs = b"", []
    for byte in data:
        echo, job = repl.feed(bytes([byte]))
        echoed += echo
        if job:
            jobs.append(job)
            echoed += repl.start() if isinstance(job, SoftReset) else repl.finished(b"")
    return echoed, jobs


@pytest.fixture
def repl() -> Repl:
    started = Repl(BANNER)
    assert started.start() == BANNER + b">>> "
    return started


@pytest.fixture
def raw(repl: Repl) -> Repl:
    assert typed(repl, b"\x01") == (b"\r\nraw REPL; CTRL-B to exit\r\n>", [])
    return repl


def test_a_line_is_echoed_and_run(repl: Repl) -> None:
    assert typed(repl, b"1+1\r") == (b"1+1\r\n>>> ", [Run(b"1+1\n", single=True)])


def test_line_feed_alone_does_nothing(repl: Repl) -> None:
    assert typed(repl, b"1\n") == (b"1", [])


def test_an_empty_line_gives_another_prompt(repl: Repl) -> None:
    assert typed(repl, b"\r") == (b"\r\n>>> ", [])


def test_ctrl_c_drops_the_line(repl: Repl) -> None:
    assert typed(repl, b"abc\x03\r") == (b"abc\r\n>>> \r\n>>> ", [])


def test_ctrl_b_prints_the_banner(repl: Repl) -> None:
    assert typed(repl, b"\x02") == (b"\r\n" + BANNER + b">>> ", [])


def test_ctrl_d_on_an_empty_line_resets(repl: Repl) -> None:
    assert typed(repl, b"\x04") == (b"\r\n" + BANNER + b">>> ", [SoftReset()])


@pytest.mark.parametrize("key", [b"\x01", b"\x02", b"\x04", b"\x05"])
def test_control_keys_mean_nothing_behind_text(repl: Repl, key: bytes) -> None:
    assert typed(repl, b"a" + key + b"\r")[1] == [Run(b"a\n", single=True)]


def test_a_block_goes_on_until_an_empty_line_with_its_indentation(repl: Repl) -> None:
    echoed, jobs = typed(repl, b"for i in (1,):\rprint(i)\r\x7f\r")
    assert jobs == [Run(b"for i in (1,):\n    print(i)\n   \n", single=True)]
    assert echoed.startswith(b"for i in (1,):\r\n...     print(i)\r\n...     ")


def test_ctrl_d_ends_a_block(repl: Repl) -> None:
    assert typed(repl, b"if 1:\r    \x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x04")[1] == [Run(b"if 1:\n", single=True)]


def test_backspace_and_arrows_edit_the_line(repl: Repl) -> None:
    assert typed(repl, b"acX\x7f\x1b[Db\x1b[C!\r")[1] == [Run(b"abc!\n", single=True)]


def test_home_and_end(repl: Repl) -> None:
    assert typed(repl, b"bc\x1b[Ha\x1b[Fd\r")[1] == [Run(b"abcd\n", single=True)]


def test_history_brings_lines_back(repl: Repl) -> None:
    typed(repl, b"first\rsecond\r")
    assert typed(repl, b"\x1b[A\x1b[A\r")[1] == [Run(b"first\n", single=True)]
    assert typed(repl, b"\x1b[A\x1b[A\x1b[B\r")[1] == [Run(b"first\n", single=True)]


def test_paste_mode_takes_everything_until_ctrl_d(repl: Repl) -> None:
    echoed, jobs = typed(repl, b"\x05if 1:\r  x\r\x04")
    assert echoed.startswith(b"\r\npaste mode; Ctrl-C to cancel, Ctrl-D to finish\r\n=== if 1:\r\n===   x\r\n=== ")
    assert jobs == [Run(b"if 1:\n  x\n", single=False)]


def test_paste_mode_is_cancelled(repl: Repl) -> None:
    assert typed(repl, b"\x05if 1:\x03\r")[1] == []


def test_raw_mode_frames_output_and_traceback(raw: Repl) -> None:
    echo, job = raw.feed(b"x")
    assert (echo, job) == (b"", None)
    assert raw.feed(b"\x04") == (b"OK", Run(b"x", single=False))
    assert raw.finished(b"Traceback") == b"\x04Traceback\x04>"


def test_raw_mode_has_no_raw_paste(raw: Repl) -> None:
    """The probe of newer tools is text to 1.11, and its Ctrl-A gets the banner, which tells them."""
    assert typed(raw, b"\x05A\x01") == (b"raw REPL; CTRL-B to exit\r\n>", [])


def test_raw_mode_clears_on_ctrl_c_and_leaves_on_ctrl_b(raw: Repl) -> None:
    assert typed(raw, b"junk\x031\x04")[1] == [Run(b"1", single=False)]
    assert typed(raw, b"\x02") == (b"\r\n" + BANNER + b">>> ", [])
    assert not raw.raw


def test_a_soft_reset_in_raw_mode_stays_raw(raw: Repl) -> None:
    assert raw.feed(b"\x04") == (b"OK\r\n", SoftReset())
    assert raw.raw
    assert raw.start() == b"raw REPL; CTRL-B to exit\r\n>"


def test_power_off_leaves_raw_mode(raw: Repl) -> None:
    raw.power_off()
    assert raw.start() == BANNER + b">>> "


@pytest.mark.parametrize(
    ("source", "more"),
    [
        ("1", False),
        ("f(", True),
        ("f(')'", True),
        ("f()", False),
        ("x = '''", True),
        ("x = '''a'''", False),
        ("'unfinished", False),
        ("a \\", True),
        ("if x:", True),
        ("if x:\n  y", True),
        ("if x:\n  y\n", False),
        ("@decorated", True),
        ("iffy", False),
        ("# (", False),
        ("'\\'('", False),
    ],
)
def test_what_goes_on(source: str, more: bool) -> None:
    assert needs_more(source) is more


@given(st.binary(max_size=60))
def test_no_bytes_break_it(data: bytes) -> None:
    repl = Repl(BANNER)
    typed(repl, data)
    typed(repl, b"\x03\x02\x03\x02\x03")
    assert not repl.raw
    assert typed(repl, b"\x1b[F\x03ok\r")[1][-1:] == [Run(b"ok\n", single=True)]


@given(st.binary().map(lambda data: bytes(byte for byte in data if byte not in b"\x01\x02\x03\x04")))
def test_raw_mode_lets_every_other_byte_through(data: bytes) -> None:
    repl = Repl(BANNER)
    typed(repl, b"\x01")
    _, jobs = typed(repl, data + b"\x04")
    assert jobs == ([Run(data, single=False)] if data else [SoftReset()])
