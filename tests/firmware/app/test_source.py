"""What the program's source holds itself to: no floats, and files opened in one place, one after another."""

from __future__ import annotations

import ast

from tests import firmware_gate
from tests.firmware.app.board import FIRMWARE


def test_the_program_makes_no_floats() -> None:
    """CanMV's adapter is handed floats; it packs them and calculates nothing. MaixPy's copy() wants two for its scales,
    which are made once and in one place, and its warp four for a window; nothing else is calculated with them."""
    made = {"pose_canvas.py": 1, "pose_wide.py": 4}
    for path in sorted(FIRMWARE.glob("*.py")):
        if path.name != "pose_canmv.py":
            found = firmware_gate.problems(path.read_text(), integers_only=True, siblings=SIBLINGS)
            assert len(found) == made.get(path.name, 0), (path.name, found)
            assert all("true division" in each for each in found)


SIBLINGS = frozenset(path.stem for path in FIRMWARE.glob("*.py"))


def test_files_are_read_and_written_only_by_the_file_of_files() -> None:
    """So that what SPIFFS cannot do is kept to in one place: no flush, no rename onto itself, no third open file."""
    for path in sorted(FIRMWARE.rglob("*.py")):
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        names = {getattr(call.func, "attr", getattr(call.func, "id", "")) for call in calls}
        of_files = {"remove", "rename"} if path.name == "pose_files.py" else set()
        assert not ({"flush", "remove", "rename", "mkdir", "rmdir", "flash_format"} - of_files) & names, path.name
        assert "open" not in names or path.name == "pose_files.py"


def test_every_opened_file_is_closed_before_the_next_is_opened() -> None:
    """A file is opened by `with` alone, and within that block no other one is."""
    for path in sorted(FIRMWARE.rglob("*.py")):
        tree = ast.parse(path.read_text())
        opening = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _opens(node)]
        blocks = [node for node in ast.walk(tree) if isinstance(node, ast.With)]
        by_with = [item.context_expr for block in blocks for item in block.items]
        returned = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return)]
        allowed = [*by_with, *(returned if path.name == "pose_files.py" else ())]
        assert all(call in allowed for call in opening), path.name
        for block in blocks:
            inside = [node for statement in block.body for node in ast.walk(statement) if node in opening]
            assert not inside, path.name


def _opens(call: ast.Call) -> bool:
    return getattr(call.func, "attr", getattr(call.func, "id", "")) in ("open", "opened")
