"""Keeping results by arguments and code: what counts in a key, what does not, what is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from conversion import cache, closure, keeping
from conversion.posenet_weights import Normalisation, Origin
from tests.conversion.weights.weight_files import random_weights

made: list[tuple] = []


def make(*arguments: object, told: object = None) -> bytes:
    made.append(arguments)
    return repr(arguments).encode()


def make_otherwise(*arguments: object) -> bytes:
    return b"otherwise"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.ENVIRONMENT_VARIABLE, str(tmp_path / "cache"))
    made.clear()


def test_the_same_arguments_are_worked_on_once_whatever_is_told() -> None:
    results = {keeping.kept("kind", make, 1, "a", told=told) for told in (print, None, object())}
    assert results == {b"(1, 'a')"}
    assert made == [(1, "a")]


def test_another_function_of_the_module_makes_another_result() -> None:
    assert keeping.kept("kind", make, 1) != keeping.kept("kind", make_otherwise, 1)


def test_other_code_makes_it_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    keeping.kept("kind", make, 1)
    monkeypatch.setattr(closure, "digest", lambda module: f"other code of {module}")
    keeping.kept("kind", make, 1)
    assert made == [(1,), (1,)]


@dataclass(frozen=True)
class Pair:
    """Two values, and one that does not count."""

    first: object
    second: object
    place: Path | None = field(default=None, compare=False)


@dataclass(frozen=True)
class OtherPair:
    """Like Pair, but another type."""

    first: object
    second: object


DIFFERENT = [
    None, 0, 1, 1.0, True, "1", "", b"", b"1", (), (1,), [1], (1, 2), ((1,), 2), (1, (2,)), ("ab", "c"), ("a", "bc"),
    {}, {"a": 1}, {"a": 2}, {"b": 1}, {"a": 1, "b": 2},
    np.zeros(4, np.uint8), np.zeros((2, 2), np.uint8), np.zeros(4, np.int8),
    np.zeros(1, np.float32), np.ones(4, np.uint8),
    Pair(1, 2), Pair(2, 1), Pair(1, None), OtherPair(1, 2), Normalisation(1.0, 2.0), Normalisation(1.0, -2.0),
]  # fmt: skip


def test_different_contents_are_different() -> None:
    assert len({keeping.content(value) for value in DIFFERENT}) == len(DIFFERENT)


def test_equal_contents_are_equal() -> None:
    array = np.arange(6, dtype=np.int16).reshape(2, 3)
    assert keeping.content(array.T.copy()) == keeping.content(array.T)
    assert keeping.content(Pair(1, array, Path("here"))) == keeping.content(Pair(1, array.copy(), Path("there")))


@pytest.mark.parametrize("value", [Path("file"), object(), {1, 2}, Pair, lambda: 0])
def test_what_has_no_known_content_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="content"):
        keeping.content(value)
    with pytest.raises(TypeError, match="content"):
        keeping.kept("kind", make, [value])
    assert made == []


def weights_with(change: Mapping[str, object]) -> str:
    weights = random_weights()
    origin = Origin("form", None, {"file": "sum"}, (), Path("here"))
    parts = {"body": weights.body, "heads": weights.heads, "normalisation": weights.normalisation, "origin": origin}
    return keeping.content(type(weights)(**{**parts, **change}))


def test_of_weights_every_number_counts_and_the_files_they_were_read_from() -> None:
    """The published network that a proof compares with is read from them once more."""
    plain, weights = weights_with({}), random_weights()
    kernel = weights.body["conv0"].kernel.copy()
    kernel.flat[-1] += 1
    changed = type(weights.body["conv0"])(kernel, weights.body["conv0"].bias)
    assert weights_with({"body": {**weights.body, "conv0": changed}}) != plain
    assert weights_with({"normalisation": Normalisation(0.5, 0.0)}) != plain
    assert weights_with({"origin": Origin("form", None, {"file": "other sum"})}) != plain
    assert weights_with({"origin": Origin("other form", None, {"file": "sum"})}) != plain
    assert weights_with({"origin": Origin("form", None, {"file": "sum"}, (), Path("there"))}) == plain
