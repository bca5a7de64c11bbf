"""The picture sizes that nncase 1.9 can compile by itself, for `--format v5`."""

from __future__ import annotations

from conversion.errors import KpuMemoryError
from conversion.kmodel.plan import HEIGHTS, WIDTHS

# Greatest height by greatest width: every size of the planner's range was compiled once, beyond these nncase's
# allocator for KPU RAM fails. `make soak` compiles the sizes on both sides of each limit.
HIGHEST = ((256, 256), (384, 192), (512, 144))


def compiles(width: int, height: int) -> bool:
    """Whether nncase's own planner finds room for a picture of this size (a size the KPU takes)."""
    return height <= next(highest for widest, highest in HIGHEST if width <= widest)


def check(width: int, height: int) -> None:
    """KpuMemoryError, naming the nearest size that nncase compiles, unless it compiles this one."""
    if compiles(width, height):
        return
    candidates = [(w, h) for w in WIDTHS for h in HEIGHTS if compiles(w, h)]
    nearest = min(candidates, key=lambda size: (abs(size[0] - width) + abs(size[1] - height), -size[0] * size[1]))
    raise KpuMemoryError(
        f"nncase cannot compile {width}x{height} (its allocator runs out of KPU RAM); the nearest size for --format v5 "
        f"is {nearest[0]}x{nearest[1]}, and --format v3 does {width}x{height}"
    )
