"""How the facts of an inspection are worded, for terminal and page alike: sizes, shapes, numbers, quantisation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conversion.feature_map import RAM_BYTES
from conversion.inspection import naming
from conversion.inspection.model import Convolution, Inspection, Layer, Pair, Quantisation, Tensor
from conversion.kpu.time import ERROR, KPU_HZ
from conversion.posenet_weights import Normalisation
from conversion.report import tables

Facts = list[tuple[str, str]]
_KIB = 1024
_MOST_FILES = 4
ESTIMATED = f"estimated from published layer times (±{ERROR:.0%})"


def facts(inspection: Inspection) -> Facts:
    """What to know first, a pair a line."""
    return [
        ("form", inspection.form),
        *_identity(inspection),
        *([("network", inspection.network)] if inspection.network else []),
        *_input_facts(inspection),
        *_quantised(inspection),
        *_cost(inspection),
        *inspection.facts,
        *_files(inspection),
    ]


def _identity(inspection: Inspection) -> Facts:
    if inspection.firmware is not None:
        return []
    if inspection.memory is not None:
        return [("made of", inspection.known)] if inspection.known else []
    taken = "takes it as WEIGHTS=" if inspection.refusal is None else f"does not take it: {inspection.refusal}"
    return [("known", inspection.known or "no: its SHA-256 is not that of a published file"), ("make kmodel", taken)]


def _input_facts(inspection: Inspection) -> Facts:
    if inspection.normalisation is None:
        return []
    return [("pixels", f"{normalised(inspection.normalisation)} for a pixel p of 0 to 255")]


def _quantised(inspection: Inspection) -> Facts:
    """How the heads are quantised, one a line."""
    by_number = {layer.number: layer for layer in inspection.layers}
    found: dict[str, Quantisation] = {}
    for layer in inspection.layers:
        role = naming.role_of(layer, by_number)
        if role and layer.quantisation:
            found.setdefault(role, layer.quantisation)
    return [("quantised", f"{role}: {quantisation(one)}") for role, one in found.items()]


def normalised(normalisation: Normalisation) -> str:
    """The formula that turns a pixel into the network's input."""
    divisor = 1 / normalisation.scale
    return f"p / {divisor:g} {'-' if normalisation.offset < 0 else '+'} {abs(normalisation.offset):g}"


def _cost(inspection: Inspection) -> Facts:
    macs, memory, size = inspection.macs, inspection.memory, inspection.assumed_size
    found: Facts = []
    if inspection.parameters:
        found.append(("parameters", f"{inspection.parameters:,} in {inspection.parameter_bytes:,} bytes"))
    if macs.useful:
        executed = f" of use, {millions(macs.executed)} executed by the KPU" if inspection.runs_on_kpu else ""
        at = f" at {size[0]}x{size[1]} (the file takes any size)" if size else ""
        found.append(("MACs", f"{millions(macs.useful)}{executed}{at}"))
    if memory and inspection.runs_on_kpu:
        found.append(("KPU RAM", f"{memory.kpu_ram_bytes // _KIB} of {RAM_BYTES // _KIB} KiB"))
    if inspection.runs_on_kpu:
        found.append(("KPU time", f"{1000 * inspection.seconds:.1f} ms at {KPU_HZ // 1_000_000} MHz, {ESTIMATED}"))
    if memory and memory.main_memory_bytes is not None:
        found.append(("main memory", f"{memory.main_memory_bytes:,} bytes beside the file"))
    return found


def _files(inspection: Inspection) -> Facts:
    parts = inspection.files
    if len(parts) == 1:
        return [("file", f"{parts[0].bytes:,} bytes"), ("sha256", parts[0].sha256)]
    total = f"{len(parts)} with {inspection.bytes:,} bytes together"
    if len(parts) > _MOST_FILES:
        return [("files", f"{total}; --json gives the sha256 of each")]
    return [("files", total), *(("sha256", f"{part.sha256} {part.name}") for part in parts)]


def millions(count: int) -> str:
    """A count of operations; a small one with a digit more, so that it is not 0."""
    return f"{count / 1e6:,.{1 if count >= 100_000 else 2}f} M"


