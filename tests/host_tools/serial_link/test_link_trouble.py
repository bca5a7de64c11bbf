"""Boards that do not answer, ports that vanish and come back: named with the remedy, and never waited for too long."""

import itertools
import threading
import time
from pathlib import Path

import pytest

from host_tools.errors import LinkError
from host_tools.serial_link import sentences
from host_tools.serial_link.diagnosis import Heard, explain
from host_tools.serial_link.events import Found, Hello, Lost, Restarted, Settings
from host_tools.serial_link.link import Link
from host_tools.time_limits import Tries
from tests.host_tools.peer import Peer, collected, hello, linked, polite, reply, silent
from tests.patience import HANG_SECONDS, said

EMPTY_FRAME = sentences.made("FRAME", 4, 1000, 0, 0, 1, 2, 3, 4, 5)


def test_silence_is_named_and_ends() -> None:
    with linked(silent) as (peer, link):
        begin = time.monotonic()
        with pytest.raises(LinkError, match="nothing comes from it") as caught:
            link.greet(2.5)
        assert time.monotonic() - begin > 2
        assert str(caught.value).startswith(peer.port)
        assert peer.bytes.endswith(b"\x02")
        with pytest.raises(LinkError, match=r"no answer to PING.*nothing comes from it"):
            link.ask("PING", tries=Tries(0.1, 2))


def test_another_protocol_is_named_at_once() -> None:
    with linked(lambda sentence: hello(protocol=2, firmware="9.1") + reply(sentence)) as (_, link):
        begin = time.monotonic()
        with pytest.raises(LinkError, match=r"program 9\.1 speaks protocol 2, this tool protocol 1.*make deploy"):
            link.greet(HANG_SECONDS)
        assert time.monotonic() - begin < HANG_SECONDS


def test_a_board_that_sends_but_does_not_hear() -> None:
    with linked(lambda sentence: EMPTY_FRAME) as (_, link):
        said("the board sends, but does not answer", link.greet)
        with pytest.raises(LinkError, match=r"no Settings within .*(other sentences came|nothing)"):
            link.wait_for(Settings, 0.2)


def test_an_echo_is_no_board() -> None:
    with Link("loop://") as link:
        said("comes straight back", link.greet)


@pytest.mark.parametrize(
    ("spoken", "expected"),
    [
        (
            b"core dump: illegal instruction\r\nCause 0x2, EPC 0x80\r\n",
            "crashed .illegal instruction. and stands still",
        ),
        (b"raw REPL; CTRL-B to exit\r\n>", "in the raw REPL"),
        (b"[MAIXPY] Pll0:freq:806000000\r\n[MaixPy] init end\r\n", "MaixPy has started, but not the program"),
        (b"temperature 21\r\ntemperature 22\r\n", "another program runs on the board, it says 'temperature 22'"),
        (bytes(range(128, 256)), "another rate"),
        (b"$FRAME,1,2,3*0000\r\n", "all are damaged"),
        (
            b"Traceback (most recent call last):\r\n  File\r\nOSError: [Errno 5] EIO\r\n>>> ",
            r"OSError: \[Errno 5\] EIO",
        ),
    ],
)
def test_what_speaks_instead_is_named(spoken: bytes, expected: str) -> None:
    with Peer(raw=lambda data: spoken) as peer, Link(peer.port) as link:
        said(expected, link.greet)


def test_garbage_without_end_ends_no_poll_late() -> None:
    noise = itertools.cycle([b"\xff\x00garbage" * 200, b"$BROKEN,\r\n" * 200])
    with linked(silent) as (peer, link):
        over = threading.Event()

        def pour() -> None:
            while not over.is_set():
                peer.send(next(noise))

        pouring = threading.Thread(target=pour)
        pouring.start()
        try:
            said(r"damaged|another rate", link.greet)
            link.poll(0.1)
            assert link.statistics.damaged > 0
        finally:
            over.set()
            while pouring.is_alive():
                link.poll(0.05)


