"""make kmodel from end to end, on a random network of PoseNet's structure (and on the published one where it is)."""

import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from conversion import card, closure, photos, pipeline, run_photo
from conversion import weights as weights_files
from conversion.decoding import board_decoder
from conversion.errors import KpuMemoryError, ModelFormatError, PhotoError, ProofError, SizeError, UnsupportedModelError
from conversion.kmodel import assemble, layer, turning, v3, v5
from conversion.kpu import arithmetic
from conversion.nncase import compilation
from conversion.pipeline import Kmodel, Recipe
from conversion.progress import silent
from conversion.report import writing
from tests.conversion.weights.weight_files import random_weights, write_tfjs_graph
from tests.samples import sample

SIZE = (128, 96)


def recipe(output: Path, weights: Path, size: tuple[int, int] = SIZE, **options: object) -> Recipe:
    """A recipe with plain rounding, which takes seconds."""
    return Recipe(output, *size, weights, quantisation="fast", **options)


@pytest.fixture(scope="module")
def weights_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tfjs_graph(tmp_path_factory.mktemp("weights"), random_weights()).parent


@pytest.fixture(scope="module")
def made(weights_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Kmodel:
    made = pipeline.convert(recipe(tmp_path_factory.mktemp("build"), weights_folder), False, silent)
    pipeline.write(made)
    return made


def test_the_file_begins_as_every_maixpy_v1_expects(made: Kmodel) -> None:
    assert made.path.name == "posenet-mobilenet-075-128x96.kmodel"
    assert struct.unpack_from("<3I", made.path.read_bytes()) == (3, 1, 0)


def test_the_card_describes_the_file_beside_it(made: Kmodel) -> None:
    data = made.path.read_bytes()
    read = card.read_for(made.path, data)
    assert read == json.loads(json.dumps(made.card))
    assert read["kmodel"] == {
        "file": made.path.name,
        "version": 3,
        "bytes": len(data),
        "crc32": zlib.crc32(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    assert read["input"] == {"width": 128, "height": 96}
    assert [(head["name"], head["index"], head["channels"]) for head in read["heads"]] == [
        ("heatmap", 1, 17),
        ("offset", 2, 34),
        ("displacement_fwd", 3, 32),
        ("displacement_bwd", 4, 32),
    ]
    assert all((head["width"], head["height"]) == (8, 6) for head in read["heads"])
    assert read["memory"]["main_memory_bytes"] == v3.read(data, "test").main_memory_bytes
    assert read["source"]["name"] == "unknown"
    assert set(read["source"]["sha256"]) == {"model-stride16.json", "group1-shard1of2.bin", "group1-shard2of2.bin"}
    assert set(read["tools"]) == {"posenet-maix", "nncase", "tensorflow"}


def test_the_heads_of_the_kmodel_are_those_of_the_network(made: Kmodel) -> None:
    assert min(made.card["quantisation"]["sqnr_db"].values()) > 15
    for name, head in made.sample_float_heads.items():
        assert head.shape == made.sample_heads[name].shape


def test_the_test_vector_is_what_a_board_must_answer(made: Kmodel) -> None:
    vector = made.card["test_vector"]
    assert 0 <= vector["heads_crc32"] < 2**32
    assert len(vector["heads_sha256"]) == 64
    assert all(len(pose["keypoints"]) == 17 for pose in vector["poses"])


def test_the_report_has_page_picture_and_map(made: Kmodel, tmp_path: Path) -> None:
    page = writing.write(made, tmp_path)
    text = page.read_text()
    assert all(name in text for name in ("depthwise13", "displacement_bwd", made.card["kmodel"]["sha256"], "<svg"))
    assert sorted(os.listdir(tmp_path)) == ["index.html", "kpu-ram.svg", "skeleton.png"]
    with Image.open(tmp_path / "skeleton.png") as picture:
        assert picture.width > 2 * 300


def test_a_photo_runs_as_on_the_board(made: Kmodel, tmp_path: Path) -> None:
    photos.bundled(photos.SAMPLE).save(tmp_path / "photo.png")
    result = run_photo.simulate(made.path, tmp_path / "photo.png")
    for name, head in result.heads.items():
        assert (head == made.sample_heads[name]).all()
    run_photo.write_heads(result, tmp_path / "heads.npz")
    with np.load(tmp_path / "heads.npz") as heads:
        assert list(heads) == ["heatmap", "offset", "displacement_fwd", "displacement_bwd"]
        assert all(head.dtype == np.uint8 for head in heads.values())
    run_photo.write_overlay(result, tmp_path / "overlay.png")
    with Image.open(tmp_path / "overlay.png") as overlay:
        assert overlay.size == (512, 512)
    expected = hashlib.sha256(photos.planes(photos.letterbox(photos.bundled(photos.SAMPLE), *SIZE)).tobytes())
    assert result.to_dict()["input_sha256"] == expected.hexdigest()


def test_what_the_board_leaves_out_no_picture_shows(
    made: Kmodel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shown with a limit that nobody reaches: simulate and the report obey it, the test vector keeps its poses."""
    photos.bundled(photos.SAMPLE).save(tmp_path / "photo.png")
    assert run_photo.simulate(made.path, tmp_path / "photo.png").poses
    shown = writing.skeletons(made)
    monkeypatch.setitem(board_decoder.ON_BOARD, "pose_score", 1.0)
    assert run_photo.simulate(made.path, tmp_path / "photo.png").poses == []
    assert writing.skeletons(made) != shown
    simulation = pipeline.Simulation(v3.read(made.data, "test"), "test")
    assert pipeline.test_vector(simulation, made.card) == made.card["test_vector"]
    assert made.card["test_vector"]["poses"]


def test_another_kmodel_under_the_card_s_name_is_refused(made: Kmodel, tmp_path: Path) -> None:
    path = tmp_path / made.path.name
    changed = bytearray(made.data)
    changed[-200] ^= 1
    path.write_bytes(changed)
    card.path_beside(path).write_bytes(card.to_json(made.card))
    with pytest.raises(ModelFormatError, match="keep the two together"):
        card.read_for(path, path.read_bytes())


def test_figures_noted_in_the_card_stay_with_the_same_kmodel_only(made: Kmodel, tmp_path: Path) -> None:
    first = replace(made, path=tmp_path / made.path.name, card=made.card | {"evaluation": {"ap": 0.5}})
    pipeline.write(first)
    pipeline.write(replace(first, card=dict(made.card)))
    assert card.read_for(first.path, made.data)["evaluation"] == {"ap": 0.5}

    other = made.data + b"\0"
    entry = {**made.card["kmodel"], "sha256": hashlib.sha256(other).hexdigest()}
    pipeline.write(replace(first, data=other, card=made.card | {"kmodel": entry}))
    assert "evaluation" not in card.read_for(first.path, other)


def test_a_turned_kmodel_is_measured_and_simulated_upright(weights_folder: Path, made: Kmodel, tmp_path: Path) -> None:
    """Its bytes hold the same codes; figures and pictures are of the photo as it stands, wire and heads of memory."""
    turned = pipeline.convert(recipe(tmp_path, weights_folder, turned=True), False, silent)
    pipeline.write(turned)
    assert turned.path.name == "posenet-mobilenet-075-128x96-turned.kmodel"
    assert turned.card["input"] == {"width": 128, "height": 96, "turned": 1}
    assert card.picture(card.read_for(turned.path, turned.data)) == (96, 128)
    upright = turning.turned_file(v3.read(turned.data, "test"))
    assert upright == v3.read(made.data, "test")
    assert turned.data != made.data
    assert min(turned.card["quantisation"]["sqnr_db"].values()) > 15
    assert board_decoder.device_card(turned.card)["input"]["turned"] == 1
    assert "turned" not in board_decoder.device_card(made.card)["input"]

    photos.bundled(photos.SAMPLE).save(tmp_path / "photo.png")
    result = run_photo.simulate(turned.path, tmp_path / "photo.png")
    assert result.size == (96, 128)
    in_memory = board_decoder.decode(result.heads, turned.card, **board_decoder.ON_BOARD)
    assert in_memory
    for shown, sent in zip(result.poses, in_memory, strict=True):
        assert [[y, x, score] for x, y, score in sent.wire["keypoints"]] == shown.wire["keypoints"]
    writing.write(turned, tmp_path / "report")


def test_nncase_s_own_file_cannot_be_turned(weights_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SizeError, match="cannot be turned; leave --format out"):
        pipeline.convert(recipe(tmp_path, weights_folder, (64, 64), version=5, turned=True), False, silent)


def test_nncase_s_own_format(weights_folder: Path, tmp_path: Path) -> None:
    made = pipeline.convert(recipe(tmp_path, weights_folder, (64, 64), version=5), False, silent)
    assert struct.unpack_from("<2I", made.data) == (0x4B4D444C, 5)
    assert v5.read(made.data, "test").source.width == 64
    pipeline.write(made)
    with pytest.raises(UnsupportedModelError, match="kmodel V5; only V3 is simulated"):
        run_photo.simulate(made.path, tmp_path / "photo.png")


def test_the_same_inputs_give_the_same_file(made: Kmodel, weights_folder: Path, tmp_path: Path) -> None:
    again = pipeline.convert(recipe(tmp_path, weights_folder), False, silent)
    assert again.data == made.data
    assert again.card == made.card


# `python -m conversion` where TensorFlow and nncase cannot be imported and no process can be started.
WITHOUT_SLOW_STEPS = """
import subprocess, sys
sys.modules.update(tensorflow=None, nncase=None)
subprocess.Popen = None
from conversion.cli import main
main()
"""


def command(output: Path, weights: Path, *start: str, cwd: Path = closure.ROOT) -> subprocess.CompletedProcess:
    """`make kmodel` at SIZE with plain rounding, by the code in a folder."""
    options = ["--output", output, "--weights", weights, "--size", "{}x{}".format(*SIZE), "--quantisation", "fast"]
    return subprocess.run([sys.executable, *start, "kmodel", *options], cwd=cwd, capture_output=True, text=True)


def test_a_second_run_needs_neither_tensorflow_nor_nncase(made: Kmodel, weights_folder: Path, tmp_path: Path) -> None:
    """It is what makes it take seconds; and it shows that every slow step was kept."""
    done = command(tmp_path, weights_folder, "-c", WITHOUT_SLOW_STEPS)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / made.path.name).read_bytes() == made.data
    assert (tmp_path / "report" / made.path.stem / "index.html").exists()


@pytest.mark.parametrize(
    ("module", "sound", "faulty"),
    sample(
        [
            (
                layer,
                "return starts + table[8 * SEGMENTS : ACTIVATION_BYTES]",
                "return starts + table[8 * SEGMENTS - 1 : -1]",
            ),
            (arithmetic, "weights + registers.arg_x if folded", "weights + registers.arg_x + 1 if folded"),
            (
                assemble,
                "outputs.append(Output(address, size))",
                "outputs.append(Output(address + (address > 0), size))",
            ),
        ],
        0,
    ),
    ids=["activation offsets read a byte too early", "every weight one more", "heads handed out a byte too late"],
)
def test_a_fault_is_found_though_everything_was_kept_from_sound_code(
    made: Kmodel, weights_folder: Path, tmp_path: Path, module: ModuleType, sound: str, faulty: str
) -> None:
    """The proof belongs to the code that it was made with: other code is proved anew, and writes nothing."""
    for package in ("conversion", "firmware"):
        shutil.copytree(closure.ROOT / package, tmp_path / package)
    file = tmp_path / Path(module.__file__).relative_to(closure.ROOT)
    text = file.read_text()
    assert text.count(sound) == 1
    file.write_text(text.replace(sound, faulty))
    done = command(tmp_path / "build", weights_folder, "-m", "conversion", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.search(
        r"error: the KPU simulator and nncase's differ in \d+ of \d+ bytes .*; nothing is written", done.stderr
    )
    assert list((tmp_path / "build").rglob("*")) == []


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"width": 321}, SizeError),
        ({"width": 512, "height": 256}, KpuMemoryError),
        ({"width": 320, "height": 240, "version": 5}, KpuMemoryError),
        ({"known_only": True}, UnsupportedModelError),
        ({"calibration": Path("/nonexistent")}, PhotoError),
    ],
)
def test_what_cannot_be_is_refused(weights_folder: Path, tmp_path: Path, change: dict, error: type) -> None:
    size = {"width": SIZE[0], "height": SIZE[1]}
    fields = {"output": tmp_path, **size, "weights": weights_folder, "quantisation": "fast", **change}
    with pytest.raises(error):
        pipeline.convert(Recipe(**fields), False, silent)
    assert os.listdir(tmp_path) == []


def test_heads_that_are_not_the_network_s_are_found_out(
    made: Kmodel, weights_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if nncase had given the two displacement heads in the other order."""
    honest = compilation.compile_weights

    def swapped(*arguments: object) -> compilation.Compiled:
        compiled = honest(*arguments)
        heatmap, offset, forward, backward = compiled.network.heads
        network = type(compiled.network)(compiled.network.body, (heatmap, offset, backward, forward))
        return replace(compiled, network=network)

    monkeypatch.setattr(pipeline.compilation, "compile_weights", swapped)
    with pytest.raises(ProofError, match="head displacement_fwd of the kmodel has"):
        pipeline.convert(recipe(tmp_path, weights_folder), False, silent)


@pytest.mark.soak
def test_a_whole_camera_frame_is_seen_better_than_nncase_sees_a_small_picture(
    tfjs_graph_dir: Path, people_photos: list[Path], tmp_path: Path
) -> None:
    """The 320x240 model as it is made by default, against nncase's own rounding at 256x192, each against float at its
    size. (That relinking itself costs nothing is shown byte for byte in tests/kpu.)"""
    measured = {}
    for size, quantisation in (((256, 192), "fast"), ((320, 240), "full")):
        made = pipeline.convert(Recipe(tmp_path, *size, tfjs_graph_dir, quantisation=quantisation), False, silent)
        pictures = np.stack([photos.letterbox(photos.read(path), *size) for path in people_photos[::6]])
        simulation = pipeline.Simulation(v3.read(made.data, "test"), "test")
        measured[size] = pipeline.measure(weights_files.load(tfjs_graph_dir), simulation, pictures, made.card)
    print("dB at 256x192 by nncase and at 320x240 by default:", measured)
    assert min(measured[320, 240][name] - measured[256, 192][name] for name in measured[256, 192]) >= 6
