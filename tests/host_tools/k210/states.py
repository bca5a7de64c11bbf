"""Boards with real MaixPy images at points from which many tests begin: deployed, at the prompt, taking frames.

Each is made once and kept as a saved machine, from one session to the next, under the hash of all that it was made
from: image, files, kmodel, and the sources of the emulator and of these lines. What lies in /flash is written by the
firmware itself, from an SD card, which takes seconds where the serial line takes a minute; `deploy` itself has tests of
its own.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from conversion import cache
from host_tools import boards, payload
from host_tools.deployment import changes
from host_tools.k210 import Machine, Session, snapshot
from tests.host_tools.k210 import fat
from tests.host_tools.k210.images import IMAGES, USERS_CACHE, image
from tests.host_tools.verification import small

BOARD = "maix_bit"
# Another folder for the states than that in the user's cache.
ENVIRONMENT_VARIABLE = "POSENET_BOARD_STATES"
_FOLDER = USERS_CACHE / "board-states"
_KEPT_SECONDS = 7 * 24 * 3600.0
# Only ends tests that hang; the machine may be busy.
REAL_SECONDS = 1800.0
# `make test` takes one image, `make soak` all.
EACH = ["minimum", *(pytest.param(name, marks=pytest.mark.soak) for name in IMAGES if name != "minimum")]
_MODEL_ADDRESS = 0x30_0000
# All files of a board one after another, behind a line of their names and sizes.
_PACKED = "FILES.BIN"
_UNPACK = f"""
import ujson
source = open('/sd/{_PACKED.lower()}', 'rb')
for name, size in ujson.loads(source.readline()):
    file = open('/flash/' + name, 'wb')
    file.write(source.read(size))
    file.close()
source.close()
"""
# What the program does at its first start, where it has room for more heap; that would reset the chip.
_HEAP = "from Maix import utils\nutils.gc_heap_size({})\n"


class PatientSession(Session):
    """A session whose waits take as long as they must, in real time."""

    def wait(self, text: str | bytes, start: int = 0, **limits: float) -> bytes:
        """The same."""
        return super().wait(text, start, **{"real_seconds": REAL_SECONDS, **limits})

    def frames(self, count: int) -> None:
        """Run until so many more frames have been sent; the program does not send every one."""
        for _ in range(count):
            self.wait("$FRAME,", len(self.sent))


def kmodel_files(folder: Path) -> Path:
    """The small kmodel with its card."""
    return small.write(folder / "small.kmodel")


def plain(name: str) -> Machine:
    """A board with nothing but an image and the small kmodel, wired as no board of its own, at its raw prompt."""

    def make() -> Machine:
        machine = Machine(image(name))
        machine.flash.put(_MODEL_ADDRESS, small.kmodels.kmodel())
        machine.power_on()
        session = PatientSession(machine)
        session.boot()
        session.enter_raw()
        return machine

    return _kept("plain", name, {}, make)


def at_the_prompt(name: str, files: Mapping[str, bytes] | None = None) -> PatientSession:
    """A board at its raw prompt with the small kmodel, and nothing in /flash but these files."""
    contents = dict(files or {})

    def make() -> Machine:
        machine = _unpacked(name, contents) if contents else _flashed(name)
        machine.power_on()
        _to_the_prompt(machine)
        return machine

    return PatientSession(_kept("prompt", name, contents, make))


def deployed(name: str, files: Mapping[str, bytes] | None = None, kmodel: Path | None = None) -> Machine:
    """A board, off, on which a kmodel (None: the small one) was flashed and the program deployed; `files` are more, or
    others."""
    contents = {**_contents(kmodel), **(files or {})}
    machine = _kept("deployed", name, contents, lambda: _unpacked(name, contents))
    if kmodel is not None:
        machine.flash.put(_MODEL_ADDRESS, kmodel.read_bytes())
    return machine


def running(name: str, files: Mapping[str, bytes] | None = None, kmodel: Path | None = None) -> PatientSession:
    """A board whose program takes frames, with a kmodel as `deployed` has it."""
    contents = {**_contents(kmodel), **(files or {})}
    before = deployed(name, files, kmodel)

    def make() -> Machine:
        before.power_on()
        PatientSession(before).frames(1)
        return before

    return PatientSession(_kept("running", name, contents, make))


def _contents(kmodel: Path | None = None) -> dict[str, bytes]:
    """What `deploy` writes onto a board that has nothing yet."""
    with tempfile.TemporaryDirectory() as folder:
        the_payload = payload.of(boards.find(BOARD), kmodel or kmodel_files(Path(folder)))
    files = changes.of_deploy(the_payload, changes.Found()).write
    heap = payload.DEFAULT_SETTINGS["heap"]
    return {**files, payload.HEAP_STATE: b"%d %d 0" % (512 * 1024, heap)}


def _flashed(name: str, card: Path | None = None) -> Machine:
    machine = Machine(image(name), board=BOARD, sd=card)
    machine.flash.put(_MODEL_ADDRESS, small.kmodels.kmodel())
    return machine


def _unpacked(name: str, contents: Mapping[str, bytes]) -> Machine:
    index = json.dumps([[file, len(data)] for file, data in contents.items()]).encode()
    with tempfile.TemporaryDirectory() as folder:
        card = Path(folder) / "card.img"
        card.write_bytes(fat.card({_PACKED: index + b"\n" + b"".join(contents.values())}))
        with_card = _flashed(name, card)
        with_card.power_on()
        session = _to_the_prompt(with_card)
        session.execute(_UNPACK)
        if payload.HEAP_STATE in contents:
            session.execute(_HEAP.format(payload.DEFAULT_SETTINGS["heap"]))
        flash = with_card.flash.read(0, len(with_card.flash.data))
    return Machine(flash=flash, board=BOARD)


def _to_the_prompt(machine: Machine) -> PatientSession:
    """Interrupt what starts, so that it is at the raw prompt."""
    session = PatientSession(machine)
    session.wait("init end")
    session.enter_raw()
    return session


def _kept(kind: str, name: str, contents: Mapping[str, bytes], make: Callable[[], Machine]) -> Machine:
    sources = (Path(__file__), Path(fat.__file__))
    parts = [kind.encode(), image(name), small.kmodels.kmodel(), *(path.read_bytes() for path in sources)]
    for file in sorted(contents):
        parts += [file.encode(), contents[file]]
    key = cache.key(*parts)
    with _one_process(key):
        return snapshot.booted(key.encode(), make)


@contextmanager
def _one_process(key: str) -> Iterator[None]:
    """What two processes need is made by one of them, in the folder that the states are kept in."""
    folder = Path(os.environ.get(ENVIRONMENT_VARIABLE) or _FOLDER)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / f"{key[0]}.lock").open("w")
    except OSError:
        # Where nothing can be kept, the session's own cache keeps it to its end.
        yield
        return
    with pytest.MonkeyPatch.context() as patch, lock:
        patch.setenv(cache.ENVIRONMENT_VARIABLE, str(folder))
        fcntl.flock(lock, fcntl.LOCK_EX)
        _forget_the_old(folder)
        yield


def _forget_the_old(folder: Path) -> None:
    """Remove states that were made long ago: what is still of use is made anew once a week."""
    before = time.time() - _KEPT_SECONDS
    for path in (folder / "k210").glob("*"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                path.unlink()
