"""Asks a board at a port for the names and argument forms that its MicroPython knows, and writes the answers to a file.

    python -m tests.firmware.record_names --port PORT --image-sha256 SUM tests/firmware/micropython_1_11.json

The board is a real one, or the emulated chip with a real MaixPy image (`minimum`, as the file itself says); the virtual
board's stand-ins would only repeat what we believe. What runs there is stopped.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from host_tools.prompt.repl import Prompt
from tests.firmware.probes import CALLS, MODULES, OBJECTS, STATEMENTS

_MARK = "@"
# Pieces are short: an emulated board may be slow, and mpremote waits a second for each to be taken.
_ASKING = (
    "import gc, json, os\nnames = {}",
    "with open('/flash/names.tmp', 'w') as file:\n    file.write('[1]')",
    f"def said(kind, key, value):\n    print({_MARK!r} + json.dumps([kind, key, value]))",
    """
def tried(kind, key, code):
    gc.collect()  # what an earlier one has left open: two files at once are the most
    try:
        exec(code, names)
        said(kind, key, "ok")
    except Exception as error:
        said(kind, key, type(error).__name__)
""",
    """
def listed(kind, key, code):
    try:
        said(kind, key, dir(eval(code, names)))
    except Exception as error:
        said(kind, key, type(error).__name__)
""",
)
_SECONDS = 120.0


def script_parts() -> list[str]:
    """Pieces of code for the board's prompt, one after another; each answer is a line of `@` and JSON."""
    parts = [*_ASKING, "said('version', 'version', os.uname().version)"]
    parts += [f"exec('import {name}', names)" for name in MODULES]
    parts += [f"listed('modules', {name!r}, {name!r})" for name in MODULES]
    parts += [f"listed('objects', {name!r}, {code!r})" for name, code in OBJECTS.items()]
    parts += [f"tried('calls', {code!r}, {code!r})" for code in CALLS]
    parts += [f"tried('statements', {name!r}, {code!r})" for name, code in STATEMENTS.items()]
    return parts


def answers(printed: str) -> dict[str, dict[str, object]]:
    """{kind: {key: answer}} of what the board printed."""
    found: dict[str, dict[str, object]] = {}
    for line in printed.splitlines():
        at = line.find(_MARK + "[")
        if at >= 0:
            kind, key, value = json.loads(line[at + 1 :])
            found.setdefault(kind, {})[key] = sorted(value) if isinstance(value, list) else value
    return found


def document(printed: str, image_sha256: str) -> dict[str, object]:
    """The file's content."""
    found = answers(printed)
    return {
        "made_by": "python -m tests.firmware.record_names",
        "version": found.pop("version")["version"],
        "image_sha256": image_sha256,
        **found,
    }


@click.command()
@click.option("--port", required=True, help="Where the board is.")
@click.option("--image-sha256", required=True, help="SHA-256 of the MaixPy image that it runs.")
@click.argument("output", type=click.Path(dir_okay=False, path_type=Path))
def main(port: str, image_sha256: str, output: Path) -> None:
    """Write what the board at PORT answers to OUTPUT."""
    with Prompt(port) as prompt:
        printed = "\n".join(prompt.execute(part, seconds=_SECONDS) for part in script_parts())
    output.write_text(json.dumps(document(printed, image_sha256), indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
