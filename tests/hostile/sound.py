"""Sound files of the forms that come from outside, small ones, for attacks and mutants to begin with."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from conversion.kpu.posenet import Simulation
from conversion.test_vector import test_vector as vector_of
from tests.host_tools.virtual_board import kmodels

KMODEL = "small.kmodel"


def card() -> dict:
    """The model card of `kmodel_in`, with the entries that only some tools read."""
    return {
        **kmodels.model_card(),
        "source": {"form": "tfjs graph model", "name": "unknown", "sha256": {"model.json": "0" * 64}},
        "test_vector": _test_vector(),
    }


@cache
def _test_vector() -> dict:
    return vector_of(Simulation(kmodels.model(), KMODEL), kmodels.model_card())


def kmodel_in(folder: Path, the_card: object | None = None) -> Path:
    """A kmodel of 96x80 with its card beside it, or with this one."""
    path = folder / KMODEL
    path.write_bytes(kmodels.kmodel())
    path.with_name(KMODEL + ".json").write_text(json.dumps(card() if the_card is None else the_card))
    return path
