"""The cache by content: kept results are used, damaged ones made anew; one that cannot be written is no error."""

from pathlib import Path

import pytest

from conversion import cache


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.ENVIRONMENT_VARIABLE, str(tmp_path / "cache"))


class Maker:
    """Counts how often a result was made."""

    def __init__(self, data: bytes = b"result") -> None:
        self.data = data
        self.times = 0

    def __call__(self) -> bytes:
        self.times += 1
        return self.data


def test_a_result_is_made_once() -> None:
    make = Maker()
    assert [cache.cached("kind", "digest", make) for _ in range(3)] == [b"result"] * 3
    assert make.times == 1


def test_another_digest_is_another_result() -> None:
    cache.cached("kind", "one", Maker(b"1"))
    assert cache.cached("kind", "two", Maker(b"2")) == b"2"


@pytest.mark.parametrize("damage", [b"", b"short", bytes(100)])
def test_a_damaged_file_is_made_anew(damage: bytes) -> None:
    cache.cached("kind", "digest", Maker())
    (cache.cache_dir() / "kind" / "digest").write_bytes(damage)
    make = Maker()
    assert cache.cached("kind", "digest", make) == b"result"
    assert make.times == 1
    cache.cached("kind", "digest", make)
    assert make.times == 1


def test_a_cache_that_cannot_be_written_is_no_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv(cache.ENVIRONMENT_VARIABLE, str(tmp_path / "file"))
    assert cache.cached("kind", "digest", Maker()) == b"result"


def test_a_failed_write_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: object, destination: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(cache.os, "replace", refuse)
    assert cache.cached("kind", "digest", Maker()) == b"result"
    assert list((cache.cache_dir() / "kind").iterdir()) == []


def test_keys_depend_on_parts_and_their_boundaries() -> None:
    assert cache.key("ab", "c") != cache.key("a", "bc")
    assert cache.key("a", b"b") == cache.key(b"a", "b")


def test_the_folder_is_the_users_unless_the_variable_names_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert cache.cache_dir() == tmp_path / "cache"
    monkeypatch.delenv(cache.ENVIRONMENT_VARIABLE)
    assert cache.cache_dir().name == "posenet-maix"
