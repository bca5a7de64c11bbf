"""The LCD: skeletons and numbers in the picture, messages instead of it."""

import lcd
import pose_board
import pose_canvas
import pose_decoder
import pose_errors
import pose_identity
import pose_labels
import pose_memory
from pose_errors import PoseError

# The lines drawn between keypoints (tfjs-models posenet, connectedPartNames): line n joins FROM[n] and TO[n].
FROM = bytes((11, 7, 7, 11, 13, 12, 8, 8, 12, 14, 5, 11))
TO = bytes((5, 5, 9, 13, 15, 6, 6, 10, 14, 16, 6, 12))
NOSE = 0

# What lcd.init() takes where no size is given, in most builds.
DEFAULT_SIZE = (320, 240)
COLOURS = ((0, 255, 0), (255, 255, 0), (0, 255, 255), (255, 64, 255), (255, 128, 0), (128, 160, 255))
WHITE = (255, 255, 255)
RED = (255, 64, 64)
JOINT_RADIUS = 3
LINE_WIDTH = 2
# The picture's font (image.draw_string) and that of messages (lcd.draw_string), in pixels.
LETTER_WIDTH = 8
LETTER_HEIGHT = 12
LINE_HEIGHT = 14
LABEL_ABOVE = 28
# In place of a score, where letters would lie on their side: a bar of so many pixels at 100 %, over its thin line.
BAR_LENGTH = 40
BAR_WIDTH = 5


def wrapped(text, columns):
    """Text broken into lines of at most so many letters, at spaces where there are some."""
    lines = []
    for line in text.split("\n"):
        while len(line) > columns:
            cut = line.rfind(" ", 0, columns + 1)
            if cut <= 0:
                cut = columns
            lines.append(line[:cut])
            line = line[cut:].lstrip()
        lines.append(line)
    return lines


def _arguments(config):
    """Arguments of lcd.init(): those that are its defaults are left to it, since not every firmware knows them all."""
    arguments = {"type": config["type"], "freq": config["freq"], "invert": config["invert"]}
    if config["lcd_type"]:
        arguments["lcd_type"] = config["lcd_type"]
    if (config["width"], config["height"]) != DEFAULT_SIZE:
        arguments["width"] = config["width"]
        arguments["height"] = config["height"]
    return arguments


