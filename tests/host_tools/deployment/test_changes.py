"""What a deploy does to which file: ours, theirs, former ones, settings; nothing is lost that is not ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools import boards
from host_tools.deployment import changes, digest
from host_tools.deployment.changes import FINISH, LIST, NEW, PART, Changes, FileList, Found
from host_tools.payload import DEFAULT_SETTINGS, DEVICE_CARD, MAIN, MAIXPY_CONFIG, POSE_CONFIG, Payload

PROGRAM = {MAIN: b"import pose_app\n", "pose_app.py": b"A = 1\n", DEVICE_CARD: b"{}"}
THEIRS = b"print('mine')\n"
OLD_PROGRAM = {MAIN: b"import pose_app as older\n", "pose_app.py": b"A = 0\n", "pose_old.py": b"", DEVICE_CARD: b"{ }"}


def payload(program: Mapping[str, bytes] = PROGRAM, board: str = "maix_bit") -> Payload:
    the_board = boards.find(board)
    config = boards.pose_config(the_board)
    return Payload(the_board, Path("m.kmodel"), b"", {}, dict(program), config, the_board.maixpy_config)


def found(files: Mapping[str, bytes], kind: int = 0) -> Found:
    """A place with these files; `kind` 1 is a board whose SHA-256 is of no use."""
    return Found(
        sizes={name: len(data) for name, data in files.items()},
        digests={name: digest.of(data)[kind] for name, data in files.items()},
        contents={name: files[name] for name in changes.READ_WHOLE if name in files},
        free=1 << 20,
        main_uses_program=changes.PROGRAM_WORD in files.get(MAIN, b""),
    )


def carried_out(files: Mapping[str, bytes], the_changes: Changes) -> dict[str, bytes]:
    """The files after changes, in their order."""
    result = dict(files)
    for name in the_changes.clear:
        del result[name]
    for name, kept in the_changes.keep:
        result[kept] = result[name]
    for name, target in the_changes.rename:
        result[target] = result.pop(name)
    for name in the_changes.ready:
        assert result.pop(name + NEW) == the_changes.write[name]
    result |= the_changes.write
    for name in the_changes.remove:
        del result[name]
    return result if the_changes.last_list is None else result | {LIST: the_changes.last_list}


def deployed(files: Mapping[str, bytes], what: Payload | None = None) -> dict[str, bytes]:
    return carried_out(files, changes.of_deploy(what or payload(), found(files)))


def removed(files: Mapping[str, bytes]) -> dict[str, bytes]:
    return carried_out(files, changes.of_removal(found(files), PROGRAM))


@pytest.mark.parametrize("kind", [0, 1])
@pytest.mark.parametrize("board", ["maix_bit", "maix_cube"])
def test_the_second_deploy_has_nothing_to_do(board: str, kind: int) -> None:
    what = payload(board=board)
    files = carried_out({}, changes.of_deploy(what, found({}, kind)))
    again = changes.of_deploy(what, found(files, kind))
    assert again.empty, again
    assert not again.notes


@pytest.mark.parametrize("name", [MAIN, LIST, POSE_CONFIG, MAIXPY_CONFIG])
def test_a_damaged_file_is_written_anew_kept_nowhere_and_removed(name: str) -> None:
    what = payload(board="maix_cube")
    files = carried_out({}, changes.of_deploy(what, found({})))
    there = found({**files, name: b"what nobody can read"})
    there.digests.pop(name)
    there.contents.pop(name, None)
    there.damaged.add(name)
    planned = changes.of_deploy(what, there)
    assert planned.keep == []
    # The list does not know any more of a config.json that says what it should.
    assert planned.write[name] == files[name] or name == LIST
    assert name in changes.of_removal(there, PROGRAM).remove


def test_only_what_differs_is_written() -> None:
    files = deployed({})
    changed = {**files, "pose_app.py": b"A = 9\n"}
    assert changes.of_deploy(payload(), found(changed)).write == {"pose_app.py": PROGRAM["pose_app.py"]}


@pytest.mark.parametrize("theirs", [THEIRS, b""])
def test_a_main_py_that_is_not_ours_is_kept_and_put_back(theirs: bytes) -> None:
    before = {MAIN: theirs, "notes.txt": b"x"}
    after = deployed(before)
    assert after["main_before_posenet.py"] == theirs
    assert after[MAIN] == PROGRAM[MAIN]
    assert deployed(after) == after
    assert removed(after) == before


def test_the_first_main_py_is_what_comes_back_and_a_later_one_stays_beside() -> None:
    after = deployed({**deployed({MAIN: THEIRS}), MAIN: b"another\n"})
    assert after["main_before_posenet_2.py"] == b"another\n"
    assert removed(after) == {MAIN: THEIRS, "main_before_posenet_2.py": b"another\n"}


def test_a_makers_main_py_that_uses_the_program_stays() -> None:
    own = b"import pose_app\npose_app.run(print)\n"
    after = deployed({MAIN: own})
    assert after[MAIN] == own
    assert "main_before_posenet.py" not in after
    assert MAIN not in json.loads(after[LIST])["files"]
    the_changes = changes.of_removal(found(after), PROGRAM)
    assert "main_with_posenet.py" in the_changes.loses
    assert carried_out(after, the_changes) == {"main_with_posenet.py": own}


def test_our_own_older_main_py_is_exchanged_although_it_uses_the_program() -> None:
    after = deployed(deployed({}, payload(OLD_PROGRAM)))
    assert after[MAIN] == PROGRAM[MAIN]
    assert not [name for name in after if "before" in name]


def test_files_of_an_older_version_go_and_the_list_forgets_them() -> None:
    before = deployed({"pose_dance.py": b"a maker's"}, payload(OLD_PROGRAM))
    the_changes = changes.of_deploy(payload(), found(before))
    assert the_changes.remove == ["pose_old.py"]
    assert json.loads(the_changes.write[LIST])["former"] == ["pose_old.py"]
    after = carried_out(before, the_changes)
    assert json.loads(after[LIST])["former"] == []
    assert "pose_dance.py" in after
    assert changes.of_deploy(payload(), found(after)).empty


def test_former_files_are_still_known_when_the_removal_was_broken_off() -> None:
    before = deployed({}, payload(OLD_PROGRAM))
    broken_off = {**before, **changes.of_deploy(payload(), found(before)).write}
    assert "pose_old.py" in broken_off
    assert "pose_old.py" not in deployed(broken_off)
    assert removed(broken_off) == {}


class TestMaixPysConfig:
    def test_other_entries_stay_and_come_back(self) -> None:
        theirs = json.dumps({"lcd": {"dir": 1, "rst": 5}, "board_info": {"KEY": 10}}).encode()
        after = deployed({MAIXPY_CONFIG: theirs}, payload(board="maix_cube"))
        values = json.loads(after[MAIXPY_CONFIG])
        assert values["board_info"] == {"KEY": 10}
        assert values["lcd"] == {"rst": 5, **boards.find("maix_cube").maixpy_config["lcd"]}
        assert removed(after) == {MAIXPY_CONFIG: theirs}

    def test_one_that_says_what_we_want_is_left_alone(self) -> None:
        theirs = json.dumps({**boards.find("maix_cube").maixpy_config, "x": 1}, indent=1).encode()
        after = deployed({MAIXPY_CONFIG: theirs}, payload(board="maix_cube"))
        assert after[MAIXPY_CONFIG] == theirs
        assert removed(after) == {MAIXPY_CONFIG: theirs}

    def test_one_that_is_damaged_is_kept(self) -> None:
        after = deployed({MAIXPY_CONFIG: b'{"lcd": '}, payload(board="maix_cube"))
        assert after["config_before_posenet.json"] == b'{"lcd": '
        assert json.loads(after[MAIXPY_CONFIG]) == boards.find("maix_cube").maixpy_config

    def test_one_that_its_user_changed_since_stays(self) -> None:
        after = deployed({}, payload(board="maix_cube"))
        changed = {**after, MAIXPY_CONFIG: json.dumps({**json.loads(after[MAIXPY_CONFIG]), "x": 1}).encode()}
        assert deployed(changed, payload(board="maix_cube"))[MAIXPY_CONFIG] == changed[MAIXPY_CONFIG]
        assert removed(changed) == {MAIXPY_CONFIG: changed[MAIXPY_CONFIG]}

    def test_another_kind_of_board_gets_its_own_back(self) -> None:
        theirs = b'{"board_info": {}}'
        after = deployed(deployed({MAIXPY_CONFIG: theirs}, payload(board="maix_cube")), payload(board="maix_bit"))
        assert after[MAIXPY_CONFIG] == theirs
        assert changes.of_deploy(payload(), found(after)).empty
        assert removed(after) == {MAIXPY_CONFIG: theirs}


def test_the_programs_settings_on_the_board_stay() -> None:
    after = deployed({})
    own = {**json.loads(after[POSE_CONFIG]), "settings": {"max_poses": 1}, "draw_score": 9}
    own["camera"] = {**own["camera"], "dual_buffer": 1, "vflip": 1}
    changed = {**after, POSE_CONFIG: json.dumps(own).encode()}
    the_changes = changes.of_deploy(payload(), found(changed))
    values = json.loads(carried_out(changed, the_changes)[POSE_CONFIG])
    assert (values["settings"], values["draw_score"], values["camera"]["dual_buffer"]) == ({"max_poses": 1}, 9, 1)
    assert values["camera"]["vflip"] == boards.find("maix_bit").camera.vflip
    assert any("settings, draw_score" in note for note in the_changes.notes), the_changes.notes


@pytest.mark.parametrize("damaged", [b"", b"{", b"[1]", b'{"format": "another"}'])
def test_damaged_settings_are_written_anew(damaged: bytes) -> None:
    wanted = {**DEFAULT_SETTINGS, **boards.pose_config(boards.find("maix_bit"))}
    assert json.loads(deployed({POSE_CONFIG: damaged})[POSE_CONFIG]) == wanted


@pytest.mark.parametrize(
    "damaged",
    [
        b"", b"{", b"[]", b"null", b'"x"', b'{"format": "posenet-maix files 1"}',
        b'{"format": "posenet-maix files 1", "files": ["../../etc/passwd"], "former": [], "written": {}}',
        b'{"format": "posenet-maix files 1", "files": [".."], "former": [], "written": {}}',
        b'{"format": "posenet-maix files 1", "files": [3], "former": [], "written": {}}',
        b'{"format": "posenet-maix files 1", "files": [], "former": [], "written": {"main.py": 3}}',
    ],
)  # fmt: skip
def test_a_damaged_list_names_nothing(damaged: bytes) -> None:
    assert FileList.read(damaged) == FileList()


def test_leftovers_go_but_what_is_already_there_need_not_be_sent() -> None:
    left = {"pose_app.py" + NEW: PROGRAM["pose_app.py"], MAIN + NEW: b"half", FINISH: b"x", PART: b"y", "my.new": b"z"}
    the_changes = changes.of_deploy(payload(), found(left))
    assert the_changes.ready == {"pose_app.py"}
    assert set(the_changes.clear) == {MAIN + NEW, FINISH, PART}
    assert "pose_app.py" not in the_changes.upload
    assert removed(left) == {"my.new": b"z"}
    assert "my.new" in carried_out(left, the_changes)


@pytest.mark.parametrize(
    "what",
    [
        {"clear": ["a"]}, {"keep": [("a", "b")]}, {"rename": [("a", "b")]}, {"write": {"a": b""}}, {"remove": ["a"]},
    ],
)  # fmt: skip
def test_any_change_is_one(what: dict) -> None:
    assert Changes(notes=["of no account"]).empty
    assert not Changes(**what).empty


def test_main_py_is_sent_last() -> None:
    assert list(changes.of_deploy(payload(), found({})).upload)[-1] == MAIN


def test_a_copy_that_a_broken_off_first_deploy_made_goes_with_a_removal() -> None:
    assert removed({MAIN: THEIRS, "main_before_posenet.py": THEIRS}) == {MAIN: THEIRS}


def test_settings_of_at_most_16_kib_are_read() -> None:
    """What is larger is no file of ours, and is not read into a board's memory, nor believed."""
    board = boards.find("maix_bit")

    def settings(size: int) -> bytes:
        own = json.dumps({**boards.pose_config(board), "mine": ""})
        return own.replace('"mine": ""', f'"mine": "{"x" * (size - len(own))}"').encode()

    for size, kept in ((16384, True), (16385, False)):
        there = settings(size)
        assert len(there) == size
        assert ("mine" in json.loads(deployed({POSE_CONFIG: there})[POSE_CONFIG])) == kept


