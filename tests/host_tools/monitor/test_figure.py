"""Braille figures: the right dots, the right colour, never outside of the space given."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from host_tools.monitor import figure
from host_tools.serial_link.sentences import Pose
from tests.host_tools.monitor.actors import SIZE, person

keypoints = st.tuples(st.integers(-32768, 32767), st.integers(-32768, 32767), st.integers(0, 255))
poses = st.lists(st.builds(Pose, st.integers(0, 255), st.lists(keypoints, min_size=17, max_size=17)), max_size=4)


def dots(text: str) -> set[tuple[int, int]]:
    """The dots that are set, (x, y), read off the characters as Unicode numbers them: 1 2 3 7 left, 4 5 6 8 right."""
    numbered = {0: (0, 0), 1: (0, 1), 2: (0, 2), 3: (1, 0), 4: (1, 1), 5: (1, 2), 6: (0, 3), 7: (1, 3)}
    found = set()
    for row, line in enumerate(text.split("\n")):
        for column, character in enumerate(line):
            pattern = 0 if character == " " else ord(character) - 0x2800
            found |= {(2 * column + dx, 4 * row + dy) for bit, (dx, dy) in numbered.items() if pattern >> bit & 1}
    return found


def alone(*places: tuple[int, int, int]) -> Pose:
    """A person of whom only these keypoints have a score: place in the order of keypoints, x, y in pixels."""
    points = [(0, 0, 0)] * 17
    for index, x, y in places:
        points[index] = (16 * x, 16 * y, 255)
    return Pose(255, tuple(points))


@given(poses, st.integers(1, 200), st.integers(1, 60), st.sampled_from([(320, 240), (16, 16), (64, 480)]))
def test_it_never_leaves_its_space(people: list[Pose], columns: int, rows: int, size: tuple[int, int]) -> None:
    width, height = figure.cells(size, columns, rows)
    assert 1 <= width <= columns
    assert 1 <= height <= rows
    drawn = figure.draw(people, size, width, height).plain.split("\n")
    assert [len(line) for line in drawn] == [width] * height
    assert all(character == " " or 0x2801 <= ord(character) <= 0x28FF for line in drawn for character in line)


@pytest.mark.parametrize(("size", "space", "expected"), [
    ((320, 240), (80, 24), (64, 24)),
    ((320, 240), (20, 24), (20, 8)),
    ((240, 320), (80, 24), (36, 24)),
])  # fmt: skip
def test_the_shape_of_the_picture_is_kept(
    size: tuple[int, int], space: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert figure.cells(size, *space) == expected


def test_a_keypoint_is_a_square_of_four_dots_at_its_place() -> None:
    """At 40 columns for 320 pixels a dot is four pixels."""
    nose = figure.draw([alone((0, 80, 120))], SIZE, 40, 15)
    assert dots(nose.plain) == set(itertools.product((20, 21), (30, 31)))


def test_a_limb_is_a_line_without_gaps_between_its_keypoints() -> None:
    drawn = dots(figure.draw([alone((5, 80, 40), (6, 240, 200))], SIZE, 40, 15).plain)
    assert {(20 + step, 10 + step) for step in range(41)} <= drawn
    assert len(drawn) <= 41 + 8


def test_what_has_too_low_a_score_is_left_out_and_its_limbs_too() -> None:
    weak = Pose(255, tuple((160 * index, 160, figure.PART_SCORE - 1) for index in range(17)))
    assert not dots(figure.draw([weak], SIZE, 40, 15).plain)
    one = alone((5, 80, 40))
    assert len(dots(figure.draw([one], SIZE, 40, 15).plain)) == 4


def test_a_limb_that_leads_out_of_the_picture_is_drawn_to_the_edge() -> None:
    drawn = dots(figure.draw([alone((5, 160, 120), (6, 2000, 120))], SIZE, 40, 15).plain)
    assert {(x, 30) for x in range(40, 80)} <= drawn
    assert max(x for x, _ in drawn) == 79


def test_the_first_person_is_in_front_and_colours_follow_ids() -> None:
    here = person(160, 60)
    text = figure.draw([here, here], SIZE, 40, 15, people=[4, 2])
    assert {span.style for span in text.spans} == {figure.style(4)}
    text = figure.draw([person(80, 60), person(240, 60)], SIZE, 40, 15)
    assert {span.style for span in text.spans} == {figure.style(0), figure.style(1)}


def test_more_people_than_colours() -> None:
    assert figure.style(0) == figure.style(6)
    assert figure.draw([person(160, 60)] * 9, SIZE, 40, 15).plain.strip()


def test_without_colour_the_figure_is_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    text = figure.draw([person(160, 60)], SIZE, 40, 15)
    Console(no_color=True, force_terminal=True, width=80).print(text)
    shown = capsys.readouterr().out
    assert "\x1b[3" not in shown
    assert dots("\n".join(line.rstrip() for line in shown.rstrip("\n").split("\n"))) == dots(text.plain)
