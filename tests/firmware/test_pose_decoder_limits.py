"""The integer decoder's parameters, its buffers and state, and the cards and heads that it refuses."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable

import numpy as np
import pytest

from conversion.decoding import board_decoder
from firmware import pose_decoder
from firmware.pose_decoder import PoseDecoder
from tests.firmware import synthetic
from tests.firmware.decoding import CARD, blank, positions, run


def test_max_poses_stops_the_search() -> None:
    heads = synthetic.quantised(synthetic.drawn(synthetic.crowd(320, 240, 3), CARD), CARD)
    everyone = [positions(pose).tolist() for pose in run(heads)]
    for count in (1, 2, 3, 32):
        assert [positions(pose).tolist() for pose in run(heads, max_poses=count)] == everyone[:count]


def test_low_poses_are_left_out_but_keep_what_they_claim() -> None:
    people = synthetic.crowd(320, 240, 3)
    people[1][1:] = np.nan
    heads = synthetic.quantised(synthetic.drawn(people, CARD), CARD)
    everyone = [(pose.score, positions(pose).tolist()) for pose in run(heads)]
    least = sorted(score for score, _ in everyone)[1] * 128
    kept = [(pose.score, positions(pose).tolist()) for pose in run(heads, pose_score=least)]
    assert kept == [entry for entry in everyone if entry[0] * 128 >= least]
    assert 0 < len(kept) < len(everyone)


def test_the_pose_score_is_inclusive() -> None:
    heads = blank()
    heads["heatmap"][:] = 200
    score = CARD["sigmoid"][200]
    assert len(run(heads, pose_score=score)) == 1
    assert run(heads, pose_score=score + 1) == []


def seen_best_at(part: int) -> synthetic.Heads:
    """A person whose parts are all where they always are, found from this one."""
    person = synthetic.person(160, 10, 215)
    heads = synthetic.quantised(synthetic.drawn([person], CARD), CARD)
    heads["heatmap"] = np.minimum(heads["heatmap"], 140)
    row, column = np.round(person[part, ::-1] / 16).astype(int)
    heads["heatmap"][part, row, column] = 250
    return heads


def test_a_decoder_forgets_the_frame_before() -> None:
    """Noise, nothing, and somebody whose pose starts where that of the frame before has been."""
    decoder = PoseDecoder(CARD)
    frames = [synthetic.noise(seed, CARD, levels=20) for seed in range(6)] + [blank()]
    frames += [seen_best_at(part) for part in range(17)]
    for heads in frames + frames[::-1]:
        fresh = PoseDecoder(CARD)
        count = fresh.decode(synthetic.buffers(heads))
        assert decoder.decode(synthetic.buffers(heads)) == count
        for old, new in zip(decoder.poses[:count], fresh.poses[:count], strict=True):
            assert (old.x64, old.y64, old.heat, old.score_sum) == (new.x64, new.y64, new.heat, new.score_sum)


def test_an_interrupted_frame_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the middle of a frame, then the next frame."""
    heads = synthetic.buffers(synthetic.quantised(synthetic.drawn(synthetic.crowd(320, 240, 3), CARD), CARD))
    decoder = PoseDecoder(CARD)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(decoder, "_grow", interrupt)
        with pytest.raises(KeyboardInterrupt):
            decoder.decode(heads)
    assert decoder.decode(heads) == 3
    assert decoder.decode(synthetic.buffers(blank())) == 0


def test_heads_come_as_any_buffer_and_may_be_longer() -> None:
    heads = synthetic.buffers(synthetic.quantised(synthetic.drawn(synthetic.crowd(320, 240, 3), CARD), CARD))
    decoder = PoseDecoder(CARD)
    for kind in (bytes, bytearray, memoryview, lambda head: head + b"\xff" * 7):
        assert decoder.decode([kind(head) for head in heads]) == 3


