"""The line to MicroPython: what is sent arrives, and what Ctrl-C tears does no harm."""

import re
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.virtual_board import process, protocol
from host_tools.virtual_board.protocol import Call, ChannelClosedError, Error, HostChannel, Reply

REQUEST, REPLY = struct.Struct("<II16s12i"), struct.Struct("<IIBBH8i")


@pytest.fixture
def ends() -> Iterator[tuple[HostChannel, socket.socket]]:
    ours, theirs = protocol.socket_pair()
    line = HostChannel(ours)
    yield line, theirs
    line.close()
    theirs.close()


def head(number: int, size: int, name: bytes = b"do", *numbers: int) -> bytes:
    return REQUEST.pack(number, size, name, *numbers, *[0] * (12 - len(numbers)))


def test_both_sides_have_the_same_layouts() -> None:
    source = (process.MODULES / "_host.py").read_text()
    layouts = dict(re.findall(r'^(REQUEST|REPLY) = "(.*)"$', source, re.MULTILINE))
    sizes = dict(re.findall(r"^(REQUEST|REPLY)_BYTES = (\d+)$", source, re.MULTILINE))
    for name, layout in (("REQUEST", REQUEST), ("REPLY", REPLY)):
        assert layouts[name] == layout.format == getattr(protocol, f"_{name}").format
        assert int(sizes[name]) == layout.size
    errors = re.search(r"^ERRORS = \(None, (.*)\)$", source, re.MULTILINE)[1].split(", ")
    assert [name.upper().removesuffix("ERROR") for name in errors] == [
        error.name.replace("NOT_IMPLEMENTED", "NOTIMPLEMENTED") for error in Error
    ]


@given(
    st.integers(0, 2**32 - 1),
    st.text("abcdefghijklmnop_", min_size=1, max_size=16),
    st.lists(st.integers(-(2**31), 2**31 - 1), max_size=12),
    st.binary(max_size=2000).filter(lambda data: len(data) != REQUEST.size),
)
def test_requests_arrive_as_they_were_sent(number: int, name: str, numbers: list[int], data: bytes) -> None:
    ours, theirs = protocol.socket_pair()
    with ours, theirs:
        theirs.send(head(number, len(data), name.encode(), *numbers))
        if data:
            theirs.send(data)
        expected = Call(number, name, (*numbers, *[0] * (12 - len(numbers))), data)
        assert HostChannel(ours).receive(1) == expected


def test_a_picture_of_480x320_fits_a_message(ends: tuple[HostChannel, socket.socket]) -> None:
    line, theirs = ends
    picture = bytes(480 * 320 * 2)
    sender = threading.Thread(target=lambda: (theirs.send(head(1, len(picture))), theirs.send(picture)))
    sender.start()
    call = line.receive(5)
    sender.join()
    assert call.data == picture
    answer = threading.Thread(target=line.reply, args=(call, Reply(data=picture)))
    answer.start()
    assert REPLY.unpack(theirs.recv(100))[:2] == (1, len(picture))
    assert theirs.recv(400_000) == picture
    answer.join()


def test_a_request_whose_data_is_late_waits_for_it(ends: tuple[HostChannel, socket.socket]) -> None:
    """As on a busy computer, which may pause the process between the two."""
    line, theirs = ends
    theirs.send(head(1, 3, b"late", 7))
    assert line.receive(0.01) is None
    assert line.receive(0.01) is None
    theirs.send(b"abc")
    assert line.receive(1) == Call(1, "late", (7, *[0] * 11), b"abc")


def test_data_that_is_late_and_then_cut_by_ctrl_c_is_passed_over(ends: tuple[HostChannel, socket.socket]) -> None:
    line, theirs = ends
    theirs.send(head(1, 5000))
    assert line.receive(0.01) is None
    theirs.send(head(2, 0, b"next"))
    assert line.receive(1) is None
    assert line.receive(1) == Call(2, "next", (0,) * 12, b"")


def test_a_request_whose_data_never_came_is_passed_over(ends: tuple[HostChannel, socket.socket]) -> None:
    line, theirs = ends
    theirs.send(head(1, 5000))
    theirs.send(head(2, 0, b"next"))
    assert line.receive(1) is None
    assert line.receive(1).name == "next"


def test_silence_is_no_request(ends: tuple[HostChannel, socket.socket]) -> None:
    assert ends[0].receive(0.01) is None


def test_the_end_of_the_process_is_noticed(ends: tuple[HostChannel, socket.socket]) -> None:
    line, theirs = ends
    theirs.close()
    with pytest.raises(ChannelClosedError):
        line.receive(1)
    with pytest.raises(ChannelClosedError):
        line.reply(Call(1, "x", (), b""), Reply())


def test_replies_carry_values_errors_and_the_interrupt(ends: tuple[HostChannel, socket.socket]) -> None:
    line, theirs = ends
    call = Call(7, "x", (), b"")
    line.reply(call, Reply((1, -2)))
    assert REPLY.unpack(theirs.recv(100)) == (7, 0, 0, 0, 0, 1, -2, 0, 0, 0, 0, 0, 0)
    line.reply(call, Reply(data=b"no"), Error.VALUE, interrupt=True)
    assert REPLY.unpack(theirs.recv(100))[:4] == (7, 2, 1, 1)
    # Never shorter than a reply, or MicroPython would wait for the rest.
    assert theirs.recv(100) == b"no".ljust(REPLY.size, b"\0")


def test_the_stand_ins_import_nothing_of_the_project() -> None:
    files = {path.stem for path in Path(process.MODULES).glob("*.py")}
    built_in = {
        "builtins",
        "errno",
        "gc",
        "hashlib",
        "io",
        "json",
        "micropython",
        "os",
        "struct",
        "sys",
        "time",
        "uctypes",
    }
    for path in Path(process.MODULES).glob("*.py"):
        imported = re.findall(r"^\s*(?:import|from) (\w+)", path.read_text(), re.MULTILINE)
        assert set(imported) <= files | built_in, path.name
