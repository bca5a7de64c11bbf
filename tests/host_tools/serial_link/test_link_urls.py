"""Boards behind pyserial's URLs: a socket, and a port that another computer serves (RFC 2217)."""

from __future__ import annotations

import socket
import threading

import pytest
import serial
from serial import rfc2217

from host_tools.errors import LinkError
from host_tools.serial_link import ports, sentences
from host_tools.serial_link.events import Hello
from host_tools.serial_link.link import Link
from host_tools.serial_link.sentences import Frame
from host_tools.time_limits import Tries
from tests.host_tools.peer import collected, hello, polite

EMPTY_FRAME = sentences.made("FRAME", 4, 1000, 0, 0, 1, 2, 3, 4, 5)


def test_over_a_socket() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"socket://127.0.0.1:{server.getsockname()[1]}"
        with Link(url) as link:
            board, _ = server.accept()
            with board:
                board.sendall(EMPTY_FRAME + hello())
                events = collected(link, lambda events: len(events) == 2)
                assert [type(event) for event in events] == [Frame, Hello]
                with pytest.raises(LinkError, match="no answer to PING"):
                    link.ask("PING", tries=Tries(0.1, 1))
                assert board.recv(100).startswith(b"$PING,")
                board.sendall(EMPTY_FRAME * 10_000)
                frames = collected(link, lambda events: len(events) == 10_000)
                assert frames == [events[0]] * 10_000
            with pytest.raises(LinkError, match="the connection has ended"):
                collected(link, lambda events: False)
    with pytest.raises(LinkError, match="nobody answers there"):
        Link(url)


class _Connection:
    """What pyserial's server side of RFC 2217 writes to."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def write(self, data: bytes) -> None:
        with self._lock:
            self._connection.sendall(data)


def _serve(server: socket.socket) -> None:
    """A board that answers everything, behind RFC 2217; one client, until it hangs up."""
    connection, _ = server.accept()
    with connection, serial.serial_for_url("loop://") as settings:
        manager = rfc2217.PortManager(settings, _Connection(connection))
        reader = sentences.Reader()
        while data := connection.recv(1024):
            for sentence in reader.feed(b"".join(manager.filter(data))):
                connection.sendall(b"".join(manager.escape(polite(sentence) + EMPTY_FRAME * 100)))


# pyserial 3.5 starts its thread in the old way.
@pytest.mark.filterwarnings("ignore:set:DeprecationWarning")
def test_over_a_port_that_another_computer_serves() -> None:
    before = threading.active_count()
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_serve, args=[server])
        thread.start()
        with Link(f"rfc2217://127.0.0.1:{server.getsockname()[1]}") as link:
            assert link.greet().board == "maix_bit"
            assert link.ask("PING") == 1
            frames = collected(link, lambda events: len(events) >= 200)
            assert sum(isinstance(event, Frame) for event in frames) >= 198
            assert ports.pulse_reset(link._serial._port, "dan") is True
        thread.join()
    assert threading.active_count() == before
