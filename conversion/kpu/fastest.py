"""Plans KPU RAM so that the KPU is done soon: in parts of how many channels layers run that have to run dense.

More parts multiply less zeros, but each is a layer to be started. Of the plans whose estimated time is next to the best
the one with the fewest layers is taken.
"""

from __future__ import annotations

from conversion.kmodel import plan as planning
from conversion.kmodel import sampling
from conversion.kmodel.kpu_network import KpuNetwork
from conversion.kmodel.plan import RamPlan, placed_registers
from conversion.kpu import time

# A plan whose estimated time is within this of the best one is as good: published sums are met no better than that.
AS_FAST = 1.02


def plan(network: KpuNetwork, width: int, height: int) -> RamPlan:
    """`kmodel.plan.plan` with the best size of parts; the same errors."""
    plans = [planning.plan(network, width, height, part_channels=size) for size in sampling.part_sizes(network)]
    times = [time.estimate(placed_registers(network, one), 0).kpu for one in plans]
    found = zip(times, plans, strict=True)
    fast = [(len(one.steps), taken, one) for taken, one in found if taken <= AS_FAST * min(times)]
    return min(fast, key=lambda each: each[:2])[2]
