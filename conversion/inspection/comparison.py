"""A Markdown table that sets files beside each other: python -m conversion.inspection.comparison FILE...

Made from what `inspect --json` says of each, one column a file.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from conversion.errors import ConversionError
from conversion.inspection import document, inspect, text_format
from conversion.posenet_weights import Normalisation

_Document = dict
_FLOAT_BYTES = 4
_BYTE_MAX = 255


def _files(found: _Document) -> str:
    parts, unused = len(found["files"]), sum(not part["used"] for part in found["files"])
    more = f" in {parts} files" if parts > 1 else ""
    return f"{found['bytes']:,} bytes{more}" + (f", {unused} of them not used" if unused else "")


def _weights(found: _Document) -> str:
    totals = found["totals"]
    each = totals["parameter_bytes"] / totals["parameters"] if totals["parameters"] else 0
    kind = "float32" if each == _FLOAT_BYTES else "uint8, biases int32" if 1 <= each < _FLOAT_BYTES else "none readable"
    return f"{totals['parameters']:,} ({kind})"


def _inputs(found: _Document) -> str:
    pixels = f", {text_format.normalised(Normalisation(**found['normalisation']))}" if found["normalisation"] else ""
    return "<br>".join(f"`{one['name']}` {one['dtype']} {_shape(one)}{pixels}" for one in found["inputs"])


def _outputs(found: _Document) -> str:
    return "<br>".join(f"`{one['name']}` {one['dtype']} {_shape(one)}{_range(one)}" for one in found["outputs"])


def _shape(tensor: _Document) -> str:
    return "×".join("any" if side is None else str(side) for side in tensor["shape"]) or "one number"


def _range(tensor: _Document) -> str:
    return f", {tensor['range'][0]:.4g} to {tensor['range'][1]:.4g}" if tensor["range"] else ""


def _layers(found: _Document) -> str:
    layers = found["layers"]
    convolutions = sum(layer["kernel"] is not None for layer in layers)
    others = sorted({layer["type"] for layer in layers if layer["kernel"] is None})
    dilated = any(layer["dilation"] not in (None, [1, 1]) for layer in layers)
    words = [f"{convolutions} convolutions", *others, "dilated" if dilated else "none dilated"]
    return ", ".join(words)


def _heads(found: _Document) -> str:
    ranges = []
    for layer in found["layers"]:
        quantisation = layer["quantisation"]
        if quantisation and layer["name"] and layer["kernel"] == [1, 1] and not layer["name"].startswith("pointwise"):
            low, high = (-quantisation["zero_point"] * quantisation["scale"], _high(quantisation))
            ranges.append(f"{layer['name']} {low:.4g} to {high:.4g}")
    return "<br>".join(ranges) or "not quantised"


def _high(quantisation: _Document) -> float:
    return (_BYTE_MAX - quantisation["zero_point"]) * quantisation["scale"]


def _macs(found: _Document) -> str:
    size = found["size_assumed"]
    at = f" at {size['width']}x{size['height']}" if size else ""
    return f"{found['totals']['macs_useful'] / 1e6:,.0f} M{at}" if found["totals"]["macs_useful"] else "hidden"


def _remarks(found: _Document) -> str:
    return "<br>".join(found["remarks"]) or "nothing"


_ROWS: tuple[tuple[str, Callable[[_Document], str]], ...] = (
    ("form", lambda found: found["form"]),
    ("known as", lambda found: found["known"] or "not by its SHA-256"),
    ("network", lambda found: found["network"] or "not readable"),
    ("size", _files),
    ("parameters", _weights),
    ("layers", _layers),
    ("MACs", _macs),
    ("input", _inputs),
    ("outputs", _outputs),
    ("range of the heads", _heads),
    ("special", _remarks),
    ("`make kmodel WEIGHTS=`", lambda found: "yes" if found["weights_input"] else f"no: {found['refusal']}"),
)


def table(documents: Sequence[_Document]) -> str:
    """The table for documents as `document.to_dict` gives them: Markdown, one line a row."""
    lines = [["", *(f"`{found['file']}`" for found in documents)], ["---"] * (1 + len(documents))]
    lines += [[title, *(text(found) for found in documents)] for title, text in _ROWS]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(0x2502)) for cell in line)} |" for line in lines)


def main(arguments: Sequence[str]) -> int:
    """Print the table for files or folders; 2 and one line on stderr for one that cannot be read."""
    if not arguments:
        print("usage: python -m conversion.inspection.comparison FILE...", file=sys.stderr)
        return 2
    try:
        print(table([document.to_dict(inspect(Path(argument))) for argument in arguments]))
    except ConversionError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
