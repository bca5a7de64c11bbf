"""Labels in the page's pictures: no two of them lie on each other, whatever people do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.host_tools.monitor.web import fake
from tests.host_tools.monitor.web.browser import Browser, Tab


@pytest.fixture
def tab(served: Callable, browser: Browser) -> Iterator[Tab]:
    with browser.open(served(fake.FakeFeed()).address) as opened:
        yield opened


# A thousand crowds of labels, many of them where there is no room: what is wrong in any of them.
CROWDS = """import("/labels.js").then(({placeLabels}) => {
  let seed = 1;
  const random = (below) => (seed = (seed * 48271) % 2147483647) / 2147483647 * below;
  const wrong = [];
  let without = 0;
  for (let crowd = 0; crowd < 1000; crowd++) {
    const [width, height] = [40 + random(900), 30 + random(700)];
    const spread = crowd % 2 ? 1.2 : 0.2;
    const wanted = Array.from({length: Math.floor(random(33))}, (_, n) => n % 7 === 6 ? null : ({
      x: random(spread * width) - 20, y: random(spread * height) - 20, width: 20 + random(60), height: 16}));
    const found = placeLabels(wanted, width, height);
    if (found.length !== wanted.length) wrong.push("not as many as wanted");
    const places = found.filter((each) => each);
    without += wanted.filter((each) => each).length - places.length;
    for (const [n, a] of places.entries()) {
      if (a.x < 0 || a.y < 0 || a.x + a.width > width + 1e-6 || a.y + a.height > height + 1e-6) wrong.push(a);
      for (const b of places.slice(0, n)) {
        const across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
        const down = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
        if (across > 1e-5 && down > 1e-5) wrong.push([a, b]);
      }
    }
  }
  return {wrong: wrong.slice(0, 3), without};
})"""


def test_labels_never_lie_on_each_other(tab: Tab) -> None:
    found = tab.evaluate(CROWDS)
    assert found["wrong"] == []
    assert found["without"] > 0, "some crowds must be too large for their picture"
    few = "[0, 1, 2].map((n) => ({x: 10 + n, y: 20, width: 50, height: 16}))"
    places = tab.evaluate(f'import("/labels.js").then(({{placeLabels}}) => placeLabels({few}, 320, 240))')
    assert [place["y"] for place in places] == [20, 4, 36]
