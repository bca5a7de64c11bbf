"""What `board`, `demo` and `fps` say to bad input: one exact line, exit code 2, and nothing is left behind."""

from __future__ import annotations

import random
import struct
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from conversion import firmware_image
from host_tools import cli
from host_tools.flashing import images
from host_tools.k210 import requirements
from host_tools.k210.engine import native
from tests.command_line import Ended, invoke
from tests.host_tools.flashing.test_firmware_image import program
from tests.host_tools.k210.assembler import assemble
from tests.host_tools.k210.programs import SYMBOLS
from tests.host_tools.verification import small
from tests.patience import HANG_SECONDS

# What each command would write, beside what it prints.
COMMANDS = {
    "board": ("--link", "link"),
    "demo": ("--output", "out/demo"),
    "fps": ("--json", "out/fps.json"),
}
# Begins as every firmware of the K210 does, so that it is taken for one, and switches the REPL's UART on.
ENTRY = """
    la t0, handler
    csrw mtvec, t0
    csrr a0, mhartid
    li sp, 0x80200000
    li s0, UARTHS
    li t0, 1
    sw t0, 0x08(s0)
"""
HANDLER = """
handler:
    wfi
    j handler
"""
# Its first word, and its last one, as they are in memory.
CALL, LOAD = 0x0040_00EF, 0x0003_3383
CRASHES = "jal ra, function\nfunction:\n li t1, 0x70000000\n ld t2, 0(t1)\n"
NO_ENTRY = (
    "is no firmware for the K210, or an encrypted one: it does not begin with the chip's entry code; take a MaixPy v1 "
    ".bin"
)
NO_PROMPT = (
    "the firmware does not come to MicroPython's prompt: waiting for b'>>> ': nothing came in 60 s of the emulated "
    "board's time; the board sent {}; take a MaixPy v1"
)
CRASH_LINE = "the firmware has crashed: load from where there is nothing (0x70000000) at program counter {:#x}, hart 0"


def says(text: str) -> str:
    return "".join(f"li t0, {ord(letter)}\n sw t0, 0(s0)\n" for letter in text)


def firmware(code: str) -> bytes:
    """A program of our own that passes for a MaixPy until it runs."""
    return assemble(ENTRY + code + HANDLER, SYMBOLS) + b"MicroPython"


def encrypted() -> bytes:
    """A firmware as kflash writes it for one chip: flags, length, noise, SHA-256."""
    whole = images.in_flash(random.Random(1).randbytes(100_000))
    flags = struct.pack("<B", 1) + whole[1 : -firmware_image.DIGEST_BYTES]
    return flags + firmware_image.hashlib.sha256(flags).digest()


