"""Publishing to a real broker: what is said where, and a broker that is missing, dies, comes back, or refuses."""

from __future__ import annotations

import itertools
import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from host_tools import time_limits
from host_tools.errors import HostToolError, LinkError
from host_tools.monitor import publish
from host_tools.monitor.feed import Item
from host_tools.monitor.frame_processing import FrameProcessor
from host_tools.monitor.publish import Address, Publisher
from host_tools.serial_link import events
from tests.host_tools.monitor import actors
from tests.host_tools.monitor.actors import SIZE, Puppet
from tests.host_tools.monitor.broker import Broker, Listener, free_port
from tests.host_tools.monitor.running import run, started
from tests.patience import HANG_SECONDS, exactly

# SHA-512-crypt of "se/cret", as `openssl passwd -6` makes them.
SECRET = "$6$rounds=1000$salt$WU0aBR6xKJmOFUtlycu2yh6mapA16bYgPxI8/b5ZoMnuwFTR2/cKkxxV7y/wvZC24KuisJAUkMKHM5Ip0fQ4L."


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with Broker() as running:
        yield running


def endless() -> Iterator[bytes]:
    return (actors.lines(actors.frame(number, [actors.person(100, 60)])) for number in itertools.count(1))


def waited(publisher: Publisher, wanted: bool) -> None:
    """Until the publisher has noticed that the broker is there, or not; frames go on meanwhile."""
    deadline = time.monotonic() + HANG_SECONDS
    while publisher._client.is_connected() is not wanted:
        assert time.monotonic() < deadline
        publisher.frame(FrameProcessor().process("bit", actors.frame(1), 0.0, SIZE))
        time.sleep(0.05)


def test_frames_and_who_is_there(broker: Broker) -> None:
    frames = list(actors.walking(5, 2))
    with Listener(broker.port) as listener, Puppet([actors.lines(frame) for frame in frames]) as puppet:
        done = run("--port", puppet.port, "--frames", 5, "--json", "--mqtt", f"mqtt://127.0.0.1:{broker.port}/home/cam")
        listener.until("home/cam/status", "offline")
    assert done.returncode == 0, done.stderr
    poses = [json.loads(text) for text in listener.of("home/cam/maix_bit/poses")]
    assert poses == [frame.to_dict("maix_bit") for frame in frames]
    assert done.stdout.splitlines() == [json.dumps(pose, separators=(",", ":")) for pose in poses]
    assert listener.of("home/cam/maix_bit/status") == ["online", "offline"]
    assert listener.of("home/cam/status") == ["online", "offline"]


def test_the_status_is_retained_and_the_last_will_is_offline(broker: Broker) -> None:
    with Puppet(endless(), per_second=20) as puppet:
        url = f"mqtt://127.0.0.1:{broker.port}/will"
        with started("--port", puppet.port, "--baud", 115200, "--json", "--mqtt", url) as monitor:
            monitor.stdout.readline()
            time.sleep(0.3)
            with Listener(broker.port) as late:
                late.until("will/maix_bit/status", "online")
                assert ("will/status", "online", True) in late.messages
                monitor.send_signal(signal.SIGKILL)
                late.until("will/status", "offline")


def test_boards_that_come_and_go(broker: Broker) -> None:
    with Listener(broker.port) as listener:
        publisher = Publisher(f"mqtt://127.0.0.1:{broker.port}/go", print)
        label = "maix_bit@socket/5+#"
        topic = "go/maix_bit@socket_5__/status"
        for event, said in (
            (events.Found("x"), "online"),
            (events.Lost("y"), "offline"),
            (events.Found("x"), "online"),
        ):
            publisher.event(Item(label, event, 0.0))
            listener.until(topic, said)
        publisher.close()
        listener.until("go/status", "offline")
        assert listener.of(topic) == ["online", "offline", "online", "offline"]


def test_a_broker_that_dies_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish, "_RECONNECT_SECONDS", (1, 1))
    notes: list[str] = []
    with Broker() as mortal:
        publisher = Publisher(f"mqtt://127.0.0.1:{mortal.port}/x", notes.append)
        mortal.stop()
        waited(publisher, False)
        unsent = publisher.unsent
        publisher.frame(FrameProcessor().process("bit", actors.frame(2), 0.0, SIZE))
        assert publisher.unsent == unsent + 1
        mortal.start()
        waited(publisher, True)
        with Listener(mortal.port) as listener:
            listener.until("x/bit/status", "online")
            publisher.frame(FrameProcessor().process("bit", actors.frame(99), 0.0, SIZE))
            listener.until("x/bit/poses", json.dumps(actors.frame(99).to_dict("bit"), separators=(",", ":")))
        publisher.close()
    name = f"mqtt://127.0.0.1:{mortal.port}"
    assert notes[0].startswith(f"{name}: the broker has gone (")
    assert notes[0].endswith("); frames go on, trying to reach it again")
    assert notes[1] == f"{name}: the broker is there again"
    assert notes[2] == f"{name}: {publisher.unsent} frames not published for want of a broker"
    assert len(notes) == 3


