"""`deploy --sd`: a card that a board starts from; only our files are touched, and a card that is full is left alone."""

from __future__ import annotations

import itertools
import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from conversion.progress import silent
from host_tools.deployment import deploy, sd_card
from host_tools.deployment.deploy import DeployOptions, Report
from host_tools.errors import BoardError
from tests.host_tools.deployment.conftest import Install
from tests.host_tools.virtual_board import kmodels
from tests.jumping import VirtualBoard

Usage = namedtuple("Usage", "total used free")


def fill(folder: Path, kmodel: Path, board: str = "maix_bit", **more: object) -> Report:
    return deploy.run(DeployOptions(board=board, model=kmodel, sd=folder, **more), silent, lambda done, total: None)


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture
def sd(tmp_path: Path) -> Path:
    folder = tmp_path / "card"
    folder.mkdir()
    (folder / "holiday.jpg").write_bytes(b"photo")
    (folder / "music").mkdir()
    return folder


def test_a_board_runs_from_the_card_alone(sd: Path, kmodel: Path) -> None:
    report = fill(sd, kmodel)
    assert report.started is None
    assert {"main.py", "small.kmodel", "pose_model.json", "pose_config.json"} <= set(report.written)
    assert files_of(sd)["small.kmodel"] == kmodels.kmodel()
    with VirtualBoard(files={"main.py": "print('from flash')\n"}, sd=sd) as board:
        board.wait_for("posenet: kmodel 96x80 from /sd/small.kmodel")
        board.wait_for("$FRAME,")


def test_progress_counts_the_bytes_that_are_written(sd: Path, kmodel: Path) -> None:
    seen: list[tuple[int, int]] = []
    options = DeployOptions(board="maix_bit", model=kmodel, sd=sd)
    report = deploy.run(options, silent, lambda *done: seen.append(done))
    sizes = [len(data) for name, data in files_of(sd).items() if name in report.written]
    assert seen[-1] == (sum(sizes), sum(sizes))
    assert sorted(after - before for (before, _), (after, _) in itertools.pairwise([(0, 0), *seen])) == sorted(sizes)


def test_the_second_time_there_is_nothing_to_do_and_a_removal_leaves_what_was_there(
    sd: Path, kmodel: Path, install: Install
) -> None:
    install(1)
    (sd / "main.py").write_text("print('mine')\n")
    before = files_of(sd)
    assert "main_before_posenet.py" in fill(sd, kmodel).written
    assert fill(sd, kmodel).nothing_to_do
    report = deploy.remove(DeployOptions(sd=sd), silent, lambda done, total: None)
    assert "small.kmodel" in report.removed
    assert files_of(sd) == before
    assert (sd / "music").is_dir()


def test_an_update_takes_the_old_files_away(sd: Path, kmodel: Path, install: Install) -> None:
    install(1)
    fill(sd, kmodel)
    install(2)
    report = fill(sd, kmodel)
    assert report.removed == ["pose_old.py"]
    assert fill(sd, kmodel).nothing_to_do
    assert files_of(sd)["pose_part.py"] == b"VERSION = 2\n"


def test_a_dry_run_writes_nothing(sd: Path, kmodel: Path, install: Install) -> None:
    install(1)
    before = files_of(sd)
    assert fill(sd, kmodel, dry_run=True).written
    assert files_of(sd) == before


def test_maixpys_own_config_is_not_for_the_card(sd: Path, kmodel: Path, install: Install) -> None:
    install(1)
    report = fill(sd, kmodel, "maix_cube")
    assert any("run deploy over USB once, too" in warning for warning in report.warnings)
    assert "config.json" not in files_of(sd)


def test_a_card_without_room_is_left_alone(
    sd: Path, kmodel: Path, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(1)
    before = files_of(sd)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1 << 20, 0, 200_000))
    with pytest.raises(BoardError, match=r"195 KiB free, \d+ KiB are needed"):
        fill(sd, kmodel)
    assert files_of(sd) == before


def test_of_settings_at_most_16_kib_are_read(sd: Path) -> None:
    """As on a board (on_board/helpers.py)."""
    for size in (0, 16384, 16385):
        (sd / "pose_config.json").write_bytes(bytes(size))
        read = sd_card.found(sd, None, {}).contents
        assert read == ({} if size > 16384 else {"pose_config.json": bytes(size)})


def test_a_folder_in_a_files_place_is_named(sd: Path, kmodel: Path, install: Install) -> None:
    install(1)
    (sd / "pose_app.py").mkdir()
    with pytest.raises(BoardError, match=r"pose_app\.py: a folder, where a file must go"):
        fill(sd, kmodel)


@pytest.mark.parametrize("at", [0, 3])
def test_a_card_that_is_pulled_out_keeps_the_old_program_and_the_next_time_mends_it(
    at: int, sd: Path, kmodel: Path, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(1)
    fill(sd, kmodel)
    old = files_of(sd)
    install(2)
    store, count = sd_card._store, []

    def fails(path: Path, data: bytes) -> None:
        count.append(path)
        if len(count) > at:
            raise OSError(5, os.strerror(5))
        store(path, data)

    monkeypatch.setattr(sd_card, "_store", fails)
    with pytest.raises(BoardError, match="locked, full or taken out") as caught:
        fill(sd, kmodel)
    assert "\n" not in str(caught.value)
    assert {name: data for name, data in files_of(sd).items() if not name.endswith(".new")} == old
    monkeypatch.setattr(sd_card, "_store", store)
    fill(sd, kmodel)
    assert fill(sd, kmodel).nothing_to_do
    assert not [name for name in files_of(sd) if name.endswith(".new")]


def test_a_file_is_no_card(tmp_path: Path, kmodel: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BoardError, match="no such folder"):
        fill(tmp_path / "file", kmodel)


def test_what_the_picture_at_the_lcds_size_takes_is_said(sd: Path, kmodel: Path) -> None:
    """A model of 96x80 fills 384x320 of the Amigo's LCD."""
    note = "MicroPython's heap: 240 KiB for the picture at the LCD's size"
    report = fill(sd, kmodel, "maix_amigo_ips", dry_run=True)
    assert note in report.notes
    assert not any("middle" in warning for warning in report.warnings)
    report = fill(sd, kmodel, "maix_amigo_ips", dry_run=True, heap=400 << 10)
    assert note in report.notes
    assert "a heap of 400 KiB has no room for that: the LCD will show the picture's middle; take --heap 768" in (
        report.warnings
    )
    cropped = fill(sd, kmodel, "maix_amigo_ips", dry_run=True, entries=("lcd_scale=0",))
    assert note not in cropped.notes
    assert not any("LCD" in note for note in fill(sd, kmodel, "maix_nano", dry_run=True).notes)
