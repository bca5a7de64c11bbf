"""Tensors and layers as tables of texts, for terminal and page alike; a column that nothing is in is left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from conversion.inspection import text_format
from conversion.inspection.model import Inspection, Layer, Tensor


@dataclass(frozen=True)
class Column:
    """A column: its title, its cells' text, whether they are numbers, whether they wrap on a narrow terminal."""

    title: str
    text: Callable[..., str]
    number: bool = False
    wraps: bool = False


@dataclass(frozen=True)
class TextTable:
    """Columns, and rows with one text a column."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]


_TENSOR_COLUMNS = (
    Column("name", lambda tensor: tensor.name, wraps=True),
    Column("head", lambda tensor: tensor.role),
    Column("type", lambda tensor: tensor.dtype),
    Column("shape", text_format.tensor_shape),
    Column("real value", lambda tensor: text_format.quantisation(tensor.quantisation)),
    Column("range", text_format.limits),
    Column("where", lambda tensor: tensor.place, wraps=True),
)

NUMBER = Column("#", lambda layer: str(layer.number), number=True)
FROM = Column("from", text_format.sources, wraps=True)
LABEL = Column("layer", text_format.label, wraps=True)
TYPE = Column("type", lambda layer: layer.type, wraps=True)
WRITES = Column("writes", lambda layer: text_format.layer_map(layer, "writes"))
PARAMETERS = Column("parameters", lambda layer: text_format.count(layer.parameters), number=True)
MACS = Column("MACs", lambda layer: text_format.millions(layer.macs.useful) if layer.macs else "", number=True)
TIME = Column("est. µs", text_format.microseconds, number=True)

_SHORT = (
    NUMBER,
    FROM,
    LABEL,
    TYPE,
    Column("kernel", text_format.kernel_and_stride),
    WRITES,
    PARAMETERS,
    MACS,
    TIME,
)
_FULL = (
    NUMBER,
    LABEL,
    TYPE,
    Column("reads from", text_format.sources),
    Column("kernel", lambda layer: text_format.kernel(layer.convolution), number=True),
    Column("stride", lambda layer: text_format.stride(layer.convolution), number=True),
    Column("reads", lambda layer: text_format.layer_map(layer, "reads")),
    WRITES,
    PARAMETERS,
    Column("bytes", lambda layer: text_format.count(layer.parameter_bytes), number=True),
    MACS,
    Column(
        "executed",
        lambda layer: text_format.millions(layer.macs.executed) if layer.macs and layer.regions else "",
        True,
    ),
    TIME,
    Column("quantised", lambda layer: text_format.quantisation(layer.quantisation)),
    Column("KPU lines read", lambda layer: text_format.kpu_lines(layer, 0)),
    Column("lines written", lambda layer: text_format.kpu_lines(layer, 1)),
    Column("padding", lambda layer: layer.convolution.padding if layer.convolution and not layer.regions else ""),
    Column("activation", lambda layer: layer.convolution.activation if layer.convolution and not layer.regions else ""),
    Column("function", lambda layer: layer.group),
    Column("name in the file", lambda layer: layer.file_name if layer.name else ""),
    Column("more", text_format.details),
)


def tensors(found: Sequence[Tensor]) -> TextTable:
    """Inputs or outputs."""
    return _table(_TENSOR_COLUMNS, found)


def layers(inspection: Inspection, full: bool) -> TextTable:
    """All layers, with every column or with those that fit 80 characters."""
    return _table(_FULL if full else _SHORT, inspection.layers)


def _table(columns: Sequence[Column], things: Sequence[Tensor] | Sequence[Layer]) -> TextTable:
    texts = [[column.text(thing) for column in columns] for thing in things]
    kept = [place for place in range(len(columns)) if any(row[place] for row in texts)]
    return TextTable(
        tuple(columns[place] for place in kept), tuple(tuple(row[place] for place in kept) for row in texts)
    )
