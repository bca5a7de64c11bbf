"""Codes and units of the serial line are those of the firmware."""

from __future__ import annotations

import ast
import re

from firmware import pose_decoder
from host_tools.serial_link import ErrorCode, Trouble, remedies, units
from tests.import_graph import ROOT

FIRMWARE = ROOT / "firmware"


def test_the_codes_are_those_of_the_program() -> None:
    source = (FIRMWARE / "pose_errors.py").read_text(encoding="utf-8")
    codes = {name: int(number) for name, number in re.findall(r"^([A-Z_]+) = (\d{1,2})$", source, re.MULTILINE)}
    assert codes == {code.name: code.value for code in ErrorCode}
    assert len(codes) > 20


def test_for_each_code_there_is_a_remedy() -> None:
    assert set(remedies.REMEDIES) == set(ErrorCode)
    assert remedies.remedy(99) == ""


def test_what_keeps_a_board_from_frames() -> None:
    """The LCD, the maker's hook and previews do not; answers to requests say nothing of the program."""
    harmless = {code for code in ErrorCode if not Trouble(code, 1, "").keeps_from_frames}
    assert harmless == {code for code in ErrorCode if code < 20 or 40 <= code < 50}
    assert Trouble(99, 1, "of a newer program").keeps_from_frames


def test_ranges_and_units_are_those_of_the_program() -> None:
    ranges = {}
    for node in ast.walk(ast.parse((FIRMWARE / "pose_settings.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.Tuple) and len(node.elts) >= 3 and isinstance(node.elts[0], ast.Constant):
            name, *limits = (
                ast.literal_eval(part) if isinstance(part, ast.Constant) else None for part in node.elts[:3]
            )
            ranges[name] = tuple(limits)
    assert ranges["max_poses"] == (1, units.MOST_POSES)
    assert ranges["root_score"] == (1, units.THRESHOLD_ONE)
    assert ranges["pose_score"] == (0, units.THRESHOLD_ONE)
    assert ranges["nms_radius"] == (0, units.MOST_RADIUS)
    assert ranges["preview_quality"] == units.PREVIEW_QUALITIES
    assert pose_decoder.ONE == units.THRESHOLD_ONE
    assert pose_decoder.MAX_VOTE == units.MOST_VOTE
