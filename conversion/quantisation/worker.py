"""A calibration in a process of its own, in which BLAS keeps to one thread: there our threads share the cores.

BLAS threads beside ours make the same work take three times as long. Usage: python -m conversion.quantisation.worker
FOLDER, with the job as `run` writes it; progress goes to stdout, a JSON list a line.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from conversion import network, processes
from conversion.errors import CompilerError, ConversionError, PhotoError
from conversion.posenet_weights import ConvWeights, Normalisation, Origin, PoseNetWeights
from conversion.progress import Report
from conversion.quantisation.layerwise import Calibration
from conversion.quantisation.result import QuantisedNetwork

_MODULE = "conversion.quantisation.worker"
# How the process ends with an error that the calibration itself raises; its text is then the last line on stderr.
_RAISED = {3: PhotoError, 4: CompilerError}
_WEIGHTS, _PICTURES, _RESULT, _MESSAGES = "weights.npz", "pictures.npy", "result.npz", "messages.txt"


def run(weights: PoseNetWeights, pictures: np.ndarray, report: Report) -> QuantisedNetwork:
    """`Calibration.run` in another process: raises what that raises, CompilerError if it ends otherwise."""
    with tempfile.TemporaryDirectory(prefix="quantisation-") as name:
        folder = Path(name)
        _write_weights(folder / _WEIGHTS, weights)
        np.save(folder / _PICTURES, pictures)
        _follow(folder, report)
        return QuantisedNetwork.from_bytes((folder / _RESULT).read_bytes())


def _follow(folder: Path, report: Report) -> None:
    messages = folder / _MESSAGES
    with (
        messages.open("wb") as file,
        processes.running(_MODULE, str(folder), variables=processes.ONE_THREAD, messages=file) as process,
    ):
        for line in process.stdout:
            report(*json.loads(line))
        code = process.wait()
    if code:
        raise _failure(code, messages.read_text(errors="replace"))


def _failure(code: int, messages: str) -> ConversionError:
    last = processes.last_words(messages)
    if code in _RAISED:
        return _RAISED[code](last)
    if ended := processes.signal_of(code):
        return CompilerError(f"calibrated rounding was ended by {ended}: it needs 1 GB of memory, `fast` rounding less")
    return CompilerError(f"calibrated rounding failed: {last}")


def _write_weights(path: Path, weights: PoseNetWeights) -> None:
    arrays = {"normalisation": np.array([weights.normalisation.scale, weights.normalisation.offset])}
    for name, layer in (weights.body | weights.heads).items():
        arrays |= {f"{name}/kernel": layer.kernel, f"{name}/bias": layer.bias}
    np.savez(path, **arrays)


def _read_weights(path: Path) -> PoseNetWeights:
    with np.load(path) as arrays:
        body, heads = (
            {name: ConvWeights(arrays[f"{name}/kernel"], arrays[f"{name}/bias"]) for name in names}
            for names in ([spec.name for spec in network.BODY], network.HEAD_NAMES)
        )
        return PoseNetWeights(body, heads, Normalisation(*arrays["normalisation"].tolist()), Origin("job", None, {}))


def _main(folder: Path) -> int:
    def report(what: str, done: int, total: int) -> None:
        print(json.dumps([what, done, total]), flush=True)

    try:
        quantised = Calibration(_read_weights(folder / _WEIGHTS), np.load(folder / _PICTURES)).run(report)
    except tuple(_RAISED.values()) as error:
        print(error, file=sys.stderr)
        return next(code for code, kind in _RAISED.items() if isinstance(error, kind))
    (folder / _RESULT).write_bytes(quantised.to_bytes())
    return 0


if __name__ == "__main__":
    processes.end_with_parent()
    sys.exit(_main(Path(sys.argv[1])))
