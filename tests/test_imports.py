"""What host tools import needs neither TensorFlow nor nncase, which their users do not have."""

import subprocess
import sys

import pytest

from tests.samples import sample

# Also what a second `make kmodel` needs, where everything is kept: TensorFlow alone takes longer than the rest of it.
LIGHT = (
    "conversion.kpu.simulator",
    "conversion.kmodel.v3",
    "conversion.kmodel.v5",
    "conversion.kmodel.plan",
    "conversion.kmodel.assemble",
    "conversion.card",
    "conversion.decoding.board_decoder",
    "conversion.kpu.posenet",
    "conversion.run_photo",
    "conversion.pipeline",
    "conversion.report.writing",
    "conversion.cli",
)
BLOCKED = ("tensorflow", "nncase", "keras")
# What the extra `host` does not bring either.
CONVERSION_ONLY = ("skimage", "pooch", "requests", "google.protobuf", "jinja2", "tflite", "flatbuffers", "pycocotools")
HOST = (
    "host_tools.cli",
    "host_tools.deployment.deploy",
    "host_tools.virtual_board.demo",
    "host_tools.flashing.flash",
    "host_tools.serial_link.link",
    "host_tools.monitor.api",
    "host_tools.monitor.watching",
    "host_tools.monitor.web",
    "host_tools.flashing.release",
    "host_tools.verification.verify",
    "host_tools.virtual_board",
)


def imports(module: str, blocked: tuple[str, ...]) -> subprocess.CompletedProcess:
    code = f"import sys; sys.modules.update(dict.fromkeys({blocked!r})); import {module}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


@pytest.mark.parametrize("module", sample(LIGHT, 0, 9, 11))
def test_it_imports_with_tensorflow_and_nncase_blocked(module: str) -> None:
    done = imports(module, BLOCKED)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", sample(HOST, 0, 2, 7, 9, 10))
def test_host_tools_import_with_what_their_extra_brings(module: str) -> None:
    done = imports(module, BLOCKED + CONVERSION_ONLY)
    assert done.returncode == 0, done.stderr
