"""The report's part about accuracy: what `evaluate` found, put into the page that `make kmodel` wrote."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from conversion import files
from conversion.report import templates

# The folder beside a kmodel that holds the reports of all kmodels there, and the page of each.
REPORTS = "report"
PAGE = "index.html"
# What stands around the part, so that it can be found again. The hash is the kmodel's: figures of one kmodel never get
# into the page of another.
_BEGIN, _END = "<!-- accuracy of {sha256} -->", "<!-- end of accuracy -->"


def folder(kmodel: Path) -> Path:
    """Where the report of a kmodel lies: one folder for each, so that none replaces another's."""
    return kmodel.parent / REPORTS / kmodel.stem


def section(card: Mapping, plot: str = "") -> str:
    """The part as HTML, from the card's entry "evaluation" (absent before `evaluate`) and the plot as SVG."""
    text = templates.load("accuracy.html.j2").render(kmodel=card["kmodel"], found=card.get("evaluation"), plot=plot)
    return f"{_begin(card)}\n{text.strip()}\n{_END}"


def update(kmodel: Path, card: Mapping, plot: str) -> Path | None:
    """Put figures and plot into the report beside a kmodel; gives the page, None where there is none of this kmodel.

    OutputError if the page cannot be written: then it stays as it was.
    """
    page = folder(kmodel) / PAGE
    try:
        before, begin, rest = page.read_text(encoding="utf-8").partition(_begin(card))
    except (OSError, UnicodeDecodeError):
        return None
    _, end, after = rest.partition(_END)
    if not (begin and end):
        return None
    files.write(page, f"{before}{section(card, plot)}{after}".encode())
    return page


def _begin(card: Mapping) -> str:
    return _BEGIN.format(sha256=card["kmodel"]["sha256"])
