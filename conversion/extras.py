"""What is said when a package is not installed: which of this project's extras brings it, not a traceback."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

# The extras of pyproject.toml by the modules that their packages bring; a test holds the two together.
EXTRAS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "conversion": frozenset(
            {
                *("PIL", "flatbuffers", "google", "jinja2", "markupsafe", "nncase", "numpy", "platformdirs", "pooch"),
                *("pycocotools", "requests", "rich", "rich_click", "skimage", "tensorflow", "tflite", "tomli"),
            }
        ),
        "host": frozenset(
            {
                *("PIL", "aiohttp", "kflash", "mpremote", "numpy", "paho", "platformdirs", "rich", "rich_click"),
                *("serial", "tomli"),
            }
        ),
        "board": frozenset({"micropython_run"}),
        "emulator": frozenset({"cryptography", "unicorn"}),
    }
)


def extra_of(module: str | None, likely: str) -> str | None:
    """The extra that brings a module: `likely` where several do, None where none does."""
    name = (module or "").partition(".")[0]
    having = [extra for extra, modules in EXTRAS.items() if name in modules]
    return likely if likely in having else next(iter(having), None)


def advice(extra: str) -> str:
    """How to get an extra."""
    only = " (CPython 3.10 on 64-bit x86 only)" if extra == "conversion" else ""
    return f"install this project's extra `{extra}`{only}: pip install '.[{extra}]' in its folder, or `make setup`"


def missing(module: str | None, likely: str) -> str | None:
    """One line for a module that cannot be imported; None if it is none of a package that an extra brings."""
    extra = extra_of(module, likely)
    if extra is None:
        return None
    return f"the package of `{module}` is not installed: {advice(extra)}"


@contextmanager
def named(likely: str) -> Iterator[None]:
    """Around the import of a command line: a package that is missing ends it with exit code 2 and one line."""
    try:
        yield
    except ModuleNotFoundError as error:
        line = missing(error.name, likely)
        if line is None:
            raise
        print(f"error: {line}", file=sys.stderr)
        sys.exit(2)
