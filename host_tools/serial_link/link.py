"""A conversation with a board: events as they come, questions with their answers, a raised speed kept alive."""

from __future__ import annotations

import contextlib
import random
import time
from typing import TypeVar

from host_tools import time_limits
from host_tools.closing import Closing
from host_tools.errors import LinkError
from host_tools.serial_link import diagnosis, ports, sentences
from host_tools.serial_link.decoder import Decoder
from host_tools.serial_link.diagnosis import Heard
from host_tools.serial_link.events import Event, Found, Hello, Lost, OtherProtocol, Reply, Restarted, SelfTest
from host_tools.serial_link.kept_events import KeptEvents
from host_tools.serial_link.opening import BAUD, MissingPortError
from host_tools.serial_link.reconnecting_port import ReconnectingPort
from host_tools.serial_link.refusal import Refused
from host_tools.serial_link.statistics import Statistics
from host_tools.time_limits import Tries

T = TypeVar("T")
# firmware/README.md: the board is back at BAUD after 3 s without a sentence of the host; it hears a PING each second.
PING_SECONDS = 1.0
# A board gives fewer frames to a line from which nothing has come for 30 s.
LISTENING_SECONDS = 10.0
# The board changes its rate 18 ms after its answer; what comes before that is lost.
CHANGE_SECONDS = 0.025
# What is due is looked for this often, even if nothing comes; a greeting is repeated.
_TEND_SECONDS, _GREETING_SECONDS = 0.25, 1.0
_HIGHEST_ID = 65535
# A board that waits silently in the raw REPL shows itself by this: leave it, and print the banner.
_CTRL_B = b"\x02"


