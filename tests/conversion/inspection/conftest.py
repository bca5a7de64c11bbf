"""Published files of random weights, as the tests of the weights make them, written to disk for looking into."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conversion.inspection import tally
from tests.conversion.weights.conftest import (  # noqa: F401 (fixtures)
    checkpoint_folder,
    component_tflite,
    coral_tflite,
    float_tflite,
    frozen_graph,
    published_models,
    random_weights,
    tfjs_folder,
)


@pytest.fixture(scope="session")
def coral_file(tmp_path_factory: pytest.TempPathFactory, coral_tflite: bytes) -> Path:  # noqa: F811
    """Coral's quantised file with the decoder; not to be written to."""
    path = tmp_path_factory.mktemp("coral") / "coral.tflite"
    path.write_bytes(coral_tflite)
    return path


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in tally.report():
        terminalreporter.write_line(line)
