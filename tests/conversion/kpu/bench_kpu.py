"""How fast the KPU simulator is beside nncase's own, for `make bench`: same network, same pictures, same numbers.

Both run in processes of their own, in turn, with one thread each (nncase's simulator has no more): a busy machine
hurts both alike, and the fastest run of each counts.
"""

from __future__ import annotations

import itertools
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
from conversion.kpu.simulator import Kpu

ROOT = Path(__file__).resolve().parents[3]
ROUNDS = 3
# How long each simulator runs in a round: as many pictures as it manages.
SECONDS = 3.0
# What OpenBLAS and OpenMP take their number of threads from.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def simulator_vs_nncase() -> dict[str, float]:
    """Milliseconds a picture of both simulators, RAM model, noise and checks on, and how many times ours is faster.

    The network is the published one, compiled by nncase at its own size; the photos are those of scikit-image.
    """
    with tempfile.TemporaryDirectory() as folder:
        _prepare(Path(folder))
        rounds = [{name: _fastest(name, folder) for name in SIMULATORS} for _ in range(ROUNDS)]
    fastest = {name: min(times[name] for times in rounds) for name in SIMULATORS}
    return {
        "simulator_ms": fastest["kpu"] * 1000,
        "nncase_simulator_ms": fastest["nncase"] * 1000,
        "simulator_vs_nncase": fastest["nncase"] / fastest["kpu"],
    }


def _prepare(folder: Path) -> None:
    """model.kmodel (V5), pictures.npy, and model.v3 from the same layers."""
    from conversion import photos, weights
    from conversion.nncase import compilation
    from conversion.quantisation import calibration

    pictures = calibration.pictures(None, *compilation.COMPILE_SIZE, limit=8)
    compiled = compilation.compile_weights(weights.load(), pictures, calibrated=False, talk=lambda text: None)
    (folder / "model.kmodel").write_bytes(compiled.kmodel)
    planned = plan(compiled.network, *compilation.COMPILE_SIZE)
    (folder / "model.v3").write_bytes(v3.write(assemble(compiled.network, planned)))
    np.save(folder / "pictures.npy", photos.planes(pictures))


def _fastest(name: str, folder: str) -> float:
    """Seconds of the fastest picture in one process of a simulator."""
    command = [sys.executable, "-m", "tests.conversion.kpu.bench_kpu", name, folder]
    environment = {**os.environ, **ONE_THREAD}
    done = subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout.splitlines()[-1])


def _measured(run: Callable[[np.ndarray], object], pictures: np.ndarray) -> float:
    """Seconds of the fastest picture; the first one warms up."""
    run(pictures[0])
    endless, fastest = itertools.cycle(pictures), float("inf")
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        picture, start = next(endless), time.perf_counter()
        run(picture)
        fastest = min(fastest, time.perf_counter() - start)
    return fastest


def run_kpu(folder: Path) -> float:
    """Our simulator on every picture."""
    kpu = Kpu(v3.read((folder / "model.v3").read_bytes(), "model.v3"))
    return _measured(kpu.run, np.load(folder / "pictures.npy"))


def run_nncase(folder: Path) -> float:
    """nncase's simulator on every picture."""
    import nncase

    simulator = nncase.Simulator()
    simulator.load_model((folder / "model.kmodel").read_bytes())

    def run(picture: np.ndarray) -> list[np.ndarray]:
        simulator.set_input_tensor(0, nncase.RuntimeTensor.from_numpy(picture[None]))
        simulator.run()
        return [simulator.get_output_tensor(number).to_numpy() for number in range(simulator.outputs_size)]

    return _measured(run, np.load(folder / "pictures.npy"))


SIMULATORS = {"kpu": run_kpu, "nncase": run_nncase}

if __name__ == "__main__":
    print(SIMULATORS[sys.argv[1]](Path(sys.argv[2])))