def test_a_port_that_is_gone_is_an_error_at_once() -> None:
    with linked() as (peer, link):
        link.greet()
        peer.unplug()
        with pytest.raises(LinkError, match=f"{peer.port}: the port is gone.*plug the board in again"):
            collected(link, lambda events: False)
        for _ in range(2):
            with pytest.raises(LinkError, match="the port is gone"):
                link.ask("PING")


def test_a_closed_link_stays_closed() -> None:
    with Peer(polite) as peer:
        for patient in (False, True):
            link = Link(peer.port, patient=patient)
            link.close()
            link.close()
            assert not link.connected
            for use in (lambda: link.poll(0), lambda: link.ask("PING"), link.greet):  # noqa: B023 - used at once
                with pytest.raises(LinkError, match=f"{peer.port}: this link is closed"):
                    use()


def test_silence_on_the_wrong_port_of_a_bridge_names_the_other() -> None:
    heard = Heard("/dev/ttyUSB1", 115200, siblings=["/dev/ttyUSB0"])
    assert "its USB bridge has another port, try --port /dev/ttyUSB0" in explain(heard)


def test_what_a_board_said_before_a_sentence_explains_nothing() -> None:
    heard = Heard("/dev/ttyUSB1", 115200)
    heard.add(b"core dump: illegal instruction\r\n$FRAME,1*0000\r\nhello\r\n")
    assert "crashed" in explain(heard)
    heard.forget_before_sentence()
    assert "it says 'hello'" in explain(heard)


def test_a_second_link_is_kept_out() -> None:
    with linked() as (peer, _), pytest.raises(LinkError, match=f"{peer.port}: in use by another program"):
        Link(peer.port)
    with pytest.raises(LinkError, match="no such port"):
        Link(peer.port + "0000")


@pytest.mark.parametrize("patient", [False, True])
def test_a_question_whose_port_goes_ends_at_once(patient: bool) -> None:
    with Peer(silent) as peer, Link(peer.port, patient=patient) as link:
        unplug = threading.Timer(0.1, peer.unplug)
        unplug.start()
        with pytest.raises(LinkError, match="gone"):
            link.ask("PING", tries=Tries(HANG_SECONDS, 2))
        unplug.join()


def test_a_patient_link_finds_its_board_under_the_same_name(tmp_path: Path) -> None:
    name = tmp_path / "board"
    with Peer(polite) as first, Peer(lambda sentence: hello(boot=5) + reply(sentence)) as second:
        name.symlink_to(first.port)
        with Link(str(name), patient=True) as link:
            link.greet()
            first.send(EMPTY_FRAME[:20])
            # The number of a pseudo-terminal is soon somebody else's.
            name.unlink()
            first.unplug()
            events = collected(link, lambda events: any(isinstance(event, Lost) for event in events))
            assert not link.connected
            with pytest.raises(LinkError, match="port"):
                link.ask("PING", tries=Tries(HANG_SECONDS, 2))
            assert link.poll(0.5) == []
            name.symlink_to(second.port)
            events = collected(link, lambda events: any(isinstance(event, Hello) for event in events))
            assert [type(event) for event in events] == [Found, Restarted, Hello]
            assert events[0] == Found(str(name))
            assert link.ask("PING") == 0
            assert (link.statistics.reconnects, link.statistics.restarts, link.statistics.damaged) == (1, 1, 0)


def test_a_patient_link_waits_for_a_board_that_is_not_there_yet(tmp_path: Path) -> None:
    name = tmp_path / "board"
    with Link(str(name), patient=True) as link, Peer(polite) as peer:
        (lost,) = link.poll(HANG_SECONDS)
        assert "no such port" in lost.reason
        with pytest.raises(LinkError, match="no such port"):
            link.greet(0.3)
        name.symlink_to(peer.port)
        assert link.greet().boot == 77
        assert link.statistics.reconnects == 0
