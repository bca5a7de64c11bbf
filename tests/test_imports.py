"""What host tools import needs neither TensorFlow nor nncase, which their users do not have."""

import subprocess
import sys

import pytest

# Also what a second `make kmodel` needs, where everything is kept: TensorFlow alone takes longer than the rest of it.
LIGHT = (
    "conversion.kpu",
    "conversion.kmodel.v3",
    "conversion.kmodel.v5",
    "conversion.kmodel.plan",
    "conversion.kmodel.assemble",
    "conversion.card",
    "conversion.decode",
    "conversion.simulation",
    "conversion.run_photo",
    "conversion.pipeline",
    "conversion.report.writing",
    "conversion.cli",
)
BLOCKED = ("tensorflow", "nncase", "keras")


@pytest.mark.parametrize("module", LIGHT)
def test_it_imports_with_tensorflow_and_nncase_blocked(module: str) -> None:
    code = f"import sys; sys.modules.update(dict.fromkeys({BLOCKED!r})); import {module}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
