"""A program of a few files that says who it is, and stops if its files are of two versions."""

from __future__ import annotations

from host_tools.serial_link import sentences

_MAIN = "import pose_app\n\npose_app.run({0})\n"
_APP = """import utime
import pose_part


def run(main):
    if (main, pose_part.VERSION) != ({0}, {0}):
        raise ValueError("main.py is %d, pose_app is {0}, pose_part is %d" % (main, pose_part.VERSION))
    print("program {0} runs")
    while True:
        print("{1}")
        utime.sleep_ms(100)
"""


def program(version: int) -> dict[str, str]:
    """Its files; the first version has one that the second has not, and the other way round."""
    numbers = (0, 96, 80, 320, 240, 1000, "-", 720, 115200)
    hello = sentences.made("HELLO", 1, f"0.{version}.0", 7, "MaixPy", "v0.6.3", "maix_bit", *numbers)
    return {
        "main.py": _MAIN.format(version),
        "pose_app.py": _APP.format(version, hello.decode().strip()),
        "pose_part.py": f"VERSION = {version}\n",
        **({"pose_more.py": "MORE = 1\n"} if version > 1 else {"pose_old.py": "OLD = 1\n"}),
    }
