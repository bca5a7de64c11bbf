"""A network as the KPU sees it: a chain of layers and the heads that read its end, with their quantisation."""

from __future__ import annotations

from dataclasses import dataclass

from conversion.feature_map import FeatureMap
from conversion.kmodel.layer import KpuLayer


@dataclass(frozen=True)
class Head:
    """An output layer: real value = (byte - zero_point) * scale."""

    layer: KpuLayer
    scale: float
    zero_point: int


@dataclass(frozen=True)
class KpuNetwork:
    """Body layers in order, each reading the map before it, and heads, each reading the last body map."""

    body: tuple[KpuLayer, ...]
    heads: tuple[Head, ...]

    @property
    def source(self) -> FeatureMap:
        """The picture, at the size that the layers' registers were made for."""
        return self.body[0].source
