"""`pose_config.json`, what the program knows of its board and what its maker chose: reading and checking it."""

import json

import pose_errors
import pose_files
import pose_settings
from pose_errors import PoseError

FILE = "pose_config.json"
FORMAT = "posenet-maix board 1"
# MaixPy's flash holds the firmware below and SPIFFS above.
FIRST_MODEL_ADDRESS = 0x200000
LAST_MODEL_ADDRESS = 0xCFF000
MODEL_ADDRESS = 0x300000

# Sections of integers: {name: (lowest, highest, default)}. -1 leaves a thing as the firmware has it.
MODEL = {"address": (FIRST_MODEL_ADDRESS, LAST_MODEL_ADDRESS, MODEL_ADDRESS)}
LCD = {
    "type": (1, 5, 1),
    "lcd_type": (0, 5, 0),
    "width": (8, 800, 320),
    "height": (8, 800, 240),
    "freq": (1000000, 40000000, 15000000),
    "invert": (0, 1, 0),
    "rotation": (-1, 3, -1),
    "mirror": (-1, 1, -1),
    "bgr": (-1, 1, -1),
}
# dual_buffer: -1 is two buffers where memory has room for them.
CAMERA = {"vflip": (-1, 1, -1), "hmirror": (-1, 1, -1), "dual_buffer": (-1, 1, -1)}
BUTTON = {"pin": (0, 47, -1), "pressed": (0, 1, 0)}
SETTINGS = {name: (low, high, default) for name, low, high, default in pose_settings.TABLE}
# Least score of a keypoint that is drawn, in 1/255; whether the LCD shows the whole picture at its size, or its middle
# as it is; whether the self-test runs at every start; the bytes that MicroPython's heap is to have (0: as many as it
# has).
OTHERS = {"draw_score": (0, 255, 64), "lcd_scale": (0, 1, 1), "selftest": (0, 1, 0), "heap": (0, 4 << 20, 0)}
SECTIONS = {"model": MODEL, "lcd": LCD, "camera": CAMERA, "pause_button": BUTTON, "settings": SETTINGS}
# Sections that may be null: the board has none.
OPTIONAL = ("lcd", "camera", "pause_button")
NAMES = ("format", "board", "pictures")


class Config:
    """The checked file: `board`, `pictures` (a folder, or None), a dict for each section (None where the board has
    none), `draw_score`, `lcd_scale`, `selftest` and `heap`."""

    def __init__(self, values):
        _check_names(values)
        self.board = _text(values, "board", "unknown")
        self.pictures = _text(values, "pictures", None)
        self.model = _section(values, "model")
        self.lcd = _section(values, "lcd")
        self.camera = _section(values, "camera")
        self.pause_button = _section(values, "pause_button") if values.get("pause_button") else None
        if self.pause_button and self.pause_button["pin"] < 0:
            raise _wrong("%s: pause_button.pin is missing" % FILE)
        self.settings = _section(values, "settings")
        for name in OTHERS:
            setattr(self, name, _number(name, values.get(name), OTHERS[name]))


def load():
    """The config of this board: its file, or the defaults (a QVGA camera, a standard LCD) where there is none."""
    path = _path()
    if path is None:
        print("posenet: no %s, so taking a standard LCD and camera; `deploy --board` writes one" % FILE)
        return Config({"format": FORMAT})
    return Config(_read(path))


def save(settings):
    """Writes {name: value} into the file as the settings of the next start; the rest of it stays.

    PoseError where that cannot be: then the file is as it was.
    """
    path = _path()
    values = {"format": FORMAT} if path is None else _read(path)
    kept = dict(values.get("settings") or {})
    kept.update(settings)
    values["settings"] = kept
    Config(values)
    place = "%s/%s" % (pose_files.folders()[0], FILE) if path is None else path
    try:
        pose_files.replace(_stem(place), json.dumps(values).encode())
    except OSError as error:
        raise PoseError(pose_errors.NOT_POSSIBLE, "%s cannot be written (%s): is it full?" % (place, error))


def _path():
    """Where the file lies, None where it does not: under its other name if the power went while it was exchanged."""
    return pose_files.find(FILE) or pose_files.find(FILE + pose_files.NEW)


def _stem(path):
    return path[: -len(pose_files.NEW)] if path.endswith(pose_files.NEW) else path


def _read(path):
    with pose_files.opened(path) as file:
        try:
            values = json.load(file)
        except ValueError:
            raise _wrong("%s is not JSON" % path)
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise _wrong('%s: format is not "%s"' % (path, FORMAT))
    return values


def _wrong(what):
    return PoseError(pose_errors.BAD_CONFIG, what + "; write it again with `deploy --board`")


def _check_names(values):
    for name in values:
        if name not in NAMES and name not in SECTIONS and name not in OTHERS:
            raise _wrong("%s: there is no %s" % (FILE, name))


def _text(values, name, default):
    value = values.get(name, default)
    if value is not default and not isinstance(value, str):
        raise _wrong("%s: %s is not a text" % (FILE, name))
    return value


def _section(values, name):
    """The numbers of a section with its defaults; None if it is null and may be."""
    table = SECTIONS[name]
    given = values.get(name, {})
    if given is None and name in OPTIONAL:
        return None
    if not isinstance(given, dict):
        raise _wrong("%s: %s is not a section" % (FILE, name))
    for key in given:
        if key not in table:
            raise _wrong("%s: there is no %s.%s" % (FILE, name, key))
    return {key: _number("%s.%s" % (name, key), given.get(key), table[key]) for key in table}


def _number(name, value, row):
    low, high, default = row
    if value is None:
        return default
    # True is an int in CPython, not in MicroPython.
    if type(value) is not int or not low <= value <= high:
        raise _wrong("%s: %s is %s, must be a whole number from %d to %d" % (FILE, name, value, low, high))
    return value
