"""Poses over MQTT: frames as JSON for whoever listens, and who is there as retained messages.

PREFIX/BOARD/poses   the object of `monitor --json` of each frame, QoS 0
PREFIX/BOARD/status  "online" or "offline", retained, QoS 1
PREFIX/status        the same for the monitor itself; its last will is "offline"
"""

from __future__ import annotations

import json
import re
import threading
import urllib.parse
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from conversion.outside.text import shown
from conversion.printing import counted
from host_tools import time_limits
from host_tools.errors import HostToolError, LinkError
from host_tools.monitor.feed import Item
from host_tools.monitor.frame_processing import ProcessedFrame
from host_tools.monitor.output import Output
from host_tools.serial_link import Found, Hello, Lost

PORT = 1883
ONLINE, OFFLINE = "online", "offline"
_KEEPALIVE_SECONDS = 15
_RECONNECT_SECONDS = (1, 30)
# MQTT 3.1.1, 4.7: separators and wildcards, which a name must not have.
_MOST_PREFIX = 1000
_NO_NAME = re.compile(r"[/+#\x00\s]")


@dataclass(frozen=True)
class Address:
    """Where the broker is, who we are to it, and what our topics begin with."""

    host: str
    port: int
    prefix: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, url: str) -> Address:
        """From mqtt://[USER:PASSWORD@]HOST[:PORT]/PREFIX; HostToolError says what is wrong, without the password."""
        form = "write mqtt://[USER:PASSWORD@]HOST[:PORT]/PREFIX"
        in_password = "in a password stands %2F for /, %23 for #, %3F for ?, %40 for @"
        # No part of the URL may stand in a message: a password with / or # ends up in any of them.
        try:
            parts = urllib.parse.urlsplit(url)
            port, prefix = parts.port or PORT, urllib.parse.unquote(parts.path, errors="strict").strip("/")
        except ValueError:
            raise HostToolError(f"--mqtt: not a URL ({in_password}); {form}") from None
        scheme = parts.scheme or "no scheme"
        if scheme != "mqtt" or not parts.hostname:
            raise HostToolError(f"--mqtt: begins with {shown(scheme)}:, and must name a host; {form}")
        if "@" in parts.path + parts.query + parts.fragment:
            raise HostToolError(f"--mqtt: has an @ behind its first /, # or ? ({in_password}); {form}")
        if not prefix.isprintable() or len(prefix) > _MOST_PREFIX:
            raise HostToolError(
                f"--mqtt: has a prefix that does not print, or of more than {_MOST_PREFIX} letters; {form}"
            )
        if not prefix or parts.query or parts.fragment or re.search(r"[+#\x00]", prefix):
            raise HostToolError(f"--mqtt: has no topic prefix, or one with +, # or ?; {form}")
        user, password = (urllib.parse.unquote(text) if text else None for text in (parts.username, parts.password))
        return cls(parts.hostname, port, prefix, user, password)

    def __str__(self) -> str:
        return f"mqtt://{self.host}:{self.port}"


class Publisher(Output):
    """A connection to a broker, made anew by itself when it breaks. `note` is told of that, one line each."""

    def __init__(self, url: str, note: Callable[[str], None]) -> None:
        """Connects; LinkError if the broker does not answer within seconds, or refuses."""
        self._address = Address.of(url)
        self._note = note
        self.unsent = 0
        self._status: dict[str, str] = {f"{self._address.prefix}/status": ONLINE}
        self._answered = threading.Event()
        self._refusal: str | None = None
        self._closing = False
        self._client = self._make_client()
        try:
            self._client.connect(self._address.host, self._address.port, _KEEPALIVE_SECONDS)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise LinkError(f"{self._address}: no broker answers ({reason}); is one running there?") from error
        self._client.loop_start()
        answered = self._answered.wait(time_limits.BROKER.seconds)
        if not answered or self._refusal:
            why = self._refusal or f"no answer in MQTT within {time_limits.BROKER.seconds:g} s"
            self._client.disconnect()
            self._client.loop_stop()
            raise LinkError(f"{self._address}: {why}; check host, port, user and password")

    def _make_client(self) -> mqtt.Client:
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"posenet-maix-{uuid.uuid4().hex[:12]}")
        client.connect_timeout = time_limits.BROKER.seconds
        client.reconnect_delay_set(*_RECONNECT_SECONDS)
        if self._address.user is not None:
            client.username_pw_set(self._address.user, self._address.password)
        client.will_set(f"{self._address.prefix}/status", OFFLINE, qos=1, retain=True)
        client.on_connect, client.on_disconnect = self._connected, self._disconnected
        return client

    def frame(self, processed: ProcessedFrame) -> None:
        """Publish a frame; counted as unsent while there is no broker."""
        self._set_status(processed.label, ONLINE)
        body = json.dumps(processed.to_dict(), separators=(",", ":"))
        if self._client.publish(self._topic(processed.label, "poses"), body).rc != mqtt.MQTT_ERR_SUCCESS:
            self.unsent += 1

    def event(self, item: Item) -> None:
        """Publish that a board has come or gone."""
        match item.event:
            case Hello() | Found():
                self._set_status(item.source, ONLINE)
            case Lost():
                self._set_status(item.source, OFFLINE)

    def close(self) -> None:
        """Say that all are offline, and hang up."""
        self._closing = True
        # The monitor's own comes last.
        sent = [self._publish_status(topic, OFFLINE) for topic in reversed(self._status)]
        for message in sent:
            if self._client.is_connected() and message.rc == mqtt.MQTT_ERR_SUCCESS:
                message.wait_for_publish(time_limits.BROKER_END.seconds)
        self._client.disconnect()
        self._client.loop_stop()
        if self.unsent:
            self._note(f"{self._address}: {counted(self.unsent, 'frame')} not published for want of a broker")

    def _topic(self, label: str, what: str) -> str:
        return f"{self._address.prefix}/{_NO_NAME.sub('_', label)}/{what}"

    def _set_status(self, label: str, status: str) -> None:
        topic = self._topic(label, "status")
        if self._status.get(topic) != status:
            self._status[topic] = status
            self._publish_status(topic, status)

    def _publish_status(self, topic: str, status: str) -> mqtt.MQTTMessageInfo:
        return self._client.publish(topic, status, qos=1, retain=True)

    # Called by paho's thread.

    def _connected(self, client: mqtt.Client, data: object, flags: object, reason: object, properties: object) -> None:
        if reason.is_failure:
            self._refusal = f"the broker refuses: {reason}"
        else:
            if self._answered.is_set():
                self._note(f"{self._address}: the broker is there again")
            for topic, status in list(self._status.items()):
                self._publish_status(topic, status)
        self._answered.set()

    def _disconnected(
        self, client: mqtt.Client, data: object, flags: object, reason: object, properties: object
    ) -> None:
        if not self._answered.is_set():
            # Some brokers say no in this way.
            self._refusal = "hangs up without an answer"
            self._answered.set()
        elif not self._closing and not self._refusal:
            self._note(f"{self._address}: the broker has gone ({reason}); frames go on, trying to reach it again")
