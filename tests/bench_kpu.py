"""How fast the KPU simulator is beside nncase's own, for `make bench`: same network, same pictures, same numbers.

Both run in processes of their own, in turn, with one thread each (nncase's simulator has no more): a busy machine
hurts both alike, and the fastest run of each counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from conversion.kmodel import v3
from conversion.kmodel.assemble import assemble
from conversion.kmodel.plan import plan
from conversion.kpu import Kpu

ROUNDS = 3
# What OpenBLAS and OpenMP take their number of threads from.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def simulator_vs_nncase() -> dict[str, float]:
    """Milliseconds a picture of both simulators, RAM model, noise and checks on, and how many times ours is faster.

    The network is the published one, compiled by nncase at its own size; the photos are those of scikit-image.
    """
    with tempfile.TemporaryDirectory() as folder:
        _prepare(Path(folder))
        fastest = {name: min(_timed(name, folder) for _ in range(ROUNDS)) for name in SIMULATORS}
    return {
        "simulator_ms": fastest["kpu"] * 1000,
        "nncase_simulator_ms": fastest["nncase"] * 1000,
        "simulator_vs_nncase": fastest["nncase"] / fastest["kpu"],
    }


def _prepare(folder: Path) -> None:
    """model.kmodel (V5), pictures.npy, and model.v3 from the same layers."""
    from conversion import calibration, compilation, photos, weights
    from conversion.pipeline import CALIBRATION_PHOTOS

    pictures = calibration.pictures(None, *compilation.COMPILE_SIZE, CALIBRATION_PHOTOS)
    compiled = compilation.compile_weights(weights.load(), pictures, talk=lambda text: None)
    (folder / "model.kmodel").write_bytes(compiled.kmodel)
    planned = plan(compiled.network, *compilation.COMPILE_SIZE)
    (folder / "model.v3").write_bytes(v3.write(assemble(compiled.network, planned)))
    np.save(folder / "pictures.npy", photos.planes(pictures))


def _timed(name: str, folder: str) -> float:
    """Seconds of the fastest picture in one run of a simulator."""
    command = [sys.executable, "-m", "tests.bench_kpu", name, folder]
    done = subprocess.run(command, env={**os.environ, **ONE_THREAD}, capture_output=True, text=True, check=True)
    return min(json.loads(done.stdout.splitlines()[-1]))


def _seconds(run: Callable[[np.ndarray], object], pictures: np.ndarray) -> list[float]:
    run(pictures[0])
    times = []
    for picture in pictures:
        start = time.perf_counter()
        run(picture)
        times.append(time.perf_counter() - start)
    return times


def run_kpu(folder: Path) -> list[float]:
    """Our simulator on every picture."""
    kpu = Kpu(v3.read((folder / "model.v3").read_bytes(), "model.v3"))
    return _seconds(kpu.run, np.load(folder / "pictures.npy"))


def run_nncase(folder: Path) -> list[float]:
    """nncase's simulator on every picture."""
    import nncase

    simulator = nncase.Simulator()
    simulator.load_model((folder / "model.kmodel").read_bytes())

    def run(picture: np.ndarray) -> list[np.ndarray]:
        simulator.set_input_tensor(0, nncase.RuntimeTensor.from_numpy(picture[None]))
        simulator.run()
        return [simulator.get_output_tensor(number).to_numpy() for number in range(simulator.outputs_size)]

    return _seconds(run, np.load(folder / "pictures.npy"))


SIMULATORS = {"kpu": run_kpu, "nncase": run_nncase}

if __name__ == "__main__":
    print(json.dumps(SIMULATORS[sys.argv[1]](Path(sys.argv[2]))))
