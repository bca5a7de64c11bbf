"""The page with a board whose program really runs: thresholds, pause, preview, recording, and the end of the board."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from host_tools.monitor import replay, sources
from host_tools.serial_link.events import Settings
from host_tools.serial_link.sentences import Frame
from tests.firmware.app.virtual import Program
from tests.host_tools.monitor.web.browser import Browser, Tab
from tests.host_tools.monitor.web.looking import click, part, slide, slider, text_of, wait_for_pixel

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the virtual board needs Linux")
ORANGE = (220, 120, 40)
# Previews from the first frame on.
MAIN = "import pose_app\nimport pose_preview\npose_preview.CARD_SEARCH_MS = 0\npose_app.run()\n"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A name for the board's port that goes with the board; its pty's own would soon be another one's."""
    return tmp_path_factory.mktemp("board") / "port"


@pytest.fixture(scope="module")
def board(port: Path) -> Iterator[Program]:
    """A virtual board with a small random model that looks at one colour, at the pace of a real one: else frames take
    the whole line, and leave nothing for previews."""
    pace = {"settings": {"frame_ms": 100}}
    camera = Image.new("RGB", (320, 240), ORANGE)
    with Program(size=(64, 64), files={"main.py": MAIN}, config=pace, link=port, camera=camera) as started:
        yield started


@pytest.fixture
def tab(board: Program, port: Path, served: Callable, browser: Browser) -> Iterator[Tab]:
    """The page with the board in it, running."""
    with sources.of_ports([str(port)]) as feed, browser.open(served(feed).address) as opened:
        opened.wait_for(f"document.querySelector('.panel') && {text_of('.state')} === 'Running'")
        yield opened
        assert opened.complaints == []


def test_thresholds_pause_preview_and_recording_reach_the_board(tab: Tab, board: Program, tmp_path: Path) -> None:
    assert tab.evaluate(text_of("h2")) == "maix_bit"
    tab.wait_for(f"{slider('root_score')} === '0.5'")
    tab.evaluate("document.querySelector('#recorder input').value = 'run'")
    tab.evaluate("document.querySelector('#recorder button').click()")

    slide(tab, "root_score", 0.25)
    tab.wait_for(f"{text_of('.answer')}.includes('has taken it')")
    board.next("SETTINGS", "0,5,8192,20,")
    click(tab, ".save")
    tab.wait_for(f"{text_of('.answer')}.includes('Saved: the board starts with these')")
    assert json.loads((board.flash_folder / "pose_config.json").read_text())["settings"]["root_score"] == 8192

    click(tab, ".preview")
    # The board's picture, as the camera's RGB565 and JPEG leave it.
    wait_for_pixel(tab, 0, 310, 230, ORANGE)

    click(tab, ".pause")
    tab.wait_for(f"{text_of('.state')} === 'Paused'")
    click(tab, ".pause")
    tab.wait_for(f"{text_of('.state')} === 'Running'")

    tab.evaluate("document.querySelector('#recorder button').click()")
    tab.wait_for("document.querySelector('#recorder button').textContent === 'Record'")
    said = [event for _, _, event in replay.read(tmp_path / "recordings" / "run.jsonl")]
    assert [event.root_score for event in said if isinstance(event, Settings)][-1] == 8192
    assert sum(isinstance(event, Frame) for event in said) > 1


def test_a_board_that_is_switched_off_is_lost(tab: Tab, board: Program) -> None:
    board.close()
    tab.wait_for(f"{text_of('.state')} === 'Lost'")
    assert tab.evaluate(f"{part('.pause')}.disabled") is True
    assert tab.evaluate(f"{part('.message')}.hidden") is False
