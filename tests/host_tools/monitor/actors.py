"""Who plays before the monitor: people, frames, and ports that say sentences."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from host_tools.serial_link import sentences
from host_tools.serial_link.sentences import STAGES, Frame, Pose
from host_tools.virtual_board.clock import JumpingClock
from host_tools.virtual_board.faults import Faults
from host_tools.virtual_board.serial_line import SerialLine

SIZE = (320, 240)
# A person who stands with raised arms, in heights of the body, from the nose: x, y of each keypoint.
_STANDING = (
    (0, 0), (0.03, -0.03), (-0.03, -0.03), (0.06, -0.01), (-0.06, -0.01), (0.13, 0.16), (-0.13, 0.16), (0.24, 0.05),
    (-0.24, 0.05), (0.27, -0.12), (-0.27, -0.12), (0.09, 0.47), (-0.09, 0.47), (0.1, 0.68), (-0.1, 0.68),
    (0.1, 0.9), (-0.1, 0.9),
)  # fmt: skip
_HELLO = (1, "0.1.0", "{boot}", "MaixPy", "v0.6.3", "{board}", 0, *SIZE, 320, 240, 1375888, "-", 720, 115200, 0, 0)


def person(x: float, y: float, height: float = 150.0, score: int = 240) -> Pose:
    """Somebody whose nose is at (x, y) in pixels."""
    places = ((round(16 * (x + dx * height)), round(16 * (y + dy * height))) for dx, dy in _STANDING)
    return Pose(score, tuple((x16, y16, score) for x16, y16 in places))


def frame(number: int, poses: Sequence[Pose] = (), t_ms: int | None = None) -> Frame:
    """A frame, ten a second."""
    stages = dict(zip(STAGES, (1100, 30300, 12100, 15200, 3000), strict=True))
    return Frame(number, 100 * number if t_ms is None else t_ms, 0, stages, tuple(poses))


def walking(count: int, people: int = 1) -> Iterator[Frame]:
    """Frames of people who walk to the right."""
    for number in range(1, count + 1):
        yield frame(number, [person(60 + 70 * who + number % 60, 60) for who in range(people)])


def lines(the_frame: Frame) -> bytes:
    """The sentences of a frame."""
    stages = the_frame.stages_us.values()
    said = sentences.made("FRAME", the_frame.number, the_frame.t_ms, the_frame.source, len(the_frame.poses), *stages)
    for index, pose in enumerate(the_frame.poses):
        numbers = (number for keypoint in pose.keypoints for number in keypoint)
        said += sentences.made("POSE", the_frame.number, index, pose.score, *numbers)
    return said


def hello(board: str = "maix_bit", boot: int = 1) -> bytes:
    """A HELLO sentence."""
    fields = (field.format(boot=boot, board=board) if isinstance(field, str) else field for field in _HELLO)
    return sentences.made("HELLO", *fields)


class Puppet:
    """A serial port that plays: says HELLO when it is first asked, then `says`, then no more; answers all requests.

    `says` are bytes, so many pieces a second as `per_second` (0: at once). One that does not `answer` begins to play
    when it is asked all the same; one that does not follow BAUD stays at 115200. One that does is silent from BAUD to
    the host's next word, as the program is. `asked` collects what the host sent.
    """

    deaf = timed = False

    def __init__(
        self,
        says: Iterable[bytes] = (),
        board: str = "maix_bit",
        boot: int = 1,
        per_second: float = 0.0,
        link: Path | None = None,
        answers: bool = True,
        follows_baud: bool = True,
    ) -> None:
        self.baud = 115200
        self.asked: list[sentences.Sentence] = []
        self._says, self._board, self._boot = says, board, boot
        self._pause = 1 / per_second if per_second else 0.0
        self._answers, self._follows_baud = answers, follows_baud
        self._reader = sentences.Reader()
        self._may_play = threading.Event()
        self._playing = threading.Lock()
        self._over = threading.Event()
        self._line = SerialLine(Faults(), self, JumpingClock())
        self.port = self._line.port
        if link is not None:
            self._line.link(link)
        self._thread = threading.Thread(target=self._play, daemon=True)
        self._thread.start()

    def __enter__(self) -> Puppet:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, data: bytes) -> None:
        """Say something besides."""
        self._line.answer(data)

    def close(self) -> None:
        """Pull the cable."""
        self._over.set()
        self._may_play.set()
        self._thread.join()
        self._line.close()

    def notice(self, data: bytes, rate: int) -> None:
        """As SerialLine wants it."""

    def receive(self, data: bytes) -> None:
        """As SerialLine wants it: what the host sends."""
        for sentence in self._reader.feed(data):
            self.asked.append(sentence)
            changes = sentence.kind == "BAUD" and self._follows_baud
            # What a board says after its answer to BAUD would come at a speed that the host drops.
            if changes:
                with self._playing:
                    self._may_play.clear()
            if self._answers:
                if sentence.kind == "HELLO":
                    self.send(hello(self._board, self._boot))
                self.send(sentences.made("REPLY", sentence.fields[0], 0, 7, ""))
            if changes:
                self.baud = int(sentence.fields[1])
            else:
                self._may_play.set()

    def _play(self) -> None:
        self._may_play.wait()
        due = time.monotonic()
        for piece in self._says:
            if self._over.wait(max(0.0, due - time.monotonic())):
                return
            while not self._played(piece):
                self._may_play.wait()
            due += self._pause

    def _played(self, piece: bytes) -> bool:
        with self._playing:
            may_play = self._may_play.is_set()
            if may_play:
                self.send(piece)
        return may_play
