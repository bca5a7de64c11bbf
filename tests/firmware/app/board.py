"""A board of stand-ins that runs the firmware's program under CPython: files, flash, clock, and what came of it."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import importlib
import io
import json
import os
import struct
import sys
import types
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.firmware import synthetic
from tests.firmware.app import sentences, stand_ins

FIRMWARE = Path(__file__).resolve().parents[3] / "firmware"
NAMES = [path.stem for path in FIRMWARE.glob("*.py")]
ADDRESS = 0x300000
# os.urandom(4) of MaixPy 0.6.2 after any reset.
FIRST_RANDOM = b"\x06^\x9d\xde"
KMODEL_FILE = "posenet-mobilenet-075-320x240.kmodel"


def device_card(width: int, height: int, kmodel: bytes = b"") -> dict:
    """A card as the host writes it, for synthetic heads."""
    card = synthetic.card(width, height)
    kmodel = kmodel or kmodel_bytes(width, height)
    return {
        "format": "posenet-maix device card 1",
        "kmodel": {
            "file": KMODEL_FILE,
            "version": 3,
            "bytes": len(kmodel),
            "crc32": zlib.crc32(kmodel),
            "sha256": hashlib.sha256(kmodel).hexdigest(),
        },
        "memory": {"kpu_ram_bytes": 1843200, "main_memory_bytes": 34504},
        "input": card["input"],
        "heads": [{name: head[name] for name in ("zero_point", "multiplier", "shift")} for head in card["heads"]],
        "sigmoid": card["sigmoid"],
    }


def kmodel_bytes(width: int, height: int, version: int = 3) -> bytes:
    """A file with the header of a kmodel whose heads are those of this picture size; the rest of it is anything."""
    sizes = [head["channels"] * head["height"] * head["width"] for head in synthetic.card(width, height)["heads"]]
    block = sum(-(-size // 8) * 8 for size in sizes)
    words = [version, 1, 0, 32, 0, block, 5, 0, block]
    for size in sizes:
        words += [0, size]
    return struct.pack(f"<{len(words)}I", *words) + bytes(number * 7 & 255 for number in range(5000))


def people(width: int, height: int, count: int = 3) -> list[bytes]:
    """The heads of so many people."""
    card = synthetic.card(width, height)
    drawn = synthetic.drawn(synthetic.crowd(width, height, count) if count else [], card)
    return synthetic.buffers(synthetic.quantised(drawn, card))


class Board:
    """Change what you like, then `run()`: the program runs until the clock's `end_ms` presses Ctrl-C."""

    def __init__(self, width: int = 320, height: int = 240) -> None:
        stand_ins.FAULTS.clear()
        stand_ins.FAULTS.update(stand_ins.NO_FAULTS)
        stand_ins.IMAGES.clear()
        self.width, self.height = width, height
        self.kmodel = kmodel_bytes(width, height)
        self.card: dict | None = device_card(width, height, self.kmodel)
        self.config: dict | None = {
            "format": "posenet-maix board 1",
            "board": "maix_bit",
            "settings": {"stats_ms": 0, "share": 100},
        }
        self.flash = {ADDRESS: self.kmodel}
        self.files: dict[str, bytes] = {}
        self.mounted_ms = {"flash": 0, "sd": 0}
        self.cwd = "/flash"
        self.platform = "MaixPy"
        self.free = 4_000_000
        self.full_build = False
        self.free_heap = 200_000
        # MicroPython's heap: the size that is kept in flash, and what is in use of the one that it has.
        self.heap_set = 512 * 1024
        self.heap_used = 300_000
        # What gc.threshold() was told.
        self.thresholds: list[int] = []
        self.resets = 0
        self.flash_full = False
        self.heads = people(width, height)
        self.clock = stand_ins.Clock()
        self.uart = stand_ins.Uart(self.clock)
        self.sensor = stand_ins.Sensor(self.clock)
        self.lcd = stand_ins.Lcd()
        self.kpu = stand_ins.Kpu(self.clock, lambda planes: self.heads)
        self.gpio = stand_ins.Gpio()
        self.printed = ""

    def tell(self, at_ms: int, body: str) -> None:
        """The host sends a sentence at a moment."""
        self.uart.host(at_ms, sentences.made(body))

    def run(self, end_ms: int = 3000, on_frame: object = None) -> list[sentences.Sentence]:
        """Run the program from its start; returns what it sent."""
        self.clock.end_ms = self.clock.ms + end_ms
        output = io.StringIO()
        with self.modules(), contextlib.redirect_stdout(output), pytest.raises(KeyboardInterrupt):
            importlib.import_module("pose_app").run(on_frame)
        self.printed = output.getvalue()
        return self.sent()

    def sent(self) -> list[sentences.Sentence]:
        """All sentences so far; nothing but whole ones may be on the line."""
        return sentences.read(bytes(self.uart.sent))

    @contextlib.contextmanager
    def modules(self) -> Iterator[None]:
        """The firmware's modules can be imported by their names on the board, new ones each time."""
        with pytest.MonkeyPatch.context() as patch:
            for name in NAMES:
                patch.delitem(sys.modules, name, raising=False)
            for name, module in self._stand_ins().items():
                patch.setitem(sys.modules, name, module)
            patch.syspath_prepend(str(FIRMWARE))
            patch.setattr(sys, "platform", self.platform)
            patch.setattr(sys, "print_exception", lambda error: print(f"Traceback: {error!r}"), raising=False)
            patch.setattr(gc, "mem_free", lambda: self.free_heap, raising=False)
            patch.setattr(gc, "mem_alloc", lambda: self.heap_used, raising=False)
            patch.setattr(gc, "collect", lambda: 0)
            patch.setattr(gc, "threshold", self.thresholds.append, raising=False)
            files = importlib.import_module("pose_files")
            patch.setattr(files, "os", self._os())
            patch.setattr(files, "opened", self._opened)
            patch.setattr(files, "write", self._write)
            # As on a board: the same bytes after each reset.
            patch.setattr(importlib.import_module("pose_boot").os, "urandom", lambda size: FIRST_RANDOM[:size])
            yield
            for name in NAMES:
                sys.modules.pop(name, None)

    def _stand_ins(self) -> dict[str, object]:
        utils = types.SimpleNamespace(
            heap_free=lambda: self.free, flash_read=self._flash_read, gc_heap_size=self._gc_heap_size
        )
        maix = types.SimpleNamespace(GPIO=self.gpio, utils=utils)
        functions = types.SimpleNamespace(GPIOHS0=100)
        return {
            "utime": self.clock.module(),
            "machine": types.SimpleNamespace(
                UART=types.SimpleNamespace(repl_uart=lambda: self.uart), reset=self._reset
            ),
            "Maix": maix,
            "maix": maix,
            "fpioa_manager": types.SimpleNamespace(
                fm=types.SimpleNamespace(register=self.gpio.register, fpioa=functions)
            ),
            "image": types.SimpleNamespace(Image=stand_ins.Image, **({"HaarCascade": 0} if self.full_build else {})),
            "sensor": self.sensor,
            "lcd": self.lcd,
            "KPU": self.kpu,
            "uctypes": types.SimpleNamespace(addressof=stand_ins.addressof),
        }

    def _reset(self) -> None:
        self.resets += 1
        raise KeyboardInterrupt

    def _gc_heap_size(self, size: int = 0) -> int | None:
        if not size:
            return self.heap_set
        self.heap_set = size
        return None

    def _flash_read(self, address: int, size: int) -> bytes:
        assert 0 < size <= 4096
        for start, data in self.flash.items():
            if start <= address < start + len(data):
                return (data[address - start :] + b"\xff" * size)[:size]
        return b"\xff" * size

    def _all_files(self) -> dict[str, bytes]:
        files = dict(self.files)
        if self.card is not None:
            files.setdefault("/flash/pose_model.json", json.dumps(self.card).encode())
        if self.config is not None:
            files.setdefault("/flash/pose_config.json", json.dumps(self.config).encode())
        return files

    def _opened(self, path: str) -> io.BytesIO:
        if path not in self._all_files():
            raise OSError(2, "ENOENT")
        return io.BytesIO(self._all_files()[path])

    def _write(self, path: str, data: bytes) -> None:
        if self.flash_full:
            raise OSError(28, "ENOSPC")
        self.files[path] = bytes(data)

    def _listdir(self, path: str) -> list[str]:
        if path == "/":
            return [name for name, moment in self.mounted_ms.items() if self.clock.ms >= moment]
        found = [name.rpartition("/")[2] for name in self._all_files() if name.rpartition("/")[0] == path]
        if not found:
            raise OSError(2, "ENOENT")
        return found

    def _stat(self, path: str) -> tuple[int, ...]:
        files = self._all_files()
        if path not in files:
            raise OSError(2, "ENOENT")
        return (0x8000, 0, 0, 0, 0, 0, len(files[path]), 0, 0, 0)

    def _os(self) -> types.SimpleNamespace:
        return types.SimpleNamespace(
            getcwd=lambda: self.cwd, listdir=self._listdir, stat=self._stat, uname=os.uname, urandom=os.urandom
        )
