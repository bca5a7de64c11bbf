"""`make wheel`: the wheel, installed into an empty environment, from a blank virtual board to verified poses and back.

python -m tests.wheel [VERSION]... (3.10 and the newest that is there, where none is named). Exit codes: 0 walked, or
not run with the reason said (no such interpreter, no network, no Linux); 1 something went wrong.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from conversion import firmware_image
from tests.host_tools.verification import small

ROOT = Path(__file__).resolve().parents[1]
VERSIONS = ("3.10", "3.11", "3.12", "3.13")
PACKED = ("LICENSE", "NOTICE", "README.md", "pyproject.toml", "boards", "conversion", "firmware", "host_tools")
COMMAND_SECONDS = 300
FRAMES = 2
# What pip says where it cannot reach an index.
_NO_NETWORK = re.compile(
    r"NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError|Connection (refused|reset|broken)"
)
_PROBE = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"
# A shell's, an outer environment's: nothing of these may help the installed package.
_FOREIGN = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "MAIX_PORT", "MAKEFLAGS", "MAKEOVERRIDES", "MAKELEVEL")


class NotRunError(Exception):
    """Something is missing that is none of the project's; says what."""


class WrongError(Exception):
    """The package, or a command of it, is not as it should be."""


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel in it."""

    version: str
    folder: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    def run(self, *words: object, code: int = 0) -> str:
        """What `posenet-maix` prints, both streams; WrongError if it ends otherwise than with this exit code."""
        done = subprocess.run(
            self.command(*words),
            cwd=self.folder.parent,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
        )
        said = done.stdout + done.stderr
        if done.returncode != code or "Traceback" in said:
            raise WrongError(
                f"posenet-maix {' '.join(map(str, words))} ended with {done.returncode}, not {code}:\n{said}"
            )
        return said

    def command(self, *words: object) -> list[str]:
        """The words of a call."""
        return [str(self.folder / "bin" / "posenet-maix"), *map(str, words)]

    @contextmanager
    def board(self, link: Path, camera: Path) -> Iterator[None]:
        """A blank virtual board, behind `link`, for the time of a block."""
        words = self.command("board", "--blank", "--link", link, "--camera", camera)
        with tempfile.TemporaryFile("w+") as talk:
            process = subprocess.Popen(
                words, cwd=self.folder.parent, env=environment(), stdout=subprocess.PIPE, stderr=talk, text=True
            )
            try:
                if str(link) not in process.stdout.readline():
                    process.wait(COMMAND_SECONDS)
                    talk.seek(0)
                    raise WrongError(f"the virtual board did not start: {talk.read()}")
                yield
            finally:
                process.terminate()
                process.communicate(timeout=COMMAND_SECONDS)


def environment() -> dict[str, str]:
    """This one's, without what would lead the installed package to this checkout."""
    kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    return {**kept, "PYTHONNOUSERSITE": "1", "NO_COLOR": "1", "COLUMNS": "200"}


def find(version: str) -> Path:
    """An interpreter of this version that runs and can make environments; NotRunError where there is none."""
    found = filter(None, (_looked_up(candidate) for candidate in _candidates(version)))
    path = next((path for path, is_version in found if is_version == version), None)
    if path is None:
        raise NotRunError(f"there is no CPython {version} here (PATH, pyenv and uv were looked through)")
    return path


def _candidates(version: str) -> Iterator[Path]:
    yield Path(sys.executable).resolve()
    for folder in os.get_exec_path():
        yield Path(folder, f"python{version}")
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(pyenv.glob(f"versions/{version}.*/bin/python"), reverse=True)
    yield from sorted((Path.home() / ".local/share/uv/python").glob(f"cpython-{version}.*/bin/python{version}"))


def _looked_up(candidate: Path) -> tuple[Path, str] | None:
    """A candidate and its version; None if it does not run."""
    if not os.access(candidate, os.X_OK):
        return None
    done = subprocess.run([candidate, "-I", "-c", _PROBE], capture_output=True, text=True)
    return (candidate, done.stdout.strip()) if done.returncode == 0 else None


