"""The table of picture sizes in conversion/README.md: `python -m tests.conversion.sizes` prints it."""

from __future__ import annotations

from conversion import card
from conversion.kmodel import v3
from conversion.kmodel.assemble import assemble
from conversion.kpu import fastest
from tests.conversion.kmodel.networks import posenet_like

SIZES = (
    (160, 128), (224, 224), (256, 192), (320, 192), (320, 224), (320, 240), (320, 256), (384, 256), (512, 224),
)  # fmt: skip
HEADER = """\
| size | layers | KPU RAM KiB | main memory bytes | kmodel bytes | MACs useful | executed | estimated ms |
|---|---|---|---|---|---|---|---|
"""


def table() -> str:
    """The table in Markdown; all of it follows from the network's shape, so that random weights do."""
    network = posenet_like()
    return HEADER + "".join(_row(network, width, height) for width, height in SIZES)


def _row(network: object, width: int, height: int) -> str:
    the_plan = fastest.plan(network, width, height)
    model = assemble(network, the_plan)
    useful, executed = card.work(network, the_plan)
    seconds = card.expected_time(network, the_plan).total
    return (
        f"| {width}x{height} | {len(the_plan.steps)} | {the_plan.peak_bytes // 1024} | {model.main_memory_bytes:,} | "
        f"{len(v3.write(model)):,} | {useful / 1e6:.1f} M | {executed / 1e6:.1f} M "
        f"| {1000 * seconds:.1f} |\n"
    )


if __name__ == "__main__":
    print(table(), end="")
