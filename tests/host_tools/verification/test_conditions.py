"""What keeps a board from being verified: one line that says what to do, exit code 2, the board as it was, no hang."""

from __future__ import annotations

import hashlib
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from conversion.decoding import board_decoder
from conversion.progress import Report
from host_tools import time_limits
from host_tools.errors import LinkError
from host_tools.serial_link.link import Link
from host_tools.verification import verify as verification
from host_tools.virtual_board import Faults
from tests.firmware.app.sentences import made
from tests.host_tools.verification import small
from tests.host_tools.verification.command import Ended, state, told, verify
from tests.host_tools.virtual_board import kmodels
from tests.jumping import VirtualBoard
from tests.patience import HANG_SECONDS, exactly
from tests.samples import sample


def refused(ended: Ended, *said: str) -> None:
    """One line on stderr, nothing on stdout."""
    assert ended.exit_code == 2, ended
    assert ended.stdout == ""
    line = ended.stderr.splitlines()[-1]
    assert line.startswith("error: ")
    assert "Traceback" not in ended.stderr
    for text in said:
        assert text in line


def test_another_model_than_the_boards(tmp_path: Path, photo: Path) -> None:
    other = small.write(tmp_path / "other.kmodel", seed=1)
    with small.board() as board:
        board.wait_for("$FRAME,")
        ended = verify(board.port, "--model", other, "--image", photo)
        assert state(board) == "running"
    its, ours = (hashlib.sha256(kmodels.kmodel(seed)).hexdigest()[:16] for seed in (0, 1))
    refused(ended, f"the board runs a kmodel of 96x80, {len(kmodels.kmodel())} bytes, sha256 {its}…", ours)
    refused(ended, "name the board's own with --model, or run `flash` and `deploy`")


def test_no_test_vector_on_the_board(kmodel: Path, photo: Path) -> None:
    device_card = board_decoder.device_card(small.card())
    del device_card["test_vector"]
    with small.board(device_card=device_card) as board:
        ended = verify(board.port, "--model", kmodel)
        assert state(board) == "running"
        assert verify(board.port, "--model", kmodel, "--image", photo).exit_code == 0
    refused(ended, "no self-test: the device card has no test vector", "run `deploy`", "--image")


def test_a_model_card_that_contradicts_the_simulator(tmp_path: Path) -> None:
    path = small.write(tmp_path / "small.kmodel")
    beside = path.with_name(path.name + ".json")
    beside.write_text(re.sub(r'("heads_crc32": )\d+', r"\g<1>7", beside.read_text()))
    with small.board() as board:
        refused(verify(board.port, "--model", path), "its card says 7", "make kmodel")


def test_no_model_in_flash(kmodel: Path, photo: Path) -> None:
    with small.board(kmodel=b"\xff" * 4096) as board:
        ended = verify(board.port, "--model", kmodel, "--image", photo)
    refused(ended, f"{board.port}: the board reports error 23: no kmodel at flash 0x300000", "make flash")


def test_no_camera(kmodel: Path, photo: Path) -> None:
    with small.board(faults=Faults(no_camera=1)) as board:
        board.wait_for("$ERROR,30,")
        ended = verify(board.port, "--model", kmodel, "--image", photo)
    refused(ended, "the board reports error 30: no camera found", "cable")


def test_a_board_that_is_still_starting(kmodel: Path, photo: Path) -> None:
    with small.board() as board:
        ended = verify(board.port, "--model", kmodel, "--image", photo)
    assert ended.exit_code == 0, ended


def test_a_board_at_the_prompt(kmodel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with small.board({"main.py": "pass\n"}) as board:
        board.wait_for(">>> ")
        # With more time where it has not heard the prompt in less.
        for seconds in (2.0, 20.0, 100.0):
            monkeypatch.setattr(time_limits, "GREETING", exactly(seconds))
            ended = verify(board.port, "--model", kmodel)
            if "prompt" in ended.stderr:
                break
        refused(ended, "prompt", "deploy")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--model", "none.kmodel"), "none.kmodel: no such kmodel; make one with `make kmodel`"),
        (("--image", "none.png"), "none.png: no such photo"),
    ],
)
def test_files_that_are_missing(kmodel: Path, tmp_path: Path, arguments: tuple, said: str) -> None:
    given = {"--model": kmodel, **dict([arguments])}
    refused(verify(str(tmp_path / "no-port"), *(part for pair in given.items() for part in pair)), said)


def test_a_port_that_is_missing(kmodel: Path, tmp_path: Path) -> None:
    refused(verify(str(tmp_path / "no-port"), "--model", kmodel), "no-port")


