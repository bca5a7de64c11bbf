"""The page shows text as text, whatever a board says: looked at in the browser's own document."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.host_tools import fake_board
from tests.host_tools.fake_board import ATTACKS, FakeBoard
from tests.host_tools.monitor.web import browser as browsers
from tests.hostile import limited

PANEL = "document.querySelector('.panel')"
LOG = f"{PANEL}.querySelector('.log').textContent"
# Elements that only markup of a board's could have made.
FOREIGN = "document.querySelectorAll('.panel img, .panel script, .log b, .panel iframe, [onerror]').length"


def address_of(monitor: subprocess.Popen[str]) -> str:
    for line in monitor.stderr:
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            return found[0]
    raise AssertionError("the page was not served")


@pytest.mark.parametrize("attack", ["HTML", "escape sequences"])
def test_text_of_a_board_is_text(attack: str, browser: browsers.Browser, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "host_tools", "monitor", "--web", "0", "--port"]
    with FakeBoard(ATTACKS[attack](), pause=0.01) as board:
        environment = {**limited.environment(), "PYTHONIOENCODING": "utf-8"}
        with subprocess.Popen(
            [*command, board.port], cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True
        ) as monitor:
            try:
                with browser.open(address_of(monitor)) as tab:
                    title = tab.evaluate("document.title")
                    tab.wait_for(f"{PANEL} !== null && {LOG}.includes('error 23')", 60.0)
                    assert tab.evaluate("document.title") == title
                    assert "owned" not in title
                    assert tab.evaluate(FOREIGN) == 0
                    shown = tab.evaluate(LOG)
                    assert tab.complaints == []
            finally:
                monitor.terminate()
    if attack == "HTML":
        assert fake_board.HTML in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown
