"""The quickstart is one that a phone shows, and the form for reports from boards asks for what there is."""

from __future__ import annotations

import re

from conversion.cli import main as conversion
from host_tools import boards
from host_tools.cli import main as host_tools
from tests.pages.reading import ROOT, blocks, prose

QUICKSTART = (ROOT / "docs" / "quickstart.md").read_text(encoding="utf-8")
FORM = (ROOT / ".github" / "ISSUE_TEMPLATE" / "hardware_report.yml").read_text(encoding="utf-8")
# Letters of code in a line of 390 pixels, as GitHub sets it on a phone, are 45; to the longest one it scrolls a little.
MOST_LETTERS = 56


def test_commands_fit_a_phone() -> None:
    lines = [line for block in blocks(QUICKSTART) for line in block.splitlines()]
    assert len(lines) >= 10
    assert max(map(len, lines)) <= MOST_LETTERS


def test_tables_have_two_columns_and_steps_their_order() -> None:
    rows = [line for line in QUICKSTART.splitlines() if line.startswith("|")]
    assert rows
    assert {row.count("|") for row in rows} == {3}
    assert re.findall(r"^## (\d)\.", QUICKSTART, re.MULTILINE) == [str(number) for number in range(1, 8)]


def test_every_walk_begins_there() -> None:
    """Its commands in the order in which they are needed."""
    made = re.findall(r"^    make ([a-z]+)", QUICKSTART, re.MULTILINE)
    assert list(dict.fromkeys(made))[:6] == ["kmodel", "doctor", "flash", "deploy", "monitor", "verify"]
    assert set(made) <= {*host_tools.commands, *conversion.commands}
    assert len(prose(QUICKSTART).split()) < 600


def test_the_form_knows_all_boards() -> None:
    listed = re.findall(r"^        - (\w+)$", FORM, re.MULTILINE)
    assert listed == sorted(boards.all_boards())


def test_the_form_asks_for_what_only_a_board_can_tell() -> None:
    ids = re.findall(r"^    id: (\w+)$", FORM, re.MULTILINE)
    assert ids == ["board", "camera", "firmware", "verify", "profile", "rate", "photo", "doctor", "notes"]
    asked = re.findall(r"make ([a-z]+)", FORM)
    assert {"verify", "profile", "monitor", "doctor", "boards"} <= set(asked)
    assert set(asked) <= {*host_tools.commands, *conversion.commands}
