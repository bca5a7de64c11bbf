"""No page holds a word that was to be filled in later: what stands in capitals in its prose is known."""

from __future__ import annotations

import re

import pytest

from tests.pages.reading import ROOT, pages, prose, spans

# Abbreviations, names and keys that pages use. A word of capitals that is none of them is taken for a gap, such as
# "about RATIO times as fast"; if it is a word indeed, it belongs here.
KNOWN = {
    "ANIMATION", "ARM", "BLAS", "BMP", "BOOT", "CCITT", "CMSIS", "COCO", "CPU", "CRC", "CUSTOM", "DAP", "DFU", "DIR",
    "DTR", "EIO", "ELF", "EXIF", "FALSE", "FFT", "FTDI", "GIF", "GPL", "HEX", "HOST", "IDE", "IPS", "JPEG", "JSON",
    "KPU", "LCD", "LVGL", "MODEL", "MQTT", "NAME", "NASA", "NOTICE", "NUMBER", "OKS", "PASS", "PATH", "PHOTO", "PNG",
    "QVGA", "RAM", "README", "REPL", "RESET", "RESUME", "RFC", "RGB", "ROM", "RTC", "RTS", "SAME", "SHA", "SIGTERM",
    "SPI", "SPIFFS", "SQNR", "SSH", "SVG", "TFT", "TLS", "TOML", "UART", "URL", "USB", "UTF", "VCP", "VERIFIED",
    "VGA", "WCH", "WSL", "XIP", "YOLO", "YUV",
}  # fmt: skip
FOLDERS = ("boards", "conversion", "docs", "firmware", "host_tools", "scripts", "tests")
_WORD = re.compile(r"(?<!\w)[A-Z][A-Z_]{2,}(?!\w|\.md)")
_GAP = re.compile(
    r"\?\?\?|<[a-z ]+>|\{\{|\[(?:figure|number|link)\]|\b(?:TODO|TBD|FIXME|XXX|lorem)\b|\bN\.N\b", re.IGNORECASE
)


def gaps(text: str) -> list[str]:
    """What looks unfilled in a page."""
    words = [word for word in _WORD.findall(prose(text)) if word not in KNOWN]
    return sorted({*words, *_GAP.findall(prose(text))})


@pytest.mark.parametrize("page", [path.relative_to(ROOT).as_posix() for path in pages()])
def test_nothing_is_left_to_fill_in(page: str) -> None:
    assert gaps((ROOT / page).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("equals it, and is about RATIO times as fast (`make bench`).", ["RATIO"]),
        ("takes FIGURE_MS ms", ["FIGURE_MS"]),
        ("takes ??? ms, TBD", ["???", "TBD"]),
        ("The KPU's RAM, `RATIO`, v1.9, [RAM](RATIO.md)", []),
        ("as here:\n\n    RATIO = 2\n\nand so on", []),
        ("as here:\n\n```python\nRATIO = 2\n```\n", []),
    ],
)
def test_gaps_are_told_from_names_and_code(text: str, found: list[str]) -> None:
    assert gaps(text) == found


def test_every_known_word_is_used() -> None:
    text = "\n".join(prose(path.read_text(encoding="utf-8")) for path in pages())
    assert set(_WORD.findall(text)) >= KNOWN


def test_links_between_pages_lead_somewhere() -> None:
    for page in pages():
        for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)}: {target}"


# What is made, what a release holds, and what lies on a board beside our files.
ELSEWHERE = {"build/", "build/demo/", "dist/", "sd-card/", "cards/", "maixpy/", "boot.py", "main_before_posenet.py",
             "main_with_posenet.py"}  # fmt: skip


def test_files_that_pages_name_are_there() -> None:
    """By the end of their path, wherever the page stands."""
    ours = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if "__pycache__" not in path.parts]
    known = {"/" + path.relative_to(ROOT).as_posix() for path in ours} | {"/" + folder for folder in FOLDERS}
    named = {
        (page.relative_to(ROOT).as_posix(), name)
        for page in pages()
        for name in spans(page.read_text(encoding="utf-8"))
        if re.fullmatch(r"[a-z][\w./-]*(\.py|\.toml|\.sh|\.j2|/)", name)
    }
    assert len(named) > 60
    assert [
        f"{page}: {name}"
        for page, name in sorted(named)
        if name not in ELSEWHERE and not any(path.endswith("/" + name.rstrip("/")) for path in known)
    ] == []
