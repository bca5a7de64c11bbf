"""Makes .venv and installs requirements.lock into it; scripts/setup.sh runs it with a Python 3.10."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import filecmp
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

LOCK = Path("requirements.lock")
VENV = Path(".venv")
PYTHON = VENV / "bin" / "python"
# A copy of the lock file that was installed, written last; scripts/setup.sh compares the two.
STAMP = VENV / "installed.lock"
BUILD = Path("build")
LOG = BUILD / "setup.log"

# Of the packages that the lock file names for Linux: the sum of their wheels, and `du -s .venv` after installing.
DOWNLOAD_GB = 0.4
DISK_GB = 1.9
# At its peak a wheel lies on the disk three times: in pip's cache, in its temporary folder, and unpacked.
NEEDED_GB = 2 * DOWNLOAD_GB + DISK_GB

# What pip's output tells about a failure, and what the user is told; the first pattern found wins.
FAILURES = (
    (r"No space left on device", "the disk is full: make room here, or where TMPDIR and pip's cache lie"),
    (
        r"DO NOT MATCH THE HASHES",
        "a package differs from its hash in requirements.lock, so a mirror or a broken download changed it: "
        "run `.venv/bin/python -m pip cache purge`, or name another index with PIP_INDEX_URL",
    ),
    (
        r"NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError|"
        r"Connection (refused|reset|broken)|IncompleteRead",
        "the package index does not answer: check the network, HTTPS_PROXY and PIP_INDEX_URL",
    ),
    (
        r"No matching distribution found for (?P<what>\S+)",
        "the package index offers no wheel of {what} for this system (Linux: glibc 2.28 or newer), or does not answer",
    ),
)


class SetupError(Exception):
    """What stops the installation, in one line; the exit code is 2."""


def main() -> int:
    """Install unless another run has done so meanwhile; 0 when .venv is ready, 2 after one line that says why not."""
    try:
        BUILD.mkdir(exist_ok=True)
        with only_one_run() as held:
            if not is_installed():
                install(held)
    except SetupError as error:
        say(str(error))
        return 2
    except OSError as error:
        say(f"setup failed: {error.strerror}: {error.filename}. Make it writable, then run `make setup` again.")
        return 2
    except KeyboardInterrupt:
        say("\nInterrupted: .venv is not ready. `make setup` starts again.")
        return 130
    return 0


def say(line: str, end: str = "\n") -> None:
    """Talk goes to stderr: stdout belongs to the results of the command that needed the installation."""
    print(line, end=end, file=sys.stderr, flush=True)


@contextlib.contextmanager
def only_one_run() -> Iterator[TextIO]:
    """Wait for another `make` that installs just now; pip inherits the lock, so that an orphaned pip still holds it."""
    with (BUILD / "setup.running").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield held


def is_installed() -> bool:
    """Whether what the lock file names has been installed to the end."""
    return PYTHON.exists() and STAMP.exists() and filecmp.cmp(LOCK, STAMP, shallow=False)


def install(held: TextIO) -> None:
    """Make .venv anew, install every locked package, and leave the stamp."""
    check_libgomp()
    check_disk()
    started = time.monotonic()
    count = len(re.findall(r"^[^#\s]", LOCK.read_text(), re.MULTILINE))
    say(
        f"Installing {LOCK} into {VENV} with Python {sys.version.split()[0]} ({sys.executable}): "
        f"about {DOWNLOAD_GB} GB to download, {DISK_GB} GB on disk, and a few minutes. This happens once."
    )
    run_logged([sys.executable, "-m", "venv", "--clear", str(VENV)], held, "w")
    # Wheels only: building from source would need compilers and run code that no hash of ours has seen.
    pip = [str(PYTHON), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--progress-bar=off"]
    pip += ["--require-hashes", "--only-binary=:all:", "--requirement", str(LOCK)]
    run_logged(pip, held, "a", Progress(count))
    unfinished = STAMP.with_suffix(".new")
    shutil.copyfile(LOCK, unfinished)
    unfinished.replace(STAMP)
    say(f"Installed in {time.monotonic() - started:.0f} s.")


def check_libgomp(load: Callable[[str], object] = ctypes.CDLL) -> None:
    """nncase is linked with libgomp.so.1 and does not bring it; asked first, since it costs nothing."""
    if sys.platform != "linux":
        return
    try:
        load("libgomp.so.1")
    except OSError:
        raise SetupError(
            "libgomp.so.1 is missing, which nncase needs: install it "
            "(Debian, Ubuntu: `apt install libgomp1`; Fedora: `dnf install libgomp`), then run this again."
        ) from None


def check_disk() -> None:
    """Half a gigabyte is much to download only to find the disk full."""
    free_gb = shutil.disk_usage(".").free / 1e9
    if free_gb < NEEDED_GB:
        raise SetupError(f"{free_gb:.1f} GB are free here, but setup needs {NEEDED_GB:.1f}: make room, then try again.")


class Progress:
    """One line that changes in place, on a terminal only: pip's own output goes to the log."""

    def __init__(self, total: int) -> None:
        """`total`: the packages of the lock file, those for other systems included until pip says which it ignores."""
        self.total = total
        self.done = 0
        self.shown = sys.stderr.isatty()

    def line(self, text: str) -> None:
        """Take a line of pip's output."""
        self.total -= text.startswith("Ignoring ")
        if text.startswith("Collecting "):
            self.done += 1
            self.show(f"  {self.done} of {self.total}: {text.split()[1]}")
        elif text.startswith("Installing collected packages"):
            self.show("  unpacking")

    def show(self, text: str) -> None:
        """Replace what stands in the line; an empty text clears it."""
        if self.shown:
            say(f"\r\033[K{text}", end="")


def run_logged(command: list[str], held: TextIO, mode: str, progress: Progress | None = None) -> None:
    """Run one step with its output in the log; SetupError says in one line why it failed."""
    environment = {"PIP_RETRIES": "2", **os.environ}
    with LOG.open(mode) as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=environment,
            pass_fds=(held.fileno(),),
        )
        try:
            for line in process.stdout or ():
                log.write(line)
                if progress:
                    progress.line(line)
        finally:
            process.wait()
            if progress:
                progress.show("")
    if process.returncode:
        why = reason(LOG.read_text())
        raise SetupError(f"Setup failed: {why}. Then run `make setup` again; what pip printed is in {LOG}.")


def reason(output: str) -> str:
    """Why pip or venv failed, and what to do about it, from what it printed."""
    for pattern, meaning in FAILURES:
        found = re.search(pattern, output)
        if found:
            return meaning.format(**found.groupdict())
    errors = re.findall(r"^(?:ERROR: |Error: )(.+)$", output, re.MULTILINE) or output.split("\n")[-2:]
    return errors[0].strip().rstrip(".")


if __name__ == "__main__":
    sys.exit(main())
