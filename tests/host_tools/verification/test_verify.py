"""A sound board is verified, in both modes, with the settings that it has, and left as it was."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conversion import photos
from conversion.decoding import board_decoder
from conversion.test_card import planes_of
from host_tools import time_limits
from host_tools.serial_link import link
from host_tools.verification import upload
from host_tools.verification.model import Model
from host_tools.virtual_board import Faults
from tests.host_tools.verification import small
from tests.host_tools.verification.command import state, told, verdict, verify
from tests.host_tools.virtual_board import kmodels
from tests.jumping import VirtualBoard
from tests.samples import sample


@pytest.fixture(scope="module")
def board() -> Iterator[VirtualBoard]:
    """One that runs, for all tests that leave it as it is."""
    with small.board() as running:
        running.wait_for("$FRAME,")
        yield running


def test_a_photo_is_verified(board: VirtualBoard, kmodel: Path, photo: Path) -> None:
    ended = verify(board.port, "--model", kmodel, "--image", photo)
    assert ended.exit_code == 0, ended
    said = ended.stdout.splitlines()
    assert said[0] == "VERIFIED  photo.png on maix_bit, mode: image"
    assert hashlib.sha256(kmodels.kmodel()).hexdigest() in ended.stdout
    assert "posenet 0.1.0 on MaixPy v0.6.3" in ended.stdout
    assert "heads equal, byte for byte (CRC-32 " in ended.stdout
    assert "5 poses equal, integer for integer" in " ".join(ended.stdout.split())
    assert "proves not" in ended.stdout
    assert ended.stderr == ""
    assert state(board) == "running"


def test_a_photo_lies_as_a_turned_kmodel_s_memory_has_it(tmp_path: Path, photo: Path) -> None:
    """The card alone says so: the bytes of the small model mean nothing either way."""
    turned = {**small.card(), "input": {**small.card()["input"], "turned": 1}}
    kmodel = small.write(tmp_path / "small.kmodel")
    kmodel.with_name("small.kmodel.json").write_text(json.dumps(turned))
    with small.board(device_card=board_decoder.device_card(turned)) as board:
        board.wait_for("$FRAME,")
        code, found = verdict(board.port, "--model", kmodel, "--image", photo)
    assert code == 0
    assert found["findings"][0]["pose_count"] > 0
    picture = photos.letterbox(photos.read(photo), kmodels.HEIGHT, kmodels.WIDTH)
    planes = planes_of(np.ascontiguousarray(upload.to_words(picture).T))
    assert found["input_sha256"] == hashlib.sha256(planes.tobytes()).hexdigest()


def test_the_verdict_as_json(board: VirtualBoard, kmodel: Path, photo: Path, model: Model) -> None:
    code, found = verdict(board.port, "--model", kmodel, "--image", photo)
    assert code == 0
    assert found["verified"] is True
    assert found["board"] == "maix_bit"
    assert found["model"]["sha256"] == model.sha256
    # What went over the line is the letterboxed photo to the nearest colours of RGB565, and nothing else.
    picture = photos.letterbox(photos.read(photo), *model.size)
    planes = planes_of(upload.to_words(picture))
    assert np.abs(planes.astype(int) - photos.planes(picture)).max() <= 4
    assert found["input_sha256"] == hashlib.sha256(planes.tobytes()).hexdigest()
    (finding,) = found["findings"]
    expected = model.simulation.heads(planes)
    assert finding["pose_count"] == 5
    assert finding["equal"] is True
    assert finding["crc32"] == zlib.crc32(b"".join(head.tobytes() for head in expected.values()))
    assert found["upload"]["bytes"] == 2 * kmodels.WIDTH * kmodels.HEIGHT
    assert found["upload"]["starts"] == 1


def test_the_board_itself_is_verified(board: VirtualBoard, kmodel: Path) -> None:
    ended = verify(board.port, "--model", kmodel, "--frames", "2")
    assert ended.exit_code == 0, ended
    assert ended.stdout.startswith("VERIFIED  test card on maix_bit, mode: self-test and live frames\n")
    assert " ".join(ended.stdout.split()).count("5 poses equal to what the host decodes from the board's heads") == 2
    assert "nobody can read back what the camera wrote" in " ".join(ended.stdout.split())
    assert state(board) == "running"


def test_frames_that_show_nobody_are_said_to_prove_little(kmodel: Path) -> None:
    with small.board(camera=Image.new("RGB", (320, 240), "black")) as board:
        told(board, "POSES", 5, 32768, 20, 32768)
        ended = verify(board.port, "--model", kmodel, "--frames", "1")
    assert ended.exit_code == 0, ended
    assert "no live frame had a pose in it" in ended.stdout


@pytest.mark.parametrize("settings", [("MODE", 1), ("POSES", 2, 1000, 3, 9000)])
def test_the_boards_settings_are_used_and_stay(kmodel: Path, photo: Path, settings: tuple) -> None:
    with small.board() as board:
        told(board, *settings)
        code, image = verdict(board.port, "--model", kmodel, "--image", photo)
        live_code, live = verdict(board.port, "--model", kmodel, "--frames", "1")
        said = {line for line in board.output().splitlines() if line.startswith("$SETTINGS,")}
    assert (code, live_code) == (0, 0), (image, live)
    assert len(said) == 1, "verify changes no setting"
    expected = {"mode": 1} if settings[0] == "MODE" else {"max_poses": 2, "nms_radius": 3, "pose_score": 9000}
    assert expected.items() <= image["settings"].items()
    # The self-test decodes with the defaults, live frames with the settings.
    counts = [finding["pose_count"] for finding in live["findings"]]
    assert counts[0] == 5
    assert counts[1] <= 2


def test_a_paused_board_stays_paused(kmodel: Path, photo: Path) -> None:
    with small.board() as board:
        told(board, "PAUSE")
        for arguments in (("--image", photo), ("--frames", "2")):
            code, found = verdict(board.port, "--model", kmodel, *arguments)
            assert (code, found["verified"]) == (0, True)
            assert state(board) == "paused"


def test_a_raised_speed_is_used_and_lowered_again(board: VirtualBoard, kmodel: Path, photo: Path) -> None:
    ended = verify(board.port, "--model", kmodel, "--image", photo, "--baud", "921600")
    assert ended.exit_code == 0, ended
    assert "$REPLY" in board.output()
    assert state(board) == "running"
    assert verify(board.port, "--model", kmodel, "--image", photo).exit_code == 0


def test_a_board_with_an_older_program_is_verified_and_its_age_told(kmodel: Path, photo: Path) -> None:
    """One that knows no share of the time for sending, no vote, no zoom and no smoothing."""
    older = {
        **small.damaged(
            "pose_settings.py",
            ("for name in NAMES]", "for name in NAMES[:-4]]"),
            (", self.pose_score, self.vote", ", self.pose_score"),
        ),
        **small.damaged("pose_sender.py", ("share = self._settings.share", "share = ALL")),
    }
    with small.board(older) as board:
        board.wait_for("$FRAME,")
        ended = verify(board.port, "--model", kmodel, "--image", photo)
    assert ended.exit_code == 0, ended
    assert "older than this tool" in ended.stderr
    assert "`make deploy`" in ended.stderr


@pytest.mark.parametrize("mode", sample(["image", "board"], 0))
def test_a_line_that_loses_and_damages_bytes_only_takes_longer(
    kmodel: Path, photo: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time_limits, "CHUNK_ANSWER", time_limits.Tries(0.3, 8))
    # A board goes on as long as the tool says something; one that only listens for what was lost does so rarely.
    monkeypatch.setattr(link, "LISTENING_SECONDS", 0.5)
    arguments = ("--image", photo) if mode == "image" else ("--frames", "1")
    with small.board(faults=Faults(drop=1e-4, corrupt=1e-4, seed=2)) as board:
        code, found = verdict(board.port, "--model", kmodel, *arguments)
    assert code == 0, found
    assert found["verified"] is True


@pytest.mark.soak
@pytest.mark.parametrize("mode", ["image", "board"])
@pytest.mark.parametrize("seed", range(4))
def test_a_bad_line_only_takes_long(kmodel: Path, photo: Path, mode: str, seed: int) -> None:
    arguments = ("--image", photo) if mode == "image" else ("--frames", "3")
    with small.board(faults=Faults(drop=2e-4, corrupt=2e-4, seed=seed)) as board:
        code, found = verdict(board.port, "--model", kmodel, *arguments)
    assert code == 0, found
    assert found["verified"] is True


@pytest.mark.soak
def test_the_default_model_is_verified(tfjs_graph_dir: Path, people_photos: list[Path], tmp_path: Path) -> None:
    from conversion import pipeline
    from conversion.pipeline import Recipe
    from host_tools import boards, payload
    from host_tools.virtual_board import Hardware

    made_model = pipeline.convert(Recipe(tmp_path, weights=tfjs_graph_dir, quantisation="fast"), False, print)
    pipeline.write(made_model)
    the_board = boards.find(small.BOARD)
    with VirtualBoard(
        model=made_model.path,
        card=payload.device_card(made_model.path),
        files=payload.files(the_board),
        board=Hardware.of(the_board),
        camera=people_photos[0],
    ) as board:
        for arguments in (("--image", people_photos[1]), ("--frames", "5")):
            code, found = verdict(board.port, "--model", made_model.path, *arguments)
            assert (code, found["verified"]) == (0, True), json.dumps(found)
