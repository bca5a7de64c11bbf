"""The recorded answers: `answers.json` holds those of the image `minimum`, and what differs on the other images."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from tests.conformance.probes import groups
from tests.host_tools.k210.images import IMAGES

FILE = Path(__file__).with_name("answers.json")
FIRST = "minimum"
Answers = dict[str, str]


@cache
def _document() -> dict:
    if not FILE.exists():
        return {"made_by": "python -m tests.conformance", "images": IMAGES, "answers": {}, "differences": {}}
    return json.loads(FILE.read_text(encoding="utf-8"))


def answers(group: str, image: str = FIRST) -> Answers:
    """{probe: answer} of an image to a group; empty where it was not asked."""
    document = _document()
    common = document["answers"].get(group, {})
    if image == FIRST:
        return common
    return {**common, **document["differences"].get(image, {}).get(group, {})}


def images() -> dict[str, str]:
    """SHA-256 of the images that were asked, by name."""
    return _document()["images"]


def asked() -> list[str]:
    """The images of which answers are recorded."""
    return [FIRST, *_document()["differences"]]


def store(image: str, group: str, found: Answers) -> None:
    """Keep what an image answered to a group; answers of the first image must be there before those of others."""
    document = _document()
    if image == FIRST:
        document["answers"][group] = found
    else:
        different = {code: text for code, text in found.items() if text != answers(group).get(code)}
        document["differences"].setdefault(image, {})[group] = different
    known = set(groups())
    for kept in (document["answers"], *document["differences"].values()):
        for gone in set(kept) - known:
            del kept[gone]
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    unfinished = FILE.with_suffix(".new")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(FILE)
