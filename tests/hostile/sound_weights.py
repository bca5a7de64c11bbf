"""Sound weights of each published form, with random numbers, written once: `python -m tests.hostile.sound_weights DIR`.

In a process of its own: TensorFlow makes three of them, and must not count among what the readers take.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.conversion.weights import weight_files

GRAPH, CHECKPOINT, FROZEN, FLOAT, CORAL = "graph", "checkpoint", "frozen", "float", "coral"
# Of each form the file that is loaded.
MAIN = {
    GRAPH: "model-stride16.json",
    CHECKPOINT: "manifest.json",
    FROZEN: "model.pb",
    FLOAT: "model.tflite",
    CORAL: "model.tflite",
}
# Those that TensorFlow is needed for.
OF_TENSORFLOW = (FROZEN, FLOAT, CORAL)


def write(folder: Path, forms: tuple[str, ...] = tuple(MAIN)) -> None:
    """Each form into a folder of its name."""
    weights = weight_files.random_weights()
    for form in forms:
        (folder / form).mkdir(parents=True, exist_ok=True)
    weight_files.write_tfjs_graph(folder / GRAPH, weights)
    weight_files.write_tfjs_checkpoint(folder / CHECKPOINT, weights)
    if not set(forms) & set(OF_TENSORFLOW):
        return
    from tests.conversion.weights import tf_files, tflite_edits

    plain = tf_files.float_tflite(weights, segments=False)
    (folder / FROZEN / MAIN[FROZEN]).write_bytes(tf_files.frozen_graph(weights))
    (folder / FLOAT / MAIN[FLOAT]).write_bytes(plain)
    (folder / CORAL / MAIN[CORAL]).write_bytes(tflite_edits.with_decoder(tflite_edits.quantised(plain)))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
