"""A board that another computer serves (RFC 2217) is flashed as one at hand."""

from __future__ import annotations

import select
import socket
import threading
from pathlib import Path

import pytest
import serial
from serial import rfc2217

from host_tools import boards
from host_tools.flashing import download, kfpkg
from host_tools.flashing.download import Download
from tests.host_tools.virtual_board import kmodels
from tests.jumping import VirtualBoard
from tests.patience import HANG_SECONDS

pytestmark = pytest.mark.usefixtures("nothing_left")


class _Port(serial.Serial):
    """A pseudo-terminal that takes its lines for granted."""

    cts = dsr = ri = cd = False

    def _update_dtr_state(self) -> None:
        pass

    def _update_rts_state(self) -> None:
        pass


class _Connection:
    """What pyserial's server side of RFC 2217 writes to."""

    def __init__(self, connection: socket.socket) -> None:
        self.write = connection.sendall


def serve(server: socket.socket, name: str) -> None:
    """One client, until it hangs up."""
    connection, _ = server.accept()
    with connection, _Port(name, 115200, timeout=0) as port:
        manager = rfc2217.PortManager(port, _Connection(connection))
        while True:
            ready, _, _ = select.select([connection, port], [], [])
            if connection in ready:
                data = connection.recv(4096)
                if not data:
                    return
                port.write(b"".join(manager.filter(data)))
            if port in ready:
                connection.sendall(b"".join(manager.escape(port.read(4096))))


def test_over_a_port_that_another_computer_serves(maix_bit: boards.Board) -> None:
    package = kfpkg.make(maix_bit, kmodels.kmodel(), Path("small.kmodel"), None, None)
    with VirtualBoard() as board, socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=[server, board.port])
        thread.start()
        url = f"rfc2217://127.0.0.1:{server.getsockname()[1]}"
        download.run(Download(url, "bit", 1500000, package), lambda *_: None)
        thread.join(HANG_SECONDS)
        assert not thread.is_alive()
        assert board.flash.read(0x300000, len(kmodels.kmodel())) == kmodels.kmodel()
