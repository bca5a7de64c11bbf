"""kmodel V5, what nncase 1.x writes: the KPU network inside it, after checking that there is nothing else."""

from __future__ import annotations

from conversion.errors import ModelFormatError, UnsupportedModelError
from conversion.feature_map import LINE_BYTES
from conversion.kmodel import layer as kpu_layer
from conversion.kmodel import v5_code, v5_container
from conversion.kmodel.kpu_network import Head, KpuNetwork
from conversion.kmodel.layer import ACTIVATION_BYTES, KpuLayer
from conversion.kmodel.v5_code import Convolution, TensorOperation, Transfer
from conversion.kmodel.v5_container import Container


def read(data: bytes, where: str) -> KpuNetwork:
    """The layers of a V5 kmodel that runs wholly on the KPU, registers as nncase planned them.

    Raises ModelFormatError for damage, UnsupportedModelError for a network with operators outside the KPU, or one
    that is not a chain of layers with heads at its end.
    """
    container = v5_container.read(data, where)
    call, dequantisations = _main_program(container, where)
    module_number, function_number = call.target or (0, 0)
    if module_number >= len(container.modules):
        raise ModelFormatError(f"{where}: the main program calls module {module_number}, which is not there")
    module = container.modules[module_number]
    if module.kind != v5_container.K210_MODULE or function_number >= len(module.functions):
        raise UnsupportedModelError(f"{where}: the main program calls {module.kind}, expected one K210 function")
    function = module.functions[function_number]
    operations = v5_code.kpu_operations(module, function, where)
    layers, downloads = _chain(operations, where)
    quantisation = _quantisation(call, dequantisations, where)
    results = [output.start for output in function.outputs]
    if sorted(downloads) != sorted(results) or len(quantisation) != len(results):
        raise ModelFormatError(f"{where}: downloads and outputs of the K210 function differ")
    heads = [downloads[start] for start in results]
    body = [number for number in range(len(layers)) if number not in heads]
    _check_chain(layers, body, heads, where)
    return KpuNetwork(
        body=tuple(layers[number][1] for number in body),
        heads=tuple(
            Head(layers[number][1], *parameters) for number, parameters in zip(heads, quantisation, strict=True)
        ),
    )


def _main_program(container: Container, where: str) -> tuple[TensorOperation, list[TensorOperation]]:
    main = container.modules[container.entry_module]
    if main.kind != v5_container.STACKVM_MODULE:
        raise UnsupportedModelError(f"{where}: the main program is for {main.kind!r}, expected the stack machine")
    operations = v5_code.tensor_operations(main, main.functions[container.entry_function], where)
    calls = [operation for operation in operations if operation.operator == v5_code.CALL]
    if len(calls) != 1 or operations[0] is not calls[0]:
        raise UnsupportedModelError(f"{where}: {len(calls)} calls of the K210, expected one that everything runs in")
    return calls[0], operations[1:]


def _quantisation(call: TensorOperation, dequantisations: list[TensorOperation], where: str) -> list[tuple[float, int]]:
    """(scale, zero point) of each result of the call, in the call's order."""
    by_buffer = {operation.buffers[0]: operation.floats for operation in dequantisations}
    results = call.buffers[1:]
    if set(results) != set(by_buffer):
        raise UnsupportedModelError(f"{where}: not every output of the K210 function is dequantised once")
    return [_scale_and_zero_point(*by_buffer[buffer], where) for buffer in results]


def _scale_and_zero_point(scale: float, bias: float, where: str) -> tuple[float, int]:
    sound = 0 < scale < float("inf") and abs(bias) < float("inf")
    zero_point = round(-bias / scale) if sound else -1
    if not (0 <= zero_point <= 255 and abs(zero_point + bias / scale) < 1e-3):
        raise UnsupportedModelError(
            f"{where}: an output has scale {scale:.6g} and bias {bias:.6g}: no integer zero point in 0..255"
        )
    return scale, zero_point


def _chain(operations: list[Transfer | Convolution], where: str) -> tuple[list[tuple[int, KpuLayer]], dict[int, int]]:
    """Layers as (number of the layer whose result they read, layer), -1 for the picture; and, by where a download
    puts it in the function's output, the number of the layer that produced it."""
    layers: list[tuple[int, KpuLayer]] = []
    downloads: dict[int, int] = {}
    if not operations or not (isinstance(operations[0], Transfer) and operations[0].upload):
        raise UnsupportedModelError(f"{where}: the K210 function does not begin with an upload of the picture")
    producer = {operations[0].destination.start: -1}
    for operation in operations[1:]:
        if isinstance(operation, Convolution):
            layer = operation.layer
            kpu_layer.check(layer, f"{where}: KPU layer {len(layers)}")
            layers.append((_producer(producer, layer.registers.image_src_addr * LINE_BYTES, where), layer))
            producer[layer.registers.image_dst_addr * LINE_BYTES] = len(layers) - 1
        elif operation.upload:
            raise UnsupportedModelError(f"{where}: the K210 function uploads more than the picture")
        else:
            downloads[operation.destination.start] = _producer(producer, operation.source.start, where)
    return layers, downloads


def _producer(producer: dict[int, int], address: int, where: str) -> int:
    if address not in producer:
        raise ModelFormatError(f"{where}: KPU RAM is read at {address:#x}, where no layer has written")
    return producer[address]


def _check_chain(layers: list[tuple[int, KpuLayer]], body: list[int], heads: list[int], where: str) -> None:
    expected = {number: number - 1 for number in body} | dict.fromkeys(heads, len(body) - 1)
    chained = all(layers[number][0] == source for number, source in expected.items())
    if not body or body != list(range(len(body))) or -1 in heads or not chained:
        raise UnsupportedModelError(f"{where}: not a chain of layers with heads that all read its end")
    for number, (source, layer) in enumerate(layers):
        fed = layers[source][1].destination if source >= 0 else layer.source
        if fed != layer.source:
            raise ModelFormatError(f"{where}: KPU layer {number} reads {layer.source}, layer {source} writes {fed}")


def masked(data: bytes, where: str) -> bytes:
    """The same V5 file with the bits cleared that nncase leaves uninitialised: equal inputs then give equal bytes."""
    result = bytearray(data)
    for module in v5_container.read(data, where).modules:
        if module.kind != v5_container.K210_MODULE:
            continue
        constants = module.section(".rdata").offset
        for function in module.functions:
            for operation in v5_code.kpu_operations(module, function, where):
                if isinstance(operation, Convolution):
                    start = constants + operation.activation_start
                    result[start : start + ACTIVATION_BYTES] = operation.layer.activation
    return bytes(result)
