"""The calibration's own process: the same result, progress on the way, failures as one line, nothing left running."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from conversion import network
from conversion.errors import CompilerError, PhotoError
from conversion.posenet_weights import PoseNetWeights
from conversion.progress import Report
from conversion.quantisation import layerwise, quantise, worker
from conversion.quantisation.result import QuantisedNetwork
from tests.conversion.quantisation import small


@pytest.mark.soak
def test_it_gives_what_the_calibration_gives_here_and_tells_how_far_it_is(
    weights: PoseNetWeights, quantised: QuantisedNetwork
) -> None:
    told: list[tuple[str, int, int]] = []
    found = quantise.quantise(weights, small.pictures(6), lambda *progress: told.append(progress))
    assert found.to_bytes() == quantised.to_bytes()
    assert [done for _, done, _ in told] == list(range(len(network.BODY) + 2))
    assert {total for *_, total in told} == {len(network.BODY) + 1}
    assert told[3] == ("depthwise2", 3, 28)


def test_a_caller_that_stops_leaves_no_process_behind(weights: PoseNetWeights, monkeypatch: pytest.MonkeyPatch) -> None:
    started = []

    class Watched(subprocess.Popen):
        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(*arguments, **options)
            started.append(self)

    def stop(what: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "Popen", Watched)
    with pytest.raises(KeyboardInterrupt):
        worker.run(weights, small.pictures(1), stop)
    assert [process.returncode is not None for process in started] == [True]


@pytest.mark.soak
def test_photos_that_teach_nothing_are_refused_in_one_line(weights: PoseNetWeights) -> None:
    silent_heads = {name: type(head)(head.kernel * 0, head.bias * 0) for name, head in weights.heads.items()}
    silent = type(weights)(weights.body, silent_heads, weights.normalisation, weights.origin)
    with pytest.raises(PhotoError, match=r"^calibration: on these photos a head of the network is never above 0"):
        worker.run(silent, small.pictures(1), lambda what, done, total: None)


def test_a_failure_is_told_by_its_last_line(weights: PoseNetWeights) -> None:
    with pytest.raises(CompilerError, match=r"^calibrated rounding failed: .*ValueError"):
        worker.run(weights, np.zeros((2, 3), np.uint8), lambda what, done, total: None)


@pytest.mark.parametrize(
    "error", [PhotoError("photos: none"), CompilerError("layer heatmap: no")], ids=["photos", "compiler"]
)
def test_what_the_calibration_raises_is_raised_here(
    error: Exception,
    weights: PoseNetWeights,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture,
) -> None:
    """The end of the process, in this one."""

    class Failing(layerwise.Calibration):
        def run(self, report: Report) -> QuantisedNetwork:
            raise error

    monkeypatch.setattr(worker, "Calibration", Failing)
    worker._write_weights(tmp_path / worker._WEIGHTS, weights)
    np.save(tmp_path / worker._PICTURES, small.pictures(1))
    code = worker._main(tmp_path)
    told = worker._failure(code, "a warning\n" + capfd.readouterr().err)
    assert (type(told), str(told)) == (type(error), str(error))
    assert not (tmp_path / worker._RESULT).exists()


def test_a_process_that_is_killed_is_told_as_such() -> None:
    assert str(worker._failure(-9, "")) == (
        "calibrated rounding was ended by SIGKILL: it needs 1 GB of memory, `fast` rounding less"
    )


@pytest.mark.parametrize(
    "pictures",
    [
        np.zeros((2, 64, 64, 3), np.float32),
        np.zeros((2, 3, 64, 64), np.uint8),
        np.zeros((64, 64, 3), np.uint8),
        np.zeros((0, 64, 64, 3), np.uint8),
        np.full((2, 64, 64, 3), 7, np.uint8),
    ],
    ids=["float", "planes", "one", "none", "uniform"],
)
def test_what_are_no_photos_is_refused_before_anything_starts(weights: PoseNetWeights, pictures: np.ndarray) -> None:
    with pytest.raises(PhotoError, match=r"^calibration: "):
        quantise.quantise(weights, pictures)