def _label(pose):
    return "%d%%" % (pose.score * 100 // 255)


class Screen:
    """An LCD that is ready; `width` and `height` as it stands. `turned` 1: the board stands upright, and the picture's
    rows run downwards: MaixPy cannot turn letters, so bars stand for them, or nothing."""

    def __init__(self, config, scaled=True):
        needed = 2 * config["width"] * config["height"]
        # lcd.init() does not notice when there is no memory for its buffer, and display() then writes to nowhere.
        if 0 <= pose_board.system_free() < needed:
            raise PoseError(pose_errors.LCD_FAILED, "no %d KiB for the LCD: going on without it" % (needed // 1024))
        try:
            lcd.init(**_arguments(config))
            if config["rotation"] >= 0:
                lcd.rotation(config["rotation"])
            if config["mirror"] >= 0:
                lcd.mirror(bool(config["mirror"]))
            if config["bgr"] >= 0:
                lcd.bgr_to_rgb(bool(config["bgr"]))
        except (MemoryError, OSError, TypeError, ValueError) as error:
            raise PoseError(pose_errors.LCD_FAILED, "the LCD failed (%s): going on without it" % error)
        self.width = lcd.width()
        self.height = lcd.height()
        self.turned = 0
        self._scaled = scaled
        self._spare = 0
        self._view = None
        self._message = True
        self._told = False
        self._people = pose_identity.People(pose_decoder.MAX_POSES)
        self._labels = pose_labels.Labels(pose_decoder.MAX_POSES, LETTER_HEIGHT)

    def fit(self, width, height, spare):
        """Gets ready for pictures of width x height. A copy of another size is taken where MicroPython's heap keeps
        `spare` bytes and its garbage's room beside it."""
        self._spare = spare
        if self._view is None or self._view.size != (width, height):
            self._look_at(width, height)

    def _look_at(self, width, height):
        # An old copy must go first.
        self._view = None
        self._view = pose_canvas.View(width, height, self.width, self.height)
        self._message = True
        missing = self._view.scale(self._spare + pose_memory.HEAP_SPARE) if self._scaled else 0
        if missing and not self._told:
            self._told = True
            print(
                "posenet: the LCD shows the middle of the picture, not the whole: no room in MicroPython's heap for %d "
                "KiB at the LCD's size; `deploy --heap 768` makes it larger" % ((missing + 1023) >> 10)
            )

    def canvas(self, picture):
        """What the LCD shows of a picture, to draw into and to give to `show`: itself, or a copy at the LCD's size."""
        size = (picture.width(), picture.height())
        if self._view is None or self._view.size != size:
            self._look_at(*size)
        return self._view.canvas(picture)

    def show(self, canvas):
        """Puts what `canvas` returned last on the LCD."""
        if self._message:
            # The borders of a smaller picture; display() with oft= leaves them alone.
            lcd.clear()
            self._message = False
        lcd.display(canvas, roi=self._view.roi, oft=self._view.offset)

    def draw(self, canvas, poses, count, least, caption, note):
        """Draws the first `count` poses into what `canvas` returned last, with joints of score `least` or more, and the
        texts where the LCD shows it. The best person is in front, and texts are in front of people."""
        self._people.identify(poses, count)
        left, top, columns, rows = self._view.roi
        note_line = top + rows - LINE_HEIGHT
        bottom = note_line if note else top + rows
        self._labels.clear(left, top + LINE_HEIGHT, left + columns, bottom)
        for n in range(count):
            self._view.locate(poses[n])
            self._place_label(poses[n])
        # The best one is located still where it is the only one.
        for n in range(count - 1, -1, -1):
            if count > 1:
                self._view.locate(poses[n])
            self._draw_pose(canvas, poses[n], self._colour(n), least)
        if self.turned:
            if note:
                x = left + columns - BAR_WIDTH
                canvas.draw_line(x, top, x, top + rows - 1, color=RED, thickness=BAR_WIDTH)
            return
        for n in range(count):
            if self._labels.there[n]:
                text = _label(poses[n])
                canvas.draw_string(self._labels.xs[n], self._labels.ys[n], text, color=self._colour(n))
        canvas.draw_string(left + 2, top + 1, caption, color=WHITE)
        if note:
            canvas.draw_string(left + 2, note_line, note, color=RED)

    def _colour(self, n):
        return COLOURS[self._people.numbers[n] % len(COLOURS)]

    def _place_label(self, pose):
        """The pose's score above its nose, or as near to that as there is room."""
        width = len(_label(pose)) * LETTER_WIDTH
        self._labels.add(self._view.xs[NOSE] - width // 2, self._view.ys[NOSE] - LABEL_ABOVE, width)

    def _draw_pose(self, canvas, pose, colour, least):
        xs = self._view.xs
        ys = self._view.ys
        scores = pose.scores
        for n in range(len(FROM)):
            a = FROM[n]
            b = TO[n]
            if scores[a] >= least and scores[b] >= least:
                canvas.draw_line(xs[a], ys[a], xs[b], ys[b], color=colour, thickness=LINE_WIDTH)
        for part in range(pose_decoder.PARTS):
            if scores[part] >= least:
                canvas.draw_circle(xs[part], ys[part], JOINT_RADIUS, color=colour, fill=True)
        if self.turned:
            self._draw_bar(canvas, pose.score, colour)

    def _draw_bar(self, canvas, score, colour):
        """The pose's score above its nose as it is seen, where x runs downwards: a bar as long as it is high."""
        left, top, columns, rows = self._view.roi
        x = self._view.xs[NOSE] - LABEL_ABOVE
        y = self._view.ys[NOSE] - BAR_LENGTH // 2
        x = min(max(x, left + BAR_WIDTH), left + columns - BAR_WIDTH)
        y = min(max(y, top), top + rows - 1 - BAR_LENGTH)
        canvas.draw_line(x, y, x, y + BAR_LENGTH, color=colour, thickness=1)
        canvas.draw_line(x, y, x, y + score * BAR_LENGTH // 255, color=colour, thickness=BAR_WIDTH)

    def message(self, title, text):
        """Shows text instead of the picture: a title, then lines as long as the LCD is wide."""
        lcd.clear()
        self._message = True
        columns = self.width // LETTER_WIDTH
        lines = wrapped(title, columns) + [""] + wrapped(text, columns)
        for n in range(min(len(lines), self.height // LINE_HEIGHT)):
            if lines[n]:
                lcd.draw_string(0, n * LINE_HEIGHT, lines[n], lcd.WHITE, lcd.BLACK)
