"""The command line: results on stdout, talk on stderr, one line and exit code 2 for whatever a user can cause."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from conversion import photos, presets
from conversion.presets import Preset
from tests.conversion.weights.weight_files import random_weights, write_tfjs_graph
from tests.patience import HANG_SECONDS


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "conversion", *map(str, arguments)]
    surroundings = {**os.environ, **environment}
    return subprocess.run(command, env=surroundings, capture_output=True, text=True, timeout=HANG_SECONDS)


def refused(*arguments: object) -> str:
    """The one line that a refused command says."""
    done = run(*arguments)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    said = [line for line in done.stderr.splitlines() if not line.startswith("· ")]
    assert len(said) == 1, done.stderr
    assert said[0].startswith("error: ")
    return said[0]


@pytest.fixture(scope="module")
def weights_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tfjs_graph(tmp_path_factory.mktemp("weights"), random_weights()).parent


@pytest.fixture(scope="module")
def built(weights_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built kmodel."""
    output, scratch = tmp_path_factory.mktemp("a folder with spaces"), tmp_path_factory.mktemp("scratch")
    options = ("--weights", weights_folder, "--size", "64x64", "--quantisation", "fast", "--output", output)
    done = run("kmodel", *options, TMPDIR=str(scratch))
    assert done.returncode == 0, done.stderr
    assert os.listdir(scratch) == [], "nothing is left behind"
    assert "KPU simulator = nncase's" in done.stdout
    assert all(line.startswith("· ") for line in done.stderr.splitlines())
    return output / "posenet-mobilenet-075-64x64.kmodel"


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "photo.jpg"
    photos.bundled(photos.SAMPLE).convert("RGB").save(path)
    return path


def test_kmodel_writes_model_card_and_report(built: Path) -> None:
    assert sorted(os.listdir(built.parent)) == [built.name, built.name + ".json", "report"]


