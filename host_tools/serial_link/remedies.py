"""What to do about what a board reports: one line for each code of `Trouble` and of refused requests."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from host_tools.serial_link.error_codes import ErrorCode

_DEPLOY = "run `make deploy` for this board"
_FLASH = "run `make flash`, then `make deploy`, both with the same kmodel"
_MEMORY = "take a `minimum` build of MaixPy or a smaller model (`make kmodel SIZE=256x192`)"
_PREVIEW = (
    "take a `minimum` build of MaixPy without zoom, "
    "or deploy with `--heap 384 --set camera.dual_buffer=0 --set settings.zoom=0`"
)
# Of a program whose SETTINGS end before `share`; everything else works.
OLDER_PROGRAM = "the program on the board is older than this tool, a slow line holds its frames up: " + _DEPLOY
REMEDIES: Mapping[int, str] = MappingProxyType(
    {
        ErrorCode.UNKNOWN_TYPE: "the program on the board is older than this tool: " + _DEPLOY,
        ErrorCode.BAD_FIELD: "the program on the board and this tool do not fit: " + _DEPLOY,
        ErrorCode.NOT_NOW: "wait until it is done, or reset the board",
        ErrorCode.BAD_CHUNK: "ask again",
        ErrorCode.BAD_DATA: "ask again; if it happens often, the cable or the USB hub is bad",
        ErrorCode.NOT_POSSIBLE: "see what the board reported at its start",
        ErrorCode.BAD_CONFIG: "mend the entry in boards/, then " + _DEPLOY,
        ErrorCode.NO_CARD: _DEPLOY,
        ErrorCode.BAD_CARD: _DEPLOY,
        ErrorCode.NO_KMODEL: _FLASH,
        ErrorCode.KMODEL_VERSION: "make the model with `make kmodel` (version 3, which every MaixPy loads), then "
        + _FLASH,
        ErrorCode.KMODEL_MISMATCH: _FLASH,
        ErrorCode.KMODEL_SIZE: "make a model of at most 320x240: `make kmodel SIZE=320x240`",
        ErrorCode.MEMORY: _MEMORY,
        ErrorCode.KMODEL_REFUSED: _MEMORY + ", and flash the kmodel again",
        ErrorCode.NO_CAMERA: (
            "push the camera's cable in straight, contacts as on the board's picture, with the power off"
        ),
        ErrorCode.CAMERA_SILENT: "check the camera's cable; some cameras need a reset of the board",
        ErrorCode.NO_PICTURES: "check the folder of pictures in pose_config.json and the files' size",
        ErrorCode.KPU_FAILED: _FLASH,
        ErrorCode.LCD_FAILED: "check the LCD's cable and the board's name: " + _DEPLOY,
        ErrorCode.HOOK_FAILED: "mend on_frame in your main.py; the traceback is on the line above",
        ErrorCode.NO_PREVIEW: "previews need memory: " + _PREVIEW,
        ErrorCode.OTHER: "the traceback on the line above says where; reset the board",
    }
)


def no_previews(missing: int) -> str:
    """Why a board has no previews, and what helps: `missing` KiB as its HELLO has them; "" where it has them."""
    return f"no previews: {missing} KiB of the board's memory are missing; {_PREVIEW}" if missing else ""


def remedy(code: int) -> str:
    """What a user can do about a code; "" for one that is not known."""
    return REMEDIES.get(code, "")
