"""The adapter for CanMV, against stand-ins of both of its KPU classes. Nobody has run it on hardware."""

from __future__ import annotations

import importlib
import struct
import sys
import types
from collections.abc import Iterator
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest

from tests.firmware.app import sentences
from tests.firmware.app.board import ADDRESS, Board


class Block:
    """Output 0: the four heads, each at a multiple of 8 bytes."""

    def __init__(self, heads: list[bytes]) -> None:
        self.bytes = b"".join(head + bytes(-len(head) % 8) for head in heads)

    def floats(self) -> list[float]:
        """As the firmware hands it out: each four bytes as a float."""
        return list(struct.unpack(f"<{len(self.bytes) // 4}f", self.bytes))


class MainBranch:
    """KPU of CanMV's main branch."""

    block: Block
    loaded: ClassVar[list[tuple]] = []
    closed = 0

    def load_kmodel(self, path: object, size: int = 0) -> None:
        if isinstance(path, int) and size <= 0:
            raise ValueError("size error!")
        self.loaded.append((path, size))

    def run_with_output(self, picture: object, getlist: bool = False) -> list[float] | None:
        return self.block.floats() if getlist else None

    def deinit(self) -> None:
        MainBranch.closed += 1


class FeatBranch:
    """KPU of its branch feat/kpu."""

    block: Block
    loaded: ClassVar[list[tuple]] = []

    def load(self, path: object, *, size: int = 0) -> None:
        self.loaded.append((path, size))

    def run(self, picture: object) -> None:
        self.ready = True

    def get_outputs(self, index: int = 0) -> list[float]:
        if not self.ready:
            raise OSError("Please load/run kmodel before")
        assert index == 0
        return self.block.floats()

    def deinit(self) -> None:
        self.ready = False


def no_signalling(heads: list[bytes]) -> list[bytes]:
    """The heads with every signalling NaN made quiet: CPython's floats are double, and would do that by themselves."""
    quiet = []
    for head in heads:
        words = np.frombuffer(head + bytes(-len(head) % 4), "<u4").copy()
        words[words & 0x7F800000 == 0x7F800000] |= 0x00400000
        quiet.append(words.tobytes()[: len(head)])
    return quiet


@pytest.fixture(params=[MainBranch, FeatBranch])
def board(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Board]:
    board = Board()
    board.heads = no_signalling(board.heads)
    kpu = request.param
    kpu.block = Block(board.heads)
    kpu.loaded.clear()
    stand_ins_of = board._stand_ins
    board._stand_ins = lambda: {
        **stand_ins_of(),
        "maix": SimpleNamespace(KPU=kpu, GPIO=board.gpio, utils=stand_ins_of()["Maix"].utils),
        "Maix": None,
        "KPU": None,
    }
    board.platform = "CanMV"
    board.kpu_class = kpu
    return board


def test_the_program_runs_with_it(board: Board) -> None:
    found = board.run(2000)
    assert sentences.of(found, "ERROR") == []
    frames = sentences.frames(found)
    assert len(frames) > 3
    assert frames[0][0][3] == 3
    assert sentences.of(found, "HELLO")[-1][3] == "CanMV"
    assert board.kpu_class.loaded == [(ADDRESS, len(board.kmodel))]


def test_the_heads_are_the_bytes(board: Board) -> None:
    board.tell(500, "HEADS,1")
    board.config["settings"]["frame_ms"] = 1000
    found = board.run(20_000)
    assert sentences.block(found, 1) == b"".join(board.heads)


def test_another_size_is_refused(board: Board) -> None:
    board.kpu_class.block = Block(board.heads[:3])
    (first, *_) = sentences.of(board.run(2000), "ERROR")
    assert first[0] == 33
    assert "output 0 has 24904 bytes, the card says 34504" in first[2]


@pytest.mark.parametrize("board", [MainBranch], indirect=True)
@pytest.mark.parametrize(
    ("error", "code"),
    [(MemoryError("model buffer memory allocation failed"), 27), (OSError("Failed to init model"), 28)],
)
def test_what_it_refuses_is_said(board: Board, error: Exception, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def load_kmodel(self: object, path: object, size: int = 0) -> None:
        raise error

    monkeypatch.setattr(MainBranch, "load_kmodel", load_kmodel)
    (first, *_) = sentences.of(board.run(2000), "ERROR")
    assert first[0] == code
    assert str(error) in first[2]


def test_every_bit_pattern_comes_through_where_floats_are_single() -> None:
    """The board packs floats of 32 bits; here an array made of the bits stands in, with NaNs of all kinds."""
    board = Board()
    random = np.random.default_rng(5).integers(0, 256, 34504).astype(np.uint8).tobytes()
    bits = list(struct.unpack("<8626I", random))

    class SingleArray(bytearray):
        """array('f') of a build whose floats have 32 bits, made from the bits themselves."""

        def __init__(self, typecode: str, values: list[int]) -> None:
            assert typecode == "f"
            super().__init__(struct.pack(f"<{len(values)}I", *values))

    with board.modules(), pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "maix", types.SimpleNamespace(KPU=None))
        canmv = importlib.import_module("pose_canmv")
        patch.setattr(canmv, "array", SingleArray)
        kpu = SimpleNamespace(run_with_output=lambda picture, getlist: bits)
        card = importlib.import_module("pose_card").Card(board.card)
        heads = canmv.Network(kpu, card).run(None)
        starts = card.head_starts()
    assert starts == [0, 5104, 15304, 24904]
    assert [bytes(head) for head in heads] == [
        random[start : start + size] for start, size in zip(starts, (5100, 10200, 9600, 9600), strict=True)
    ]
