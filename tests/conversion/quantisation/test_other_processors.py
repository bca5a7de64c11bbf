"""`make kmodel` gives the same bytes on an older processor: its libraries are told that newer instructions are missing.

NumPy, OpenBLAS, oneDNN (TensorFlow) and the C library each choose code by what the processor offers: sums in another
order, products rounded once or twice. What is written must not depend on that.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from conversion import cache

ROOT = Path(__file__).parents[3]
# As on a processor of 2008, each library's own way of saying it.
OLD = {
    "NPY_DISABLE_CPU_FEATURES": "AVX F16C FMA3 AVX2 AVX512F AVX512CD AVX512_SKX",
    "OPENBLAS_CORETYPE": "Nehalem",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX,-AVX2,-FMA,-AVX512F",
}
CALIBRATION = """
import pathlib, sys
from conversion.quantisation import quantise
from tests.conversion.quantisation import small
pathlib.Path(sys.argv[1]).write_bytes(quantise.quantise(small.weights(), small.pictures(6)).to_bytes())
"""
FEATURES = """
from numpy._core._multiarray_umath import __cpu_features__ as features
print(*sorted(name for name, there in features.items() if there))
"""


def python(*arguments: object, variables: Mapping[str, str]) -> str:
    """What this interpreter prints with more environment variables."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **variables},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout


def test_numpy_takes_the_variable_at_its_word() -> None:
    """Else the tests below would compare a machine with itself."""
    assert not {"AVX", "FMA3", "AVX2", "AVX512F"} & set(python("-c", FEATURES, variables=OLD).split())


@pytest.mark.soak
def test_a_calibration(tmp_path: Path) -> None:
    results = []
    for name, variables in {"here": {}, "haswell": {"OPENBLAS_CORETYPE": "Haswell"}, "old": OLD}.items():
        python("-c", CALIBRATION, tmp_path / name, variables=variables)
        results.append((tmp_path / name).read_bytes())
    assert results[0] == results[1] == results[2]


@pytest.mark.soak
@pytest.mark.parametrize("quantisation", ["shipped", "full"])
def test_the_whole_command(quantisation: str, shared: Path, tmp_path: Path) -> None:
    """Published weights, nothing kept from before; the card and the report may tell of the machine."""
    results = []
    for name, variables in {"here": {}, "old": OLD}.items():
        kept = tmp_path / f"cache of {name}"
        python(
            *("-m", "conversion", "kmodel", "--weights", shared / "models" / "tfjs-graph"),
            *("--quantisation", quantisation, "--output", tmp_path / name),
            variables={**variables, cache.ENVIRONMENT_VARIABLE: str(kept)},
        )
        assert (kept / "kmodel-v5").is_dir(), "each computes everything itself"
        (made,) = (tmp_path / name).glob("*.kmodel")
        results.append(made.read_bytes())
    assert results[0] == results[1]
