"""TensorFlow graph nodes, from tfjs JSON or a GraphDef, to the convolutions that they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from conversion import network
from conversion.errors import ModelFormatError, UnsupportedModelError
from conversion.outside.text import shown
from conversion.weights.topology import EXPECTED, Convolution

MAX_NODES = 4096
_MAX_IDENTITIES = 8
_KINDS = {"Conv2D": "conv", "DepthwiseConv2dNative": "depthwise"}
_BIAS = ("BiasAdd", "Add", "AddV2")
_KNOWN = frozenset({"Placeholder", "Const", "Identity", "NoOp", "Relu6", *_KINDS, *_BIAS})


@dataclass(frozen=True)
class Node:
    """One node. `ints` are its integer list attributes (strides, dilations), `texts` its string attributes."""

    name: str
    op: str
    inputs: tuple[str, ...]
    ints: Mapping[str, tuple[int, ...]]
    texts: Mapping[str, str]


class Graph:
    """Nodes by name with their readers, Identity nodes seen through; refuses what this network never holds."""

    def __init__(self, nodes: Sequence[Node], constants: Mapping[str, np.ndarray], where: str):
        self._where = where
        self._nodes = {node.name: node for node in nodes}
        self._constants = constants
        if len(self._nodes) != len(nodes):
            raise ModelFormatError(f"{where}: two nodes have the same name")
        self._refuse_foreign(nodes)
        self._readers: dict[str, list[Node]] = {}
        for node in nodes:
            if node.op != "Identity" and node.inputs:
                self._readers.setdefault(self._resolve(node.inputs[0]), []).append(node)

    def input(self) -> str:
        """The name of the only Placeholder."""
        found = [node.name for node in self._nodes.values() if node.op == "Placeholder"]
        if len(found) != 1:
            raise UnsupportedModelError(f"{self._where}: has {len(found)} inputs; {EXPECTED}, with one input")
        return found[0]

    def convolutions(self) -> list[Convolution]:
        """Every convolution with its bias and activation, in the file's order; all other operators are theirs."""
        found = [self._convolution(node) for node in self._nodes.values() if node.op in _KINDS]
        used = sum(2 + (convolution.activation != "none") for convolution in found)
        working = sum(node.op in _KINDS or node.op in _BIAS or node.op == "Relu6" for node in self._nodes.values())
        if used != working:
            raise UnsupportedModelError(
                f"{self._where}: {working - used} operators belong to no convolution; {EXPECTED}"
            )
        return found

    def _refuse_foreign(self, nodes: Sequence[Node]) -> None:
        foreign = sorted({node.op for node in nodes} - _KNOWN)
        if foreign:
            counts = ", ".join(f"{sum(node.op == op for node in nodes)} {op}" for op in _KINDS)
            raise UnsupportedModelError(
                f"{self._where}: holds {counts} and operators that this network lacks "
                f"({shown(', '.join(foreign))}); {EXPECTED}"
            )

    def _resolve(self, reference: str) -> str:
        """The node that an input names, through Identity nodes; only first outputs exist in this network."""
        for _ in range(_MAX_IDENTITIES):
            name = reference.removesuffix(":0")
            node = self._nodes.get(name)
            if node is None:
                raise ModelFormatError(f"{self._where}: an input names {shown(reference)}, which does not exist")
            if node.op != "Identity":
                return name
            reference = self._input(node, 0)
        raise ModelFormatError(
            f"{self._where}: more than {_MAX_IDENTITIES} Identity nodes in a row at {shown(reference)}"
        )

    def _input(self, node: Node, index: int) -> str:
        if index >= len(node.inputs):
            raise ModelFormatError(f"{self._where}: node {shown(node.name)} has no input {index}")
        return node.inputs[index]

    def _only_reader(self, name: str, ops: tuple[str, ...]) -> Node | None:
        """The one node that reads `name`, if it is one of `ops`."""
        readers = self._readers.get(name, [])
        return readers[0] if len(readers) == 1 and readers[0].op in ops else None

    def _constant(self, node: Node, index: int) -> np.ndarray:
        name = self._resolve(self._input(node, index))
        if name not in self._constants:
            raise ModelFormatError(f"{self._where}: input {index} of {shown(node.name)} is not a constant")
        return self._constants[name]

    def _convolution(self, node: Node) -> Convolution:
        bias = self._only_reader(node.name, _BIAS)
        if bias is None:
            raise UnsupportedModelError(f"{self._where}: no bias follows {shown(node.name)}; {EXPECTED}")
        relu = self._only_reader(bias.name, ("Relu6",))
        return Convolution(
            names=(node.name, bias.name),
            kind=_KINDS[node.op],
            source=self._resolve(self._input(node, 0)),
            result=relu.name if relu else bias.name,
            kernel=self._constant(node, 1),
            bias=self._constant(bias, 1),
            stride=self._pair(node, "strides"),
            dilation=self._pair(node, "dilations"),
            padding=node.texts.get("padding", "missing"),
            activation="relu6" if relu else "none",
        )

    def _pair(self, node: Node, attribute: str) -> tuple[int, int]:
        """Height and width of an NHWC list attribute; absent means 1."""
        values = node.ints.get(attribute, (1, 1, 1, 1))
        if len(values) != 4 or values[0] != 1 or values[3] != 1 or node.texts.get("data_format", "NHWC") != "NHWC":
            raise UnsupportedModelError(f"{self._where}: node {shown(node.name)} is not in NHWC order with {attribute}")
        return values[1], values[2]


def check_input(shape: Sequence[int], where: str) -> None:
    """The input is a batch of RGB pictures, NHWC; unknown sides are -1."""
    if shape and (len(shape) != 4 or shape[3] != network.INPUT_CHANNELS):
        raise UnsupportedModelError(f"{where}: its input has the shape {shown(list(shape))}; expected [1, H, W, 3]")
