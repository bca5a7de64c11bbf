"""Starts the program, and says so where it cannot start.

    import pose_app
    pose_app.run()                    # or run(on_frame), see README.md

Ctrl-C ends it and gives the REPL.
"""

import sys

import pose_heap


def run(on_frame=None):
    """Runs until Ctrl-C. `on_frame(poses, frame, image)` is called for every frame before it is shown: a list of
    poses (`score`, `x16`, `y16`, `scores`; the next frame overwrites them), the frame's number, and the model's
    picture, over which skeletons are drawn then."""
    pose_heap.settle()
    try:
        with pose_heap.Importing():
            import pose_loop
    except Exception as error:
        _cannot_start(error)
        raise
    pose_loop.App(on_frame).run()


def _cannot_start(error):
    """Says on LCD and line why there is no program; without its other files, which may be what is wrong."""
    for name in list(sys.modules):
        if name.startswith("pose_") and name not in ("pose_app", "pose_heap"):
            del sys.modules[name]
    text = "%s: %s" % (type(error).__name__, error)
    print("posenet: the program cannot start (%s): run `deploy` again" % text)
    try:
        import lcd

        lcd.init()
        lcd.draw_string(0, 0, "posenet cannot start:", lcd.RED, lcd.BLACK)
        for n in range(0, len(text), COLUMNS):
            lcd.draw_string(0, ROW * (n // COLUMNS + 2), text[n : n + COLUMNS], lcd.WHITE, lcd.BLACK)
    except Exception as trouble:  # noqa: BLE001 - no LCD, or another kind of it: the line has said it
        print("posenet: nor on the LCD (%s)" % trouble)


# Letters in a line of a small LCD, and the height of one in pixels.
COLUMNS = 28
ROW = 16
