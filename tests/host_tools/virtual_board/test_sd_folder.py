"""SD cards made from folders, and what comes back of them."""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.errors import BoardError
from host_tools.virtual_board import fat
from host_tools.virtual_board.sd_folder import SdFolder
from tests.host_tools.k210.fat import card

LETTERS = st.characters(
    min_codepoint=33, max_codepoint=0x2FF, blacklist_characters='/\\:*?"<>|.', blacklist_categories=["Cs"]
)
NAMES = st.builds("{}.{}".format, st.text(LETTERS, min_size=1, max_size=40), st.text(LETTERS, min_size=1, max_size=6))
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
# The volume begins here, and its table of clusters a sector later.
VOLUME, TABLE = 1024 * 512, 1025 * 512


def no_folder_is_a_file(files: dict[str, bytes]) -> bool:
    return not any(other.startswith(f"{name}/") for name in files for other in files)


@settings(max_examples=15)
@given(files=st.dictionaries(PATHS, st.binary(max_size=9000), max_size=6).filter(no_folder_is_a_file))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]) -> None:
    image = tmp_path_factory.mktemp("card") / "card.img"
    fat.write(image, files)
    assert fat.read(image) == files


def test_cards_of_others_are_read(tmp_path: Path) -> None:
    """Short names only, and another size of clusters."""
    image = tmp_path / "card.img"
    image.write_bytes(card({"TEXT.BIN": b"text" * 2000, "B": b""}))
    assert fat.read(image) == {"TEXT.BIN": b"text" * 2000, "B": b""}


@settings(max_examples=40)
@given(places=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), min_size=1, max_size=8))
def test_damage_never_crashes_the_host(tmp_path_factory: pytest.TempPathFactory, places: list[tuple[int, int]]) -> None:
    image = tmp_path_factory.mktemp("card") / "card.img"
    fat.write(image, {"folder/a long name.txt": b"1" * 5000, "b": b"2"})
    with image.open("r+b") as file:
        for place, byte in places:
            # The boot sector's fields, the table's beginning, and the root.
            at = VOLUME + place if place < 60 else TABLE + place - 60 if place < 80 else TABLE + 129 * 512 + place - 80
            file.seek(at)
            file.write(bytes([byte]))
    with contextlib.suppress(BoardError):
        fat.read(image)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    (tmp_path / "main.py").write_bytes(b"print(1)")
    (tmp_path / "sub" / "old.txt").write_bytes(b"old")
    return tmp_path


def test_what_changed_on_the_card_changes_in_the_folder(folder: Path) -> None:
    card_of_it = SdFolder(folder)
    assert card_of_it.take_back() == []
    fat.write(card_of_it.image, {"main.py": b"print(2)", "sub/new.txt": b"new"})
    assert card_of_it.take_back() == ["main.py", "sub/new.txt", "sub/old.txt"]
    assert {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == {
        "main.py": b"print(2)",
        "new.txt": b"new",
    }
    assert card_of_it.take_back() == []
    card_of_it.close()
    assert not card_of_it.image.exists()


def test_a_damaged_card_leaves_the_folder_alone(folder: Path) -> None:
    card_of_it = SdFolder(folder)
    with card_of_it.image.open("r+b") as file:
        file.seek(TABLE)
        file.write(struct.pack("<8H", *[1] * 8))
    with pytest.raises(BoardError, match=r"damaged.*left as it was"):
        card_of_it.take_back()
    assert (folder / "main.py").read_bytes() == b"print(1)"
    card_of_it.close()


def test_what_is_no_sd_card(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "MAIN.PY").write_bytes(b"")
    with pytest.raises(BoardError, match=r"MAIN\.PY and main\.py are one name"):
        SdFolder(folder)
    (folder / "MAIN.PY").unlink()
    monkeypatch.setattr(fat, "_CLUSTERS", 1)
    with pytest.raises(BoardError, match="do not fit an SD card"):
        SdFolder(folder)
