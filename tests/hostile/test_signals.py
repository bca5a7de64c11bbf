"""evaluate, ended in whichever way, takes its workers of 700 MB with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from tests.hostile import limited, sound, sound_weights

END_SECONDS = 60.0
LONG_SECONDS = 240.0


def workers_of(process: subprocess.Popen) -> list[int]:
    """The process ids of those that it has started."""
    try:
        found = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    except OSError:
        return []
    return [int(each) for each in found]


def lives(pid: int) -> bool:
    """Whether there is such a process that has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.soak
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_no_worker_of_evaluate_outlives_it(how: signal.Signals, tmp_path: Path) -> None:
    sound_weights.write(tmp_path / "weights", (sound_weights.GRAPH,))
    document = sound.annotations()
    count = 400
    document["images"] = [
        document["images"][0] | {"id": number, "file_name": f"{number}.png"} for number in range(count)
    ]
    for number in range(count):
        Image.new("RGB", (48, 40)).save(tmp_path / f"{number}.png")
    (tmp_path / "persons.json").write_text(json.dumps(document))
    weights = tmp_path / "weights" / sound_weights.GRAPH / sound_weights.MAIN[sound_weights.GRAPH]
    arguments = ("evaluate", "float", "--coco", "persons.json", "--images", ".", "--weights", str(weights))
    command = [sys.executable, "-m", "conversion", *arguments]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=tmp_path, env=limited.environment(), **streams) as process:
        deadline = time.monotonic() + LONG_SECONDS
        # The resource tracker of multiprocessing is one of them.
        while len(workers := workers_of(process)) < 2:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(1.0)
        os.kill(process.pid, how)
        process.wait(END_SECONDS)
        deadline = time.monotonic() + END_SECONDS
        while any(map(lives, workers)):
            assert time.monotonic() < deadline, workers
            time.sleep(0.05)