class Link(Closing):
    """One board's port, for one thread. A context manager.

    `hello` is the board's last Hello, `port` the port's name now, `statistics` count what came. `failed_rates` are
    those that a raised line did not run at.
    """

    def __init__(self, port: str, *, baud: int = BAUD, patient: bool = False) -> None:
        """Opens the port: a name or a pyserial URL, see `ports.choose`.

        LinkError where that cannot be. With `patient`, a port that is missing or vanishes is tried again and again,
        and found by its USB serial number or place if its name has changed: polls then give Lost and Found.
        """
        self._serial = ReconnectingPort(port, baud, patient)
        self._decoder = Decoder()
        self._kept = KeptEvents()
        self._replies: dict[int, Reply] = {}
        self._awaited: set[int] = set()
        self._next_id = random.randrange(1, _HIGHEST_ID)
        self._resend_id: int | None = None
        self._raised: int | None = None
        self._usual_baud = baud
        self.failed_rates: set[int] = set()
        self._last_ping = self._last_sent = self._last_sentence = self._asked_again = 0.0
        # A board that draws the test card does not listen.
        self._busy_until = 0.0
        self._was_open = self._serial.is_open
        self._heard = Heard(port, baud)
        self._begin_listening()

    @property
    def port(self) -> str:
        """The port's name; it may change when a patient link finds its board again."""
        return self._serial.name

    @property
    def baud(self) -> int:
        """The speed of the line now."""
        return self._serial.baud

    @property
    def has_speed(self) -> bool:
        """Whether the speed of the board's line can be set from here."""
        return self._serial.has_speed

    @property
    def connected(self) -> bool:
        """Whether the port is open; always true for a link that is not patient."""
        return self._serial.is_open

    @property
    def hello(self) -> Hello | None:
        """The last Hello that came."""
        return self._decoder.hello

    @property
    def statistics(self) -> Statistics:
        """Counts since the link was made."""
        return self._decoder.statistics

    def poll(self, seconds: float) -> list[Event]:
        """What came, in the order of the line: as soon as something came, [] after `seconds`.
        LinkError when the port vanishes and the link is not patient."""
        deadline = time.monotonic() + seconds
        while not self._kept:
            left = deadline - time.monotonic()
            self._pump(max(0.0, left))
            if left <= 0:
                break
        return self._kept.take_all()

    def ask(self, kind: str, *fields: int | str | None, tries: Tries = time_limits.ANSWER) -> int:
        """Send a sentence, wait for its reply, return the reply's value; None is a field left as it is.

        Sends again where no answer comes, as `tries` says, and at last at the usual speed; events are for later polls.
        Refused where the board says no; LinkError, with what was heard, where it says nothing, or the port goes.
        """
        request = self._new_id()
        sentence = sentences.made(kind, request, *fields)
        self._begin_listening()
        self._awaited.add(request)
        try:
            reply = self._answered(request, sentence, tries)
            if reply is None and self._raised:
                # A line that damages bytes may have cost the board its raised speed before it is missed here.
                self._give_speed_up()
                reply = self._answered(request, sentence, time_limits.USUAL_SPEED_PING)
            if reply is not None:
                return self._accepted(kind, reply)
        finally:
            self._awaited.discard(request)
            self._replies.pop(request, None)
        raise LinkError(f"no answer to {kind}: {self.diagnosis()}")

    def wait_for(self, kind: type[T] | tuple[type, ...], seconds: float) -> T:
        """The next event of this kind (or these kinds), also of those not polled yet; the others stay for poll.

        LinkError after `seconds`.
        """
        self._begin_listening()
        if (event := self._next(kind, 0, seconds)) is not None:
            return event
        names = " or ".join(each.__name__ for each in (kind if isinstance(kind, tuple) else (kind,)))
        why = f"{self.port}: other sentences came" if self._came("sentences") else self.diagnosis()
        raise LinkError(f"no {names} within {seconds:g} s: {why}")

    def greet(self, seconds: float | None = None) -> Hello:
        """Ask who is there until a Hello comes; LinkError says what is there instead.

        A program that has just started says width 0; another Hello follows when its model is loaded.
        """
        deadline = time.monotonic() + time_limits.GREETING.unless(seconds)
        begin = self._kept.end
        self._begin_listening()
        while (left := deadline - time.monotonic()) > 0:
            self._send(sentences.made("HELLO", self._new_id()))
            # Nothing at all so far, and little time left.
            if left <= _GREETING_SECONDS and not self._heard.bytes:
                self._serial.write(_CTRL_B)
            hello = self._next((Hello, OtherProtocol), begin, min(left, _GREETING_SECONDS))
            if isinstance(hello, Hello):
                return hello
            asked_prompt = self._decoder.echoes > self._echoes_before and diagnosis.ends_at_prompt(self._heard.tail)
            if hello is not None or asked_prompt:
                break
        raise LinkError(self.diagnosis())

    def raise_baud(self, rate: int) -> bool:
        """Let board and port run at another rate, which polls keep up from now on; False if nothing comes through: both
        are back at the usual one then. Refused for a rate that the board does not do; LinkError if it does not answer
        at all any more.
        """
        # An answer that gets lost: the next lines find out.
        self._answers(time_limits.SPEED_ANSWER, "BAUD", rate)
        self._raised = None
        time.sleep(CHANGE_SECONDS)
        try:
            self._serial.set_baud(rate)
            self._decoder.cut()
            if self._answers(time_limits.SPEED_PING):
                self._raised, self._last_ping = rate, time.monotonic()
                return True
        finally:
            if not self._raised:
                self._serial.set_baud(self._usual_baud)
        if self._answers(time_limits.USUAL_SPEED_PING):
            self.statistics.fallbacks += 1
            return False
        raise LinkError(f"no answer after the change to {rate} baud: {self.diagnosis()}")

    def diagnosis(self) -> str:
        """One line on what was heard since the last question, and what to do; for a board that does not answer."""
        heard = self._heard
        heard.port, heard.baud, heard.lost = self.port, self._serial.baud, self._serial.reason
        heard.sentences, heard.damaged = self._came("sentences"), self._came("damaged")
        heard.echoes, heard.siblings = self._decoder.echoes - self._echoes_before, ports.siblings(self.port)
        return diagnosis.explain(heard)

    def close(self) -> None:
        """Lower a raised speed and let the port go."""
        raised, self._raised = self._raised, None
        try:
            # Where that is not heard the board falls back by itself.
            with contextlib.suppress(LinkError):
                if raised and self._serial.is_open:
                    self.ask("BAUD", self._usual_baud, tries=time_limits.LOWER_SPEED)
        finally:
            self._serial.close()

    # Asking

    def _new_id(self) -> int:
        self._next_id = self._next_id % _HIGHEST_ID + 1
        return self._next_id

    def _send(self, sentence: bytes) -> None:
        self._decoder.own = sentences.read(sentence.rstrip())
        self._last_sent = time.monotonic()
        self._serial.write(sentence)

    def _answered(self, request: int, sentence: bytes, tries: Tries) -> Reply | None:
        for _ in range(tries.times):
            self._send(sentence)
            if reply := self._reply(request, tries.seconds):
                return reply
        return None

    def _reply(self, request: int, seconds: float) -> Reply | None:
        deadline = time.monotonic() + seconds
        while request not in self._replies:
            left = max(deadline, self._busy_until) - time.monotonic()
            if left <= 0:
                return None
            if not self._serial.is_open:
                # Nor will a port that comes back answer what was asked before.
                raise MissingPortError(self._serial.reason)
            self._pump(left)
        return self._replies[request]

    def _accepted(self, kind: str, reply: Reply) -> int:
        if reply.status:
            raise Refused(self.port, kind, reply)
        if kind == "SELFTEST":
            self._busy_until = time.monotonic() + time_limits.SELFTEST.seconds
        return reply.value

    def _answers(self, tries: Tries, kind: str = "PING", *fields: int) -> bool:
        try:
            self.ask(kind, *fields, tries=tries)
        except Refused:
            raise
        except LinkError:
            return False
        return True

    def _next(self, kind: type[T] | tuple[type, ...], begin: int, seconds: float) -> T | None:
        """The first kept event of a kind from position `begin` on, taken out; waits for one."""
        deadline = time.monotonic() + seconds
        while True:
            if (event := self._kept.take_first(kind, begin)) is not None:
                return event
            begin = self._kept.end
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self._pump(left)

    # Listening

    def _begin_listening(self) -> None:
        """From here on counts what a diagnosis would tell."""
        self._heard.bytes, self._heard.other_protocol = 0, None
        self._before = vars(self.statistics).copy()
        self._echoes_before = self._decoder.echoes

    def _came(self, what: str) -> int:
        return vars(self.statistics)[what] - self._before[what]

    def _pump(self, seconds: float) -> None:
        """Read once, at most so long; keep what came, and do what is due."""
        data = self._serial.read(min(seconds, _TEND_SECONDS))
        now = time.monotonic()
        for change in self._serial.changes:
            self._changed(change)
        self._serial.changes.clear()
        if data:
            self._heard.add(data)
            before = self._decoder.boards_sentences
            for event in self._decoder.feed(data, now):
                self._take(event)
            if self._decoder.boards_sentences > before:
                self._last_sentence = now
                self._heard.forget_before_sentence()
        self._tend(now)

    def _take(self, event: Event | Reply) -> None:
        if isinstance(event, Reply):
            if event.id in self._awaited:
                self._replies[event.id] = event
            elif event.id == self._resend_id and event.status:
                self._kept.add(self._decoder.forget_block(f"the board says: {event.text}"))
            return
        if isinstance(event, OtherProtocol):
            self._heard.other_protocol = event
        elif isinstance(event, SelfTest):
            # What was asked meanwhile is answered only now. A result that nobody waits for makes no wait longer.
            self._busy_until = min(self._busy_until, time.monotonic() + time_limits.AFTER_SELFTEST.seconds)
        elif isinstance(event, Restarted):
            self._busy_until = 0.0
        self._kept.add([event])

    def _changed(self, change: Lost | Found) -> None:
        """The port has gone or come; a new board may be there, which speaks at the usual speed."""
        self._kept.add([*self._decoder.interrupted(), change])
        self._raised, self._busy_until = None, 0.0
        if isinstance(change, Found):
            self.statistics.reconnects += self._was_open
            self._was_open = True
            self._greet_again()

    def _greet_again(self) -> None:
        """Ask who is there, without waiting: it may be another one, or the same one in another life."""
        self._asked_again = time.monotonic()
        self._send(sentences.made("HELLO", self._new_id()))

    def _give_speed_up(self) -> None:
        """Back to the usual speed, where the board goes by itself when it hears nothing."""
        self.failed_rates.add(self._raised)
        self._raised = None
        self.statistics.fallbacks += 1
        self._serial.set_baud(self._usual_baud)

    def _tend(self, now: float) -> None:
        """Keep a raised speed alive or give it up; ask for lost chunks."""
        if self._raised and now - self._last_sentence > time_limits.RAISED_SILENCE.seconds and now > self._busy_until:
            self._give_speed_up()
            self._greet_again()
        elif self._raised and now - self._last_ping > PING_SECONDS:
            self._last_ping = now
            self._send(sentences.made("PING", self._new_id()))
        elif self.hello is not None and now - self._last_sent > LISTENING_SECONDS:
            self._send(sentences.made("PING", self._new_id()))
        if self._decoder.unsure and now - self._asked_again > PING_SECONDS:
            self._greet_again()
        if now < self._busy_until:
            return
        lost, request = self._decoder.due(now)
        self._kept.add(lost)
        if request:
            self._resend_id = self._new_id()
            self._send(sentences.made("RESEND", self._resend_id, request.bulk, request.first, request.count))
