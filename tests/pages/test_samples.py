"""Every output that a page shows is one that is printed: compared with what is printed here, or in the walk.

tests/host_tools/test_walk.py types the commands of the pages, and compares what they print with `BY_WALKING`.
"""

from __future__ import annotations

import ast
import importlib
import re
from dataclasses import replace

import pytest

from tests.host_tools.verification import small
from tests.pages import commands, samples
from tests.pages.reading import ROOT, pages
from tests.pages.samples import BY_WALKING, Sample

# Samples that only a fault, a person's ports or a terminal bring about, by the start of their first line: their words
# must stand in the sources.
BY_WORDS = (
    ("host_tools/README.md", "error: several ports could be the board's"),
    ("host_tools/flashing/README.md", "· flash 0x31a044 holds"),
    ("host_tools/monitor/README.md", "╭─"),
    ("host_tools/monitor/README.md", "maix_bit frame 12"),
    ("host_tools/monitor/README.md", '{"format"'),
    ("host_tools/monitor/README.md", '{"at_ms"'),
    ("host_tools/monitor/web/README.md", "python -m host_tools monitor --web"),
    ("host_tools/verification/README.md", "DIFFERS"),
)
ON_A_BOARD = ("firmware/README.md", "posenet: memory in KiB")
# No outputs.
FORMS = (("firmware/README.md", "$TYPE,field"), ("tests/mutants/README.md", "files ="))


def of(starts: tuple[tuple[str, str], ...]) -> list[Sample]:
    return [
        sample
        for sample in samples.samples()
        if any(sample.place == place and sample.lines[0].startswith(start) for place, start in starts)
    ]


def test_every_sample_is_compared_somewhere() -> None:
    compared = [*samples.walked(), *of((*BY_WORDS, ON_A_BOARD, *FORMS))]
    assert [sample for sample in samples.samples() if sample not in compared] == []
    assert len(samples.walked()) >= len(BY_WALKING)
    assert len(compared) == len(set(compared))


@pytest.mark.parametrize("sample", of(BY_WORDS), ids=lambda sample: f"{sample.place}: {sample.lines[0][:30]}")
def test_words_of_a_sample_stand_in_the_sources(sample: Sample) -> None:
    texts = [text for _, text in commands.texts()]
    assert samples.unknown([line for line in sample.lines if not is_typed(line)], texts) == []


def is_typed(line: str) -> bool:
    return bool(list(commands.parsed(ROOT / "README.md", line)))


def test_what_a_board_says_at_its_start() -> None:
    """But its poses, and a copy for the LCD: the small network sees nobody, in a picture smaller than the LCD."""
    (sample,) = of((ON_A_BOARD,))
    sample = replace(sample, lines=tuple(line for line in sample.lines if not line.startswith("$POSE")))
    with small.board() as board:
        # Not each frame is sent.
        for _ in range(2):
            board.wait_for("$FRAME,")
        said = [re.sub(", \\d+ of it for the picture.*", "", line) for line in board.output().splitlines()]
    assert samples.different(sample, said, board.port, exact=False) == []


@pytest.mark.parametrize("page", [path.relative_to(ROOT).as_posix() for path in pages()])
def test_python_of_a_page_parses_and_imports_what_there_is(page: str) -> None:
    for block in re.findall(r"^```python\n(.*?)^```$", (ROOT / page).read_text("utf-8"), re.MULTILINE | re.DOTALL):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module.partition(".")[0] in ("conversion", "host_tools"):
                module = importlib.import_module(node.module)
                for alias in node.names:
                    assert hasattr(module, alias.name) or importlib.import_module(f"{node.module}.{alias.name}")


def test_all_samples_are_of_the_same_default_kmodel() -> None:
    """That it is the one which is made, the walk with the real network shows; here, that none is of another."""
    hashes = {
        (sample.place, found)
        for sample in samples.samples()
        if any("320x240" in line for line in sample.lines)
        for line in sample.lines
        for found in re.findall(r"(?:320x240.*?|^ +sha256 )([0-9a-f]{16,64})", line)
    }
    assert len({place for place, _ in hashes}) >= 4
    (whole,) = {found for _, found in hashes if len(found) == 64}
    assert [(place, found) for place, found in hashes if not whole.startswith(found)] == []


SAID = ["· /tmp/x/board: writing 27 files, 113 KiB", "m.kmodel: 100 bytes at 0x300000 (sha256 0fad231a7e3ef5d4…)"]


@pytest.mark.parametrize(
    ("line", "alike", "equal"),
    [
        ("· /dev/ttyUSB0: writing 26 files, 111 KiB", True, True),
        ("· /dev/ttyUSB0: writing 20 files, 111 KiB", True, False),
        ("· /dev/ttyUSB0: writing … files, 113 KiB", True, True),
        ("· /dev/ttyUSB0: writes 27 files, 113 KiB", False, False),
        ("· elsewhere: writing 27 files, 113 KiB", False, False),
        ("posenet.kmodel: 100 bytes at 0x300000 (sha256 0fad231a7e3ef5d4…)", True, True),
        ("posenet.kmodel: 100 bytes at 0x300000 (sha256 6630a554b8c3179b…)", True, False),
        ("posenet.kmodel: 100 bytes at 0x300000 (sha256 0fad231a…)", True, True),
        ("posenet.kmodel: 100 bytes at 0x300004 (sha256 0fad231a7e3ef5d4…)", True, False),
        ("posenet.kmodel: 100 bytes at 0x300000", False, False),
    ],
)
def test_lines_are_alike_in_words_and_equal_in_values(line: str, alike: bool, equal: bool) -> None:
    sample = Sample("page", None, (line,))
    assert (samples.different(sample, SAID, "/tmp/x/board", exact=False) == []) == alike
    assert (samples.different(sample, SAID, "/tmp/x/board", exact=True) == []) == equal
