"""`make rounding`: what would stop it after minutes stops it at once, in one line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from conversion.quantisation.known import shipped
from tests.patience import HANG_SECONDS


def test_annotations_that_are_missing_stop_it_before_anything_is_calibrated(tmp_path: Path) -> None:
    before = (shipped.FOLDER / shipped.CODES).read_bytes()
    command = [sys.executable, "-m", "conversion.ship_rounding", "make", str(tmp_path)]
    command += ["--coco", str(tmp_path / "absent.json"), "--images", str(tmp_path), "--output", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=HANG_SECONDS)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert "absent.json: cannot be read" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()
    assert (shipped.FOLDER / shipped.CODES).read_bytes() == before
