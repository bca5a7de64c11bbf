"""A verdict for people: what was equal, what differs and where to look, what is proven by it and what is not."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType

from conversion import network
from conversion.printing import Column, Line, Named, Table, counted
from host_tools.serial_link import units
from host_tools.verification.comparison import FirstByte, FirstInteger, HeadsDifference, PosesDifference
from host_tools.verification.layers import LayerPlace
from host_tools.verification.verdict import BOARD, HEADS, IMAGE, POSES, WINDOWS, Finding, Verdict

# Of each mode: what a board that passes has shown, and what it has not.
PROVES = {
    IMAGE: (
        "KPU, kmodel, pix_to_ai() and decoder of this board compute for this picture what the host computes",
        "the camera and what it writes for the KPU; other pictures; times; the LCD",
    ),
    BOARD: (
        "on the test card, which the board draws itself, KPU, kmodel and decoder compute what the host computes; in "
        "live frames, the board's decoder makes of its heads what the host's does",
        "the KPU's numbers of live frames: nobody can read back what the camera wrote for it; that the camera sees "
        "well; times; the LCD",
    ),
}
_CHANNELS = {spec.name: spec.channels for spec in network.HEADS}
_AXES = ("y", "x")
_MOST_CHANNELS = 8


def headline(verdict: Verdict) -> str:
    """VERIFIED or DIFFERS, and what."""
    word = "VERIFIED" if verdict.verified else "DIFFERS"
    return f"{word}  {verdict.findings[0].subject} on {verdict.hello.board}, mode: {verdict.mode}"


def parts(verdict: Verdict) -> Iterator[RenderableType]:
    """Everything below the headline."""
    yield Named(_facts(verdict))
    for finding in verdict.findings:
        if not finding.equal:
            yield from details(finding)


def _facts(verdict: Verdict) -> list[tuple[str, str]]:
    hello = verdict.hello
    facts = [
        ("model", f"{verdict.model.name}, {hello.width}x{hello.height}, {verdict.model_bytes:,} bytes"),
        ("sha256", verdict.model_sha256),
        ("program", verdict.firmware),
        *((finding.subject, summary(finding)) for finding in verdict.findings),
    ]
    if verdict.verified:
        proven, open_ = PROVES[verdict.mode]
        facts += [("proves", proven), ("proves not", open_)]
        if len(verdict.findings) > 1 and not any(finding.pose_count for finding in verdict.findings[1:]):
            facts.append(("note", "no live frame had a pose in it: point the camera at a person and verify again"))
    return [*facts, ("took", _effort(verdict))]


def _effort(verdict: Verdict) -> str:
    text = f"{verdict.seconds:.1f} s"
    if verdict.sent is None:
        return text
    return f"{text}, of which {verdict.sent.seconds:.1f} s for {verdict.sent.bytes:,} bytes of pixels"


def summary(finding: Finding) -> str:
    """One line on a run."""
    parts = []
    if HEADS in finding.compared:
        parts.append(f"heads {'DIFFERENT' if finding.heads else 'equal, byte for byte'} (CRC-32 {finding.crc32:08x})")
    people = counted(finding.pose_count, "pose")
    if WINDOWS in finding.compared:
        parts.append("windows DIFFERENT" if finding.explanation else "windows equal to the host's")
    if POSES in finding.compared:
        parts.append(f"{people} {'DIFFERENT' if finding.poses else 'equal, integer for integer'}")
    else:
        what = "DIFFERENT from" if finding.poses else "equal to"
        parts.append(f"{people} {what} what the host decodes from the board's heads")
    return "; ".join(parts)


def shortly(verdict: Verdict) -> str:
    """What differs, for the one line of an error."""
    wrong = [finding for finding in verdict.findings if not finding.equal]
    finding = wrong[0]
    if finding.heads is not None:
        what = first_byte(finding.heads.first)
    elif finding.poses is not None:
        what = first_integer(finding.poses.first)
    else:
        what = finding.explanation[0]
    others = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    return f"{finding.subject}{others}: {what}"


def first_byte(first: FirstByte) -> str:
    """Where it is and what it should be."""
    return (
        f"the first byte that differs is {first.head}, channel {first.channel}{_part(first.head, first.channel)}, cell "
        f"y {first.row}, x {first.column}: board {first.found}, host {first.expected} (byte {first.at} of all heads)"
    )


def first_integer(first: FirstInteger) -> str:
    """Which one it is and what it should be."""
    board, host = ("none" if value is None else value for value in (first.found, first.expected))
    return f"the first integer that differs is {first.what}: board {board}, host {host}"


def _part(head: str, channel: int) -> str:
    """What a channel is for, where it has a name."""
    parts = len(network.KEYPOINTS)
    if head == network.HEAD_NAMES[0]:
        return f" ({network.KEYPOINTS[channel]})"
    if head == network.HEAD_NAMES[1]:
        return f" ({network.KEYPOINTS[channel % parts]}, {_AXES[channel // parts]})"
    return f" ({_AXES[channel // (_CHANNELS[head] // 2)]})"


def details(finding: Finding) -> Iterator[RenderableType]:
    """What differs in one run, and where to look."""
    yield Line(f"\n{finding.subject}, frame {finding.frame}:")
    if finding.heads is not None:
        yield Line(f"  {finding.heads.differing:,} of {finding.heads.size:,} bytes of the heads differ")
        yield Line(f"  {first_byte(finding.heads.first)}")
        yield _heads_table(finding.heads)
    if finding.poses is not None:
        yield Line(f"  {first_integer(finding.poses.first)}")
        yield Line(f"  {_poses(finding.poses)}")
    for line in finding.explanation:
        yield Line(f"  → {line}")
    suspects = [place for place in finding.layers if place.suspect]
    if suspects:
        yield _layers_table(suspects)


def _heads_table(difference: HeadsDifference) -> Table:
    sizes = tuple(difference.heads[0].sizes)
    names = "head", "bytes off", "of", "channels", "cells y", "cells x", "largest", *(f"off {size}" for size in sizes)
    rows = [
        (
            head.name,
            f"{head.differing:,}",
            f"{head.size:,}",
            _channels(head.channels),
            f"{head.rows[0]} to {head.rows[1]}",
            f"{head.columns[0]} to {head.columns[1]}",
            str(head.largest),
            *(f"{count:,}" for count in head.sizes.values()),
        )
        for head in difference.heads
    ]
    return Table([Column(name) for name in names], rows)


def _channels(channels: tuple[int, ...]) -> str:
    if len(channels) <= _MOST_CHANNELS:
        return ", ".join(map(str, channels))
    return f"{len(channels)} of them"


def _poses(difference: PosesDifference) -> str:
    counts = f"board {counted(difference.found_count, 'pose')}, host {difference.expected_count}"
    return (
        f"{counts}; of those that both have, {difference.positions} coordinates (by up to {difference.farthest}/"
        f"{units.PER_PIXEL} pixel), {difference.keypoint_scores} keypoint scores and "
        f"{difference.pose_scores} scores of poses differ"
    )


def _layers_table(suspects: list[LayerPlace]) -> Table:
    names = "layer", "", "result", "KPU RAM read", "KPU RAM written", "kmodel", "main memory"
    rows = []
    for place in suspects:
        memory = _range(place.main_memory) if place.main_memory else ""
        ranges = map(_range, (place.kpu_source, place.kpu_result, place.parameters))
        rows.append((str(place.number), place.name, place.writes, *ranges, memory))
    return Table([Column(name) for name in names], rows, title="  where to look:")


def _range(place: tuple[int, int]) -> str:
    return f"{place[0]:#x}-{place[1] - 1:#x}"
