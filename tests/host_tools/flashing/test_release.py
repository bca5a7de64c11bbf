"""The release for makers without a tool chain: what is in it, the same each time, and what `flash` makes of one."""

import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest

from host_tools import boards, payload
from host_tools.errors import BoardError, FlashError
from host_tools.flashing import kfpkg, release, sources
from tests.host_tools.virtual_board import kmodels

ROOT = Path(__file__).resolve().parents[3]


def files_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def zipped(maix_bit: boards.Board, kmodel: Path, tmp_path: Path) -> Path:
    return release.write(maix_bit, kmodel, tmp_path / "dist")


def changed(path: Path, change: dict[str, bytes | None]) -> Path:
    """The release with files replaced, added or (None) left out."""
    files = {**files_of(path), **change}
    path.write_bytes(kfpkg.zipped({name: data for name, data in files.items() if data is not None}))
    return path


def test_it_holds_package_program_settings_cards_checksums_and_licences(
    zipped: Path, maix_bit: boards.Board, kmodel: Path
) -> None:
    assert zipped.name == "posenet-maix-maix_bit.zip"
    files = {name.removeprefix("posenet-maix-maix_bit/"): data for name, data in files_of(zipped).items()}
    assert kfpkg.read(files["posenet-maix-maix_bit.kfpkg"], "x") == sources.of_files(maix_bit, kmodel, None)
    card = {name.removeprefix("sd-card/"): data for name, data in files.items() if name.startswith("sd-card/")}
    assert {name: data for name, data in card.items() if name.endswith(".py")} == {
        path.name: path.read_bytes() for path in (ROOT / "firmware").glob("*.py")
    }
    assert json.loads(card["pose_config.json"]) == {**payload.DEFAULT_SETTINGS, **boards.pose_config(maix_bit)}
    assert json.loads(card["pose_model.json"]) == kmodels.device_card()
    assert card["small.kmodel"] == kmodels.kmodel()
    assert json.loads(files["cards/small.kmodel.json"]) == kmodels.model_card()
    assert files["LICENSE.txt"] == (ROOT / "LICENSE").read_bytes()
    assert b"Unlike the project, this archive contains a kmodel" in files["NOTICE.txt"]
    sums = dict(line.split("  ")[::-1] for line in files.pop("SHA256SUMS").decode().splitlines())
    assert sums == {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


def test_it_is_the_same_each_time(zipped: Path, maix_bit: boards.Board, kmodel: Path, tmp_path: Path) -> None:
    kmodel.touch()
    assert release.write(maix_bit, kmodel, tmp_path / "again").read_bytes() == zipped.read_bytes()
    with zipfile.ZipFile(zipped) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize("board_id", boards.all_boards())
def test_the_readme_says_what_this_board_needs(board_id: str, kmodel: Path, tmp_path: Path) -> None:
    board = boards.find(board_id)
    files = files_of(release.write(board, kmodel, tmp_path))
    text = files[f"posenet-maix-{board_id}/README.txt"].decode("ascii")
    assert "\r\n" in text
    assert "\n" not in text.replace("\r\n", "")
    assert "$" not in text
    assert max(len(line) for line in text.splitlines() if not line.startswith("f.write(")) <= 120
    for needed in (
        board.name,
        board.firmware_build,
        f"({board.flash.kflash})",
        "NOT been tried on hardware",
        "0x300000",
    ):
        assert needed in text
    assert ('f = open("/flash/config.json", "w")' in text) == bool(board.maixpy_config)
    if board.maixpy_config:
        line = next(line for line in text.splitlines() if line.startswith("f.write("))
        assert json.loads(line.removeprefix("f.write('").removesuffix("')")) == board.maixpy_config


def test_flash_takes_it(zipped: Path, maix_bit: boards.Board, kmodel: Path) -> None:
    assert sources.of_package(zipped, maix_bit) == sources.of_files(maix_bit, kmodel, None)


def test_one_that_was_unpacked_and_packed_again_too(zipped: Path, maix_bit: boards.Board) -> None:
    packed = io.BytesIO()
    files = files_of(zipped)
    with zipfile.ZipFile(packed, "w") as archive:
        archive.mkdir("posenet-maix-maix_bit") if hasattr(archive, "mkdir") else archive.writestr(
            "posenet-maix-maix_bit/", b""
        )
        for name in reversed(files):
            archive.writestr(name, files[name])
    zipped.write_bytes(packed.getvalue())
    assert sources.of_package(zipped, maix_bit).entries[0].data == kmodels.kmodel()


FOLDER = "posenet-maix-maix_bit/"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({FOLDER + "sd-card/main.py": b"other"}, "posenet-maix-maix_bit/sd-card/main.py is not as SHA256SUMS says"),
        ({FOLDER + "more.py": b"x"}, "more.py is not as SHA256SUMS says"),
        ({FOLDER + "sd-card/main.py": None}, "sd-card/main.py is missing, which SHA256SUMS lists"),
        ({FOLDER + "SHA256SUMS": None}, "its SHA256SUMS is missing or damaged"),
        ({FOLDER + "SHA256SUMS": b"\xff\n"}, "its SHA256SUMS is missing or damaged"),
        (
            {FOLDER + "posenet-maix-maix_bit.kfpkg": None},
            "holds no posenet-maix-maix_bit/posenet-maix-maix_bit.kfpkg; fetch the release again",
        ),
        ({"../evil": b"x"}, "holds '../evil', which is no plain file name; not read"),
    ],
)
def test_a_damaged_one_is_refused(
    zipped: Path, maix_bit: boards.Board, change: dict[str, bytes | None], said: str
) -> None:
    with pytest.raises(FlashError) as caught:
        sources.of_package(changed(zipped, change), maix_bit)
    assert said in str(caught.value)


def test_one_for_another_board_is_refused(zipped: Path, tmp_path: Path) -> None:
    with pytest.raises(FlashError, match="is a release for maix_bit, not maix_go; name the board with --board"):
        sources.of_package(zipped, boards.find("maix_go"))
    other = tmp_path / "other.zip"
    other.write_bytes(kfpkg.zipped({"a": b"b"}))
    with pytest.raises(FlashError, match="is neither a kfpkg nor a release"):
        sources.of_package(other, boards.find("maix_go"))


def test_without_a_card_there_is_no_release(maix_bit: boards.Board, kmodel: Path, tmp_path: Path) -> None:
    kmodel.with_name(kmodel.name + ".json").unlink()
    with pytest.raises(Exception, match="no model card"):
        release.write(maix_bit, kmodel, tmp_path)
    with pytest.raises(BoardError, match="no such kmodel"):
        release.write(maix_bit, tmp_path / "none", tmp_path)
    assert not list(tmp_path.glob("*.zip"))
