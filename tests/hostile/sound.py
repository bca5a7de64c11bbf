"""Sound files of the forms that come from outside, small ones, for attacks and mutants to begin with."""

from __future__ import annotations

import json
from pathlib import Path

from tests.host_tools.virtual_board import kmodels

KMODEL = "small.kmodel"


def card() -> dict:
    """The model card of `kmodel_in`, with the entries that only some tools read."""
    return {
        **kmodels.model_card(),
        "source": {"form": "tfjs graph model", "name": "unknown", "sha256": {"model.json": "0" * 64}},
        "test_vector": {"heads_crc32": 1, "heads_sha256": "0" * 64, "poses": []},
    }


def kmodel_in(folder: Path, the_card: object | None = None) -> Path:
    """A kmodel of 96x80 with its card beside it, or with this one."""
    path = folder / KMODEL
    path.write_bytes(kmodels.kmodel())
    path.with_name(KMODEL + ".json").write_text(json.dumps(card() if the_card is None else the_card))
    return path
