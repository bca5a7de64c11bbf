"""Puts a planned network together as a V3 model: layers, main memory, and the output table that firmware reads."""

from __future__ import annotations

from conversion.kmodel.kpu_network import KpuNetwork
from conversion.kmodel.plan import RamPlan, placed_layers
from conversion.kmodel.v3 import ConvLayer, Output, V3Model

# The firmware's DMA moves whole 64-bit words: a head's buffer may be written up to the next multiple of 8.
_HEAD_ALIGNMENT = 8


def assemble(network: KpuNetwork, plan: RamPlan) -> V3Model:
    """Output 0 is the block of all heads in main memory, outputs 1.. are the heads, aliases into it.

    (MaixPy reads outputs 1..; CanMV can hand out only output 0.)
    """
    layers = placed_layers(network, plan)
    body = [ConvLayer(layer, None) for layer in layers[: len(plan.body)]]
    heads, outputs, address = [], [], 0
    for layer in layers[len(plan.body) :]:
        size = layer.destination.bytes
        heads.append(ConvLayer(layer, address))
        outputs.append(Output(address, size))
        address += -(-size // _HEAD_ALIGNMENT) * _HEAD_ALIGNMENT
    return V3Model((*body, *heads), (Output(0, address), *outputs), main_memory_bytes=address, max_start_line=0)
