"""The test card: a picture made by integers alone, the same on the board, under MicroPython and under CPython.

One or two drawn people on a plain ground, with noise over all of it and a stripe of nothing but noise at the right.
It is the input of the model card's test vector: a board draws it, runs the network on it and compares what comes out.
"""

from array import array

# Noise that is added to every pixel: up to 3 steps of red and blue, 7 of green, in RGB565. Colours leave room for it,
# and for the shading across a shape, so that no channel ever overflows into the next.
NOISE = 0x18E3
SHADE = 0x0841
SHADES = 7

# A person, 256 units tall, of which one side is listed: what is not on the axis is drawn on both sides, in this order.
# (colour, top, bottom, x at the top, x at the bottom, half width at the top, half width at the bottom); shapes whose
# half width at the bottom is ROUND are ellipses.
ROUND = -1
HAIR, SKIN, SHIRT, TROUSERS, DARK = range(5)
BODY = (
    (HAIR, 0, 34, 0, 0, 15, ROUND),
    (SKIN, 34, 50, 0, 0, 6, 7),
    (TROUSERS, 150, 200, 9, 11, 10, 8),
    (TROUSERS, 200, 244, 11, 12, 8, 6),
    (DARK, 242, 254, 15, 16, 9, 10),
    (SHIRT, 46, 54, 0, 0, 14, 27),
    (SHIRT, 54, 110, 0, 0, 27, 21),
    (SHIRT, 110, 130, 0, 0, 21, 21),
    (TROUSERS, 128, 156, 0, 0, 21, 21),
    (SKIN, 6, 40, 0, 0, 13, ROUND),
    (SKIN, 20, 28, 13, 13, 2, ROUND),
    (DARK, 19, 23, 5, 5, 3, ROUND),
    (DARK, 31, 34, 0, 0, 5, ROUND),
)
ARMS_DOWN = (
    (SHIRT, 54, 96, 27, 35, 7, 6),
    (SKIN, 96, 138, 35, 38, 6, 5),
    (SKIN, 135, 149, 39, 39, 5, ROUND),
)
ARMS_BENT = (
    (SHIRT, 54, 96, 27, 38, 7, 6),
    (SKIN, 66, 98, 48, 38, 5, 6),
    (SKIN, 55, 69, 49, 49, 5, ROUND),
)
# RGB565 of HAIR, SKIN, SHIRT, TROUSERS, DARK: red 3..25, green 6..50, blue 3..25.
FIGURES = (
    (BODY + ARMS_DOWN, (0x3924, 0xC553, 0x3A99, 0x3969, 0x20E5)),
    (BODY + ARMS_BENT, (0x2104, 0xBD12, 0xB106, 0x5B4B, 0x20C4)),
)
GROUND = 0x9CD0


def noise(x, y):
    """16 bits that look random, from a pixel's place."""
    value = x * 40503 + y * 30011 & 0xFFFF
    value = (value ^ value >> 7) * 25173 + 13849 & 0xFFFF
    value = (value ^ value >> 5) * 8121 + 28411 & 0xFFFF
    return value ^ value >> 8


def draw_row(y, width, height, row):
    """Draws row `y` of the card of `width` x `height` pixels into `row`, a buffer of at least `width` RGB565 words.

    A word is red << 11 | green << 5 | blue; the order of its bytes is the caller's business.
    """
    plain = width - width // 8
    for x in range(plain):
        row[x] = GROUND
    people = 2 if width >= height else 1
    tall = min(height * 15 // 16, plain // people * 5 // 2)
    unit = ((y - (height - tall) // 2) * 256) // tall
    for n in range(people):
        shapes, colours = FIGURES[n]
        for shape in shapes:
            _draw_shape(row, plain, plain * (2 * n + 1) // (2 * people), tall, unit, shape, colours)
    for x in range(plain):
        row[x] += noise(x, y) & NOISE
    for x in range(plain, width):
        row[x] = noise(x, y)


def _draw_shape(row, width, centre, tall, unit, shape, colours):
    """The row `unit` units below the person's top of one shape and its mirror image."""
    colour, top, bottom, x_top, x_bottom, half_top, half_bottom = shape
    if not top <= unit < bottom:
        return
    axis = x_top + (x_bottom - x_top) * (unit - top) // (bottom - top)
    half = _half_width(unit - top, bottom - top, half_top, half_bottom)
    for x in (axis, -axis):
        _draw_span(row, width, centre + (x - half) * tall // 256, centre + (x + half) * tall // 256, colours[colour])


def _half_width(down, length, half_top, half_bottom):
    """Half width of a shape, `down` units below its top."""
    if half_bottom != ROUND:
        return half_top + (half_bottom - half_top) * down // length
    across = length * length - (2 * down + 1 - length) * (2 * down + 1 - length)
    half = half_top
    while half * half * length * length > half_top * half_top * across:
        half -= 1
    return half


def _draw_span(row, width, first, end, colour):
    """Pixels from `first` to before `end`, lit from the left."""
    for x in range(max(first, 0), min(end, width)):
        row[x] = colour + (SHADES // 2 - SHADES * (x - first) // (end - first)) * SHADE


# The run: what the board found on the card, against the test vector of the device card.

PASSED, HEADS_DIFFER, POSES_DIFFER = range(3)


def draw(data, width, height):
    """Draws the whole card into the buffer of an RGB565 picture, whose pixels have their high byte first."""
    row = array("H", [0] * width)
    at = 0
    for y in range(height):
        draw_row(y, width, height, row)
        for word in row:
            data[at] = word >> 8
            data[at + 1] = word & 255
            at += 2


def compare(vector, crc32, poses, count):
    """(result, text): whether heads of this checksum and these `count` poses are those of the test vector."""
    if crc32 != vector["heads_crc32"]:
        return HEADS_DIFFER, "the heads differ: CRC-32 %08x, expected %08x" % (crc32, vector["heads_crc32"])
    expected = vector["poses"]
    if count != len(expected):
        return POSES_DIFFER, "%d poses, expected %d" % (count, len(expected))
    for n in range(count):
        text = _pose_difference(poses[n], expected[n])
        if text:
            return POSES_DIFFER, "pose %d: %s" % (n, text)
    return PASSED, "PASS"


def _pose_difference(pose, expected):
    if pose.score != expected["score"]:
        return "score %d, expected %d" % (pose.score, expected["score"])
    for part, keypoint in enumerate(expected["keypoints"]):
        found = (pose.x16[part], pose.y16[part], pose.scores[part])
        if found != tuple(keypoint):
            return "keypoint %d is %s, expected %s" % (part, found, tuple(keypoint))
    return ""
