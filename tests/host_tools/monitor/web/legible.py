"""What of a page in the browser is wider than its window, and which of its words can hardly be read."""

from __future__ import annotations

from tests.host_tools.monitor.web.browser import Tab

# What WCAG 2.1 asks of text of usual size (success criterion 1.4.3).
LEAST_CONTRAST = 4.5

_WIDER = """
[...document.body.querySelectorAll('*')].filter((each) => {
  for (let around = each.parentElement; around; around = around.parentElement)
    if (['auto', 'scroll'].includes(getComputedStyle(around).overflowX)) return false;
  const box = each.getBoundingClientRect();
  return box.width > 0 && box.right > document.documentElement.clientWidth + 0.5;
}).map((each) => `${each.tagName} ${each.className.baseVal ?? each.className} ${each.textContent.trim().slice(0, 40)}`)
"""
# Ground: of a drawing's letters the shape behind them, else the colour of the nearest element that has one.
_PALE = """
(() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = numbers(colour).map((each) => {
      const part = each / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const opaque = (colour) => colour.startsWith('rgb') && (numbers(colour)[3] ?? 1) === 1;
  const contrast = (one, other) => {
    const [high, low] = [light(one), light(other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const around = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor;
      if (opaque(colour)) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const behind = (letters) => {
    const box = letters.getBoundingClientRect();
    const stack = document.elementsFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    const shape = stack.find((each) => /^(rect|path|circle|polygon)$/.test(each.tagName)
      && opaque(getComputedStyle(each).fill) && getComputedStyle(each).fillOpacity === '1');
    return shape ? getComputedStyle(shape).fill : around(letters);
  };
  const inverted = (element) => {
    for (let each = element; each; each = each.parentElement)
      if (getComputedStyle(each).filter.includes('invert')) return true;
    return false;
  };
  const turned = (colour) => `rgb(${numbers(colour).slice(0, 3).map((each) => 255 - each).join(', ')})`;
  const found = [];
  for (const each of document.querySelectorAll('body *')) {
    const own = [...each.childNodes].filter((node) => node.nodeType === 3);
    const words = own.map((node) => node.data.trim()).join(' ').trim();
    const box = each.getBoundingClientRect();
    if (!words || !box.width || ['title', 'style', 'STYLE'].includes(each.tagName)) continue;
    const style = getComputedStyle(each);
    let [ink, ground] = each.ownerSVGElement ? [style.fill, behind(each)] : [style.color, around(each)];
    if (inverted(each)) [ink, ground] = [turned(ink), turned(ground)];
    const seen = contrast(ink, ground);
    if (seen < LEAST) found.push(`${seen.toFixed(2)}: ${ink} on ${ground}: ${words.slice(0, 40)}`);
  }
  return found;
})()
"""


def wider(tab: Tab) -> list[str]:
    """Elements that reach beyond the window, but for what lies in a part that scrolls."""
    return tab.evaluate(_WIDER)


def pale(tab: Tab) -> list[str]:
    """Words whose contrast with what is behind them is less than LEAST_CONTRAST."""
    return tab.evaluate(_PALE.replace("LEAST", str(LEAST_CONTRAST)))


def colours(tab: Tab, scheme: str) -> None:
    """Have the page drawn in its "dark" or "light" colours."""
    tab.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
