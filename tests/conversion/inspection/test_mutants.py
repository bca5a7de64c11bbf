"""Damaged files of every form: described or refused in one line, in little time and memory, never a traceback."""

from __future__ import annotations

import functools
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversion.errors import ConversionError
from conversion.inspection import document, inspect, page
from tests.conversion.inspection import (
    kpu_layers,
    tally,
    test_kmodel_v3,
    test_kmodel_v4,
    test_kmodel_v5,
    v3_files,
    v4_files,
)
from tests.conversion.inspection.test_terminal import printed
from tests.conversion.inspection.tflite_files import small
from tests.conversion.weights.memory import peak_of
from tests.conversion.weights.mutants import damaged

# Processor time, so that a busy machine does not count.
MOST_SECONDS = 10
# Descriptions of small files are larger than the files: 200 bytes of a layer become a row of a page.
MOST_MEMORY = 4 * 1024 * 1024
SLOW = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def every_type_v3() -> bytes:
    layers = [*(v3_files.Conv(one, 0) for one in kpu_layers.chain()), *test_kmodel_v3.EVERY_TYPE]
    return v3_files.write(layers, [(0, 240), (1000, 32)])


def every_opcode_v4() -> bytes:
    nodes = [v4_files.kpu_conv(one) for one in kpu_layers.chain()]
    nodes += test_kmodel_v4.EVERY_OPCODE.values()
    inputs = [(test_kmodel_v4.PICTURE, test_kmodel_v4.PICTURE_SHAPE)]
    return v4_files.write(nodes, inputs, [test_kmodel_v4.RESULT], constants=bytes(32))


def nncase_v5() -> bytes:
    with np.load(test_kmodel_v5.GOLDEN / "curved_activations.npz") as golden:
        return golden["kmodel"].tobytes()


FORMS = {
    "kmodel V3": every_type_v3(),
    "kmodel V4": every_opcode_v4(),
    "kmodel V5": test_kmodel_v5.whole_file(),
    "kmodel V5 of nncase": nncase_v5(),
    "TFLite": small(),
}


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> str:
    return request.param


def look_into(path: Path) -> str:
    """The JSON but for the file's size and hash, after the page and the terminal's tables have been made too."""
    found = inspect(path)
    page.render(found)
    printed(found)
    return document.to_json(replace(found, files=()))


@functools.cache
def sound(form: str) -> str:
    """What the sound file is described as."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.bin"
        path.write_bytes(FORMS[form])
        return look_into(path)


def attempt(form: str, mutant: bytes, folder: Path) -> None:
    path = folder / "model.bin"
    path.write_bytes(mutant)
    started, message = time.process_time(), ""
    try:
        described = look_into(path)
    except ConversionError as error:
        message = str(error)
        tally.count(form, "refused")
    else:
        tally.count(form, "same" if described == sound(form) else "changed")
    assert time.process_time() - started < MOST_SECONDS
    assert "\n" not in message
    assert len(message) < 1000


@settings(SLOW, max_examples=25)
@given(data=st.data())
def test_damaged_files(form: str, tmp_path: Path, data: st.DataObject) -> None:
    attempt(form, data.draw(damaged(FORMS[form])), tmp_path)


@pytest.mark.soak
@SLOW
@given(data=st.data())
def test_many_damaged_files(form: str, tmp_path: Path, data: st.DataObject) -> None:
    mutant = FORMS[form]
    for _ in range(data.draw(st.integers(1, 3))):
        mutant = data.draw(damaged(mutant)) if mutant else mutant
    attempt(form, mutant, tmp_path)


@settings(SLOW, max_examples=25)
@given(data=st.data())
def test_memory_is_bounded(form: str, tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(data.draw(damaged(FORMS[form])))

    def look() -> None:
        try:
            inspect(path)
        except ConversionError:
            return

    assert peak_of(look) < MOST_MEMORY


def test_sound_files_of_every_form_are_described(form: str) -> None:
    assert len(sound(form)) > 1000