_values = st.recursive(
    st.integers() | st.text(max_size=3) | st.booleans() | st.none(),
    lambda below: st.lists(below, max_size=2) | st.dictionaries(st.sampled_from("abc"), below, max_size=3),
    max_leaves=8,
)
_objects = st.dictionaries(st.sampled_from("abcd"), _values, max_size=4)


@given(_objects, _objects)
def test_merging_keeps_every_entry_of_both_and_ours_win(theirs: dict, ours: dict) -> None:
    both = changes.merged(theirs, ours)
    assert set(both) == {*theirs, *ours}
    assert changes.merged(both, ours) == both
    assert all(both[name] == theirs[name] for name in theirs if name not in ours)
    assert all(both[name] == value for name, value in ours.items() if not isinstance(value, dict))


_NAMES = (MAIN, MAIXPY_CONFIG, POSE_CONFIG, "pose_app.py", "pose_old.py", "notes.txt", LIST, "main_before_posenet.py")
_places = st.dictionaries(
    st.sampled_from(_NAMES + tuple(name + NEW for name in _NAMES)),
    st.sampled_from([b"", THEIRS, b"import pose_app # mine", b'{"lcd": {"dir": 2}}', *PROGRAM.values()]),
)


@given(_places, st.sampled_from(["maix_bit", "maix_cube"]))
def test_from_whatever_lies_there_one_deploy_is_enough_and_foreign_files_survive(
    files: dict[str, bytes], board: str
) -> None:
    what = payload(board=board)
    after = deployed(files, what)
    assert changes.of_deploy(what, found(after)).empty
    assert all(after[name] == data for name, data in what.files.items() if name != MAIN)
    assert after.get("notes.txt") == files.get("notes.txt")
    if MAIN in files:
        assert files[MAIN] in [data for name, data in after.items() if name.startswith("main")]
    over = removed(after)
    foreign = {"notes.txt" + NEW, "main_before_posenet.py" + NEW, MAIXPY_CONFIG + NEW}
    assert not [name for name in over if name.endswith(NEW) and name not in foreign]
    assert over.get("notes.txt") == files.get("notes.txt")


