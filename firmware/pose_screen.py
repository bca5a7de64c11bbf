"""The LCD: where the picture lies on it, skeletons and numbers in the picture, messages instead of it."""

import lcd
import pose_board
import pose_errors
from pose_errors import PoseError

# The lines drawn between keypoints (tfjs-models posenet, connectedPartNames): line n joins FROM[n] and TO[n].
FROM = bytes((11, 7, 7, 11, 13, 12, 8, 8, 12, 14, 5, 11))
TO = bytes((5, 5, 9, 13, 15, 6, 6, 10, 14, 16, 6, 12))
PARTS = 17
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


def fit(picture, screen):
    """One axis of a picture on a screen, both in pixels: (first pixel shown, pixels shown, place on the screen).

    Nothing is resized: what is larger is cut on both sides alike, what is smaller stands in the middle.
    """
    if picture > screen:
        return (picture - screen) // 2, screen, 0
    return 0, picture, (screen - picture) // 2


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


class Screen:
    """An LCD that is ready; `width` and `height` as it stands. `turned` 1: the board stands upright, and the picture's
    rows run downwards: MaixPy cannot turn letters, so bars stand for them, or nothing."""

    def __init__(self, config):
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
        self._size = None
        self._message = True
        self._roi = self._offset = (0, 0)

    def _place(self, picture):
        """Takes the picture's size."""
        width = picture.width()
        height = picture.height()
        if (width, height) == self._size:
            return
        left, columns, x = fit(width, self.width)
        top, rows, y = fit(height, self.height)
        self._size = (width, height)
        self._roi = (left, top, columns, rows)
        self._offset = (x, y)
        self._message = True

    def show(self, picture):
        """Puts the picture on the LCD, as it is."""
        self._place(picture)
        if self._message:
            # The borders of a smaller picture; display() with oft= leaves them alone.
            lcd.clear()
            self._message = False
        lcd.display(picture, roi=self._roi, oft=self._offset)

    def draw(self, picture, poses, count, least, caption, note):
        """Draws the first `count` poses into the picture, with joints of score `least` or more, and the texts where
        the LCD shows that part of the picture."""
        self._place(picture)
        for n in range(count):
            self._draw_pose(picture, poses[n], COLOURS[n % len(COLOURS)], least)
        left, top, columns, rows = self._roi
        if self.turned:
            if note:
                x = left + columns - BAR_WIDTH
                picture.draw_line(x, top, x, top + rows - 1, color=RED, thickness=BAR_WIDTH)
            return
        picture.draw_string(left + 2, top + 1, caption, color=WHITE)
        if note:
            picture.draw_string(left + 2, top + rows - LINE_HEIGHT, note, color=RED)

    def _draw_pose(self, picture, pose, colour, least):
        xs = pose.x16
        ys = pose.y16
        scores = pose.scores
        for n in range(len(FROM)):
            a = FROM[n]
            b = TO[n]
            if scores[a] >= least and scores[b] >= least:
                picture.draw_line(
                    xs[a] + 8 >> 4,
                    ys[a] + 8 >> 4,
                    xs[b] + 8 >> 4,
                    ys[b] + 8 >> 4,
                    color=colour,
                    thickness=LINE_WIDTH,
                )
        for part in range(PARTS):
            if scores[part] >= least:
                picture.draw_circle(xs[part] + 8 >> 4, ys[part] + 8 >> 4, JOINT_RADIUS, color=colour, fill=True)
        if self.turned:
            self._draw_bar(picture, pose, colour)
        else:
            self._draw_score(picture, pose, colour)

    def _draw_bar(self, picture, pose, colour):
        """The pose's score above its nose as it is seen, where x runs downwards: a bar as long as it is high."""
        left, top, columns, rows = self._roi
        x = (pose.x16[NOSE] >> 4) - LABEL_ABOVE
        y = (pose.y16[NOSE] >> 4) - BAR_LENGTH // 2
        x = min(max(x, left + BAR_WIDTH), left + columns - BAR_WIDTH)
        y = min(max(y, top), top + rows - 1 - BAR_LENGTH)
        picture.draw_line(x, y, x, y + BAR_LENGTH, color=colour, thickness=1)
        picture.draw_line(x, y, x, y + pose.score * BAR_LENGTH // 255, color=colour, thickness=BAR_WIDTH)

    def _draw_score(self, picture, pose, colour):
        """The pose's score above its nose, or as near to that as the LCD shows."""
        left, top, columns, rows = self._roi
        text = "%d%%" % (pose.score * 100 // 255)
        x = (pose.x16[NOSE] >> 4) - len(text) * LETTER_WIDTH // 2
        y = (pose.y16[NOSE] >> 4) - LABEL_ABOVE
        x = min(max(x, left), left + columns - len(text) * LETTER_WIDTH)
        y = min(max(y, top + LINE_HEIGHT), top + rows - LINE_HEIGHT)
        picture.draw_string(x, y, text, color=colour)

    def message(self, title, text):
        """Shows text instead of the picture: a title, then lines as long as the LCD is wide."""
        lcd.clear()
        self._message = True
        columns = self.width // LETTER_WIDTH
        lines = wrapped(title, columns) + [""] + wrapped(text, columns)
        for n in range(min(len(lines), self.height // LINE_HEIGHT)):
            if lines[n]:
                lcd.draw_string(0, n * LINE_HEIGHT, lines[n], lcd.WHITE, lcd.BLACK)