def test_simulate_prints_poses_as_json(built: Path, photo: Path) -> None:
    done = run("simulate", built, photo, "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert set(result) == {"model_sha256", "input_sha256", "size", "photo", "photo_scale", "heads_sha256", "poses"}
    assert result["size"] == [64, 64]


def test_simulate_prints_a_table(built: Path, photo: Path, tmp_path: Path) -> None:
    done = run("simulate", built, photo, "--heads", tmp_path / "heads.npz", "--overlay", tmp_path / "overlay.png")
    assert done.returncode == 0, done.stderr
    assert "pose" in done.stdout
    assert sorted(os.listdir(tmp_path)) == ["heads.npz", "overlay.png"]


def test_help_names_units_and_defaults() -> None:
    done = run("kmodel", "--help")
    assert done.returncode == 0
    assert "multiples of 16" in done.stdout
    assert "default: balanced" in done.stdout
    for name, preset in presets.PRESETS.items():
        assert name in done.stdout
        assert str(preset) in done.stdout


@pytest.mark.parametrize(
    ("preset", "size", "expected"),
    [
        (None, None, Preset((320, 240))),
        ("balanced", None, Preset((320, 240))),
        ("fast", None, Preset((256, 192))),
        ("portrait", None, Preset((320, 240), turned=True)),
        ("sharp", None, Preset((384, 256))),
        (None, (96, 80), Preset((96, 80))),
    ],
)
def test_a_preset_is_a_picture_by_its_name(preset: str | None, size: tuple[int, int] | None, expected: Preset) -> None:
    assert presets.chosen(preset, size) == expected


def test_a_preset_with_a_size_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    said = refused("kmodel", "--preset", "fast", "--size", "256x192", "--output", tmp_path / "out")
    assert said == "error: preset fast and size 256x192: fast is 256x192; give one of the two"
    assert not (tmp_path / "out").exists()


def test_a_wrong_option_is_refused() -> None:
    done = run("kmodel", "--colour", "red")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("size", ["", "320", "x", "320x", "axb", "-320x240", "320x240x3", "99999999x99999999"])
def test_a_size_that_is_none(size: str) -> None:
    assert "width x height" in refused("kmodel", "--size", size)


@pytest.mark.parametrize("size", ["321x241", "16x16", "1024x512", "0x0"])
def test_a_size_that_the_kpu_does_not_take(size: str) -> None:
    assert "the nearest such size is" in refused("kmodel", "--size", size)


def test_a_size_that_does_not_fit(weights_folder: Path, tmp_path: Path) -> None:
    said = refused(
        "kmodel", "--weights", weights_folder, "--size", "512x256", "--quantisation", "fast", "--output", tmp_path
    )
    assert "needs 2304 KiB of 2048 KiB; the nearest size that fits is 512x224" in said
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("content", [b"", b"{}", b"not a model", b"\x00" * 1000])
def test_weights_that_are_none(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(content)
    assert str(tmp_path / "weights") in refused("kmodel", "--weights", tmp_path / "weights", "--output", tmp_path)


def test_known_only_refuses_other_weights_with_their_sums(weights_folder: Path, tmp_path: Path) -> None:
    said = refused("kmodel", "--known-only", "--weights", weights_folder, "--output", tmp_path)
    assert "unknown" in said
    assert "sha256" in said


def test_a_shipped_rounding_that_cannot_be_had(weights_folder: Path, tmp_path: Path) -> None:
    arguments = ("kmodel", "--weights", weights_folder, "--output", tmp_path / "build", "--quantisation", "shipped")
    assert "no rounding is shipped for these weights (unknown, " in refused(*arguments)
    assert "give one of the two" in refused(*arguments, "--calibration", tmp_path)


def test_calibration_without_photos(weights_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    arguments = ("kmodel", "--weights", weights_folder, "--output", tmp_path / "build", "--calibration")
    assert "no photos in this folder" in refused(*arguments, tmp_path / "empty")
    assert "cannot be read as a folder" in refused(*arguments, tmp_path / "absent")
    (tmp_path / "empty" / "broken.jpg").write_bytes(b"\xff\xd8 nothing")
    assert "broken.jpg: not a readable photo" in refused(*arguments, tmp_path / "empty")


def test_an_output_folder_that_cannot_be_written(weights_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    said = refused("kmodel", "--weights", weights_folder, "--output", tmp_path / "file")
    assert "cannot be written" in said
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    (tmp_path / "locked").mkdir()
    (tmp_path / "locked").chmod(stat.S_IRUSR | stat.S_IXUSR)
    assert "cannot be written" in refused("kmodel", "--weights", weights_folder, "--output", tmp_path / "locked")


def test_a_disk_that_fills_up(weights_folder: Path, tmp_path: Path, built: Path) -> None:
    """A file-size limit stands for the full disk: everything is kept already, only the kmodel cannot be written."""
    command = f"ulimit -f 100; exec {sys.executable} -m conversion kmodel --weights '{weights_folder}' --size 64x64"
    command += " --quantisation fast"
    done = subprocess.run(
        ["bash", "-c", f"trap '' XFSZ; {command} --output '{tmp_path}'"],
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
    )
    assert done.returncode == 2, done.stderr
    assert "cannot be written (File too large)" in done.stderr
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("damage", ["truncated", "empty", "foreign", "a flipped bit", "missing"])
def test_a_damaged_kmodel(damage: str, built: Path, photo: Path, tmp_path: Path) -> None:
    path = tmp_path / built.name
    data = bytearray(built.read_bytes())
    if damage == "a flipped bit":
        data[len(data) // 2] ^= 4
    changed = {"truncated": data[: len(data) // 2], "empty": b"", "foreign": b"GIF89a" + bytes(500)}.get(damage, data)
    (tmp_path / (built.name + ".json")).write_bytes(built.with_name(built.name + ".json").read_bytes())
    if damage != "missing":
        path.write_bytes(changed)
    assert built.name in refused("simulate", path, photo)


@pytest.mark.parametrize("card", [None, b"", b"{}", b"[1, 2", b'{"format": 3}'])
def test_a_kmodel_without_a_sound_card(card: bytes | None, built: Path, photo: Path, tmp_path: Path) -> None:
    path = tmp_path / built.name
    path.write_bytes(built.read_bytes())
    if card is not None:
        path.with_name(path.name + ".json").write_bytes(card)
    assert path.name + ".json" in refused("simulate", path, photo)


def test_a_photo_that_is_none(built: Path, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"no photo")
    assert "not a readable photo" in refused("simulate", built, tmp_path / "photo.jpg")
    assert "no such photo" in refused("simulate", built, tmp_path / "absent.jpg")
