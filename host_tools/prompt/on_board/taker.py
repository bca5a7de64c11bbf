"""At a board's prompt: takes commands that arrived whole, each once, and says what they print in lines with a CRC."""

import ubinascii
import ujson

# So much of what a command printed is kept, to be said again.
MOST_KEPT = 65536


def crc(data):
    """CRC-32."""
    return ubinascii.crc32(data) & 0xFFFFFFFF


def say(text):
    """One checked line."""
    print("~%08x %s" % (crc(text.encode()), text))


class Taker:
    """One session: the number of the last command, and what it said."""

    def __init__(self):
        self.number = -1
        self.parts = []
        self.space = {"print": self.print, "__name__": "__main__"}
        self.clear()

    def clear(self):
        """Nothing was said yet."""
        self.lines, self.kept, self.rest, self.error = [], 0, "", ""

    def print(self, *values, sep=" ", end="\n"):
        """Stands for `print` in commands."""
        lines = (self.rest + sep.join([str(value) for value in values]) + end).split("\n")
        self.rest = lines.pop()
        for line in lines:
            self.kept += len(line)
            self.lines.append(line if self.kept <= MOST_KEPT else None)
            self.say_line(len(self.lines) - 1, line)

    def say_line(self, at, line):
        """One line of what was printed."""
        say("%d %d %s" % (self.number, at, line))

    def take(self, number, check, data, run=True):
        """Runs a command, or keeps its data for the next; one that was taken already only says the same again."""
        if crc(data) != check:
            say("%d damaged" % number)
            return
        if number == self.number:
            for at, line in enumerate(self.lines):
                if line is not None:
                    self.say_line(at, line)
        else:
            self.number = number
            self.clear()
            try:
                if run:
                    exec(data.decode(), self.space)
                else:
                    self.parts.append(data)
            except KeyboardInterrupt:
                # Not done, so it may be asked for again.
                self.number = -1
                raise
            except Exception as error:  # noqa: BLE001 - whatever a command raises is told
                self.error = "%s: %s" % (type(error).__name__, error)
        say("%d end %s" % (number, ujson.dumps([len(self.lines), self.rest, self.error])))

    def taken(self):
        """The data of the commands before, joined; they are forgotten."""
        data = b"".join(self.parts)
        self.parts = []
        return data


posenet = Taker()
posenet.space["taken"] = posenet.taken
