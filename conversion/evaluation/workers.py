"""Photos over all cores: worker processes, each with every stage, each computing on one thread.

Results are the same on any number of cores: they come in the order of the photos, and a sum that threads would share
out differently is never shared out. Processes are spawned, not forked, because TensorFlow does not survive a fork.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from conversion.errors import ConversionError
from conversion.evaluation.chain import Findings, Setup
from conversion.evaluation.coco import CocoPhoto
from conversion.processes import ONE_THREAD, end_with_parent
from conversion.progress import bar

if TYPE_CHECKING:
    from conversion.evaluation.stages import Stages

Item = TypeVar("Item")
Result = TypeVar("Result")

# A worker takes about 700 MB, most of it TensorFlow.
_MOST_WORKERS = 8


class Workers:
    """A pool for one setup; a context manager. `progress` allows a bar on stderr."""

    def __init__(self, setup: Setup, most: int, progress: bool) -> None:
        """`most` is how many items there will be: more processes than that are not started."""
        self._setup = setup
        self._count = max(1, min(most, cores(), _MOST_WORKERS))
        self._progress = progress
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Workers:
        self._stack.enter_context(_environment(ONE_THREAD))
        self._others = set(multiprocessing.active_children())
        context = multiprocessing.get_context("spawn")
        self._executor = ProcessPoolExecutor(self._count, context, initializer=_start, initargs=(self._setup,))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            # After Ctrl-C or a bad photo nobody waits for what is still being computed.
            for process in set(multiprocessing.active_children()) - self._others:
                process.terminate()
        self._executor.shutdown(cancel_futures=True)
        self._stack.close()

    def examine(self, photos: Sequence[CocoPhoto]) -> list[Findings]:
        """`stages.examine` of every photo, in their order; the first ConversionError is raised here."""
        return self._map(_examine, photos, "photos")

    def count_poses(self, photos: Sequence[Path]) -> list[dict[str, int]]:
        """`stages.count_poses` of every photo, likewise."""
        return self._map(_count_poses, photos, "photos without people")

    def _map(self, job: Callable[[Item], Result], items: Sequence[Item], what: str) -> list[Result]:
        with _deaf_to_interrupts():
            futures = [self._executor.submit(job, item) for item in items]
        try:
            return list(self._results(futures, what))
        except BrokenProcessPool as error:
            raise ConversionError(
                f"a worker process ended while it measured {what}, as it does when memory runs out; each of the "
                f"{self._count} needs about 1 GB"
            ) from error

    def _results(self, futures: list[Future], what: str) -> Iterator:
        with bar(self._progress) as report:
            for done, future in enumerate(futures):
                report(what, done, len(futures))
                yield future.result()


def cores() -> int:
    """The processors that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


@contextlib.contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """While processes are started: they inherit it, and Ctrl-C does not make each of them print a traceback.

    Here an interrupt only waits until the end.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Variables that NumPy's and TensorFlow's libraries read when a worker loads them."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


# One setup a process, and what was made of it at the first item: an error then reaches the caller.
_setup: Setup | None = None
_stages: Stages | None = None


def _start(setup: Setup) -> None:
    global _setup
    _setup = setup
    # Ctrl-C goes to all processes; the one that the user started ends the others. (Windows inherits nothing.)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()


def _examine(photo: CocoPhoto) -> Findings:
    ready = _ready()
    from conversion.evaluation import stages

    return stages.examine(ready, photo)


def _count_poses(path: Path) -> dict[str, int]:
    ready = _ready()
    from conversion.evaluation import stages

    return stages.count_poses(ready, path)


def _ready() -> Stages:
    """The stages of this process. They need TensorFlow, which the process that starts all this does not load."""
    global _stages
    if _stages is None:
        from conversion.evaluation.stages import Stages
        from conversion.quiet_tensorflow import tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        _stages = Stages(_setup)
    return _stages
