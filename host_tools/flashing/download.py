"""Runs the worker that runs kflash: watches that it goes on, shows how far it is, and ends it when it does not."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import queue
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from conversion import extras, processes
from host_tools import time_limits
from host_tools.errors import FlashError
from host_tools.flashing import kfpkg
from host_tools.flashing.kfpkg import Package
from host_tools.flashing.watch import Stage
from host_tools.time_limits import Limit

# How long there may be no news.
SILENCE: Mapping[Stage, Limit] = {
    Stage.OPEN: time_limits.OPEN_PORT,
    Stage.ENTER: time_limits.ENTER_DOWNLOAD,
    Stage.LOADER: time_limits.LOADER,
    Stage.START: time_limits.STUB_ANSWER,
    Stage.SPEED: time_limits.STUB_ANSWER,
    Stage.INIT: time_limits.STUB_ANSWER,
    Stage.WRITE: time_limits.FLASH_WRITE,
    Stage.RESTART: time_limits.RESTART,
}
_MODULE = "host_tools.flashing.worker"
_LAST_WORDS = 300


class DownloadError(FlashError):
    """A download that failed: `kind` is port, answer, silent, speed, lost, kflash or worker; and in which stage."""

    def __init__(self, kind: str, stage: Stage, text: str) -> None:
        super().__init__(text)
        self.kind, self.stage = kind, stage


@dataclass(frozen=True)
class Download:
    """What to write, where and how: `board` is kflash's name of the board."""

    port: str
    board: str
    baud: int
    package: Package


Observe = Callable[[Stage, int], None]


def run(download: Download, observe: Observe, silence: Mapping[Stage, Limit] = SILENCE) -> int:
    """Write a package: how many pieces of it came damaged and were sent again. DownloadError if it fails.

    `observe` gets the stage and the bytes written so far.
    However this ends, the worker is gone, and so are its files.
    """
    if importlib.util.find_spec("kflash") is None:
        raise FlashError(f"kflash is not installed in this Python: {extras.advice('host')}")
    with tempfile.TemporaryDirectory(prefix="flash-") as folder:
        file = Path(folder, "package" + kfpkg.SUFFIX)
        file.write_bytes(kfpkg.pack(download.package))
        with _worker(download, file) as events:
            return _follow(events, observe, silence)


def _follow(events: queue.Queue[dict], observe: Observe, silence: Mapping[Stage, Limit]) -> int:
    stage, written, repeated = Stage.OPEN, 0, 0
    while True:
        try:
            limit = silence[stage].seconds
            event = events.get(timeout=limit)
        except queue.Empty:
            raise DownloadError("silent", stage, f"no answer for {limit:g} s") from None
        if event["event"] == "done":
            return repeated
        if event["event"] == "failed":
            raise DownloadError(event["kind"], Stage[event.get("stage", stage.name)], event["text"])
        if event["event"] == "stage":
            stage = Stage[event["stage"]]
        elif event["event"] == "repeat":
            repeated += 1
        else:
            written = event["written"]
        observe(stage, written)


@contextmanager
def _worker(download: Download, file: Path) -> Iterator[queue.Queue[dict]]:
    """The worker's events; it is ended, if it has not ended, when the block is left."""
    job = {
        "port": download.port,
        "baud": download.baud,
        "board": download.board,
        "file": str(file),
        "ranges": [(entry.address, entry.size) for entry in download.package.entries],
    }
    # kflash unpacks into a folder that it does not remove when it is killed; within ours it goes with that.
    variables = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(file.parent))
    with tempfile.TemporaryFile() as words:
        process = processes.start(_MODULE, json.dumps(job), variables=variables, messages=words)
        events: queue.Queue[dict] = queue.Queue()
        reader = threading.Thread(target=_read, args=(process, words, events), name="flash worker", daemon=True)
        reader.start()
        try:
            yield events
        finally:
            processes.end(process, time_limits.KILLED.seconds)
            reader.join(time_limits.KILLED.seconds)
            process.stdout.close()


def _read(process: subprocess.Popen, words: object, events: queue.Queue[dict]) -> None:
    """Put the worker's events into the queue, and at its end a failure that nobody reads if it was done."""
    for line in process.stdout:
        with contextlib.suppress(ValueError):
            events.put(json.loads(line))
    process.wait()
    words.seek(0)
    said = processes.last_words(words.read()[-_LAST_WORDS:].decode(errors="replace"), "without a word")
    text = f"kflash's process ended with code {process.returncode} ({said})"
    events.put({"event": "failed", "kind": "worker", "text": text})
