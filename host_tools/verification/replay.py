"""A frame with zoom or smoothing once more: from what the board's rule began with and the heads of each run to windows
and people, by the firmware's own code.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np

from conversion import network
from conversion.decoding import board_decoder, board_zoom
from conversion.decoding.board_zoom import pose_zoom
from conversion.kpu.posenet import Heads
from host_tools.errors import VerificationError
from host_tools.verification.model import SINGLE, DecoderSettings, Model

_WORD = np.dtype("<i4")

Window = tuple[int, int, int]


@dataclass(frozen=True)
class Replay:
    """What a board sent of a frame: the rule's state before it, the heads of each run, and the windows that it told."""

    state: tuple[int, ...]
    runs: tuple[Heads, ...]
    windows: tuple[Window, ...]


def read(model: Model, data: bytes, windows: tuple[Window, ...]) -> Replay | None:
    """The content of a RUNS block: the number of integers of the state, these, then the heads of each run; None where
    its bytes are not as many as the card says."""
    words = np.frombuffer(data[: len(data) // 4 * 4], _WORD)
    count = int(words[0]) if len(words) else 0
    if not 0 < count <= min(pose_zoom.MOST_STATE, len(words) - 1):
        return None
    rest = data[4 * (1 + count) :]
    size = model.head_bytes
    runs = [model.split(rest[at : at + size]) for at in range(0, len(rest), size)]
    if not runs or any(heads is None for heads in runs):
        return None
    return Replay(tuple(int(word) for word in words[1 : 1 + count]), tuple(runs), windows)


def people(model: Model, replay: Replay, settings: DecoderSettings) -> tuple[list[dict], list[Window]]:
    """The people as the board sends them, {score, keypoints}, and the windows that the network saw, none where the
    camera's frame has none. VerificationError where the runs are not those that the rule asks for."""
    decoder = board_decoder.decoder_for(model.card)
    decoder.configure(
        settings.max_poses, settings.root_score, settings.nms_radius, settings.pose_score, settings.vote or 0
    )
    decode = decoder.decode_single if settings.mode == SINGLE else decoder.decode
    width, height = model.size
    rule = pose_zoom.Zoom(width, height) if replay.windows else pose_zoom.Zoom(width, height, width, height)
    try:
        rule.load(array("i", replay.state))
    except ValueError as error:
        raise VerificationError(f"the board's state before the frame: {error}; run `deploy`") from error
    rule.begin()
    for heads in replay.runs:
        if not rule.more():
            raise VerificationError(f"the board ran the network {len(replay.runs)} times, the rule wants fewer runs")
        rule.take(decoder.poses, decode([heads[name].tobytes() for name in network.HEAD_NAMES]))
    if rule.more():
        raise VerificationError(f"the board ran the network {len(replay.runs)} times, the rule wants more runs")
    count = rule.finish()
    windows = board_zoom.windows_of(rule) if replay.windows else []
    return [board_zoom.wire(person) for person in rule.poses[:count]], windows
