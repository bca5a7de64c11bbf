"""Published PoseNet weights in, `PoseNetWeights` out: recognised by content, checked, with their origin."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from conversion.errors import ModelFormatError, UnsupportedModelError
from conversion.posenet_weights import PoseNetWeights
from conversion.weights import known


def load(path: Path | None = None, known_only: bool = False, progress: bool = True) -> PoseNetWeights:
    """The weights in a file or folder; the published default (cache, else fetched) for None.

    `path` may also be the name of a known form (`known.toml`) when nothing on disk has that name. `known_only`
    refuses files whose SHA-256 are not those of a published form. Raises ModelFormatError, UnsupportedModelError,
    WeightsNotFoundError or OutputError, each one line (WeightsNotFoundError: what was tried, one a line).
    """
    # Readers and downloads need packages that the host tools, which use the base types, do without.
    from conversion.weights.recognise import recognise

    importer, file = recognise(_located(path, progress))
    weights = importer.load(file)
    if known_only and weights.origin.name is None:
        raise UnsupportedModelError(f"{file}: {weights.origin}; only published files are accepted with --known-only")
    return replace(weights, origin=replace(weights.origin, location=file))


def _located(path: Path | None, progress: bool) -> Path:
    from conversion.weights import fetch

    if path is None:
        return fetch.fetch_default(progress)
    if os.path.lexists(path):
        return path
    published = known.by_name(str(path))
    if published is None:
        names = ", ".join(entry.name for entry in known.published())
        raise ModelFormatError(f"{path}: no such file or folder, and no known name ({names})")
    return fetch.fetch(published, progress)
