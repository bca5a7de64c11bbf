"""Runs nncase in a process of its own that imports only nncase and NumPy: beside TensorFlow it aborts.

Usage: python -m conversion.nncase.worker JOB_FOLDER, the folder as conversion.nncase.compiler fills it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import nncase
import numpy as np

from conversion.processes import end_with_parent


def compile_kmodel(job: Path, options: dict) -> None:
    """model.tflite + calibration.npy (uint8 [N, 3, H, W]) -> model.kmodel, V5."""
    calibration = np.load(job / "calibration.npy")
    compile_options = nncase.CompileOptions()
    compile_options.target = "k210"
    compile_options.preprocess = True
    compile_options.input_type = "uint8"
    compile_options.input_layout = "NCHW"
    compile_options.output_layout = "NCHW"
    compile_options.input_shape = [1, *calibration.shape[1:]]
    compile_options.input_range = options["input_range"]
    compile_options.mean = [0.0, 0.0, 0.0]
    compile_options.std = [1.0, 1.0, 1.0]
    # Its "MSE" weight ranges lose 2 dB on every head of these weights; the greatest weight as range does better.
    compile_options.use_mse_quant_w = False
    compiler = nncase.Compiler(compile_options)
    compiler.import_tflite((job / "model.tflite").read_bytes(), nncase.ImportOptions())
    quantisation = nncase.PTQTensorOptions()
    quantisation.calibrate_method = "no_clip"
    quantisation.samples_count = len(calibration)
    quantisation.set_tensor_data(calibration.tobytes())
    compiler.use_ptq(quantisation)
    compiler.compile()
    (job / "model.kmodel").write_bytes(compiler.gencode_tobytes())


def simulate(job: Path, options: dict) -> None:
    """model.kmodel + input.npy (uint8 [N, 3, H, W]) -> output_0.npy ..., one float32 [N, C, h, w] array an output."""
    simulator = nncase.Simulator()
    simulator.load_model((job / "model.kmodel").read_bytes())
    results = []
    for planes in np.load(job / "input.npy"):
        simulator.set_input_tensor(0, nncase.RuntimeTensor.from_numpy(np.ascontiguousarray(planes[None])))
        simulator.run()
        results.append([simulator.get_output_tensor(i).to_numpy()[0] for i in range(simulator.outputs_size)])
    for number, outputs in enumerate(zip(*results, strict=True)):
        np.save(job / f"output_{number}.npy", np.stack(outputs))


if __name__ == "__main__":
    end_with_parent()
    folder = Path(sys.argv[1])
    request = json.loads((folder / "job.json").read_text())
    {"compile": compile_kmodel, "simulate": simulate}[request.pop("job")](folder, request)