def at_half(action: Callable[[], None]) -> Report:
    """Progress that does something once half of the picture is sent."""
    done = []

    def report(what: str, at: int, total: int, unit: str) -> None:
        if what == "sending the picture" and at > total // 2 and not done:
            done.append(True)
            action()

    return report


def test_unplugged_in_the_middle_of_the_upload(kmodel: Path, photo: Path) -> None:
    board = small.board()
    expected = verification.expect_image(kmodel, photo)
    with Link(board.port) as link, pytest.raises(LinkError) as error:
        verification.run(link, expected, at_half(board.close))
    assert board.port in str(error.value)
    assert "\n" not in str(error.value)


def test_reset_in_the_middle_of_the_upload(kmodel: Path, photo: Path) -> None:
    with small.board() as board, Link(board.port) as link:
        board.wait_for("$FRAME,")
        with pytest.raises(LinkError, match="the board has restarted during the verification"):
            verification.run(link, verification.expect_image(kmodel, photo), at_half(board.reset))
    assert "Traceback" not in board.output()


def test_the_boards_key_pressed_in_the_middle_of_the_upload(kmodel: Path, photo: Path) -> None:
    """It resumes the paused board, whose next frame overwrites the pixels: they are sent again."""
    with small.board() as board, Link(board.port) as link:
        board.wait_for("$FRAME,")
        verdict = verification.run(
            link, verification.expect_image(kmodel, photo), at_half(lambda: board.send(made("RESUME,4")))
        )
    assert verdict.verified
    assert verdict.sent.starts == 2


@pytest.fixture
def _heeds_ctrl_c() -> Iterator[None]:
    """What runs in the background ignores Ctrl-C, and so do its children; a handler here is the default there."""
    kept = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, kept)


@pytest.mark.usefixtures("_heeds_ctrl_c")
@pytest.mark.parametrize("ending", sample([signal.SIGINT, signal.SIGTERM], 0))
def test_stopped_in_the_middle_of_the_upload_the_board_goes_on(
    kmodel: Path, photo: Path, ending: signal.Signals
) -> None:
    with small.board(faults=Faults(slow=4000)) as board:
        board.wait_for("$FRAME,")
        command = [sys.executable, "-m", "host_tools", "verify", "--port", board.port]
        with subprocess.Popen(
            [*command, "--model", str(kmodel), "--image", str(photo)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as host:  # fmt: skip
            # Replies to PIXELS and to the first chunks.
            _wait_for_replies(board, 5)
            # What is put away then asks the board, which answers in its own time.
            with board.clock.host_waits():
                host.send_signal(ending)
                said, talked = host.communicate(timeout=HANG_SECONDS)
        assert host.returncode == 130, talked
        assert said == ""
        # Where putting away takes too long, on a busy machine, it is left to the board.
        assert talked in ("· stopped\n", "stopped\n")
        assert "$FRAME," in board.output()
        assert state(board) == "running"


def _wait_for_replies(board: VirtualBoard, count: int) -> None:
    for _ in range(count):
        board.wait_for("$REPLY,")


def test_a_board_whose_program_ends_in_between(kmodel: Path, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Asked once: the prompt takes the chunk for a line of Python, and more of them would run its ring over.
    monkeypatch.setattr(time_limits, "CHUNK_ANSWER", time_limits.Tries(20.0, 0))
    monkeypatch.setattr(time_limits, "RESUME", time_limits.Tries(1.0, 0))
    with small.board() as board, Link(board.port) as link:
        board.wait_for("$FRAME,")
        with pytest.raises(LinkError, match="prompt"):
            verification.run(link, verification.expect_image(kmodel, photo), at_half(lambda: board.send(b"\x03")))


def test_it_runs_without_tensorflow_nncase_and_scikit_image() -> None:
    blocked = ("tensorflow", "nncase", "keras", "skimage")
    code = f"import sys; sys.modules.update(dict.fromkeys({blocked!r})); import host_tools.verification.verify\n"
    code += "from host_tools.verification import verdict_format"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=HANG_SECONDS)
    assert ended.returncode == 0, ended.stderr


def test_nothing_is_left_running(kmodel: Path, photo: Path) -> None:
    with small.board() as board:
        board.wait_for("$FRAME,")
        told(board, "PING")
        before = threading.active_count()
        assert verify(board.port, "--model", kmodel, "--image", photo).exit_code == 0
        assert threading.active_count() == before


def test_a_photo_that_is_none(kmodel: Path, tmp_path: Path) -> None:
    path = tmp_path / "text.png"
    path.write_text("no picture")
    refused(verify("unused", "--model", kmodel, "--image", path), "not a readable photo")
    Image.new("RGB", (1, 400), "red").save(path)
    expected = verification.expect_image(kmodel, path)
    assert expected.picture.words.shape == (kmodels.HEIGHT, kmodels.WIDTH)
