"""Commands over a line that damages bytes: whole or not at all, once, and never a wrong cause."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.prompt import exchange
from host_tools.prompt.exchange import Answer, Exchange, ExchangeError
from host_tools.virtual_board.faults import Faults, Noise
from tests.host_tools.prompt import raw_board
from tests.host_tools.prompt.raw_board import RawBoard, WaitsForEverError

SCRIPT = "n = globals().get('n', 0) + 1\nprint('begins', n)\nprint('goes on\\nin two lines', end='')"
PRINTED = "begins {}\ngoes on\nin two lines"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is not there in this process will not come."""
    monkeypatch.setattr(exchange, "_LINGER_SECONDS", 0.0)
    monkeypatch.setenv("POSENET_MAIX_PATIENCE", "1e-9")
    with raw_board.board_modules():
        yield


def noisy(rate: float, seed: int) -> tuple[Noise, Noise]:
    return Noise(Faults(corrupt=rate, seed=seed), "to"), Noise(Faults(corrupt=rate, seed=seed), "from")


def nothing() -> None:
    """Say nothing."""


def test_a_script_runs_and_prints() -> None:
    lines: list[str] = []
    asked = Exchange(RawBoard(), nothing)
    assert asked.run(SCRIPT, lines.append) == PRINTED.format(1)
    assert lines == ["begins 1", "goes on"]
    assert asked.repeated == 0


@pytest.mark.parametrize("rate", [1 / 50_000, 1 / 10_000, 1 / 3000])
@pytest.mark.parametrize("seed", range(8))
def test_on_a_line_that_damages_bytes_each_command_is_carried_out_once(rate: float, seed: int) -> None:
    noticed: list[int] = []
    board = RawBoard(*noisy(rate, seed))
    asked = Exchange(board, lambda: noticed.append(1))
    data = random.Random(seed).randbytes(3000)
    for number in range(1, 11):
        assert asked.run(SCRIPT) == PRINTED.format(number)
    for piece in exchange.pieces(data):
        asked.give(piece)
    asked.run("kept = taken()")
    assert board.globals["posenet"].space["kept"] == data
    assert bool(noticed) == bool(asked.repeated)
    assert len(noticed) < 2


@pytest.mark.parametrize("seed", range(5))
def test_a_line_that_damages_everything_is_named_so(seed: int) -> None:
    noticed: list[int] = []
    with pytest.raises((ExchangeError, WaitsForEverError)) as caught:
        Exchange(RawBoard(*noisy(1 / 20, seed)), lambda: noticed.append(1)).run(SCRIPT * 20)
    assert noticed == [1]
    assert isinstance(caught.value, WaitsForEverError) or caught.value.kind == "damaged"


@pytest.mark.parametrize("rate", [0, 1 / 1000])
def test_what_a_script_raises_is_told_as_it_is(rate: float) -> None:
    with pytest.raises(ExchangeError, match=r"^KeyError: 'x'$") as caught:
        Exchange(RawBoard(*noisy(rate, 3)), nothing).run("print('so far')\n{}['x']")
    assert caught.value.kind == "raised"


def test_a_python_without_what_is_needed_is_told_by_what_it_raises() -> None:
    board = RawBoard()
    board.globals["__builtins__"] = {**vars(__import__("builtins")), "__import__": refuse}
    with pytest.raises(ExchangeError, match="ImportError: no module named 'ubinascii'"):
        Exchange(board, nothing).run("1")


def refuse(name: str, *_: object) -> None:
    raise ImportError(f"no module named {name!r}")


def test_a_line_on_which_everything_comes_back_is_named() -> None:
    board = RawBoard()
    write = board.write

    def echo(data: bytes) -> None:
        board._waiting += data
        write(data)

    board.write = echo
    with pytest.raises(ExchangeError) as caught:
        Exchange(board, nothing).run("1")
    assert caught.value.kind == "echo"


@given(st.binary(max_size=300))
def test_no_bytes_are_taken_for_an_answer_of_another_command(said: bytes) -> None:
    answer = Answer(1)
    check = b"%08x" % (exchange.zlib.crc32(said))
    answer.take(check, said)
    assert not answer.whole or said.startswith(b"1 end ")


@given(st.integers(0, 7), st.data())
@settings(max_examples=200)
def test_no_damage_to_one_byte_goes_unseen(bit: int, data: st.DataObject) -> None:
    whole = b'7 0 @{"free": 12}'
    check = b"%08x" % exchange.zlib.crc32(whole)
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :]
    answer = Answer(7)
    assert answer.take(check, damaged) is None
    assert not answer.lines
    assert answer.take(check, whole) == '@{"free": 12}'