def microseconds(layer: Layer) -> str:
    """The estimated time of a run of the KPU; nothing for what runs elsewhere."""
    return "" if layer.seconds is None else f"{1e6 * layer.seconds:,.0f}"


def count(number: int) -> str:
    """A number with separators; nothing for 0."""
    return f"{number:,}" if number else ""


def pair(values: Pair) -> str:
    """Height and width as one number where they are equal, else width x height, as everywhere in this project."""
    height, width = values
    return str(height) if height == width else f"{width}x{height}"


def kernel(convolution: Convolution | None) -> str:
    """Width x height of the kernel."""
    return f"{convolution.kernel[1]}x{convolution.kernel[0]}" if convolution else ""


def stride(convolution: Convolution | None) -> str:
    """The stride, and the dilation where there is one."""
    if convolution is None:
        return ""
    dilated = f", dilated {pair(convolution.dilation)}" if convolution.dilation != (1, 1) else ""
    return f"{pair(convolution.stride)}{dilated}"


def kernel_and_stride(layer: Layer) -> str:
    """Both in one, a stride of 1 left out: 3x3 /2."""
    text = stride(layer.convolution)
    return kernel(layer.convolution) + (f" /{text}" if text not in ("", "1") else "")


def label(layer: Layer) -> str:
    """The network's name of a layer or the file's; nothing where there is neither."""
    return layer.label if layer.name or layer.file_name else ""


def tensor_shape(tensor: Tensor) -> str:
    """Channels x width x height of a picture or map, else the sides as they are; "any" for an open side."""
    if tensor.map:
        return tables.shape(tensor.map)
    sides = ["any" if side is None else str(side) for side in tensor.shape]
    if len(sides) == 4 and tensor.order == "NHWC":
        return f"{sides[3]} × any size" if sides[1] == sides[2] == "any" else f"{sides[3]} × {sides[2]}x{sides[1]}"
    return "x".join(sides) if sides else "one number"


def layer_map(layer: Layer, which: str) -> str:
    """What a layer reads or writes, "" where the file does not say."""
    found = layer.reads if which == "reads" else layer.writes
    return tables.shape(found) if found else ""


def quantisation(found: Quantisation | None) -> str:
    """The formula of a quantised number."""
    if found is None:
        return ""
    more = f" ({found.count} such pairs)" if found.count > 1 else ""
    return f"(q {'+' if found.zero_point < 0 else '-'} {abs(found.zero_point)}) * {found.scale:.6g}{more}"


def limits(tensor: Tensor) -> str:
    """The real values that a quantised tensor can hold."""
    found = tensor.quantisation.limits(tensor.dtype) if tensor.quantisation else None
    return f"{found[0]:.4g} to {found[1]:.4g}" if found else ""


def details(layer: Layer) -> str:
    """What else the format says of a layer, on one line."""
    return ", ".join(f"{name} {_value(value)}" for name, value in layer.details.items())


def option(name: str, value: object) -> str:
    """One option of a custom operator."""
    return f"{name} = {_value(value)}"


def _value(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_value(item)}" for name, item in value.items()) + "}"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, tuple | list):
        return "(" + ", ".join(_value(item) for item in value) + ")"
    return str(value)


def kpu_lines(layer: Layer, which: int) -> str:
    """First and last line of KPU RAM that a layer reads (0) or writes (1)."""
    if layer.regions is None:
        return ""
    region = layer.regions[which]
    return f"{region.line} – {region.end - 1}"


def sources(layer: Layer) -> str:
    """Where a layer reads from, "" for the layer just before it."""
    if layer.sources in ((layer.number - 1,), ()):
        return ""
    return ", ".join(_runs(layer.sources))


def _runs(numbers: Sequence[int]) -> Iterator[str]:
    """Layers' numbers, three and more in a row as first–last; the inputs as in 0, in 1."""
    rows: list[list[int]] = []
    for number in numbers:
        if rows and number > 0 and number == rows[-1][-1] + 1:
            rows[-1].append(number)
        else:
            rows.append([number])
    for row in rows:
        if len(row) > 2:
            yield f"{row[0]}–{row[-1]}"
        else:
            yield from (str(number) if number >= 0 else f"in {-1 - number}" for number in row)
