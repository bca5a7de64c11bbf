"""Puts the parameters of one V5 kmodel into another of the same network at another size, both made by nncase.

nncase's simulator on the result says what the first file's layers compute at the second file's size, with registers
and addresses that nncase itself planned: the reference for relinking.
"""

from __future__ import annotations

from dataclasses import replace

from conversion.kmodel import v5, v5_code, v5_container
from conversion.kmodel.registers import Registers
from conversion.kmodel.v5_code import Convolution
from conversion.kmodel.v5_container import Module

# The registers that hold parameters, not sizes or addresses.
_PARAMETERS = ("pad_value", "shr_w", "shr_x", "arg_w", "arg_x", "arg_add")


def transplant(source: bytes, target: bytes) -> bytes:
    """`target` with the weights, batch norms, tables and arithmetic registers of `source`.

    Outputs keep the target's scale and zero point: only the bytes behind them mean anything.
    """
    target = v5.masked(target, "target")
    result = bytearray(target)
    _, donors = _convolutions(source)
    module, places = _convolutions(target)
    constants, code = module.section(".rdata"), module.section(".text")
    position = code.offset
    for donor, place in zip(donors, places, strict=True):
        position = result.index(place.layer.registers.pack(), position)
        _put(result, position, _with_parameters(place.layer.registers, donor.layer.registers).pack())
        _put(result, constants.offset + place.activation_start, donor.layer.activation)
        for name in ("weights", "batch_norm"):
            old, new = getattr(place.layer, name), getattr(donor.layer, name)
            assert len(old) == len(new)
            assert constants.data.count(old) == 1
            _put(result, constants.offset + constants.data.index(old), new)
        position += 1
    return bytes(result)


def _convolutions(data: bytes) -> tuple[Module, list[Convolution]]:
    """The K210 module and its convolutions in the order in which they run."""
    container = v5_container.read(data, "transplant")
    (module,) = (module for module in container.modules if module.kind == v5_container.K210_MODULE)
    (function,) = module.functions
    operations = v5_code.kpu_operations(module, function, "transplant")
    return module, [operation for operation in operations if isinstance(operation, Convolution)]


def _with_parameters(registers: Registers, donor: Registers) -> Registers:
    return replace(registers, **{name: getattr(donor, name) for name in _PARAMETERS})


def _put(data: bytearray, position: int, block: bytes) -> None:
    data[position : position + len(block)] = block
