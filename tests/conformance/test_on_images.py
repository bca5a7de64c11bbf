"""What is recorded is what images answer today: a sample in `make test`, in `make soak` all, of the images asked."""

from __future__ import annotations

import pytest

from tests.conformance import recorded
from tests.conformance.boards import ask_image
from tests.conformance.probes import groups
from tests.host_tools.k210.images import IMAGES

SAMPLE = ("uart", "names")
CASES = [
    pytest.param(name, group, marks=() if name == recorded.FIRST and group in SAMPLE else pytest.mark.soak)
    for name in recorded.asked()
    for group in groups()
]


@pytest.mark.parametrize(("name", "group"), CASES)
def test_an_image_answers_what_is_recorded(name: str, group: str) -> None:
    assert ask_image(name, group) == recorded.answers(group, name)


def test_the_recorded_images_are_those_of_the_tests() -> None:
    assert recorded.images() == IMAGES