@pytest.mark.parametrize("short", range(4))
def test_short_heads_are_refused(short: int) -> None:
    heads = synthetic.buffers(blank())
    heads[short] = heads[short][:-1]
    with pytest.raises(ValueError, match=f"{pose_decoder.HEAD_NAMES[short]}: .* bytes, the card says"):
        PoseDecoder(CARD).decode(heads)


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_poses": 0},
        {"max_poses": 33},
        {"root_score": 0},
        {"root_score": 32769},
        {"nms_radius": -1},
        {"nms_radius": 1024},
        {"pose_score": -1},
        {"pose_score": 32769},
        {"vote": -1},
        {"vote": 17},
    ],
)
def test_wrong_parameters_change_nothing(wrong: dict[str, int]) -> None:
    decoder = PoseDecoder(CARD)
    before = (decoder.max_poses, decoder.root_score, decoder.nms_radius, decoder.pose_score, decoder.vote)
    name = next(iter(wrong))
    with pytest.raises(ValueError, match=f"{name} is .*, must be from"):
        decoder.configure(**{"max_poses": 7, "root_score": 5, "nms_radius": 9, "pose_score": 3, "vote": 2, **wrong})
    assert (decoder.max_poses, decoder.root_score, decoder.nms_radius, decoder.pose_score, decoder.vote) == before


def test_the_defaults_are_those_of_the_design() -> None:
    decoder = PoseDecoder(CARD)
    assert (decoder.max_poses, decoder.root_score, decoder.nms_radius) == (5, 16384, 20)
    assert pose_decoder.REFINEMENTS == 2
    assert (decoder.pose_score, decoder.vote) == (0, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda card: card["input"].update(width=330), "width 330 must be a multiple of 16, up to 1024"),
        (lambda card: card["input"].update(height=0), "height 0 must be"),
        (lambda card: card["input"].update(height=1040), "height 1040 must be"),
        (lambda card: card["heads"].pop(), "3 heads, must be 4"),
        (lambda card: card["heads"][1].update(zero_point=256), "offset has no usable zero_point"),
        (lambda card: card["heads"][2].update(multiplier=0), "displacement_fwd has no usable"),
        (lambda card: card["heads"][3].update(shift=0), "displacement_bwd has no usable"),
        (lambda card: card["heads"][1].update(shift=2), "offset reaches beyond 1023 pixels"),
        (lambda card: card["sigmoid"].pop(), "256 scores"),
        (lambda card: card["sigmoid"].__setitem__(255, 32769), "256 scores"),
        (lambda card: card["sigmoid"].__setitem__(100, 0), "256 scores that rise"),
    ],
)
def test_damaged_cards_are_refused(change: Callable[[dict], object], message: str) -> None:
    card = copy.deepcopy(CARD)
    change(card)
    with pytest.raises(ValueError, match=message):
        PoseDecoder(card)


def test_the_farthest_positions_fit_their_numbers() -> None:
    """The largest grid and the longest vectors: nothing wraps, on either Python."""
    card = synthetic.card(1024, 1024, dict.fromkeys(synthetic.EXACT, (4.0, 0)))
    heads = {name: np.full_like(values, 255) for name, values in blank(card).items()}
    pose = run(heads, card)[0]
    assert max(pose.x16) == max(pose.y16) == (63 * 16 + 255 * 4) * 16
    card = synthetic.card(1024, 1024, dict.fromkeys(synthetic.EXACT, (4.0, 255)))
    heads = {name: np.zeros_like(values) for name, values in blank(card).items()}
    heads["heatmap"][:] = 255
    pose = run(heads, card, root_score=1)[0]
    assert min(pose.x16) == min(pose.y16) == -255 * 4 * 16


def test_no_float_of_the_card_is_read() -> None:
    """A board's floats are single precision: with every float gone the results are the same."""
    card = json.loads(json.dumps(CARD), parse_float=lambda text: None)
    assert card["heads"][0]["scale"] is None
    heads = synthetic.noise(1, CARD, levels=30)
    with_floats, without = run(heads, CARD), run(heads, card)
    assert [pose.x64 for pose in with_floats] == [pose.x64 for pose in without]
    assert len(without) == 5


def test_the_device_card_is_all_that_is_read() -> None:
    model_card = {
        **CARD,
        "kmodel": {"file": "posenet.kmodel", "version": 3, "bytes": 1, "sha256": "0" * 64},
        "memory": {"kpu_ram_bytes": 1, "main_memory_bytes": 1},
        "quantisation": {"sqnr_db": {"heatmap": 25.5}},
    }
    device = json.loads(json.dumps(board_decoder.device_card(model_card)), parse_float=pytest.fail)
    heads = synthetic.noise(2, CARD, levels=30)
    assert [pose.x64 for pose in run(heads, device)] == [pose.x64 for pose in run(heads, CARD)]
