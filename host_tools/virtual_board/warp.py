"""What MaixPy's `image.warp_affine_ai` makes of planes: bilinear samples with 8 bits of fraction, cut off."""

from __future__ import annotations

import numpy as np

# Positions and weights have 8 bits of fraction; two weights are multiplied.
_BITS = 8
_ONE = 1 << _BITS


def warped(planes: np.ndarray, width: int, height: int, matrix: np.ndarray) -> np.ndarray:
    """uint8 [3, height, width] of planes, uint8 [3, H, W]. `matrix`, six numbers in single precision, leads from pixel
    (x, y) of the result to (m0 x + m1 y + m2, m3 x + m4 y + m5) of the planes; what lies outside of them is 0.

    A sample in the last column or row takes its neighbours from what follows in memory: the next row, the next plane,
    and behind the last plane 0.
    """
    count, rows, columns = planes.shape
    across = (np.arange(width, dtype=np.int64) << _BITS).astype(np.float32)[None, :]
    down = (np.arange(height, dtype=np.int64) << _BITS).astype(np.float32)[:, None]
    m = matrix.astype(np.float32)
    x = (m[0] * across + m[1] * down + m[2] * np.float32(_ONE)).astype(np.int64)
    y = (m[3] * across + m[4] * down + m[5] * np.float32(_ONE)).astype(np.int64)
    column, row, right, low = x >> _BITS, y >> _BITS, x & (_ONE - 1), y & (_ONE - 1)
    inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    first = np.where(inside, row * columns + column, 0)
    memory = np.append(planes.reshape(-1), np.zeros(columns + 2, np.uint8)).astype(np.int64)
    result = np.zeros((count, height, width), np.uint8)
    for plane in range(count):
        at = first + plane * rows * columns
        upper = (_ONE - right) * memory[at] + right * memory[at + 1]
        lower = (_ONE - right) * memory[at + columns] + right * memory[at + columns + 1]
        result[plane] = np.where(inside, ((_ONE - low) * upper + low * lower) >> 2 * _BITS, 0)
    return result
