"""From what a board sent of a run to a finding: equal, or how it differs and what that speaks for."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from conversion.kpu.posenet import Heads
from conversion.progress import Report
from host_tools.errors import VerificationError
from host_tools.verification import advice, causes, comparison, layers, replay
from host_tools.verification.comparison import HeadsDifference, PosesDifference
from host_tools.verification.model import DecoderSettings, Model, checksums, joined
from host_tools.verification.session import Run
from host_tools.verification.verdict import HEADS, POSES, POSES_OF_ITS_HEADS, WINDOWS, Finding


@dataclass(frozen=True)
class Picture:
    """A picture as both sides get it: RGB565 `words`, uint16 [H, W], and the heads that the host expects for it."""

    subject: str
    words: np.ndarray
    heads: Heads


class Judge:
    """Compares a board's runs with the host. `board` is the board's name, for its flash address."""

    def __init__(self, model: Model, board: str, report: Report) -> None:
        self._model = model
        self._board = board
        self._report = report

    def on_picture(self, picture: Picture, settings: DecoderSettings, run: Callable[[bool], Run]) -> Finding:
        """`run(heads)` lets the board run the picture; the heads themselves are asked for if their checksums differ."""
        first = run(False)
        if (first.crc32, first.by_head) == checksums(picture.heads):
            return self._finding(picture.subject, (HEADS, POSES), first, None, picture.heads, settings)
        second = run(True)
        return self._on_wrong_heads(picture, settings, first, second)

    def on_live(self, settings: DecoderSettings, run: Run) -> Finding:
        """A frame of the camera: the host knows no picture, but can decode the heads that the board sent."""
        subject = f"live frame {run.frame}"
        if run.replay is not None:
            return self._on_replay(subject, settings, run)
        return self._finding(subject, (POSES_OF_ITS_HEADS,), run, None, run.heads, settings, self._on_digest(run))

    def _on_replay(self, subject: str, settings: DecoderSettings, run: Run) -> Finding:
        """A frame with zoom or smoothing: windows and people follow from the state before it and the heads."""
        compared = (WINDOWS, POSES_OF_ITS_HEADS) if run.replay.windows else (POSES_OF_ITS_HEADS,)
        explanation = list(self._on_digest(run))
        poses = None
        try:
            people, windows = replay.people(self._model, run.replay, settings)
        except VerificationError as error:
            explanation.append(str(error))
        else:
            poses = comparison.compare_poses(people, run.poses)
            if tuple(windows) != run.replay.windows:
                explanation.append(advice.OTHER_WINDOWS.format(found=run.replay.windows, expected=tuple(windows)))
            if poses is not None:
                explanation.append(advice.OTHER_PEOPLE)
        return Finding(
            subject,
            compared,
            run.frame,
            run.crc32,
            len(run.poses),
            poses=poses,
            explanation=tuple(explanation),
            windows=run.replay.windows,
        )

    def _on_wrong_heads(self, picture: Picture, settings: DecoderSettings, first: Run, second: Run) -> Finding:
        explanation = list(self._on_digest(second))
        if (first.crc32, first.by_head) != (second.crc32, second.by_head):
            explanation.append(advice.UNSTABLE)
        difference = comparison.compare_heads(picture.heads, second.heads)
        places: tuple[layers.LayerPlace, ...] = ()
        if difference is not None and not explanation:
            cause = causes.find(self._model, picture.words, picture.heads, second.heads, self._report)
            explanation += advice.on_heads(self._model, difference, cause, self._board)
            if cause is None or not cause.certain:
                places = tuple(layers.table(self._model, difference.names))
        return self._finding(
            picture.subject,
            (HEADS, POSES_OF_ITS_HEADS),
            second,
            difference,
            second.heads,
            settings,
            explanation,
            places,
        )

    def _on_digest(self, run: Run) -> Iterator[str]:
        """Whether the checksums that the board sent are those of the heads that it sent."""
        if run.crc32 != zlib.crc32(joined(run.heads)) or run.by_head != checksums(run.heads)[1]:
            yield advice.OTHER_DIGEST

    def _finding(
        self,
        subject: str,
        compared: tuple[str, ...],
        run: Run,
        difference: HeadsDifference | None,
        heads: Heads,
        settings: DecoderSettings,
        explanation: Iterator[str] | list[str] = (),
        places: tuple[layers.LayerPlace, ...] = (),
    ) -> Finding:
        """The finding of a run, whose poses must be those of the board's `heads`."""
        poses = comparison.compare_poses(self._model.poses(heads, settings), run.poses)
        lines = [
            *explanation,
            *self._on_poses(poses, heads, settings, run),
            *self._on_self_test(run, difference, poses),
        ]
        return Finding(subject, compared, run.frame, run.crc32, len(run.poses), difference, poses, tuple(lines), places)

    def _on_poses(
        self, poses: PosesDifference | None, heads: Heads, settings: DecoderSettings, run: Run
    ) -> Iterator[str]:
        if poses is not None:
            yield from advice.on_poses(self._model, heads, settings, run.poses, poses)

    def _on_self_test(self, run: Run, heads: HeadsDifference | None, poses: PosesDifference | None) -> Iterator[str]:
        """The board's own judgement: it must be that of the host, and after the same test vector."""
        test = run.self_test
        if test is None:
            return
        if heads is None and poses is None and test.result:
            yield advice.OTHER_VECTOR.format(text=test.text)
        elif (heads is not None or poses is not None) and not test.result:
            yield advice.BLIND_TEST
