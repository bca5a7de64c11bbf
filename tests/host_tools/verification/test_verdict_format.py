"""What people read: names of channels, counts, progress."""

from __future__ import annotations

import pytest

from host_tools.verification import verdict_format
from host_tools.verification.comparison import FirstByte, FirstInteger


@pytest.mark.parametrize(
    ("head", "channel", "said"),
    [
        ("heatmap", 9, "heatmap, channel 9 (leftWrist), cell y 2, x 3: board 7, host 8 (byte 55 of all heads)"),
        ("offset", 9, "offset, channel 9 (leftWrist, y)"),
        ("offset", 26, "offset, channel 26 (leftWrist, x)"),
        ("displacement_fwd", 15, "displacement_fwd, channel 15 (y)"),
        ("displacement_bwd", 16, "displacement_bwd, channel 16 (x)"),
    ],
)
def test_the_first_byte_is_named_with_what_its_channel_is_for(head: str, channel: int, said: str) -> None:
    assert said in verdict_format.first_byte(FirstByte(head, channel, 2, 3, 55, expected=8, found=7))


def test_a_pose_that_is_missing_is_said_so() -> None:
    assert verdict_format.first_integer(FirstInteger("pose 2, score", 99, None)).endswith(
        "pose 2, score: board none, host 99"
    )
