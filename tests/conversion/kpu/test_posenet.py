"""What is taken for a kmodel of this project: its output table tells what its layers write."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conversion.errors import ModelFormatError
from conversion.kmodel.v3 import Output
from conversion.kpu.posenet import Simulation
from tests.host_tools.virtual_board import kmodels

WHOLE, HEATMAP, *OTHERS = kmodels.model().outputs


def test_a_sound_one_is_taken() -> None:
    Simulation(kmodels.model(), "small.kmodel")


@pytest.mark.parametrize(
    "outputs",
    {
        "empty": (WHOLE, replace(HEATMAP, size=0), *OTHERS),
        "short": (WHOLE, replace(HEATMAP, size=HEATMAP.size - 1), *OTHERS),
        "elsewhere": (WHOLE, replace(HEATMAP, address=8), *OTHERS),
        "exchanged": (WHOLE, *OTHERS, HEATMAP),
        "the block begins late": (Output(8, WHOLE.size), HEATMAP, *OTHERS),
        "the block ends early": (Output(0, WHOLE.size - 16), HEATMAP, *OTHERS),
    }.items(),
    ids=lambda named: named[0],
)
def test_a_table_that_tells_something_else_is_damage(outputs: tuple[str, tuple[Output, ...]]) -> None:
    model = replace(kmodels.model(), outputs=outputs[1])
    with pytest.raises(ModelFormatError, match=r"^small\.kmodel: is damaged: its output table does not say where"):
        Simulation(model, "small.kmodel")
