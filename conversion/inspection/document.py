"""An inspection as JSON: stable keys, documented here; a key may be added, none changes its meaning.

Top level
    format           "posenet-maix inspection 1"
    file, form       name of the file, and what kind of file it is
    known            name of the published weights (for a kmodel: those it was made of, from its model card) or null
    network          what the layers are recognised as, or null
    weights_input    true if `make kmodel WEIGHTS=` takes the file; refusal: why not, or null
    bytes, files     all files together; [{name, bytes, sha256, used}]
    inputs, outputs  [tensor]
    normalisation    {scale, offset} of a pixel 0..255 for the network (p * scale + offset), or null
    size_assumed     {width, height} that shapes and MACs hold for when the file takes any size, or null
    layers           [layer] in the order in which they run
    totals           {layers, parameters, parameter_bytes, macs_useful, macs_executed, time_us}
    memory           {kpu_ram_bytes, main_memory_bytes} of a kmodel, or null
    facts, remarks   {name: text}, [text]: for people
    firmware         of a K210 firmware, else null: {name, version, date, board, parts, start, bytes_needed,
                     missing_bytes, linked_to_ram, micropython, test_image}; "" for what the image does not tell, start:
                     address of the routine that the entry code jumps to, bytes_needed: 0 if that code does not say

tensor
    name, role       the file's name; the head that it is (heatmap, offset, ... mid_offsets, segments) or ""
    dtype, shape     NumPy's name; as in the file, null for a side of any size; order: NHWC, NCHW or ""
    quantisation     {scale, zero_point, count}: real = (q - zero_point) * scale; count pairs, the first shown; or null
    range            [lowest, highest] real value of a uint8, or null
    layer            number of the layer that gives an output, or null
    place, bytes     where it lies in the board's memory (kmodel), or ""; or null

layer
    number, type     counted from 0; the format's name of the type
    name, part       the network's name (conv0, depthwise1, ... heatmap) or ""; "1/2" of a layer run in parts, or ""
    file_name, group the file's name or ""; the function that it belongs to (V5) or ""
    sources          numbers of the layers that it reads; -1 is the first input, -2 the second
    reads, writes    {channels, height, width} or null
    kernel, stride, dilation   [height, width], or null for what is no convolution
    padding, activation, depthwise   of a convolution, or null
    parameters, parameter_bytes   weights and biases; their bytes (KPU: with batch norm and activation table)
    macs_useful, macs_executed    multiply-accumulates, or null; the KPU executes more than are of use where it strides
    quantisation     of what it writes (of a dequantising layer: of what it reads), or null
    time_us          estimated microseconds of a run of the KPU at 400 MHz, or null
    kpu_ram          {read: [first, end], written: [first, end]} in lines of 64 bytes, or null
    details          what else the format says of this type, by name
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from conversion.feature_map import FeatureMap
from conversion.inspection.model import Inspection, Layer, Quantisation, Tensor

FORMAT = "posenet-maix inspection 1"


def to_json(inspection: Inspection) -> str:
    """The document as text, numbers that JSON lacks (NaN, infinity) as texts."""
    return json.dumps(_plain(to_dict(inspection)), indent=2, ensure_ascii=False, allow_nan=False)


def to_dict(inspection: Inspection) -> dict:
    """The document described above."""
    size, memory, normalisation = inspection.assumed_size, inspection.memory, inspection.normalisation
    return {
        "format": FORMAT,
        "file": inspection.path.name,
        "form": inspection.form,
        "known": inspection.known,
        "network": inspection.network,
        "weights_input": inspection.refusal is None,
        "refusal": inspection.refusal,
        "bytes": inspection.bytes,
        "files": [vars(part) for part in inspection.files],
        "inputs": [_tensor(tensor) for tensor in inspection.inputs],
        "outputs": [_tensor(tensor) for tensor in inspection.outputs],
        "normalisation": vars(normalisation) if normalisation else None,
        "size_assumed": {"width": size[0], "height": size[1]} if size else None,
        "layers": [_layer(layer) for layer in inspection.layers],
        "totals": {
            "layers": len(inspection.layers),
            "parameters": inspection.parameters,
            "parameter_bytes": inspection.parameter_bytes,
            "macs_useful": inspection.macs.useful,
            "macs_executed": inspection.macs.executed,
            "time_us": round(1e6 * inspection.seconds) if inspection.runs_on_kpu else None,
        },
        "memory": vars(memory) if memory else None,
        "facts": dict(inspection.facts),
        "remarks": list(inspection.remarks),
        "firmware": dict(inspection.firmware) if inspection.firmware is not None else None,
    }


def _tensor(tensor: Tensor) -> dict:
    limits = tensor.quantisation.limits(tensor.dtype) if tensor.quantisation else None
    return {
        **vars(tensor),
        "shape": list(tensor.shape),
        "quantisation": _quantisation(tensor.quantisation),
        "range": list(limits) if limits else None,
    }


def _layer(layer: Layer) -> dict:
    convolution, macs = layer.convolution, layer.macs
    regions = zip(("read", "written"), layer.regions, strict=True) if layer.regions else ()
    return {
        "number": layer.number,
        "type": layer.type,
        "name": layer.name,
        "part": layer.part,
        "file_name": layer.file_name,
        "group": layer.group,
        "sources": list(layer.sources),
        "reads": _map(layer.reads),
        "writes": _map(layer.writes),
        "kernel": list(convolution.kernel) if convolution else None,
        "stride": list(convolution.stride) if convolution else None,
        "dilation": list(convolution.dilation) if convolution else None,
        "padding": convolution.padding if convolution else None,
        "activation": convolution.activation if convolution else None,
        "depthwise": convolution.depthwise if convolution else None,
        "parameters": layer.parameters,
        "parameter_bytes": layer.parameter_bytes,
        "macs_useful": macs.useful if macs else None,
        "macs_executed": macs.executed if macs else None,
        "quantisation": _quantisation(layer.quantisation),
        "time_us": None if layer.seconds is None else round(1e6 * layer.seconds),
        "kpu_ram": {name: [region.line, region.end] for name, region in regions} or None,
        "details": dict(layer.details),
    }


def _map(feature_map: FeatureMap | None) -> dict | None:
    return vars(feature_map) if feature_map else None


def _quantisation(quantisation: Quantisation | None) -> dict | None:
    return vars(quantisation) if quantisation else None


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
