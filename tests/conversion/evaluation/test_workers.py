"""Worker processes: results in order, errors and deaths as one line, nothing left running or changed."""

import multiprocessing
import os
import time

import pytest

from conversion.errors import ConversionError, SizeError
from conversion.evaluation.workers import Workers, cores
from tests.patience import HANG_SECONDS


def environment_of(name: str) -> str | None:
    return os.environ.get(name)


def slower_first(number: int) -> int:
    time.sleep(0.2 if number == 0 else 0)
    return number


def refuse(number: int) -> int:
    raise SizeError(f"item {number}: no")


def run(job, items: list) -> list:
    with Workers(None, len(items), progress=False) as workers:
        return workers._map(job, items, "items")


def test_results_are_in_order_and_workers_compute_on_one_thread() -> None:
    before = dict(os.environ)
    with Workers(None, 2, progress=False) as workers:
        assert workers._map(slower_first, [0, 1, 2, 3], "items") == [0, 1, 2, 3]
        assert workers._map(environment_of, ["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"], "items") == ["1", "1"]
        assert workers._map(slower_first, [], "items") == []
    assert dict(os.environ) == before


def test_a_worker_s_error_arrives_and_nothing_runs_on() -> None:
    with pytest.raises(SizeError, match="item 1: no"):
        run(refuse, [1, 2, 3])
    assert multiprocessing.active_children() == []


def test_a_worker_that_dies_is_one_line() -> None:
    with pytest.raises(ConversionError, match="a worker process ended while it measured items") as caught:
        run(os._exit, [3])
    assert "\n" not in str(caught.value)
    assert multiprocessing.active_children() == []


def interrupted() -> None:
    with Workers(None, 1, progress=False) as workers:
        workers._executor.submit(time.sleep, 2 * HANG_SECONDS)
        raise KeyboardInterrupt


def test_an_interrupt_does_not_wait() -> None:
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert time.monotonic() - started < HANG_SECONDS
    assert multiprocessing.active_children() == []


def test_cores_are_those_of_this_process() -> None:
    assert 1 <= cores() <= os.cpu_count()
