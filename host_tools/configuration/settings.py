"""The settings that a board's program takes while it runs: their names, ranges and sentences; asked for and changed.

The numbers are those of firmware/pose_settings.py. Where a number is in 1/32768, a decimal fraction is taken as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType

from host_tools import time_limits
from host_tools.errors import BoardError
from host_tools.serial_link import ErrorCode, Link, Refused, Settings, units

_HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Setting:
    """A whole number from `low` to `high`; the sentence that sets it, and the place of its field there; whether the
    board keeps it with SAVE; `one` is what stands for 1 where a fraction may be typed, 0 where none may."""

    low: int
    high: int
    sentence: str
    place: int
    meaning: str
    saved: bool = True
    one: int = 0


# In the order of the SETTINGS sentence.
KNOWN: Mapping[str, Setting] = MappingProxyType(
    {
        "mode": Setting(0, 1, "MODE", 0, "0 several people, 1 one person"),
        "max_poses": Setting(1, units.MOST_POSES, "POSES", 0, "most people in a frame"),
        "root_score": Setting(
            1, units.THRESHOLD_ONE, "POSES", 1, "least score of a keypoint to begin a person", one=units.THRESHOLD_ONE
        ),
        "nms_radius": Setting(0, units.MOST_RADIUS, "POSES", 2, "pixels within which two people are the same"),
        "pose_score": Setting(0, units.THRESHOLD_ONE, "POSES", 3, "least score of a person", one=units.THRESHOLD_ONE),
        "frame_ms": Setting(0, _HOUR_MS, "RATE", 0, "least time between two sent frames"),
        "stats_ms": Setting(0, _HOUR_MS, "RATE", 1, "time between two reports, 0 none"),
        "preview_ms": Setting(0, _HOUR_MS, "PREVIEW", 0, "least time between two previews, 0 none", saved=False),
        "preview_quality": Setting(*units.PREVIEW_QUALITIES, "PREVIEW", 1, "JPEG quality of previews", saved=False),
        "share": Setting(1, 100, "RATE", 2, "percent of the time that sending frames may take"),
        "vote": Setting(0, units.MOST_VOTE, "POSES", 4, "pixels within which neighbours refine a keypoint, 0 none"),
        "zoom": Setting(
            units.LEAST_ZOOM,
            units.MOST_ZOOM,
            "ZOOM",
            0,
            "0 off, 1 one window that follows, 2 to 4 full frame and 1 to 3 windows, -1 follow where memory allows",
        ),
        "smooth": Setting(0, 1, "ZOOM", 1, "1 the board smooths what it sends and shows"),
    }
)
_FIELDS = {"MODE": 1, "POSES": 5, "RATE": 3, "PREVIEW": 2, "ZOOM": 2}
# A sentence that cannot leave its first field out.
_NEEDED_WITH = {"preview_quality": "preview_ms"}


def parse(pairs: Sequence[str]) -> dict[str, int]:
    """Settings from `KEY=VALUE` texts; BoardError says which is wrong and what it may be."""
    found: dict[str, int] = {}
    for pair in pairs:
        name, text = split(pair, KNOWN)
        if name in found:
            raise BoardError(f"{pair}: {name} is given twice; give it once")
        found[name] = value_of(name, text)
    return found


def split(pair: str, keys: Iterable[str]) -> tuple[str, str]:
    """KEY and VALUE of a `KEY=VALUE` text; BoardError, which names the keys, where it is none."""
    name, equals, text = pair.partition("=")
    if not equals:
        raise BoardError(f"{pair}: write it as KEY=VALUE; keys are {', '.join(keys)}")
    return name, text


def value_of(name: str, text: str) -> int:
    """A setting's number from a text; BoardError where that is none, or not in its range."""
    known(name)
    setting = KNOWN[name]
    value = number(text, setting.one)
    if value is None or not setting.low <= value <= setting.high:
        fraction = f", or a fraction of 1 such as {setting.high // 2 / setting.one:.1f}" if setting.one else ""
        raise BoardError(
            f"{name}={text}: must be a whole number from {setting.low} to {setting.high}{fraction} ({setting.meaning})"
        )
    return value


def known(name: str) -> None:
    """BoardError unless there is such a setting."""
    if name not in KNOWN:
        raise BoardError(f"there is no setting {name!r}; there are: {', '.join(KNOWN)}")


def number(text: str, one: int = 0) -> int | None:
    """A whole number, or a fraction (with a point in it) of what stands for 1; None for anything else."""
    try:
        return round(float(text) * one) if one and "." in text else int(text)
    except (ValueError, OverflowError):
        return None


def ask(link: Link) -> dict[str, int | None]:
    """All settings of the board; None for one that its program does not have. LinkError if it does not answer."""
    # What it has said after earlier changes is old.
    link.poll(0.0)
    link.ask("SETTINGS")
    return asdict(link.wait_for(Settings, time_limits.MONITOR_ANSWER.seconds))


def change(link: Link, wanted: Mapping[str, int]) -> None:
    """Set them, for as long as the program runs. Refused says what the board says against it."""
    fields: dict[str, list[int | None]] = {}
    for name, value in wanted.items():
        setting = KNOWN[name]
        fields.setdefault(setting.sentence, [None] * _FIELDS[setting.sentence])[setting.place] = value
    for name, other in _NEEDED_WITH.items():
        if name in wanted and other not in wanted:
            setting = KNOWN[other]
            fields[setting.sentence][setting.place] = ask(link)[other]
    for kind, values in fields.items():
        link.ask(kind, *values)


def check_saved(names: Sequence[str]) -> None:
    """BoardError for a setting that SAVE does not keep."""
    for name in names:
        if not KNOWN[name].saved:
            raise BoardError(
                f"{name}: is not saved, previews last as long as somebody looks; for one from the start on: "
                f"`deploy` with --set settings.{name}=NUMBER"
            )


def save(link: Link) -> None:
    """Have the board keep its settings for the next start; LinkError where its program cannot, or has no room."""
    try:
        link.ask("SAVE")
    except Refused as error:
        if error.code == ErrorCode.UNKNOWN_TYPE:
            raise BoardError(
                f"{link.port}: the program on the board is older than this tool and cannot save: run `deploy`, then "
                "again"
            ) from error
        raise


def shown(name: str, value: int | None) -> str:
    """A value as people read it."""
    if value is None:
        return "unknown to the board's program"
    one = KNOWN[name].one
    return f"{value} ({value / one:.2f})" if one else str(value)
