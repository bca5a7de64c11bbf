"""What a test looks at in the page, and what it does there: pixels of the canvases, texts, clicks, sliders."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.host_tools.monitor import actors
from tests.host_tools.monitor.web.browser import Tab
from tests.patience import HANG_SECONDS

# What is in a canvas: {width, data}, read from a copy, since a canvas that is often read itself becomes slow.
READ = """const read = (canvas) => {
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", {willReadFrequently: true});
  copy.drawImage(canvas, 0, 0);
  return copy.getImageData(0, 0, canvas.width, canvas.height);
};"""
# Red, green, blue, alpha of a board's picture at a place of the model's 320x240.
PIXEL = f"""((board, x, y) => {{
  {READ}
  const picture = read(document.querySelectorAll("canvas.picture")[board]);
  const at = Math.round(y * picture.height / 240) * picture.width + Math.round(x * picture.width / 320);
  return [...picture.data.slice(4 * at, 4 * at + 4)];
}})"""
# Whether anything of a colour is in a canvas.
HAS_COLOUR = f"""((selector, colour) => {{
  {READ}
  const {{data}} = read(document.querySelector(selector));
  for (let at = 0; at < data.length; at += 4) {{
    if (colour.every((value, part) => Math.abs(data[at + part] - value) < 12) && data[at + 3] > 250) return true;
  }}
  return false;
}})"""


def pixel(tab: Tab, board: int, x: float, y: float) -> tuple[int, ...]:
    """Red, green, blue, alpha at a place in the model's pixels."""
    return tuple(tab.evaluate(f"{PIXEL}({board}, {x}, {y})"))


def wait_for_pixel(
    tab: Tab, board: int, x: float, y: float, colour: tuple[int, ...], seconds: float = HANG_SECONDS
) -> None:
    """Wait until a place has about that colour."""
    tab.wait_for(
        f"{PIXEL}({board}, {x}, {y}).slice(0, {len(colour)})"
        f".every((value, part) => Math.abs(value - {list(colour)}[part]) < 30)",
        seconds,
    )


def part(selector: str, board: int = 0) -> str:
    """An expression: a part of a board's panel."""
    return f"document.querySelectorAll('.panel')[{board}].querySelector({json.dumps(selector)})"


def text_of(selector: str, board: int = 0) -> str:
    """An expression: its text."""
    return f"{part(selector, board)}.textContent"


def slider(name: str, board: int = 0) -> str:
    """An expression: where a slider stands."""
    return f"{part('input.' + name, board)}.value"


def click(tab: Tab, selector: str, board: int = 0) -> None:
    """Click a part of a panel, once it can be."""
    tab.wait_for(f"!{part(selector, board)}.disabled")
    tab.evaluate(f"{part(selector, board)}.click()")


def enter(tab: Tab, selector: str, value: float, event: str, board: int = 0) -> None:
    """Give a field a value, as a hand does; `event` is what the browser then tells."""
    field = part(selector, board)
    tab.wait_for(f"!{field}.disabled")
    tab.evaluate(f"(field => {{ field.value = {value}; field.dispatchEvent(new Event('{event}')) }})({field})")


def slide(tab: Tab, name: str, value: float, board: int = 0) -> None:
    """Move a slider."""
    enter(tab, f"input.{name}", value, "input", board)


def until(condition: Callable[[], bool], tab: Tab) -> None:
    """Wait for something on this side."""
    for _ in range(100):
        if condition():
            return
        tab.evaluate("new Promise((resolve) => setTimeout(resolve, 50))")
    raise AssertionError("it did not happen")


def shoulders(person: actors.Pose) -> list[tuple[float, float]]:
    """Places of both shoulders and both wrists, in pixels."""
    return [(person.keypoints[part][0] / 16, person.keypoints[part][1] / 16) for part in (5, 6, 9, 10)]
