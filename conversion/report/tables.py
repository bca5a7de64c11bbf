"""The layers of a planned network as rows: what each run of the KPU reads, writes, loads and computes."""

from __future__ import annotations

from dataclasses import dataclass

from conversion import network
from conversion.feature_map import FeatureMap, Region
from conversion.kmodel import sampling
from conversion.kmodel.kpu_network import KpuNetwork
from conversion.kmodel.plan import RamPlan, placed_layers
from conversion.kpu import time


@dataclass(frozen=True)
class LayerRow:
    """One run of the KPU; `part` is "" or "1/2"; lines are of KPU RAM, 64 bytes each; `seconds` are estimated."""

    name: str
    part: str
    kind: str
    stride: int
    source: Region
    destination: Region
    weight_bytes: int
    macs_useful: int
    macs_executed: int
    seconds: float


def layer_rows(kpu_network: KpuNetwork, plan: RamPlan) -> list[LayerRow]:
    """One row a step, in the order in which the board runs them."""
    rows = []
    seen: dict[int, int] = {}
    for step, layer in zip(plan.steps, placed_layers(kpu_network, plan), strict=True):
        seen[step.number] = seen.get(step.number, 0) + 1
        parts = plan.split_layers.get(step.number, 1)
        useful, executed = sampling.macs(layer)
        meant = sampling.as_depthwise(layer)
        rows.append(
            LayerRow(
                name=layer_name(step.number, len(kpu_network.body)),
                part=f"{seen[step.number]}/{parts}" if parts > 1 else "",
                kind=kind(meant.depthwise, layer.kernel) + (" as dense" if meant is not layer else ""),
                stride=layer.stride,
                source=step.source,
                destination=step.destination,
                weight_bytes=len(layer.weights),
                macs_useful=useful,
                macs_executed=executed,
                seconds=time.seconds(layer.registers),
            )
        )
    return rows


def layer_name(number: int, body_layers: int) -> str:
    """The network's own name of a layer, if it is PoseNet's chain; else its number."""
    names = [*(spec.name for spec in network.BODY), *network.HEAD_NAMES]
    return names[number] if body_layers == len(network.BODY) and number < len(names) else f"layer {number}"


def kind(depthwise: bool, kernel: int) -> str:
    """How a layer is called in tables."""
    if depthwise:
        return f"depthwise {kernel}x{kernel}"
    return "pointwise" if kernel == 1 else f"convolution {kernel}x{kernel}"


def shape(feature_map: FeatureMap) -> str:
    """Channels, then width x height, as everywhere in this project."""
    return f"{feature_map.channels} × {feature_map.width}x{feature_map.height}"
