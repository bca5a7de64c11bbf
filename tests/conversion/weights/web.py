"""A small web server on 127.0.0.1 that stands in for the official address, with the faults that real ones have."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# A fault gets the handler and the sound bytes and answers in its own way.
Fault = Callable[[BaseHTTPRequestHandler, bytes], None]


class Server:
    """Serves `files` (name -> bytes); `faults` (name -> Fault) answer instead; `requests` lists what was asked."""

    def __init__(self, files: dict[str, bytes]):
        self.files = files
        self.faults: dict[str, Fault] = {}
        self.requests: list[str] = []
        self.url = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        name = handler.path.removeprefix("/weights/")
        self.requests.append(name)
        fault = self.faults.get(name, send)
        if name in self.files:
            fault(handler, self.files[name])
        else:
            handler.send_error(404)


@contextmanager
def serve(files: dict[str, bytes]) -> Iterator[Server]:
    """A server for `files` below its `url`, until the block ends."""
    server = Server(files)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.answer(self)

        def log_message(self, *_: object) -> None:
            """Nothing on stderr."""

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    server.url = f"http://127.0.0.1:{listener.server_port}/weights/"
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


def send(handler: BaseHTTPRequestHandler, data: bytes) -> None:
    """The sound answer."""
    _headers(handler, len(data))
    handler.wfile.write(data)


def cut_off(handler: BaseHTTPRequestHandler, data: bytes) -> None:
    """Half of the promised bytes, then the connection ends."""
    _headers(handler, len(data))
    handler.wfile.write(data[: len(data) // 2])


def cut_off_unannounced(handler: BaseHTTPRequestHandler, data: bytes) -> None:
    """Half of the bytes without a length: only the sum can tell."""
    _headers(handler, None)
    handler.wfile.write(data[: len(data) // 2])


def flipped(handler: BaseHTTPRequestHandler, data: bytes) -> None:
    """All the bytes, one bit of them wrong."""
    send(handler, bytes([data[0] ^ 1]) + data[1:])


def endless(handler: BaseHTTPRequestHandler, data: bytes) -> None:
    """More and more bytes, until the reader hangs up."""
    _headers(handler, None)
    try:
        while True:
            handler.wfile.write(bytes(1 << 20))
    except OSError:
        return


def malformed(handler: BaseHTTPRequestHandler, data: bytes) -> None:
    """A length that is no number."""
    handler.send_response(200)
    handler.send_header("Content-Length", "many")
    handler.end_headers()
    handler.wfile.write(data)


def _headers(handler: BaseHTTPRequestHandler, length: int | None) -> None:
    handler.send_response(200)
    if length is not None:
        handler.send_header("Content-Length", str(length))
    handler.end_headers()
