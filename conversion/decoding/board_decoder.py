"""The board's decoder on the host: the device card it reads, and the poses it finds in simulated heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from conversion import network, portrait
from conversion.decoding import board_settings
from conversion.decoding.fixed_point import SCORE_ONE, STEPS_PER_PIXEL
from conversion.decoding.pose import Pose
from conversion.errors import ModelFormatError
from firmware import pose_decoder

DEVICE_FORMAT = "posenet-maix device card 1"
# What the board's program asks of the decoder, as far as it is not the decoder's own default, and what evaluation asks.
ON_BOARD = {"pose_score": board_settings.POSE_SCORE / SCORE_ONE, "vote": board_settings.VOTE}
EVALUATION = {"max_poses": 20, "root_score": 0.3}

_DECODER_FIELDS = ("zero_point", "multiplier", "shift")


@dataclass(frozen=True)
class BoardPose(Pose):
    """A pose of the firmware's decoder. `wire` is what a board sends, {score, keypoints [[x16, y16, s255] x 17]}:
    coordinates in 1/16 input pixel, scores in 1/255; `score` and `keypoints` are the same, unrounded."""

    wire: dict


def device_card(model_card: Mapping) -> dict:
    """The part of a model card that goes to the board as `pose_model.json`: integers and names, not one float.

    `test_vector` is left out where the model card has none yet. ModelFormatError names a missing entry.
    """
    try:
        card = {
            "format": DEVICE_FORMAT,
            "kmodel": dict(model_card["kmodel"]),
            "memory": dict(model_card["memory"]),
            **_decoder_entries(model_card),
            "input": dict(model_card["input"]),
        }
    except KeyError as error:
        raise ModelFormatError(f"model card: {error.args[0]} is missing; make it anew with `make kmodel`") from None
    if "test_vector" in model_card:
        card["test_vector"] = model_card["test_vector"]
    return card


def decoder_for(
    card: Mapping,
    *,
    max_poses: int | None = None,
    root_score: float | None = None,
    nms_radius: int | None = None,
    pose_score: float | None = None,
    vote: int | None = None,
) -> pose_decoder.PoseDecoder:
    """The firmware's decoder for a model card or device card; scores 0..1, `nms_radius` and `vote` in input pixels.

    What is None stays as the decoder has it (5 poses, 0.5, 20 px, 0, 0). ModelFormatError for a card it refuses.
    """
    try:
        decoder = pose_decoder.PoseDecoder(_decoder_entries(card))
        decoder.configure(max_poses, _q15(root_score), nms_radius, _q15(pose_score), vote)
    except KeyError as error:
        raise ModelFormatError(f"model card: {error.args[0]} is missing; make it anew with `make kmodel`") from None
    except ValueError as error:
        raise ModelFormatError(str(error)) from None
    return decoder


def decode(heads: Mapping[str, np.ndarray], card: Mapping, **parameters: float | None) -> list[BoardPose]:
    """The poses that the board finds in `heads`, uint8 [C, H, W] by name, best root first.

    `parameters` are those of `decoder_for`. Heads that do not fit the card raise ModelFormatError.
    """
    return poses_of(decoder_for(card, **parameters), heads)


def decode_single(heads: Mapping[str, np.ndarray], card: Mapping, vote: int | None = None) -> BoardPose:
    """The one pose that the board finds in `heads` in its mode for a single person; `vote` as of `decoder_for`."""
    return poses_of(decoder_for(card, vote=vote), heads, single=True)[0]


def upright(poses: Sequence[BoardPose], card: Mapping) -> list[BoardPose]:
    """Poses as a board finds them in pixels of the upright picture, which lies on its side in memory if the card says
    so: of `decode`, whose coordinates are memory's."""
    if not card["input"].get("turned"):
        return list(poses)
    return [BoardPose(pose.score, portrait.keypoints(pose.keypoints), portrait.wire(pose.wire)) for pose in poses]


def poses_of(
    decoder: pose_decoder.PoseDecoder, heads: Mapping[str, np.ndarray], single: bool = False
) -> list[BoardPose]:
    """As `decode`, with a decoder that was made once for many pictures."""
    grid = (decoder.rows, decoder.columns)
    buffers = [_buffer(heads[spec.name], spec, grid) for spec in network.HEADS]
    found = decoder.decode_single(buffers) if single else decoder.decode(buffers)
    return [_board_pose(pose, decoder.sigmoid) for pose in decoder.poses[:found]]


def _decoder_entries(card: Mapping) -> dict:
    return {
        "input": {side: card["input"][side] for side in ("width", "height")},
        "heads": [{field: head[field] for field in _DECODER_FIELDS} for head in card["heads"]],
        "sigmoid": list(card["sigmoid"]),
    }


def _q15(score: float | None) -> int | None:
    return None if score is None else round(score * SCORE_ONE)


def _buffer(head: np.ndarray, spec: network.HeadSpec, grid: tuple[int, int]) -> bytes:
    if head.dtype != np.uint8 or head.shape != (spec.channels, *grid):
        raise ModelFormatError(
            f"head {spec.name}: {head.dtype} {list(head.shape)}, the card says uint8 {[spec.channels, *grid]}"
        )
    return head.tobytes()


def _board_pose(pose: pose_decoder.Pose, sigmoid: np.ndarray) -> BoardPose:
    scores = np.array([sigmoid[byte] for byte in pose.heat]) / SCORE_ONE
    positions = [np.array(axis, float) / STEPS_PER_PIXEL for axis in (pose.x64, pose.y64)]
    return BoardPose(
        score=pose.score_sum / (pose_decoder.PARTS * SCORE_ONE),
        keypoints=np.stack([*positions, scores], axis=1),
        wire={
            "score": pose.score,
            "keypoints": [list(keypoint) for keypoint in zip(pose.x16, pose.y16, pose.scores, strict=True)],
        },
    )
