"""Published times of KPU layers beside the model's: `python -m tests.conversion.kpu.layer_times` prints the table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import tomli

from conversion.feature_map import FeatureMap
from conversion.kmodel.layer import weight_loads
from conversion.kmodel.registers import PACKED_BYTES, Registers
from conversion.kpu import time

TIMES = Path(__file__).with_name("layer_times.toml")
HEADER = """\
| published times | layers | sum ms | model | error of the sum | greatest error of a layer |
|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Timed:
    """One layer: its registers, what was published in ms, and what the model says."""

    registers: Registers
    published: float
    model: float

    @property
    def error(self) -> float:
        """How much longer the model takes, as a share of the published time."""
        return self.model / self.published - 1


@dataclass(frozen=True)
class Network:
    """The layers that one source timed; `copied_bytes` are moved to main memory within the last time."""

    name: str
    layers: tuple[Timed, ...]
    copied_bytes: int

    @property
    def error(self) -> float:
        """The same for the sum of all layers."""
        return sum(layer.model for layer in self.layers) / sum(layer.published for layer in self.layers) - 1


def networks() -> list[Network]:
    """Every source of layer_times.toml."""
    return [_network(**entry) for entry in tomli.loads(TIMES.read_text())["network"]]


def copies() -> list[tuple[int, float]]:
    """(bytes, published ms) of every copy out of KPU RAM."""
    return [(entry["bytes"], entry["ms"]) for entry in tomli.loads(TIMES.read_text())["copy"]]


def _network(name: str, clock_hz: int, bytes: int, extra_ms: float, layers: list, copied_bytes: int) -> Network:  # noqa: A002
    timed = []
    for number, (kernel, channels, outputs, width, height, published) in enumerate(layers):
        words = registers(kernel, FeatureMap(channels, height, width), outputs, bytes)
        extra = extra_ms if number else 0.0
        timed.append(Timed(words, published, 1000 * time.seconds(words, clock_hz) + extra))
    return Network(name, tuple(timed), copied_bytes)


def registers(kernel: int | str, source: FeatureMap, outputs: int, weight_bytes: int = 1) -> Registers:
    """The words of a layer as far as its time depends on them."""
    depthwise = kernel == "dw"
    taps = 9 if depthwise else kernel**2 * source.channels
    per_load, loads = weight_loads(depthwise, taps, outputs)
    return replace(
        Registers.unpack(bytes(PACKED_BYTES)),
        depth_wise_layer=int(depthwise),
        kernel_type=int(kernel != 1),
        i_ch_num=source.channels,
        o_ch_num=outputs,
        i_row_wid=source.width,
        i_col_high=source.height,
        o_ch_num_coef=per_load,
        para_size=per_load * taps * weight_bytes,
        load_time=loads,
    )


def table() -> str:
    """The networks in Markdown; the layer that holds a copy is left out of the last column."""
    return HEADER + "".join(_row(network) for network in networks())


def _row(network: Network) -> str:
    published = sum(layer.published for layer in network.layers)
    model = sum(layer.model for layer in network.layers)
    alone = network.layers[:-1] if network.copied_bytes else network.layers
    worst = max(alone, key=lambda layer: abs(layer.error))
    return (
        f"| {network.name} | {len(network.layers)} | {published:.2f} | {model:.2f} | {network.error:+.1%} "
        f"| {worst.error:+.1%} ({worst.published:.3f} ms) |\n"
    )


if __name__ == "__main__":
    print(table(), end="")
