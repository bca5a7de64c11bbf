"""A real MQTT broker (amqtt) in a process of its own, which a test can kill; and somebody who listens there.

`python -m tests.host_tools.monitor.broker PORT [PASSWORDS]` runs one; PASSWORDS has lines of USER:SHA512-CRYPT-HASH.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.patience import HANG_SECONDS

READY = "ready"


def free_port() -> int:
    """A port of this computer that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Broker:
    """A broker that runs from start() to stop()."""

    def __init__(self, passwords: Path | None = None) -> None:
        self.port = free_port()
        self._arguments = [str(self.port), *([str(passwords)] if passwords else [])]
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Broker:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Returns when it answers."""
        command = [sys.executable, "-m", "tests.host_tools.monitor.broker", *self._arguments]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout.readline().strip() == READY

    def stop(self) -> None:
        """Kill it: it says no farewell."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


class Listener:
    """Subscribes to everything; `messages` are (topic, text, retained) in their order."""

    def __init__(self, port: int, user: str | None = None, password: str | None = None) -> None:
        self.messages: list[tuple[str, str, bool]] = []
        self._ready = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        if user:
            self._client.username_pw_set(user, password)
        self._client.on_connect = lambda client, *_: client.subscribe("#", 1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._heard
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._ready.wait(HANG_SECONDS)

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _heard(self, client: object, data: object, message: mqtt.MQTTMessage) -> None:
        self.messages.append((message.topic, message.payload.decode(), message.retain))

    def of(self, topic: str) -> list[str]:
        """The texts under a topic."""
        return [text for found, text, _ in list(self.messages) if found == topic]

    def until(self, topic: str, text: str) -> None:
        """Wait for a message."""
        deadline = time.monotonic() + HANG_SECONDS
        while text not in self.of(topic):
            assert time.monotonic() < deadline, self.messages[-20:]
            time.sleep(0.02)


async def _serve(port: int, passwords: str | None) -> None:
    from amqtt.broker import Broker as Amqtt

    plugin = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
    if passwords:
        plugin = {"amqtt.plugins.authentication.FileAuthPlugin": {"password_file": passwords}}
    broker = Amqtt({"listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}}, "plugins": plugin})
    await broker.start()
    print(READY, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(_serve(int(sys.argv[1]), *(sys.argv[2:] or [None])))