class TestMakersMain:
    """A main.py that `deploy --main` put there."""

    OWN = b"import pose_app\npose_app.run(print)\n"

    def own(self, program: bytes = OWN) -> Payload:
        return replace(payload({**PROGRAM, MAIN: program}), main_chosen=True, own_main=True)

    def test_later_deploys_leave_it_and_update_the_rest(self) -> None:
        files = deployed({}, self.own())
        assert files[MAIN] == self.OWN
        newer = payload({**PROGRAM, "pose_app.py": b"A = 2\n"})
        later = deployed(files, newer)
        assert later[MAIN] == self.OWN
        assert later["pose_app.py"] == b"A = 2\n"
        assert changes.of_deploy(newer, found(later)).empty
        assert deployed(later, newer) == later

    def test_another_takes_its_place_without_a_copy(self) -> None:
        files = deployed(deployed({}, self.own()), self.own(b"import pose_app as other\n"))
        assert files[MAIN] == b"import pose_app as other\n"
        assert not [name for name in files if "before_posenet" in name]

    def test_the_projects_own_is_put_back_on_request(self) -> None:
        files = deployed(deployed({}, self.own()), replace(payload(), main_chosen=True))
        assert files[MAIN] == PROGRAM[MAIN]
        assert deployed(files) == files

    def test_what_was_there_before_is_kept_and_comes_back(self) -> None:
        files = deployed({MAIN: THEIRS}, self.own())
        assert files["main_before_posenet.py"] == THEIRS
        assert removed(files) == {MAIN: THEIRS}
        assert removed(deployed({}, self.own())) == {}

    def test_it_takes_the_place_of_a_makers_own_that_we_did_not_write(self) -> None:
        files = deployed({MAIN: b"import pose_app  # by hand\n"}, self.own())
        assert files[MAIN] == self.OWN
        assert files["main_before_posenet.py"] == b"import pose_app  # by hand\n"

    def test_one_that_was_changed_on_the_board_stays_too(self) -> None:
        files = {**deployed({}, self.own()), MAIN: b"import pose_app  # changed\n"}
        assert deployed(files)[MAIN] == b"import pose_app  # changed\n"
