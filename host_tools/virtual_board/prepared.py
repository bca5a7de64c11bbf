"""A flash chip as a maker's afternoon leaves it: the vendor's firmware, the kmodel, and the program in /flash.

What is in /flash is written by the firmware itself, on the emulated chip: its file system is its own affair. The files
come to it through its memory, since over the line they would take minutes. The chip's content is kept by what it was
made of.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from pathlib import Path

from conversion import cache
from conversion.progress import Talk
from host_tools import payload
from host_tools.boards import Board
from host_tools.deployment import changes
from host_tools.errors import BoardError
from host_tools.k210 import Machine, Session, WaitError, snapshot
from host_tools.virtual_board.remarks import Remarks

_KIND = "deployed-flash"
# Emulated, a board may be several times slower than real ones, on a busy computer many times.
_REAL_SECONDS = 600.0


def flash(firmware: bytes, board: Board, kmodel: Path, talk: Talk, settings: Mapping | None = None) -> bytes:
    """All 16 MiB of the flash chip of a board on which `flash` and `deploy` were run, kept by content; `settings` are
    entries of its pose_config.json that its owner has changed. BoardError where the firmware comes to no prompt, after
    all was told that is known of it."""
    files = _files(board, kmodel, settings or {})
    parts = (f"{name} {hashlib.sha256(data).hexdigest()}" for name, data in sorted(files.items()))
    digest = cache.key(firmware, kmodel.read_bytes(), board.id, *parts)
    made = cache.cached(
        _KIND, digest, lambda: zlib.compress(_made(firmware, board, kmodel, files, Remarks.of(talk)), 1)
    )
    return zlib.decompress(made)


def _files(board: Board, kmodel: Path, settings: Mapping) -> dict[str, bytes]:
    """What `deploy` would write to a board with nothing in /flash."""
    files = changes.of_deploy(payload.of(board, kmodel), changes.Found()).upload
    config = changes.merged(json.loads(files[payload.POSE_CONFIG]), settings)
    return {**files, payload.POSE_CONFIG: json.dumps(config).encode()}


def _made(firmware: bytes, board: Board, kmodel: Path, files: Mapping[str, bytes], talk: Remarks) -> bytes:
    talk("putting the program into /flash by the firmware on the emulated chip; the result is kept")
    common = {name: data for name, data in files.items() if name != payload.POSE_CONFIG}
    parts = (name.encode() + hashlib.sha256(data).digest() for name, data in sorted(common.items()))
    key = b"".join((b"prepared", board.id.encode(), firmware, kmodel.read_bytes(), *parts))
    with talk.on_crash():
        machine = snapshot.booted(key, lambda: _with_program(firmware, board, kmodel, common, talk))
        talk.listen(machine)
        _put(Session(machine), {payload.POSE_CONFIG: files[payload.POSE_CONFIG]})
    return bytes(machine.flash.data)


def _with_program(firmware: bytes, board: Board, kmodel: Path, files: Mapping[str, bytes], talk: Remarks) -> Machine:
    """A board at its prompt, with these files."""
    machine = Machine(firmware, board=board.id)
    talk.listen(machine)
    machine.flash.put(board.flash.model_address, kmodel.read_bytes())
    machine.power_on()
    session = Session(machine)
    try:
        session.boot(real_seconds=_REAL_SECONDS)
        session.enter_raw(real_seconds=_REAL_SECONDS)
    except WaitError as error:
        raise BoardError(f"the firmware does not come to MicroPython's prompt: {error}; take a MaixPy v1") from error
    _put(session, files)
    return machine


def _put(session: Session, files: Mapping[str, bytes]) -> None:
    """Write files from a buffer on the board, which is filled past its line."""
    most = max(map(len, files.values()))
    found = session.execute(
        f"import uctypes\nb = bytearray({most})\nprint(uctypes.addressof(b))", real_seconds=_REAL_SECONDS
    )
    for name, data in files.items():
        session.machine.memory.store(int(found), data)
        write = f"f = open('/flash/{name}', 'wb')\nf.write(memoryview(b)[:{len(data)}])\nf.close()"
        session.execute(write, real_seconds=_REAL_SECONDS)
