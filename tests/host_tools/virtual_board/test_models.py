"""Loading kmodels: MaixPy's checks, its error numbers, its memory."""

import struct

import numpy as np
import pytest

from conversion import memory_budget
from conversion.kpu.simulator import Kpu
from host_tools.virtual_board.memory import SystemHeap
from host_tools.virtual_board.models import LoadError, ModelError, Models
from tests.host_tools.virtual_board import kmodels

MODEL = kmodels.kmodel()
BEHIND = b"\xff" * 5000


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def models(told: list[str]) -> Models:
    return Models(False, told.append)


@pytest.fixture
def heap() -> SystemHeap:
    return SystemHeap(memory_budget.MINIMUM.image_bytes)


def refusal(models: Models, heap: SystemHeap, data: bytes | None, whole: bool = True) -> tuple[LoadError, str]:
    free = heap.free
    with pytest.raises(ModelError) as raised:
        models.load(heap, data, whole)
    assert heap.free == free
    return raised.value.number, str(raised.value)


def words(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values).ljust(64, b"\0")


def test_a_model_in_flash_ends_where_its_header_says(models: Models, heap: SystemHeap) -> None:
    _, loaded = models.load(heap, MODEL + BEHIND, False)
    assert loaded.size == len(MODEL)


def test_it_costs_its_size_the_loader_and_main_memory(models: Models, heap: SystemHeap) -> None:
    free = heap.free
    handle, loaded = models.load(heap, MODEL, True)
    main_memory = kmodels.model().main_memory_bytes
    assert free - heap.free == len(MODEL) + memory_budget.LOADER_BYTES + main_memory == len(MODEL) + 448 + main_memory
    models.unload(heap, handle)
    assert heap.free == free
    assert loaded.raw


@pytest.mark.parametrize("v4", [False, True])
@pytest.mark.parametrize("data", [words(4, 1, 0), words(3, 1, 1), bytes(64), b"", b"\xff" * 64, b"abcd"])
def test_what_is_no_v3_is_the_wrong_version(heap: SystemHeap, v4: bool, data: bytes) -> None:
    number, text = refusal(Models(v4, print), heap, data)
    assert number == LoadError.KMODEL_VERSION
    only = "V3/V4 now" if v4 else "V3"
    assert text == f"[MAIXPY]kpu: load error:2002, ERR_KMODEL_VERSION: only support kmodel {only}"


@pytest.mark.parametrize("version", [4, 5])
def test_later_formats_are_the_wrong_version_to_builds_without_v4(
    models: Models, heap: SystemHeap, version: int
) -> None:
    assert refusal(models, heap, b"LDMK" + words(version, 0, 1))[0] == LoadError.KMODEL_VERSION


@pytest.mark.parametrize(("version", "number"), [(4, LoadError.NOT_IMPLEMENT), (5, LoadError.UNKNOWN)])
def test_builds_with_v4_try_later_formats(heap: SystemHeap, told: list[str], version: int, number: LoadError) -> None:
    assert refusal(Models(True, told.append), heap, b"LDMK" + words(version, 0, 1))[0] == number
    assert told == [f"the firmware would try a kmodel V{version}; only V3 is simulated"]


@pytest.mark.parametrize(
    "data",
    [
        MODEL[: len(MODEL) // 2],
        MODEL[:28],
        words(3, 1, 0, 100_000, 0, 0, 1),
        words(3, 1, 0, 2, 0, 0, 1),
        words(3, 1, 0, 1, 0, 0, 100_000),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_a_damaged_model_is_refused(models: Models, heap: SystemHeap, data: bytes, whole: bool) -> None:
    number, text = refusal(models, heap, data, whole)
    assert number == LoadError.KMODEL_FORMAT
    assert text == "[MAIXPY]kpu: load error:2003, ERR_KMODEL_FORMAT: layer_header.body_size <=0"


def test_a_file_that_cannot_be_read(models: Models, heap: SystemHeap) -> None:
    assert refusal(models, heap, None)[1] == "[MAIXPY]kpu: load error:2005, ERR_READ_FILE: read file failed"


@pytest.mark.parametrize("left", [0, 1000, len(MODEL) + 448])
def test_too_little_memory(models: Models, heap: SystemHeap, left: int) -> None:
    heap.take(heap.free - left)
    assert refusal(models, heap, MODEL)[1] == "[MAIXPY]kpu: load error:2006, ERR_NO_MEM: memory not enough"


def test_five_models_are_all(models: Models, heap: SystemHeap) -> None:
    handles = [models.load(heap, MODEL, True)[0] for _ in range(5)]
    assert len(set(handles)) == 5
    number, text = refusal(models, heap, MODEL)
    assert (number, text.split(", ")[1]) == (
        LoadError.MODELS_FULL,
        "ERR_MODELS_FULL: we only support load 5 models in the same time",
    )
    models.unload(heap, handles[2])
    models.load(heap, MODEL, True)
    assert models.unload_all(heap) == 5


def test_it_runs_what_the_simulator_runs(models: Models, heap: SystemHeap) -> None:
    planes = np.random.default_rng(3).integers(0, 256, (3, kmodels.HEIGHT, kmodels.WIDTH), np.uint8)
    handle, loaded = models.load(heap, MODEL, True)
    memory = models.run(handle, planes)
    expected = Kpu(kmodels.model(), seed=5).run(planes)
    for output, values in zip(loaded.kpu.model.outputs[1:], expected[1:], strict=True):
        assert memory[output.address : output.address + output.size] == values.tobytes()
