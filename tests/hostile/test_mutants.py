"""Mutants of every form from outside: accepted, or refused in one line with exit code 2, and nothing else."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.command_line import Ended
from tests.hostile import batch, forms, mutants, server
from tests.hostile.folder import Folder
from tests.hostile.form import Form, Take
from tests.hostile.remembered import remembered

SAMPLE_COUNT = 12
# Making sound weights takes TensorFlow, seconds of it: those are for the soak.
SAMPLE = tuple(name for name in forms.FORMS if name not in forms.OF_WEIGHTS)
MOST_PEAK_KIB = 1 << 20


def test_a_sample_of_every_form_without_weights() -> None:
    with mutants.Server(SAMPLE, {}) as server:
        for form in SAMPLE:
            found = server.batch(form, mutants.SEED, 1, SAMPLE_COUNT)
            assert found["faults"] == [], found
            assert found["accepted"] + found["refused"] == SAMPLE_COUNT, found
            assert found["peak_kib"] < MOST_PEAK_KIB, found


@pytest.fixture(scope="session")
def environment() -> Iterator[dict[str, str]]:
    with mutants.weights() as found:
        yield found


@pytest.mark.soak
@pytest.mark.parametrize("form", forms.FORMS)
def test_very_many_mutants(form: str, environment: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    figures = mutants.run(form, mutants.most(form), environment)
    with capsys.disabled():
        print(mutants.row(figures))
    assert figures.faults == []
    assert figures.tried == mutants.most(form)
    assert figures.peak_kib < MOST_PEAK_KIB


def test_slow_forms_are_counted_by_their_names() -> None:
    counted = mutants.COUNTS.keys() - {"most"}
    assert counted < forms.FORMS.keys()
    assert all(mutants.COUNTS[form]["count"] < mutants.COUNTS["most"] == mutants.most("card") for form in counted)


def test_mutants_are_the_same_for_the_same_number_and_differ() -> None:
    made = [forms.FORMS["card"].made(random.Random(number)) for number in (1, 1, 2)]
    assert made[0] == made[1] != made[2]


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        (Ended(0, "fine\n", "· talk\n"), "accepted"),
        (Ended(2, "", "error: no; do that\n"), "refused"),
        (Ended(0, "fine\n", "error: but\n"), "exit code 0"),
        (Ended(1, "", "error: no\n"), "exit code 1"),
        (Ended(2, "", ""), "exit code 2, 0 errors"),
        (Ended(2, "", "error: one\nerror: two\n"), "exit code 2, 2 errors"),
        (Ended(2, "", "error: one\nand more\n"), "exit code 2, 1 errors"),
        (Ended(2, "", "Traceback (most recent call last):\nerror: x\n"), "a traceback"),
        (Ended(0, "\x1b[2J", ""), "unprintable"),
        (Ended(2, "", "error: \u202e\n"), "unprintable"),
    ],
)
def test_what_is_neither_accepted_nor_refused_is_a_fault(ended: Ended, expected: str) -> None:
    assert batch.judged(ended).startswith(expected)


def made_by(source: random.Random) -> dict[str, bytes]:
    return {"x": str(source.random()).encode()}


@pytest.fixture
def harmful(monkeypatch: pytest.MonkeyPatch) -> Callable[[Take], str]:
    """Gives a form that is led to a door of the test's."""

    def made(take: Take) -> str:
        monkeypatch.setitem(forms.FORMS, "harmful", Form(made_by, take))
        return "harmful"

    return made


FINE = Ended(0, "", "")


def test_a_file_outside_of_its_folder_is_a_fault(harmful: Callable[[Take], str], tmp_path: Path) -> None:
    def take(folder: Path) -> Ended:
        (tmp_path / "outside").write_text("x")
        return FINE

    assert "open outside of its folder" in batch.tried(harmful(take), "1", range(1))["faults"][0]["what"]


def test_a_thread_that_goes_on_is_a_fault(harmful: Callable[[Take], str], monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def take(folder: Path) -> Ended:
        threading.Thread(target=over.wait, name="endless").start()
        return FINE

    monkeypatch.setattr(batch, "_THREAD_SECONDS", 0.01)
    try:
        assert "left behind: <Thread(endless" in batch.tried(harmful(take), "1", range(1))["faults"][0]["what"]
    finally:
        over.set()


def test_what_waits_is_a_fault(harmful: Callable[[Take], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "MOST_WAIT_SECONDS", 0.01)
    found = batch.tried(harmful(lambda folder: threading.Event().wait()), "1", range(1))
    assert "waits for" in found["faults"][0]["what"]


@pytest.mark.parametrize("harm", [lambda: os.kill(os.getpid(), signal.SIGKILL), lambda: os._exit(0)])
def test_a_batch_that_dies_is_halved_until_the_mutant_is_found(
    harm: Callable[[], object], harmful: Callable[[Take], str]
) -> None:
    deadly = made_by(random.Random("harmful/1/5"))
    form = harmful(lambda folder: harm() if (folder / "x").read_bytes() == deadly["x"] else FINE)
    found = server.settled(form, "1", range(9))
    assert (found["accepted"], found["others"]) == (8, 1)
    assert [each["number"] for each in found["faults"]] == [5]
    assert "the process ended with" in found["faults"][0]["what"]


def test_what_a_batch_leaves_behind_is_a_fault(harmful: Callable[[Take], str]) -> None:
    def take(folder: Path) -> Ended:
        (folder.parents[1] / "left").symlink_to("x")
        if os.fork() == 0:
            signal.pause()
        return FINE

    server.adopt_orphans(True)
    try:
        found = server.settled(harmful(take), "1", range(1))
    finally:
        server.adopt_orphans(False)
    assert "the process" in found["faults"][-1]["what"]
    assert "the file left" in found["faults"][-1]["what"]


def test_what_is_remembered_is_what_is_computed(tmp_path: Path) -> None:
    found = []
    for form in ("kmodel", "card", "pose_config.json"):
        take, made = forms.FORMS[form].take, forms.FORMS[form].made
        for number in range(2):
            folder = Folder(tmp_path / f"{form}{number}")
            folder.lay(made(random.Random(number)))
            plain = take(folder.path)
            folder.lay(made(random.Random(number)))
            with remembered():
                found.append(take(folder.path) == plain)
    assert all(found)


def test_the_whole_command_line_ends_as_the_function_that_it_runs(tmp_path: Path) -> None:
    for form in (form for form in map(forms.FORMS.get, SAMPLE) if form.whole):
        folder = Folder(tmp_path / str(id(form)))
        for number in range(3):
            with remembered():
                folder.lay(form.made(random.Random(number)))
                quick = form.take(folder.path)
                folder.lay(form.made(random.Random(number)))
                whole = form.whole(folder.path)
            assert (whole.exit_code, whole.stderr.splitlines()[-1:]) == (
                quick.exit_code,
                quick.stderr.splitlines()[-1:],
            )


def test_a_folder_holds_one_mutant_at_a_time(tmp_path: Path) -> None:
    folder, large = Folder(tmp_path / "inside"), b"x" * 1000
    folder.lay({"large": large, "card/one": b"1", "card/two": b"2"})
    (folder.path / "made").write_text("made")
    (folder.path / "card" / "two").write_text("changed")
    kept = (folder.path / "large").stat()
    folder.lay({"large": large, "card/two": b"2"})
    found = {str(path.relative_to(folder.path)): path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}
    assert found == {"large": large, "card/two": b"2"}
    assert (folder.path / "large").stat().st_mtime_ns == kept.st_mtime_ns
    folder.lay({"other": b""})
    assert [path.name for path in folder.path.iterdir()] == ["other"]
