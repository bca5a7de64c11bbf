"""The command from end to end, on drawn photos and a kmodel of random numbers; and what it refuses."""

import io
import json
import pickle
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from conversion import card, cli, files
from conversion import weights as weights_files
from conversion.errors import OutputError, PhotoError
from conversion.evaluation import evaluate, stages, workers
from conversion.evaluation.chain import KMODEL_STAGES, Findings, Setup
from conversion.evaluation.coco import AnnotationError, CocoPhoto
from conversion.evaluation.stages import Stages
from conversion.report import accuracy
from tests.conversion.evaluation import coco_sets, plain_kmodel
from tests.conversion.evaluation.conftest import SIZE
from tests.patience import HANG_SECONDS


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Annotations and photos: three drawn photos, the last of another set."""
    images = [coco_sets.image(number, split="a" if number < 3 else "b") for number in (1, 2, 3)]
    persons = [coco_sets.person(1, 20, 20), coco_sets.person(1, 220, 30), coco_sets.person(2, 100, 25)]
    document = coco_sets.document(images, [*persons, coco_sets.person(3, 10, 10)])
    return coco_sets.write(tmp_path_factory.mktemp("set"), document)


@pytest.fixture
def own_kmodel(kmodel: Path, tmp_path: Path) -> Path:
    """A copy whose card may change."""
    for file in (kmodel, card.path_beside(kmodel)):
        shutil.copy(file, tmp_path)
    return tmp_path / kmodel.name


def test_the_command(own_kmodel: Path, people: tuple[Path, Path], weights_folder: Path, tmp_path: Path) -> None:
    """As a user calls it: workers and all."""
    annotations, photos = people
    figures = tmp_path / "out" / "figures.json"
    page = accuracy.folder(own_kmodel) / accuracy.PAGE
    files.write(page, accuracy.section(card.read(card.path_beside(own_kmodel))).encode())
    options = ("--coco", annotations, "--images", photos, "--where", "split=a", "--weights", weights_folder)
    command = (
        "evaluate",
        own_kmodel,
        *options,
        "--no-people",
        photos,
        "--json",
        figures,
        "--zoom",
        "1",
        "--zoom",
        "3..4",
    )
    done = subprocess.run(
        [sys.executable, "-m", "conversion", *map(str, command)], capture_output=True, text=True, timeout=HANG_SECONDS
    )
    assert done.returncode == 0, done.stderr
    assert all(line.startswith("· ") for line in done.stderr.splitlines())
    assert "kmodel+integer" in done.stdout
    assert "False positives" in done.stdout
    written = json.loads(figures.read_text())
    assert [stage["name"] for stage in written["stages"]] == list(KMODEL_STAGES)
    assert written["images"] == 2
    assert set(written["sqnr_db"]) == {"heatmap", "offset", "displacement_fwd", "displacement_bwd"}
    assert written["sqnr_db"]["offset"] > 3
    assert figures.with_suffix(".svg").is_file()
    assert [each["zoom"] for each in written["zoom"]] == [0, 1, 3, 4]
    assert [each["size"] for each in written["float"]] == ["481x353", "641x481"]

    kept = card.read(card.path_beside(own_kmodel))["evaluation"]
    assert kept["stages"] == written["stages"]
    assert kept["zoom"] == written["zoom"]
    assert "--zoom 1,3,4" in kept["command"]
    assert kept["set"]["images"] == 2
    assert len(kept["layers_db"]) == 27
    assert str(tmp_path) not in json.dumps(kept)
    assert f"<td>board</td><td>{written['stages'][-1]['ap']:.3f}</td>" in page.read_text()


@pytest.mark.soak
def test_any_number_of_cores_gives_the_same_figures(
    own_kmodel: Path, people: tuple[Path, Path], weights_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = evaluate.Trial(str(own_kmodel), *people, weights=weights_folder, no_people=people[1])
    found = []
    for cores in (1, 3):
        monkeypatch.setattr(workers, "cores", lambda cores=cores: cores)
        found.append(evaluate.evaluate(trial, False, lambda message: None).card_entry(trial.command()))
    assert found[0] == found[1]


def test_a_card_that_cannot_be_written_is_no_error(
    own_kmodel: Path, people: tuple[Path, Path], weights_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(path: Path, data: bytes) -> None:
        raise OutputError(f"{path}: cannot be written")

    trial = evaluate.Trial(str(own_kmodel), *people, weights=weights_folder)
    monkeypatch.setattr(evaluate, "Workers", InThisProcess)
    found = evaluate.evaluate(trial, False, lambda message: None)
    before = card.path_beside(own_kmodel).read_bytes()
    monkeypatch.setattr(files, "write", full_disk)
    assert "the figures are not in the card" in evaluate.note_in_card(found, trial)
    assert card.path_beside(own_kmodel).read_bytes() == before


def test_only_workers_need_tensorflow() -> None:
    """The process that a user starts waits for them; it stays small, and refuses bad input at once."""
    code = (
        "import sys; sys.modules.update(dict.fromkeys(('tensorflow', 'nncase'))); import conversion.evaluation.evaluate"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=HANG_SECONDS)
    assert done.returncode == 0, done.stderr


class InThisProcess:
    """Workers without processes, which take seconds to import TensorFlow."""

    def __init__(self, setup: Setup, most: int, progress: bool) -> None:
        self._stages = Stages(setup)

    def __enter__(self) -> "InThisProcess":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def examine(self, photos: Sequence[CocoPhoto]) -> list[Findings]:
        return [stages.examine(self._stages, photo) for photo in photos]

    def count_poses(self, photos: Sequence[Path]) -> list[dict[str, int]]:
        return [stages.count_poses(self._stages, photo) for photo in photos]


def test_a_damaged_photo_is_one_line(
    people: tuple[Path, Path], weights_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotations, photos = people
    shutil.copytree(photos, tmp_path / "photos")
    (tmp_path / "photos" / "0002.png").write_bytes(b"no photo")
    monkeypatch.setattr(evaluate, "Workers", InThisProcess)
    options = ("--coco", annotations, "--images", tmp_path / "photos", "--weights", weights_folder, "--size", "64x64")
    assert "0002.png: not a readable photo" in refused("float", *options)


def test_errors_come_through_from_other_processes() -> None:
    for error in (AnnotationError("a photo"), PhotoError("another")):
        assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_limited_figures_are_not_kept(own_kmodel: Path) -> None:
    trial = evaluate.Trial(str(own_kmodel), Path("a"), Path("b"))
    assert trial.goes_into_card
    assert not evaluate.Trial(str(own_kmodel), Path("a"), Path("b"), limit=2).goes_into_card
    assert not evaluate.Trial("float", Path("a"), Path("b")).goes_into_card


def refused(*arguments: object) -> str:
    """The one line that the command says; exit code 2."""
    stdout, stderr = io.StringIO(), io.StringIO()
    with redirect_stdout(stdout), redirect_stderr(stderr), pytest.raises(SystemExit) as ended:
        cli.main(["evaluate", *map(str, arguments)])
    assert ended.value.code == 2
    assert stdout.getvalue() == ""
    said = [line for line in stderr.getvalue().splitlines() if not line.startswith("· ")]
    assert len(said) == 1, stderr.getvalue()
    assert said[0].startswith("error: ")
    return said[0]


def test_sets_that_are_none(people: tuple[Path, Path], tmp_path: Path) -> None:
    annotations, photos = people
    assert "cannot be read" in refused("float", "--coco", tmp_path / "absent.json", "--images", photos)
    assert "no such folder" in refused("float", "--coco", annotations, "--images", tmp_path / "absent")
    assert "3 of 3 photos are missing" in refused("float", "--coco", annotations, "--images", tmp_path)
    assert "there is split=a, b" in refused("float", "--coco", annotations, "--images", photos, "--where", "split=c")
    empty = ("--coco", annotations, "--images", photos, "--no-people", tmp_path)
    assert "no photos in this folder" in refused("float", *empty)


def test_sizes_that_do_not_go(people: tuple[Path, Path], kmodel: Path) -> None:
    options = ("--coco", people[0], "--images", people[1], "--size")
    assert "multiples of 16" in refused("float", *options, "65x65")
    assert "multiples of 16" in refused("float", *options, "4096x64")
    assert "the kmodel is for 64x64" in refused(kmodel, *options, "320x240")
    assert "give a kmodel in place of float" in refused("float", *options, "64x64", "--zoom", "1")


def test_kmodels_without_a_sound_card(people: tuple[Path, Path], own_kmodel: Path) -> None:
    options = ("--coco", people[0], "--images", people[1])
    beside = card.path_beside(own_kmodel)
    entries = card.read(beside)
    del entries["source"]
    beside.write_bytes(card.to_json(entries))
    assert "source is missing" in refused(own_kmodel, *options)
    beside.unlink()
    assert "no model card" in refused(own_kmodel, *options)
    own_kmodel.write_bytes(own_kmodel.read_bytes()[:-10])
    assert "not a sound V3 kmodel" in refused(own_kmodel, *options)
    own_kmodel.unlink()
    assert "cannot be read" in refused(own_kmodel, *options)


def test_weights_that_the_kmodel_was_not_made_of(
    people: tuple[Path, Path], kmodel: Path, tmp_path: Path, weights_folder: Path
) -> None:
    options = ("--coco", people[0], "--images", people[1])
    assert "give them by --weights" in refused(kmodel, *options)
    other = plain_kmodel.write(tmp_path, weights_files.load(weights_folder), *SIZE, {"other.json": "0" * 64})
    assert "not the weights" in refused(other, *options, "--weights", weights_folder)


def test_outputs_that_cannot_be_written(people: tuple[Path, Path], tmp_path: Path) -> None:
    """Said before minutes of work."""
    (tmp_path / "file").write_bytes(b"")
    options = ("--coco", people[0], "--images", people[1], "--json", tmp_path / "file" / "out.json")
    assert "cannot be written" in refused("float", *options)


@pytest.mark.soak
def test_real_weights_on_real_photos(
    shared: Path, tfjs_graph_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four photos through all stages at 320x240, weights rounded plainly: figures that such a network must have."""
    weights = weights_files.load(tfjs_graph_dir)
    kmodel = plain_kmodel.write(tmp_path, weights, 320, 240, weights.origin.files)
    annotations = shared / "eval" / "person_keypoints.json"
    if not annotations.is_file():
        pytest.skip(f"no photos with ground truth: {annotations} is missing")
    trial = evaluate.Trial(
        str(kmodel), annotations, annotations.parent / "images", "dataset=coco2017-val", limit=4, weights=tfjs_graph_dir
    )
    monkeypatch.setattr(evaluate, "Workers", InThisProcess)
    found = evaluate.evaluate(trial, False, lambda message: None)
    figures = list(found.precision.values())
    assert all(figure.ap > 0.1 for figure in figures)
    assert all(abs(figure.ap - figures[0].ap) < 0.2 for figure in figures)
    assert all(one.oks > 0.3 for one in found.alone.values())
    assert 15 < found.sqnr_db["heatmap"] < 30
    assert 6 < found.sqnr_db["offset"] < 20
    assert found.displacement.keypoints > 20
    assert found.displacement.median < 3
    assert found.layers[0].kpu_db > 35
    assert all(row.kpu_db > 8 for row in found.layers)
