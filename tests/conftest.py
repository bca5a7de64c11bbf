"""What all tests share: real models and photos, a cache of their own, fixed surroundings, the soak report."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests import order

if TYPE_CHECKING:
    from tests.host_tools.monitor.web.browser import Browser

ROOT = Path(__file__).resolve().parents[1]
PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png")

# Before anything imports TensorFlow or rich; subprocesses inherit it.
os.environ.update(
    NO_COLOR="1", COLUMNS="100", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1", TF_ENABLE_ONEDNN_OPTS="0"
)
# Host tools wait so many times as long as usual, so that a busy machine is no silent board; a test that lets a limit
# run out says how long that is.
os.environ.setdefault("POSENET_MAIX_PATIENCE", "10")
# Before anything imports NumPy: products of matrices are small here, and threads that wait for each other on busy cores
# burn five times the work (a size of test_sampling_sizes.py: 19 s of processor with two threads, 4 s with one).
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
for _name in ("FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE"):
    os.environ.pop(_name, None)
# `make test` hands its own options and variables down to every make that a test starts.
for _name in ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL"):
    os.environ.pop(_name, None)

# Where Python is told to keep no bytecode (containers often do so), each process of pytest rewrites all tests anew, and
# each command that a test starts compiles the product: 20 s of processor and more. Tests keep theirs (`make clean`).
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A job in the background of a shell ignores Ctrl-C, one of nohup the end of its terminal, and hands that down: tests
# that send these signals would wait for nothing.
for _number, _handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _handler)

# No deadlines: the machine may be busy. "ci" draws the same examples in every run, `make soak` draws new ones.
hypothesis.settings.register_profile("ci", derandomize=True, max_examples=60, deadline=None)
hypothesis.settings.register_profile("soak", max_examples=2000, deadline=None, print_blob=True)
hypothesis.settings.load_profile("ci")


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's folder."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real models and photos, which is no part of the repository: POSENET_SHARED, else beside it."""
    folder = Path(os.environ.get("POSENET_SHARED") or ROOT.parent / "shared").resolve()
    if not folder.is_dir():
        pytest.skip(f"no shared models and photos: {folder} is no folder (POSENET_SHARED names another)")
    return folder


@pytest.fixture(scope="session")
def tfjs_graph_dir(shared: Path) -> Path:
    """The published tfjs graph model: model-stride16.json and its two shards."""
    folder = shared / "models" / "tfjs-graph"
    if not folder.is_dir():
        pytest.skip(f"no tfjs graph model: {folder} is missing")
    return folder


@pytest.fixture(scope="session")
def people_photos(shared: Path) -> list[Path]:
    """Photos of people, sorted by name."""
    folder = shared / "photos" / "people"
    photos = sorted(path for path in folder.glob("*") if path.suffix.lower() in PHOTO_SUFFIXES)
    if not photos:
        pytest.skip(f"no photos of people: {folder} is missing or empty")
    return photos


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The browser, one for all tests of a process; a test that needs it is skipped where there is none."""
    # Most processes of tests need none.
    from tests.host_tools.monitor.web import browser as browsers

    path = browsers.program()
    if path is None:
        pytest.skip(f"no browser to look at the page with: none of {', '.join(browsers.NAMES)} is installed")
    with browsers.Browser(path) as started:
        yield started


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The cache that the product uses in this session, so that no test reads or changes the user's.

    Processes of one session (pytest -n) share it: each has a folder of its own in the session's.
    """
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "cache"
    folder.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POSENET_MAIX_CACHE", str(folder))
        yield folder


class SoakReport:
    """Collects outcomes, and writes them as JSON when the session ends."""

    def __init__(self, path: Path) -> None:
        """`path`: the file to write; its folder is made."""
        self.path = path
        self.started = time.monotonic()
        self.tests: dict[str, dict[str, str | float]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test is what its call was, or a setup or teardown that did not pass; its seconds are those of all three."""
        test = self.tests.setdefault(report.nodeid, {"outcome": "passed", "seconds": 0.0})
        test["seconds"] = round(float(test["seconds"]) + report.duration, 3)
        if report.outcome != "passed" and test["outcome"] != "failed":
            test["outcome"] = report.outcome

    def pytest_sessionfinish(self) -> None:
        """Write the report: whole, or not at all."""
        outcomes = Counter(str(test["outcome"]) for test in self.tests.values())
        counts = {name: outcomes[name] for name in ("passed", "failed", "skipped")}
        seconds = round(time.monotonic() - self.started, 3)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_name(self.path.name + ".new")
        unfinished.write_text(json.dumps({**counts, "seconds": seconds, "tests": self.tests}, indent=2) + "\n")
        unfinished.replace(self.path)


# What a test has of the real MaixPy images that it took: their names, and its seconds of processor.
REAL_IMAGES, PROCESSOR = "real images", "seconds of processor"
# Read by tests/host_tools/k210/images.py.
DEMAND_IMAGES = "POSENET_DEMAND_MAIXPY"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long and waiting files first."""
    items[:] = order.in_turn(items)


def pytest_collection_finish() -> None:
    """What collecting has made stays to the end: garbage need not be looked for among it."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> object:
    """Note of a test which real images it has taken, for the line at the end."""
    images = sys.modules.get("tests.host_tools.k210.images")
    if images is None:
        return (yield)
    images.taken.clear()
    began = time.process_time()
    try:
        return (yield)
    finally:
        if images.taken:
            item.user_properties += [(REAL_IMAGES, sorted(images.taken)), (PROCESSOR, time.process_time() - began)]


def pytest_unconfigure(config: pytest.Config) -> None:
    """The last line of all: how many tests ran on real images, or why none."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:  # a worker of xdist
        return
    results = [report for name in ("passed", "failed") for report in reporter.stats.get(name, ())]
    done = [found for found in (dict(report.user_properties) for report in results) if REAL_IMAGES in found]
    if done:
        names = sorted({name for found in done for name in found[REAL_IMAGES]})
        seconds = sum(found[PROCESSOR] for found in done)
        reporter.write_line(f"{len(done)} tests on real images ({', '.join(names)}), {seconds:.0f} s of processor")
        return
    skipped = (str(report.longrepr[2]) for report in reporter.stats.get("skipped", ()))
    reasons = [reason.removeprefix("Skipped: ") for reason in skipped if "MaixPy image" in reason]
    if reasons:
        reporter.write_line(f"0 tests on real images: {min(reasons)}")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--soak-report` and `--demand-images`, which `make soak` passes."""
    parser.addoption(
        "--demand-images", action="store_true", help="fail, not skip, where a real MaixPy image is missing"
    )
    parser.addoption("--soak-report", type=Path, metavar="FILE", help="write outcomes and seconds of the tests as JSON")


def pytest_configure(config: pytest.Config) -> None:
    """Switch the report on where it is asked for; hand down what is demanded."""
    if config.getoption("--demand-images"):
        os.environ[DEMAND_IMAGES] = "1"
    path = config.getoption("--soak-report")
    if path and not hasattr(config, "workerinput"):  # a worker of xdist
        config.pluginmanager.register(SoakReport(path), "soak-report")