# File, its content, and what is said of it.
FILES = {
    "none": (None, "no such firmware"),
    "empty": (b"", "is no firmware but empty; take a MaixPy v1 .bin"),
    "cut short": (
        program(100_000)[:60_000],
        "is cut short: 60000 bytes, and its entry code asks for 39936 more; download it again",
    ),
    "esp32": (
        b"\xe9\x03\x02\x20" + bytes(5000),
        "is no firmware but a firmware for an ESP32 or ESP8266; take a MaixPy v1 .bin",
    ),
    "arm": (
        struct.pack("<2I", 0x20020000, 0x080001C5) + bytes(900),
        "is no firmware but a firmware for an ARM microcontroller (STM32, RP2040 and others); take a MaixPy v1 .bin",
    ),
    "uf2": (
        struct.pack("<2I", 0x0A324655, 0x9E5D5157) + bytes(504),
        "is no firmware but a UF2 file, for boards that appear as a drive (RP2040 and others); take a MaixPy v1 .bin",
    ),
    "encrypted": (random.Random(2).randbytes(100_000), NO_ENTRY),
    "encrypted, out of a flash": (
        encrypted(),
        "was read out of a flash: it has the header (flags 1) that kflash would write again; take the firmware as it "
        "was published",
    ),
    "no entry": (b"\x13\0\0\0" * 20_000, NO_ENTRY),
    "no MicroPython": (
        assemble(ENTRY + HANDLER, SYMBOLS),
        "no firmware that could run the program: there is no MicroPython in it; take a MaixPy v1 .bin for the K210",
    ),
    "test image": (
        firmware_image.make_test_image(),
        "is a test image of this project, which holds no program; take a MaixPy v1 .bin",
    ),
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    """Runs a command on a firmware; it must end as bad input does, and leave no file, folder or link anywhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POSENET_MAIX_CACHE", str(tmp_path / "cache"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    small.write(tmp_path / "small.kmodel")

    def ended(command: str, content: bytes | None, *more: object) -> Ended:
        if content is not None:
            Path("maixpy.bin").write_bytes(content)
        before = everything()
        ended = invoke(
            cli.main, [command, "--firmware", "maixpy.bin", "--model", "small.kmodel", *COMMANDS[command], *more]
        )
        assert ended.exit_code == 2, ended
        # `board` says where it is as soon as it is on.
        assert ended.stdout.startswith("link -> ") or not ended.stdout, ended
        assert everything() == before
        return ended

    return ended


def everything() -> list[Path]:
    """All files of the test's folder; a helper in C that was built in its cache may stay."""
    return sorted(path for path in Path().rglob("*") if path.parts[0] != "cache")


def error_of(ended: Ended) -> str:
    """Its one line that is an error, and the last one; what stands above it is talk."""
    *talk, last = ended.stderr.splitlines()
    assert not [line for line in talk if line.startswith(("error", "Traceback"))], ended.stderr
    assert last.startswith("error: ")
    return last.removeprefix("error: ")


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_is_no_firmware_is_named(command: str, kind: str, run: Callable[..., Ended]) -> None:
    content, said = FILES[kind]
    ended = run(command, content)
    assert ended.stderr == f"error: maixpy.bin: {said}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_crash_is_told_with_registers_calls_and_last_words(command: str, run: Callable[..., Ended]) -> None:
    content = firmware(says("Hi\r\nbye") + CRASHES)
    ended = run(command, content)
    load, call = (0x8000_0000 + content.index(struct.pack("<I", word)) for word in (LOAD, CALL))
    assert error_of(ended) == CRASH_LINE.format(load)
    report = ended.stderr.splitlines()
    assert any("t1 0000000070000000" in line for line in report)
    assert f"called from {call:#x}" in report
    assert report[-3:-1] == ["the firmware's last words: Hi", "bye"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_block_that_is_not_modelled_is_named_once(command: str, run: Callable[..., Ended]) -> None:
    ended = run(command, firmware("li s1, FFT\n lw a0, 0(s1)\n lw a0, 8(s1)\n sw a0, 0(s1)\n" + says("none")))
    (named,) = (line for line in ended.stderr.splitlines() if "FFT" in line)
    assert named.startswith(
        "· emulated chip: the firmware uses the FFT engine (read at 0x42000000), which is not modelled (program "
        "counter 0x800000"
    )
    assert error_of(ended) == NO_PROMPT.format("b'none'")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_firmware_that_says_nothing_has_a_limit(command: str, run: Callable[..., Ended]) -> None:
    assert error_of(run(command, firmware("round:\n j round\n"))) == NO_PROMPT.format("b''")


@pytest.mark.parametrize("command", COMMANDS)
def test_without_unicorn(command: str, run: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch) -> None:
    find = requirements.importlib.util.find_spec
    monkeypatch.setattr(
        requirements.importlib.util, "find_spec", lambda name: None if name == "unicorn" else find(name)
    )
    assert run(command, firmware("")).stderr == (
        "error: the emulated K210 needs the package unicorn, which is not installed: install this project's extra "
        "`emulator`: pip install '.[emulator]' in its folder, or `make setup`\n"
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_without_a_compiler_it_is_said_once_and_all_goes_on(
    command: str, run: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native, "library", lambda: None)
    monkeypatch.setattr(requirements, "_said", False)
    ended = run(command, firmware(CRASHES))
    line = "warning: no C compiler (cc) was found: the emulated K210 runs about twenty times slower"
    assert ended.stderr.splitlines().count(line) == 1
    assert error_of(ended).startswith("the firmware has crashed: load from where there is nothing")


def test_a_flash_file_of_another_size(run: Callable[..., Ended]) -> None:
    Path("flash.bin").write_bytes(bytes(4096))
    assert run("board", firmware(""), "--flash", "flash.bin").stderr == (
        "error: flash.bin: 4096 bytes are no flash chip's content, which has 16777216; name another file, or none to "
        "begin with an erased chip\n"
    )
    assert Path("flash.bin").read_bytes() == bytes(4096)


def test_a_crash_on_a_kept_flash_chip_is_told(run: Callable[..., Ended]) -> None:
    content = firmware(says("Bye") + CRASHES)
    Path("flash.bin").write_bytes(images.in_flash(content).ljust(images.MOST_FLASH_BYTES, b"\xff"))
    ended = run("board", content, "--flash", "flash.bin")
    assert error_of(ended).startswith("the firmware has crashed: load from where there is nothing (0x70000000)")
    assert ended.stderr.splitlines().count("the firmware's last words: Bye") == 1


@pytest.mark.parametrize("target", COMMANDS)
def test_make_ends_with_the_same_line(target: str, root: Path, tmp_path: Path) -> None:
    path, kmodel = tmp_path / "maixpy.bin", small.write(tmp_path / "small.kmodel")
    path.write_bytes(FILES["cut short"][0])
    ended = subprocess.run(
        ["make", "-s", "-C", root, target, f"FIRMWARE={path}", f"MODEL={kmodel}"],
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
    )
    assert ended.returncode == 2
    said, of_make = ended.stderr.splitlines()
    assert said == f"error: {path}: {FILES['cut short'][1]}"
    assert of_make.startswith("make: ***")
    assert ended.stdout == ""
