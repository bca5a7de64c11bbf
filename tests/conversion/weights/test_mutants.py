"""Damaged files of every form, below any hash check: a clean error or a network, never a crash, never a loop."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversion.posenet_weights import PoseNetWeights
from conversion.weights import coral, frozen_graph, tfjs_checkpoint, tfjs_graph, tflite_file, tflite_float
from tests.conversion.weights import mutants
from tests.conversion.weights.memory import peak_of

# Each example writes a file of megabytes.
SLOW = settings(
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.large_base_example,
    ]
)


@dataclass(frozen=True)
class Form:
    """One form to damage: its importer, sound files by name, the one that is loaded, and where its constants lie."""

    importer: ModuleType
    files: dict[str, bytes] = field(repr=False)
    main: str
    constants: list[bytes] = field(default_factory=list, repr=False)

    def mutant(self) -> st.SearchStrategy[tuple[str, bytes]]:
        """One of the files, damaged; a JSON file as a document or as text."""
        main = self.files[self.main]
        choices = [self._named(self.main, mutants.damaged(main, mutants.around(main, self.constants)))]
        if self.main.endswith(".json"):
            document = mutants.damaged_json(json.loads(main)).map(lambda value: json.dumps(value).encode())
            choices += [self._named(self.main, document)] * 2
        others = [name for name in self.files if name != self.main]
        if others:
            choices.append(st.sampled_from(others).flatmap(self._damaged_other))
        return st.one_of(choices)

    def write(self, folder: Path, name: str = "", data: bytes = b"") -> Path:
        """Writes the files to `folder`, with `data` in the place of `name`; gives the one to load."""
        for other, sound in self.files.items():
            path, wanted = folder / other, data if other == name else sound
            if not path.exists() or path.read_bytes() != wanted:
                path.write_bytes(wanted)
        return folder / self.main

    def _named(self, name: str, data: st.SearchStrategy[bytes]) -> st.SearchStrategy[tuple[str, bytes]]:
        return data.map(lambda mutant: (name, mutant))

    def _damaged_other(self, name: str) -> st.SearchStrategy[tuple[str, bytes]]:
        return self._named(name, mutants.damaged(self.files[name]))


def in_folder(importer: ModuleType, folder: Path, main: str) -> Form:
    return Form(importer, {path.name: path.read_bytes() for path in folder.iterdir()}, main)


def tflite(importer: ModuleType, data: bytes) -> Form:
    tensors = tflite_file.parse(data, "sound").tensors
    return Form(importer, {"model": data}, "model", [t.data.tobytes() for t in tensors if t.data is not None])


def kernels(weights: PoseNetWeights) -> Iterable[bytes]:
    return [layer.kernel.tobytes() for layer in (*weights.body.values(), *weights.heads.values())]


@pytest.fixture(scope="session", params=["graph model", "checkpoint", "pb", "float tflite", "coral"])
def form(request: pytest.FixtureRequest, random_weights: PoseNetWeights) -> Form:
    use = request.getfixturevalue
    if request.param == "graph model":
        return in_folder(tfjs_graph, use("tfjs_folder"), "model-stride16.json")
    if request.param == "checkpoint":
        return in_folder(tfjs_checkpoint, use("checkpoint_folder"), "manifest.json")
    if request.param == "pb":
        return Form(frozen_graph, {"model": use("frozen_graph")}, "model", kernels(random_weights))
    if request.param == "float tflite":
        return tflite(tflite_float, use("float_tflite"))
    return tflite(coral, use("coral_tflite"))


@pytest.fixture(scope="session")
def original(form: Form, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of the sound files' weights."""
    return form.importer.load(form.write(tmp_path_factory.mktemp("sound"))).digest()


def load_mutant(form: Form, original: str, folder: Path, mutant: tuple[str, bytes]) -> None:
    path = form.write(folder, *mutant)
    mutants.attempt(form.importer.FORM, lambda: form.importer.load(path), original)


@settings(SLOW, max_examples=25)
@given(data=st.data())
def test_damaged_files(form: Form, original: str, tmp_path: Path, data: st.DataObject) -> None:
    load_mutant(form, original, tmp_path, data.draw(form.mutant()))


@pytest.mark.soak
@SLOW
@given(data=st.data())
def test_many_damaged_files(form: Form, original: str, tmp_path: Path, data: st.DataObject) -> None:
    load_mutant(form, original, tmp_path, data.draw(form.mutant()))


def test_memory_stays_a_small_multiple_of_the_files(form: Form, original: str, tmp_path: Path) -> None:
    path = form.write(tmp_path)
    size = sum(len(data) for data in form.files.values())
    # Quantised numbers become four times as many bytes.
    assert peak_of(lambda: form.importer.load(path)) < (12 if form.importer is coral else 4) * size
