"""nncase, kept at arm's length: inputs checked before, a process of its own, every failure turned into one line."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL

import numpy as np

from conversion import network, processes
from conversion.errors import CompilerError

TIMEOUT_SECONDS = 900
TFLITE_IDENTIFIER = b"TFL3"
_WORKER = "conversion.nncase.worker"


def compile_kmodel(tflite: bytes, calibration: np.ndarray, input_range: tuple[float, float]) -> bytes:
    """Compile a TFLite file for the K210; gives nncase's kmodel V5 as it came.

    `calibration` is uint8 [N, 3, H, W] at the file's own size; `input_range` are the real values of bytes 0 and 255.
    Raises CompilerError for anything that nncase would crash on or swallow silently.
    """
    checked_tflite(tflite)
    _check_planes(calibration, "calibration")
    with _job() as job:
        (job / "model.tflite").write_bytes(tflite)
        np.save(job / "calibration.npy", calibration)
        _run(job, "compile", {"input_range": list(input_range)})
        return (job / "model.kmodel").read_bytes()


def checked_tflite(data: bytes) -> bytes:
    """The same bytes; CompilerError for what is no TFLite file."""
    if data[4:8] != TFLITE_IDENTIFIER:
        raise CompilerError("the graph for nncase is not a TFLite file")
    return data


def simulate(kmodel: bytes, planes: np.ndarray) -> list[np.ndarray]:
    """Run nncase's own simulator on a V5 kmodel: uint8 [N, 3, H, W] in, one float32 [N, C, h, w] array per output."""
    _check_planes(planes, "pictures")
    with _job() as job:
        (job / "model.kmodel").write_bytes(kmodel)
        np.save(job / "input.npy", planes)
        _run(job, "simulate", {})
        names = sorted(job.glob("output_*.npy"), key=lambda path: int(path.stem.split("_")[1]))
        return [np.load(name) for name in names]


def _check_planes(planes: np.ndarray, what: str) -> None:
    sound = planes.dtype == np.uint8 and planes.ndim == 4 and planes.shape[1] == network.INPUT_CHANNELS
    if not sound or not len(planes):
        raise CompilerError(f"{what} for nncase: uint8 [N, 3, H, W] expected, got {planes.dtype} {planes.shape}")
    if what == "calibration" and planes.max() == planes.min():
        raise CompilerError("calibration: every pixel has the same value; nothing can be learnt from it, give photos")


@contextmanager
def _job() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="nncase-") as folder:
        yield Path(folder)


def _run(job: Path, kind: str, options: dict) -> None:
    if importlib.util.find_spec("nncase") is None:
        raise CompilerError("nncase is not installed in this Python; run `make setup` (CPython 3.10, x86-64 only)")
    (job / "job.json").write_text(json.dumps({"job": kind, **options}))
    messages = job / "messages.txt"
    # nncase prints its progress on the C++ stdout and drops kmodel_info.txt into the working folder.
    with (
        messages.open("wb") as file,
        processes.running(_WORKER, str(job), folder=job, output=DEVNULL, messages=file) as worker,
    ):
        try:
            code = worker.wait(TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise CompilerError(f"nncase did not finish its {kind} job within {TIMEOUT_SECONDS} s") from error
    if code:
        raise CompilerError(_explain(kind, code, messages.read_text(errors="replace")))


def _explain(kind: str, code: int, messages: str) -> str:
    if name := processes.signal_of(code):
        return f"nncase crashed in its {kind} job ({name}); the file it got is damaged or not of a kind that it knows"
    last = processes.last_words(messages)
    if "libgomp" in last:
        return "nncase needs the system library libgomp.so.1; install it (Debian, Ubuntu: apt install libgomp1)"
    return f"nncase refused its {kind} job: {last}"
