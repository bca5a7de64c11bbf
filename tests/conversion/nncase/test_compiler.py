"""nncase kept at arm's length: what it crashes on or swallows becomes one line; equal inputs give equal bytes."""

import subprocess
import sys

import numpy as np
import pytest

from conversion import input_pixels
from conversion.errors import CompilerError
from conversion.kmodel import v5
from conversion.nncase import compiler
from conversion.posenet_weights import FLOAT_NORMALISATION
from conversion.tensorflow import graph
from tests.conversion.weights.weight_files import random_weights

RANGE = input_pixels.value_range(FLOAT_NORMALISATION)
CALIBRATION = np.random.default_rng(0).integers(0, 256, (1, 3, 64, 64), np.uint8)


@pytest.fixture(scope="module")
def tflite() -> bytes:
    return graph.to_tflite(random_weights(), 64, 64)


def test_the_same_inputs_give_the_same_bytes(tflite: bytes) -> None:
    made = [v5.masked(compiler.compile_kmodel(tflite, CALIBRATION, RANGE), "test") for _ in range(3)]
    assert made[0] == made[1] == made[2]


def test_a_crash_of_nncase_is_one_line(tflite: bytes) -> None:
    """What it does with a truncated file depends on what lies behind it in memory: it crashes or refuses."""
    with pytest.raises(CompilerError, match=r"nncase (crashed in|refused) its compile job") as caught:
        compiler.compile_kmodel(tflite[:2000], CALIBRATION, RANGE)
    assert "\n" not in str(caught.value)


def pretend(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Another program in place of the worker."""
    monkeypatch.setattr(
        compiler.processes,
        "start",
        lambda *arguments, messages, **options: subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stderr=messages
        ),
    )


def test_a_signal_is_named(tflite: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "import os; os.kill(os.getpid(), 11)")
    with pytest.raises(CompilerError, match=r"nncase crashed in its compile job \(SIGSEGV\)"):
        compiler.compile_kmodel(tflite, CALIBRATION, RANGE)


def test_a_refusal_of_nncase_is_one_line() -> None:
    with pytest.raises(CompilerError, match=r"nncase (refused|crashed in) its simulate job"):
        compiler.simulate(b"not a kmodel", CALIBRATION)


@pytest.mark.parametrize(
    ("calibration", "problem"),
    [
        (CALIBRATION.astype(np.float32), "uint8 .* expected, got float32"),
        (CALIBRATION[0], r"expected, got uint8 \(3, 64, 64\)"),
        (CALIBRATION[:0], "expected, got uint8"),
        (np.zeros_like(CALIBRATION), "every pixel has the same value"),
    ],
)
def test_calibration_that_nncase_would_swallow_is_refused(tflite: bytes, calibration: np.ndarray, problem: str) -> None:
    with pytest.raises(CompilerError, match=problem):
        compiler.compile_kmodel(tflite, calibration, RANGE)


def test_a_file_that_is_no_tflite_is_refused() -> None:
    with pytest.raises(CompilerError, match="not a TFLite file"):
        compiler.compile_kmodel(b"", CALIBRATION, RANGE)


def test_nncase_missing_is_said(tflite: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CompilerError, match="nncase is not installed in this Python; run `make setup`"):
        compiler.compile_kmodel(tflite, CALIBRATION, RANGE)


def test_libgomp_missing_is_said(tflite: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    message = "libgomp.so.1: cannot open shared object file: No such file or directory"
    pretend(monkeypatch, f"raise ImportError({message!r})")
    with pytest.raises(CompilerError, match="apt install libgomp1"):
        compiler.compile_kmodel(tflite, CALIBRATION, RANGE)


def test_nncase_hanging_is_said(tflite: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "TIMEOUT_SECONDS", 0.01)
    with pytest.raises(CompilerError, match=r"did not finish its compile job within 0.01 s"):
        compiler.compile_kmodel(tflite, CALIBRATION, RANGE)


def test_the_worker_imports_nothing_but_nncase_and_numpy() -> None:
    code = "import conversion.nncase.worker, sys; print([m for m in sys.modules if m.startswith('tensorflow')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
