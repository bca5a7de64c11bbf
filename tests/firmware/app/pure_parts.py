# Runs under MicroPython and CPython alike: what the parts without hardware give, printed, so that it can be compared.
import sys


class Stub:
    """Stands for a module of the board: nothing of it is called here."""

    GPIO = utils = UART = None


for name in ("image", "lcd", "machine", "Maix"):
    sys.modules[name] = Stub
if sys.implementation.name == "cpython":
    sys.modules["utime"] = Stub

import pose_canvas  # noqa: E402
import pose_config  # noqa: E402
import pose_errors  # noqa: E402
import pose_screen  # noqa: E402
import pose_settings  # noqa: E402
import pose_wire  # noqa: E402

TEXTS = ("", "plain", "50 % of $5, *all*", "zwölf \u20ac", "a\nb\r\tc", "x" * 2000, "ü" * 900)
LINES = (
    b"$PING,1*F692\r\n",
    b"$PING,1*F692",
    b"noise $PING,1*F692\n",
    b"$PING,1*f692\n",
    b"$PING,2*F692\n",
    b"$P\n",
    b"$\n",
    b"\xff\xfe$A\xff*0000",
    b"$" + b"A" * 1100 + b"*0000",
)
FIELDS = (b"", b"0", b"-5", b"12345678901234567", b"99999999999999999999", b"1.5", b"+1", b" 1", b"0x1", b"--1")
CONFIGS = (
    {"format": pose_config.FORMAT},
    {"format": pose_config.FORMAT, "lcd": None, "camera": None, "pause_button": {"pin": 3}},
    {"format": pose_config.FORMAT, "lcd": {"rotation": 9}},
    {"format": pose_config.FORMAT, "lcd": {"rotation": True}},
    {"format": pose_config.FORMAT, "lcd": {"rotation": 1.5}},
    {"format": pose_config.FORMAT, "settings": {"max_poses": "5"}},
    {"format": pose_config.FORMAT, "what": 1},
    {"format": pose_config.FORMAT, "board": 1},
    {"format": pose_config.FORMAT, "draw_score": 300},
)


def tried(function, *arguments):
    """What a call gives, or the code and text of what it raises."""
    try:
        return function(*arguments)
    except pose_errors.PoseError as error:
        return error.code, error.text


def sentence(text):
    writer = pose_wire.Writer(pose_wire.MAX_SENTENCE)
    writer.text(b"ERROR,1,2", text)
    return bytes(writer.view[: writer.size])


def config(values):
    made = pose_config.Config(values)
    return [sorted(getattr(made, name).items()) for name in ("model", "settings")] + [made.lcd is None, made.selftest]


for text in TEXTS:
    print(sentence(text))
    print([[line.encode() for line in pose_screen.wrapped(text, columns)] for columns in (1, 7, 40)])
for line in LINES:
    print(pose_wire.parse(line))
for field in FIELDS:
    print(pose_wire.integer(field))
for size in range(8, 700, 13):
    print(pose_canvas.fit(320, size), pose_canvas.fit(size, 240))
for values in CONFIGS:
    print(tried(config, values))
settings = pose_settings.Settings()
for change in ({"max_poses": 7, "root_score": None}, {"max_poses": 2, "frame_ms": -1}, {"mode": 1}):
    print(tried(settings.change, change), settings.values())
for error in (pose_errors.PoseError(23, "no kmodel"), MemoryError("full"), ZeroDivisionError("by zero"), OSError(5)):
    print(pose_errors.described(error)[0])
