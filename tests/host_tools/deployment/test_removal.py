"""A removal beside a maker's own main.py: what was there before comes back, nothing stays that needs the program."""

from __future__ import annotations

from host_tools.deployment import changes
from host_tools.deployment.changes import LIST
from host_tools.payload import MAIN
from tests.host_tools.deployment.test_changes import PROGRAM, THEIRS, carried_out, deployed, found


def test_without_the_program_a_board_starts_what_was_there_before_not_what_needs_it() -> None:
    own = b"import pose_app\npose_app.run(print)\n"
    after = deployed({**deployed({MAIN: THEIRS}), MAIN: own})
    the_changes = changes.of_removal(found(after), PROGRAM)
    assert "main_before_posenet.py" in the_changes.loses
    assert "main_before_posenet.py" in " ".join(the_changes.notes)
    assert carried_out(after, the_changes) == {MAIN: THEIRS, "main_with_posenet.py": own}


def test_a_makers_main_py_in_the_place_of_ours_is_seen_without_another_deploy() -> None:
    own = b"import pose_app\npose_app.run(print)\n"
    the_changes = changes.of_removal(found({**deployed({}), MAIN: own}), PROGRAM)
    assert "main_with_posenet.py" in the_changes.loses


def test_our_own_main_py_is_ours_without_its_list() -> None:
    files = deployed({})
    del files[LIST]
    the_changes = changes.of_removal(found(files), PROGRAM)
    assert not the_changes.loses


def test_another_main_py_stays_and_what_was_there_before_is_mentioned() -> None:
    after = {**deployed({MAIN: THEIRS}), MAIN: b"print('another')\n"}
    the_changes = changes.of_removal(found(after), PROGRAM)
    assert not the_changes.loses
    assert "main_before_posenet.py" in " ".join(the_changes.notes)
    assert carried_out(after, the_changes)[MAIN] == b"print('another')\n"
