"""Events in words: one line each, for a terminal, a log and stderr."""

from __future__ import annotations

from collections.abc import Mapping

from conversion.printing import counted
from host_tools.monitor.feed import Note
from host_tools.monitor.frame_processing import ProcessedFrame
from host_tools.serial_link import Event, Statistics, events, no_previews, remedy, units

_SELFTESTS = ("passed", "failed: the heads differ", "failed: the poses differ")
# Counts of a link that are worth a word only where they are not zero.
_MISHAPS = ("missed", "damaged", "torn", "absurd", "restarts", "reconnects", "fallbacks", "blocks_lost", "throttled")


def of(event: Event | Note) -> str | None:
    """What an event says; None for those that are numbers, or a part of something else."""
    match event:
        case events.Print(text=text) | Note(text=text):
            return text
        case events.Hello():
            program = f"program {event.firmware} on {event.system} {event.release}"
            previews = no_previews(event.preview_missing)
            return f"{program}, {size_of(event)}, {event.baud} baud{f'; {previews}' if previews else ''}"
        case events.OtherProtocol(protocol=protocol, firmware=firmware):
            return f"program {firmware} speaks protocol {protocol}, not {events.PROTOCOL}; run `make deploy`"
        case events.Trouble():
            return _trouble(event)
        case events.Restarted():
            return "the board has started again"
        case events.Lost(reason=reason):
            return f"lost: {reason}"
        case events.Found(port=port):
            return f"found again at {port}"
        case events.SelfTest(result=result):
            return f"self-test {_SELFTESTS[result]}{f' ({event.text})' if event.text else ''}"
        case events.BlockLost(kind=kind, reason=reason):
            return f"{kind or 'a block of data'} lost: {reason}"
    return None


def size_of(hello: events.Hello) -> str:
    """The model's picture as people stand in it."""
    if not hello.width:
        return "no model yet"
    width, height = hello.picture
    return f"{width}x{height}{' (turned)' if hello.turned else ''}"


def _trouble(event: events.Trouble) -> str:
    times = f" ({event.count} times)" if event.count > 1 else ""
    what_to_do = remedy(event.code)
    return f"error {event.code}: {event.text}{times}{f'; {what_to_do}' if what_to_do else ''}"


def scores(processed: ProcessedFrame) -> str:
    """How many people are in a frame, and how sure that is."""
    poses = processed.frame.poses
    if not poses:
        return "nobody"
    names = [f"#{person} " for person in processed.ids] if processed.ids is not None else [""] * len(poses)
    each = ", ".join(f"{name}{pose.score / units.SCORE_ONE:.2f}" for name, pose in zip(names, poses, strict=True))
    return f"{counted(len(poses), 'person', 'people')} ({each})"


def stages(stages_us: Mapping[str, int]) -> str:
    """The times of a frame's stages."""
    return " ".join(f"{name} {microseconds / 1000:.1f}" for name, microseconds in stages_us.items()) + " ms"


def mishaps(statistics: Statistics) -> str:
    """What a link has lost, "nothing lost" where that is nothing."""
    counts = [(name.replace("_", " "), getattr(statistics, name)) for name in _MISHAPS]
    return ", ".join(f"{name} {count}" for name, count in counts if count) or "nothing lost"
