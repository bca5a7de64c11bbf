"""TOML on every Python that the tools run on: 3.10 brings no reader of its own."""

from __future__ import annotations

import sys

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["tomllib"]
