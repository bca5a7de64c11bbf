"""What to do about what a board reports: one line for each code of `Trouble` and of refused requests."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_DEPLOY = "run `make deploy` for this board"
_FLASH = "run `make flash`, then `make deploy`, both with the same kmodel"
_MEMORY = "take a `minimum` build of MaixPy or a smaller model (`make kmodel SIZE=256x192`)"
# Codes of firmware/README.md, "Host to board".
REMEDIES: Mapping[int, str] = MappingProxyType(
    {
        1: "the program on the board is older than this tool: " + _DEPLOY,
        2: "the program on the board and this tool do not fit: " + _DEPLOY,
        3: "wait until it is done, or reset the board",
        4: "ask again",
        5: "ask again; if it happens often, the cable or the USB hub is bad",
        6: "see what the board reported at its start",
        20: "mend the entry in boards/, then " + _DEPLOY,
        21: _DEPLOY,
        22: _DEPLOY,
        23: _FLASH,
        24: "make the model with `make kmodel` (version 3, which every MaixPy loads), then " + _FLASH,
        25: _FLASH,
        26: "make a model of at most 320x240: `make kmodel SIZE=320x240`",
        27: _MEMORY,
        28: _MEMORY + ", and flash the kmodel again",
        30: "push the camera's cable in straight, contacts as on the board's picture, with the power off",
        31: "check the camera's cable; some cameras need a reset of the board",
        32: "check the folder of pictures in pose_config.json and the files' size",
        33: _FLASH,
        40: "check the LCD's cable and the board's name: " + _DEPLOY,
        41: "mend on_frame in your main.py; the traceback is on the line above",
        42: "previews need memory: " + _MEMORY,
        50: "the traceback on the line above says where; reset the board",
    }
)


def remedy(code: int) -> str:
    """What a user can do about a code; "" for one that is not known."""
    return REMEDIES.get(code, "")
