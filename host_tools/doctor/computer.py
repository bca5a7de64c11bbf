"""This computer: Python, packages, the serial port, the right to open it, and what takes bridges away."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
from collections.abc import Iterable
from pathlib import Path

from conversion import extras
from host_tools.doctor.findings import Finding, bad, note, ok
from host_tools.errors import LinkError
from host_tools.serial_link import ports, survey

LEAST_PYTHON = (3, 10)
# What each extra is for; those of the first are needed, the others are wanted for something.
_FOR = {
    "host": "flash, deploy, monitor, verify",
    "board": "the virtual board",
    "emulator": "the emulated chip",
    "conversion": "kmodel, evaluate",
}
# Rules of udev by which brltty takes CH340 bridges for displays of Braille.
_UDEV = (Path("/usr/lib/udev/rules.d"), Path("/lib/udev/rules.d"), Path("/etc/udev/rules.d"))


def python() -> Finding:
    """The interpreter."""
    version = f"{platform.python_implementation()} {platform.python_version()} on {platform.platform(terse=True)}"
    if sys.version_info < LEAST_PYTHON:
        least = ".".join(map(str, LEAST_PYTHON))
        return bad("Python", version, f"these tools need {least} or newer")
    return ok("Python", version)


def packages() -> list[Finding]:
    """One for each extra."""
    return [_extra(extra, purpose) for extra, purpose in _FOR.items()]


def _extra(extra: str, purpose: str) -> Finding:
    lacks = sorted(_lacking(extras.EXTRAS[extra]))
    subject = f"packages ({extra})"
    if not lacks:
        return ok(subject, f"all there, for {purpose}")
    text = f"{', '.join(lacks)} not installed, needed for {purpose}"
    return bad(subject, text, extras.advice(extra)) if extra == "host" else note(subject, text, extras.advice(extra))


def _lacking(modules: Iterable[str]) -> list[str]:
    """Those that cannot be found; what a newer Python brings itself is there."""
    brought = {"tomli"} if sys.version_info >= (3, 11) else set()
    return [name for name in modules if name not in brought and importlib.util.find_spec(name) is None]


def port(wanted: str | None) -> tuple[Finding, str | None]:
    """The port that the other tools would take; None where there is none, or several."""
    try:
        chosen = ports.choose(wanted)
    except LinkError as error:
        text, _, remedy = str(error).partition(": ")
        return bad("port", text, remedy or "see `ports`"), None
    return ok("port", f"{chosen}: {survey.named(chosen)}"), chosen


def permission(chosen: str) -> Finding:
    """Whether the port can be opened, by us and now."""
    refused = survey.permitted(chosen)
    if refused is None:
        return ok("permission", f"{chosen} can be opened")
    text, _, remedy = refused.partition("; ")
    return bad("permission", text, remedy or "see host_tools/README.md, Permission and drivers")


def brltty() -> Finding:
    """What takes bridges away on Linux."""
    hidden = ports.hidden()
    if hidden:
        text, _, remedy = hidden.partition(": ")
        return bad("driver", text, remedy)
    rules = [path for folder in _UDEV for path in sorted(folder.glob("*brltty*"))] if os.name == "posix" else []
    if rules:
        return note(
            "brltty", f"installed ({rules[0]}): it may take a CH340 away", "`sudo apt remove brltty` if it does"
        )
    return ok("brltty", "not installed")
