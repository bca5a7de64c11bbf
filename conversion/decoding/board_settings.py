"""What the board's program asks of its decoder where nobody has chosen: read from the program's own source.

Only MicroPython can import that file (it needs modules of the board), so its constants are read as data.
"""

from __future__ import annotations

import ast
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "firmware" / "pose_settings.py"


def _constant(name: str) -> int:
    """An integer that the source assigns to a name at its top level."""
    for node in ast.parse(SOURCE.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [name]:
            return int(ast.literal_eval(node.value))
    raise LookupError(f"{SOURCE}: assigns nothing to {name}")


# Least score of a pose that a board sends and draws, in 1/32768.
POSE_SCORE = _constant("POSE_SCORE")
# How far from a keypoint, in input pixels, its neighbours may say that it is to refine it, on a board.
VOTE = _constant("VOTE")
