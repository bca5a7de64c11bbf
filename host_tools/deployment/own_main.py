"""`deploy --main`: a maker's program, or an example by its name, as the board's main.py; checked before it is sent."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

from host_tools import payload
from host_tools.deployment.changes import PROGRAM_WORD
from host_tools.errors import BoardError
from host_tools.payload import MAIN, Payload

EXAMPLES = "examples"
# The project's own main.py, by this name.
PROJECT = Path(MAIN).stem
# MicroPython compiles a file in its heap: what is longer would not start beside the program.
MOST_BYTES = 32 * 1024
# What CPython takes and MicroPython 1.11 does not.
_TOO_NEW = {ast.JoinedStr: "f-strings", ast.AnnAssign: "annotated variables", ast.NamedExpr: "the operator :="}


def names() -> list[str]:
    """What --main takes besides a file."""
    return [PROJECT, *sorted(path.stem for path in (payload.FIRMWARE / EXAMPLES).glob("*.py"))]


def given(the_payload: Payload, main: str) -> Payload:
    """The payload with this program: a file, the name of an example, or `main`, which is the project's own.

    BoardError says what is wrong with the file, and where.
    """
    if main == PROJECT and not Path(main).is_file():
        return replace(the_payload, main_chosen=True)
    data = _read(main)
    check(data, main)
    return replace(the_payload, files={**the_payload.files, MAIN: data}, main_chosen=True, own_main=True)


def check(data: bytes, where: str) -> None:
    """BoardError unless it is Python that uses the program and that MicroPython 1.11 may compile."""
    if len(data) > MOST_BYTES:
        raise BoardError(f"{where}: {len(data)} bytes; MicroPython has memory to compile {MOST_BYTES} at most")
    try:
        tree = ast.parse(data.decode("utf-8"), where)
    except UnicodeDecodeError as error:
        raise BoardError(f"{where}: is no text in UTF-8 (byte {error.start}); save it as that") from error
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise BoardError(f"{where}: no Python{f', line {line}' if line else ''}: {_words(error)}; mend it") from error
    for node in ast.walk(tree):
        if new := _TOO_NEW.get(type(node)):
            raise BoardError(f"{where}: line {node.lineno} has {new}, which MicroPython 1.11 does not know")
    if PROGRAM_WORD not in data:
        raise BoardError(
            f"{where}: does not use pose_app, so that nothing would be seen; begin with one of the examples: "
            f"{', '.join(names()[1:])} (firmware/README.md, Your own program)"
        )


def _words(error: Exception) -> str:
    return error.msg if isinstance(error, SyntaxError) else str(error)


def _read(main: str) -> bytes:
    path = Path(main)
    if not path.is_file() and path.name == main:
        path = payload.FIRMWARE / EXAMPLES / f"{main}.py"
    if not path.is_file():
        raise BoardError(f"{main}: no such file, and no example; examples are {', '.join(names()[1:])}")
    try:
        return path.read_bytes()
    except OSError as error:
        raise BoardError(f"{path}: cannot be read ({error.strerror})") from error
