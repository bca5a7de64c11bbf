"""Places for short texts beside people, so that no two lie on each other."""

from array import array


class Labels:
    """Texts of one height in a field: text n begins at `xs[n]`, `ys[n]`, if `there[n]` says that it has a place."""

    def __init__(self, most, height):
        self.xs = array("i", [0] * most)
        self.ys = array("i", [0] * most)
        self.there = bytearray(most)
        self._widths = array("i", [0] * most)
        self._height = height
        self._count = 0
        self._left = self._top = self._right = self._bottom = 0

    def clear(self, left, top, right, bottom):
        """Begins anew, in the field from (left, top) to right and bottom, which are outside of it."""
        self._count = 0
        self._left = left
        self._top = top
        self._right = right
        self._bottom = bottom

    def add(self, x, y, width):
        """Places a text of that width as near to (x, y) as there is room, above and below; if nowhere, it has none."""
        n = self._count
        self._count = n + 1
        self.xs[n] = x = max(min(x, self._right - width), self._left)
        self._widths[n] = width
        last = self._bottom - self._height
        y = max(min(y, last), self._top)
        self.there[n] = 0
        if x + width > self._right or last < self._top:
            return
        above = below = y
        while above >= self._top or below <= last:
            if above >= self._top:
                lower = self._in_the_way(x, above, width, n)
                if lower < 0:
                    y = above
                    break
                above = self.ys[lower] - self._height
            if below <= last:
                upper = self._in_the_way(x, below, width, n)
                if upper < 0:
                    y = below
                    break
                below = self.ys[upper] + self._height
        else:
            return
        self.ys[n] = y
        self.there[n] = 1

    def _in_the_way(self, x, y, width, count):
        """One of the first `count` texts that a text at (x, y) would lie on; -1 if none."""
        for n in range(count):
            if (
                self.there[n]
                and x < self.xs[n] + self._widths[n]
                and self.xs[n] < x + width
                and y < self.ys[n] + self._height
                and self.ys[n] < y + self._height
            ):
                return n
        return -1
