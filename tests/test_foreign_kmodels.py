"""kmodels that others made, of networks that compute in floats: `inspect` says so, and every tool names that cause."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from conversion.errors import ConversionError
from conversion.inspection import inspect
from conversion.kmodel.v5_stackvm import CONV2D
from conversion.kpu import posenet
from host_tools import boards, payload
from host_tools.errors import HostToolError
from host_tools.flashing import release, sources
from host_tools.verification import model as verified_model
from tests.conversion.inspection import kpu_layers, test_kmodel_v4, test_kmodel_v5, v3_files, v5_files
from tests.conversion.inspection.v3_files import Conv, raw
from tests.host_tools.virtual_board import kmodels

BOARD = boards.find("maix_bit")
# Every door through which a kmodel comes in, but for `inspect`, which opens them all.
DOORS: dict[str, Callable[[Path], object]] = {
    "simulate, evaluate, monitor": posenet.read_described,
    "verify, profile": verified_model.load,
    "deploy": lambda path: payload.of(BOARD, path),
    "release": lambda path: release.contents(BOARD, path),
    "flash": lambda path: sources.of_files(BOARD, path, None),
    "board, demo": payload.device_card,
}
FLOATS = "compute in floats, on the CPU"


def _classifier() -> bytes:
    """As nncase 0.1 compiles a MobileNet that ends in classes: the KPU's layers, then floats."""
    first = kpu_layers.chain()[0]
    cells = first.destination.width * first.destination.height
    layers = [
        Conv(first, 0),
        raw(12, "3I2f", 0, 512, 4 * cells, 0.5, -3.0),
        raw(5, "4I", 512, 2048, cells, 4),
        raw(18, "5I", 2048, 2064, 4, 3, 0, tail=bytes(4 * (4 * 3 + 3))),
        raw(15, "3I", 2064, 2080, 3),
    ]
    return v3_files.write(layers, [(2080, 12)])


def _vectors() -> bytes:
    """A network that begins with floats: no picture at all."""
    layers = [raw(18, "5I", 0, 64, 4, 3, 0, tail=bytes(4 * (4 * 3 + 3))), raw(25, "3I", 64, 128, 3)]
    return v3_files.write(layers, [(128, 12)])


def _wide() -> bytes:
    one = kpu_layers.chain()[0]
    return v3_files.write([Conv(replace(one, weights=one.weights * 2), 0)], [(0, 8)], flags=0)


def _v4() -> bytes:
    """As nncase 0.2 compiles a network without quantisation."""
    nodes = [test_kmodel_v4.CONVOLUTIONS[0x1001], test_kmodel_v4.CONVOLUTIONS[0x1002]]
    return test_kmodel_v4.write(nodes, [(test_kmodel_v4.SOURCE, (1, 2, 2, 2))], [test_kmodel_v4.RESULT])


def _v5() -> bytes:
    """The same of nncase 1.9."""
    code = v5_files.shape(0, 1, 4, 9, 11) + v5_files.shape(1, 8, 2, 3, 5)
    code += b"".join(v5_files.lea(*place) for place in ((0, 0), (2, 0), (2, 960), (3, 0)))
    code += b"".join(map(v5_files.integer, (1, 1, 0, 2, 2, 0)))
    code += v5_files.tensor(CONV2D, "7B5H2f", 0, 0, 0, 1, 0, 0, 0, 2, 2, 1, 1, 1, 0.0, 6.0)
    return v5_files.write([test_kmodel_v5.stackvm_module(code)])


# The file, what `inspect` remarks, and what each door says: a kmodel that MaixPy does not load, by its version.
FOREIGN = {
    "classifier": (
        _classifier,
        f"3 of its 5 layers {FLOATS} (FULLY_CONNECTED, ",
        "layer 2 is of type 5 ",
    ),
    "vectors": (_vectors, f"2 of its 2 layers {FLOATS} (FULLY_CONNECTED, LOGISTIC)", "computes in floats, on the CPU"),
    "heads": (kmodels.float_kmodel, None, "its outputs are floats, made by DEQUANTIZE on the CPU"),
    "weights": (_wide, "its weights have 16 bits", "its weights have 16 bits"),
    "V4": (_v4, "without quantisation", "a kmodel V4"),
    "V5": (_v5, "without quantisation", "a kmodel V5"),
}


@pytest.fixture(params=FOREIGN)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def foreign(kind: str, tmp_path: Path) -> Path:
    path = tmp_path / "foreign.kmodel"
    path.write_bytes(FOREIGN[kind][0]())
    return path


def test_inspect_says_what_it_is(kind: str, foreign: Path) -> None:
    found = inspect(foreign)
    remark = FOREIGN[kind][1]
    if remark is None:
        assert ("MaixPy reads", "floats from every output, as its last layer gives") in found.facts
    else:
        assert [line for line in found.remarks if remark in line], found.remarks


@pytest.mark.parametrize("door", DOORS)
def test_every_tool_names_file_and_cause_in_one_line(kind: str, foreign: Path, door: str) -> None:
    with pytest.raises((ConversionError, HostToolError)) as refused:
        DOORS[door](foreign)
    said = str(refused.value)
    assert said.startswith(f"{foreign}: ")
    assert FOREIGN[kind][2] in said
    assert "make kmodel" in said
    assert "\n" not in said


def test_layers_of_a_quantised_network_are_no_remark(tmp_path: Path) -> None:
    path = tmp_path / "small.kmodel"
    path.write_bytes(kmodels.kmodel())
    assert not [line for line in inspect(path).remarks if "floats" in line]