def build(folder: Path, *options: str) -> Path:
    """The wheel, built of a copy of what is packed, so that nothing of build/ gets into it; `options` are pip's."""
    copy = folder / "source"
    copy.mkdir()
    for name in PACKED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy)
    pip([sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", folder, *options, copy])
    return next(folder.glob("*.whl"))


def pip(command: Sequence[object]) -> None:
    """Run pip; NotRunError where it cannot reach an index, WrongError for what else goes wrong."""
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    done = subprocess.run([*map(str, command), *quiet], env=environment(), capture_output=True, text=True)
    if done.returncode:
        said = done.stdout + done.stderr
        if _NO_NETWORK.search(said):
            raise NotRunError("the package index does not answer: no network, or PIP_INDEX_URL names a wrong one")
        raise WrongError(f"pip failed:\n{said}")


def install(version: str, wheel: Path, folder: Path) -> Installed:
    """An empty environment with the wheel; at first without any other package, then with those of host and board."""
    made = Installed(version, folder / "environment")
    subprocess.run([find(version), "-m", "venv", made.folder], check=True, env=environment())
    command = [made.python, "-m", "pip", "install", "--only-binary=:all:"]
    pip([*command, "--no-deps", wheel])
    expect("extra `host`", made.run("boards", code=2))
    pip([*command, f"posenet-maix[host,board] @ {wheel.as_uri()}"])
    return made


def walk(made: Installed, folder: Path) -> None:
    """What a maker does on the first afternoon, each step with what must come of it."""
    port, kmodel, photo, firmware = (folder / name for name in ("board", "small.kmodel", "photo.png", "maixpy.bin"))
    small.write(kmodel)
    small.scene().save(photo)
    firmware.write_bytes(firmware_image.make_test_image(bytes(1000)))
    expect("extra `conversion`", made.run("kmodel", code=2))
    expect("maixduino", made.run("boards"))
    made.run("ports")
    with made.board(port, photo):
        on_port, model = ("--port", port), ("--model", kmodel)
        expect(
            "written, read back, equal",
            made.run("flash", "--board", "maix_bit", *on_port, *model, "--firmware", firmware),
        )
        expect("files written", made.run("deploy", "--board", "maix_bit", *on_port, *model, "--set", "draw_score=90"))
        expect("ok  program", made.run("doctor", *on_port))
        lines = made.run("monitor", *on_port, "--json", "--frames", FRAMES).splitlines()
        frames = [json.loads(line) for line in lines if line.startswith("{")]
        if [frame["board"] for frame in frames] != ["maix_bit"] * FRAMES:
            raise WrongError(f"the monitor saw {frames}")
        expect("VERIFIED", made.run("verify", *on_port, *model, "--frames", FRAMES))
        expect("files removed", made.run("deploy", "--remove", *on_port))
    made.run("release", "--board", "maix_cube", *model, "--output", folder / "dist")


def expect(words: str, said: str) -> None:
    """WrongError unless these words were said."""
    if words not in said:
        raise WrongError(f"{words!r} was to be said, but this was:\n{said}")


def chosen(named: Iterable[str]) -> list[str]:
    """The versions to walk with: those that are named, else the oldest and the newest that is there."""
    if versions := list(named):
        return versions
    for version in reversed(VERSIONS[1:]):
        try:
            find(version)
        except NotRunError:
            continue
        return [VERSIONS[0], version]
    return [VERSIONS[0]]


def go(version: str, wheel: Path, outer: Path) -> bool:
    """Install and walk with one version; says how it went, and whether nothing was wrong."""
    began = time.monotonic()
    folder = outer / version
    folder.mkdir()
    try:
        walk(install(version, wheel, folder), folder)
    except NotRunError as why:
        print(f"wheel: CPython {version}: not run: {why}", flush=True)
    except (WrongError, subprocess.SubprocessError) as error:
        print(f"wheel: CPython {version}: {error}", file=sys.stderr, flush=True)
        return False
    else:
        print(f"wheel: CPython {version}: walked in {time.monotonic() - began:.0f} s", flush=True)
    return True


def main(named: Sequence[str]) -> int:
    """Walk with each version, all at the same time; says of each how it went."""
    versions = chosen(named)
    with tempfile.TemporaryDirectory(prefix="wheel-") as outer:
        try:
            if not sys.platform.startswith("linux"):
                raise NotRunError("the virtual board needs Linux")
            wheel = build(Path(outer))
        except NotRunError as why:
            print(f"wheel: not run: {why}")
            return 0
        with ThreadPoolExecutor() as walkers:
            went_well = list(walkers.map(lambda version: go(version, wheel, Path(outer)), versions))
    return int(not all(went_well))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
