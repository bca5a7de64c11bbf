"""What differences speak for, in words, and what to do about them."""

from __future__ import annotations

from collections.abc import Iterator

from conversion import network
from conversion.kpu.posenet import Heads
from host_tools import boards
from host_tools.errors import BoardError
from host_tools.serial_link import Pose
from host_tools.verification import layers
from host_tools.verification.causes import Cause
from host_tools.verification.comparison import HeadDifference, HeadsDifference, PosesDifference, compare_poses
from host_tools.verification.model import AT_START, DEFAULTS, DecoderSettings, Model

# Of another model's heads about one byte in a hundred is equal by chance.
_OTHER_MODEL = 0.8
_FEW_CHANNELS = 3

UNSTABLE = (
    "two runs on the same pixels gave different heads: the board does not repeat its own numbers; look at its power "
    "supply and cable, and undo a raised clock (/flash/freq.conf)"
)
OTHER_DIGEST = "the checksums that the board sent are not those of its heads: its program is not sound, run `deploy`"

OTHER_VECTOR = (
    "heads and poses are those of the host, but the board's own self-test says {text!r}: the test vector in its device "
    "card pose_model.json is another model's, run `deploy`"
)
BLIND_TEST = "the board's own self-test has passed all the same: its device card is not this model's, run `deploy`"

OTHER_WINDOWS = "the board looked at the windows {found}, the host at {expected}: pose_zoom.py is another: run `deploy`"
OTHER_PEOPLE = (
    "of the very same heads and windows the board makes other people than the host: pose_zoom.py, pose_decoder.py or "
    "the device card on the board is not of this version: run `deploy`"
)


def on_heads(model: Model, difference: HeadsDifference, cause: Cause | None, board: str) -> Iterator[str]:
    """What wrong heads speak for, most telling first."""
    if cause is not None and cause.certain:
        yield f"explained exactly by this: {cause.text}"
        return
    if cause is not None:
        yield f"nearly explained, but for {cause.left} bytes, by this: {cause.text}"
    if set(difference.names) < set(network.HEAD_NAMES):
        yield from _single_heads(model, difference, board)
    elif difference.largest == 1:
        yield (
            "no byte is off by more than 1: the KPU rounds otherwise than the simulator; please report this with the "
            "output of --json"
        )
    elif difference.differing >= _OTHER_MODEL * difference.size:
        yield "nearly all bytes differ: another kmodel, or a damaged one, is in the board's memory: run `flash`, reset"
    else:
        yield (
            "all heads differ: the fault is before the heads, in the picture or in one of the layers; run `flash`, "
            "reset, verify again, and if it stays report it with the output of --json"
        )


def _single_heads(model: Model, difference: HeadsDifference, board: str) -> Iterator[str]:
    right = [name for name in network.HEAD_NAMES if name not in difference.names]
    yield (
        f"{', '.join(right)} {'is' if len(right) == 1 else 'are'} exact: all layers before the heads are right, only "
        f"the layer of {' and '.join(difference.names)} is off: its parameters in memory are damaged (run `flash`, "
        "reset), or something overwrites its result"
    )
    for head in difference.heads:
        if len(head.channels) <= _FEW_CHANNELS:
            yield from (_channel(model, head, channel, board) for channel in head.channels)


def _channel(model: Model, head: HeadDifference, channel: int, board: str) -> str:
    weights, batch_norm = layers.parameters_of(model, head.name, channel)
    places = f"weights {_range(weights, board)}, batch norm {_range(batch_norm, board)}"
    if head.offset is not None and len(head.channels) == 1:
        return f"{head.name} channel {channel} is off by {head.offset} everywhere it differs: {places}"
    return f"{head.name} channel {channel}: {places}"


def _range(place: tuple[int, int], board: str) -> str:
    """A range of the kmodel file, and of the board's flash where that is known."""
    text = f"at 0x{place[0]:x} to 0x{place[1] - 1:x} of the kmodel"
    try:
        start = boards.find(board).flash.model_address
    except BoardError:
        return text
    return f"{text} (0x{start + place[0]:x} of flash)"


def on_poses(
    model: Model, heads: Heads, settings: DecoderSettings, found: tuple[Pose, ...], difference: PosesDifference
) -> Iterator[str]:
    """What poses speak for that are not those of these heads."""
    yield (
        "of the very same heads the board's decoder makes other poses than the host's: pose_decoder.py or the device "
        "card pose_model.json on the board is not of this version: run `deploy`"
    )
    if any(compare_poses(model.poses(heads, defaults), found) is None for defaults in (DEFAULTS, AT_START)):
        yield "the board has decoded with the decoder's defaults, not with the settings that it tells"
    if not difference.positions and difference.expected_count == difference.found_count:
        yield "positions are right, only scores differ: look at `sigmoid` in the card"
    elif difference.positions and not difference.keypoint_scores:
        yield "scores are right, only positions differ: look at zero_point, multiplier and shift in the card"