def test_the_monitor_goes_on_without_its_broker() -> None:
    with Puppet(endless(), per_second=20) as puppet, Broker() as mortal:
        url = f"mqtt://127.0.0.1:{mortal.port}/x"
        with started("--port", puppet.port, "--baud", 115200, "--json", "--mqtt", url) as monitor:
            monitor.stdout.readline()
            mortal.stop()
            while f"· mqtt: mqtt://127.0.0.1:{mortal.port}: the broker has gone (" not in monitor.stderr.readline():
                assert monitor.poll() is None
            number = 0
            while number != 9000:
                # Once more for every frame: what comes while the line's speed changes nobody reads.
                puppet.send(actors.lines(actors.frame(9000)))
                number = json.loads(monitor.stdout.readline())["frame"]
            monitor.send_signal(signal.SIGINT)
            _, errors = monitor.communicate(timeout=HANG_SECONDS)
    assert monitor.returncode == 0
    assert "Traceback" not in errors


def test_no_broker_is_one_line() -> None:
    port = free_port()
    with Puppet() as puppet:
        done = run("--port", puppet.port, "--mqtt", f"mqtt://me:secret@127.0.0.1:{port}/x")
    assert done.returncode == 2
    assert (
        done.stderr
        == f"error: mqtt://127.0.0.1:{port}: no broker answers (Connection refused); is one running there?\n"
    )


def test_a_host_without_name_is_one_line() -> None:
    with pytest.raises(
        LinkError, match=r"mqtt://nowhere\.invalid:1883: no broker answers \(.+\); is one running there"
    ):
        Publisher("mqtt://nowhere.invalid/x", print)


def test_something_else_at_the_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_limits, "BROKER", exactly(1.0))
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(LinkError, match="no answer in MQTT within 1 s; check host, port, user and password"):
            Publisher(f"mqtt://127.0.0.1:{port}/x", print)


def test_a_broker_that_says_no() -> None:
    """CONNACK with code 5, not authorized (MQTT 3.1.1, 3.2)."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(b"\x20\x02\x00\x05")

        thread = threading.Thread(target=refuse)
        thread.start()
        with pytest.raises(LinkError, match="the broker refuses: Not authorized; check host, port, user and password"):
            Publisher(f"mqtt://127.0.0.1:{server.getsockname()[1]}/x", print)
        thread.join()


def test_a_broker_with_passwords(tmp_path: Path) -> None:
    """amqtt hangs up on whom it does not know."""
    passwords = tmp_path / "passwords"
    passwords.write_text(f"me:{SECRET}\n")
    with Broker(passwords) as locked:
        Publisher(f"mqtt://me:se%2Fcret@127.0.0.1:{locked.port}/x", print).close()
        for who in ("", "me:wrong@"):
            with pytest.raises(LinkError, match="hangs up without an answer; check host, port, user") as error:
                Publisher(f"mqtt://{who}127.0.0.1:{locked.port}/x", print)
            assert "wrong" not in str(error.value)


@pytest.mark.parametrize("url", [
    "host/x", "http://host/x", "mqtts://host/x", "mqtt://host", "mqtt://host/", "mqtt:///x", "mqtt://host:99999/x",
    "mqtt://host:x/x", "mqtt://host/a+b", "mqtt://host/a%23", "mqtt://host/a?b", "mqtt://[/x", "",
])  # fmt: skip
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(HostToolError, match=r"^--mqtt: .+; write mqtt://\[USER:PASSWORD@\]HOST\[:PORT\]/PREFIX$"):
        Address.of(url)


def test_urls() -> None:
    assert Address.of("mqtt://pi/home/") == Address("pi", 1883, "home")
    full = Address.of("mqtt://me:a%40b@[::1]:99/a/b")
    assert full == Address("::1", 99, "a/b", "me", "a@b")
    assert "a@b" not in repr(full)
