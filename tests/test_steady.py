"""The runs of `make steady`: beside busy processes, all of them, and nothing is left running."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import patience, steady


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_busy_processes_are_there_and_gone_afterwards() -> None:
    with steady.busy(3) as processes:
        assert [process.poll() for process in processes] == [None] * 3
    assert None not in [process.poll() for process in processes]


def test_they_end_with_whoever_started_them() -> None:
    code = "from tests import steady\nwith steady.busy(1) as (one,): print(one.pid, flush=True); input()\n"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    ) as owner:
        number = int(owner.stdout.readline())
        assert alive(number)
        owner.kill()
        patience.until(lambda: not alive(number))


def test_each_run_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "runs"
    code = f"open({str(file)!r}, 'a').write('x'); raise SystemExit(len(open({str(file)!r}).read()) == 2)"
    assert steady.run([sys.executable, "-c", code], 3, 1) == [0, 1, 0]
    assert "Run 3 of 3, beside 1 busy processes" in capsys.readouterr().out


@pytest.mark.parametrize(("codes", "code"), [([0, 0, 0], 0), ([0, 1, 0], 1), ([2, 2, 2], 1)])
def test_one_red_run_is_enough(codes: list[int], code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(steady, "run", lambda *arguments: asked.append(arguments) or codes)
    assert steady.main() == code
    assert asked == [(steady.TESTS, 3, 3 * len(os.sched_getaffinity(0)))]
