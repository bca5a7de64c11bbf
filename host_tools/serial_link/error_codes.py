"""What a board's program reports with ERROR, and refuses requests with: the codes of firmware/pose_errors.py."""

from __future__ import annotations

from enum import IntEnum


class ErrorCode(IntEnum):
    """Names as in the program. A board with a newer program may send others, so that codes of events are integers."""

    UNKNOWN_TYPE = 1
    BAD_FIELD = 2
    NOT_NOW = 3
    BAD_CHUNK = 4
    BAD_DATA = 5
    NOT_POSSIBLE = 6
    BAD_CONFIG = 20
    NO_CARD = 21
    BAD_CARD = 22
    NO_KMODEL = 23
    KMODEL_VERSION = 24
    KMODEL_MISMATCH = 25
    KMODEL_SIZE = 26
    MEMORY = 27
    KMODEL_REFUSED = 28
    NO_CAMERA = 30
    CAMERA_SILENT = 31
    NO_PICTURES = 32
    KPU_FAILED = 33
    LCD_FAILED = 40
    HOOK_FAILED = 41
    NO_PREVIEW = 42
    OTHER = 50


# Below are answers to requests; from here on the program itself is in trouble.
_FIRST_OF_THE_PROGRAM = ErrorCode.BAD_CONFIG
_HARMLESS = frozenset({ErrorCode.LCD_FAILED, ErrorCode.HOOK_FAILED, ErrorCode.NO_PREVIEW})


def keeps_from_frames(code: int) -> bool:
    """Whether a program that reports this computes no frames; a code that is not known is taken to be as bad."""
    return code >= _FIRST_OF_THE_PROGRAM and code not in _HARMLESS
