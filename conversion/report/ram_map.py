"""Draws KPU RAM over the layers as SVG: one column a run of the KPU, what it reads and what it writes."""

from __future__ import annotations

from html import escape

from conversion.feature_map import LINE_BYTES, RAM_LINES, Region
from conversion.kmodel.plan import RamPlan
from conversion.report.tables import LayerRow, shape

_COLUMN = 30
_HEIGHT = 420
_LEFT, _TOP, _BOTTOM, _RIGHT = 64, 34, 120, 16
_READ, _WRITTEN, _HEAD = "#9ecae1", "#e6843c", "#3f8f52"
_STEP_KIB = 256


def svg(rows: list[LayerRow], plan: RamPlan) -> str:
    """A map of the 2 MiB of KPU RAM; hovering over an area names it."""
    width = _LEFT + _COLUMN * len(rows) + _RIGHT
    height = _TOP + _HEIGHT + _BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="system-ui, DejaVu Sans, sans-serif" font-size="11" fill="#333">',
        f'<rect x="{_LEFT}" y="{_TOP}" width="{_COLUMN * len(rows)}" height="{_HEIGHT}" fill="#f7f7f5"/>',
        *_axis(width),
        *_legend(),
    ]
    heads = len(rows) - len(plan.heads)
    for column, row in enumerate(rows):
        x = _LEFT + _COLUMN * column
        parts.append(_area(x + 2, row.source, _READ, f"{row.name} {row.part} reads", 11))
        colour = _HEAD if column >= heads else _WRITTEN
        parts.append(_area(x + 15, row.destination, colour, f"{row.name} {row.part} writes", 13))
        label = escape(f"{row.name} {row.part}".strip())
        at = f"{x + _COLUMN / 2 + 4:.0f},{_TOP + _HEIGHT + 10}"
        parts.append(
            f'<text transform="translate({at}) rotate(-60)" text-anchor="end" dominant-baseline="middle">{label}</text>'
        )
    parts.append(_peak(plan, width))
    return "\n".join([*parts, "</svg>"])


def _y(line: int) -> float:
    return _TOP + _HEIGHT * (1 - line / RAM_LINES)


def _area(x: float, region: Region, colour: str, what: str, width: int) -> str:
    top, bottom = _y(region.end), _y(region.line)
    title = escape(f"{what} lines {region.line} to {region.end - 1}: {shape(region.map)}")
    return (
        f'<rect x="{x}" y="{top:.1f}" width="{width}" height="{max(1.5, bottom - top):.1f}" fill="{colour}">'
        f"<title>{title}</title></rect>"
    )


def _axis(width: int) -> list[str]:
    parts = []
    for kib in range(0, RAM_LINES * LINE_BYTES // 1024 + 1, _STEP_KIB):
        y = _y(kib * 1024 // LINE_BYTES)
        parts.append(f'<line x1="{_LEFT}" x2="{width - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y:.1f}" text-anchor="end" dominant-baseline="middle">{kib} KiB</text>')
    return parts


def _legend() -> list[str]:
    parts, x = [], _LEFT
    for colour, text in ((_READ, "reads"), (_WRITTEN, "writes"), (_HEAD, "writes a head")):
        parts.append(f'<rect x="{x}" y="10" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{x + 17}" y="20">{text}</text>')
        x += 100
    return parts


def _peak(plan: RamPlan, width: int) -> str:
    y = _y(plan.peak_lines)
    return (
        f'<line x1="{_LEFT}" x2="{width - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#b22" stroke-dasharray="5 3"/>'
        f'<text x="{width - _RIGHT}" y="{y - 6:.1f}" text-anchor="end" fill="#b22">highest line used: '
        f"{plan.peak_bytes // 1024} KiB</text>"
    )
