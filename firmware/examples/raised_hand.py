"""A raised hand switches a pin. Put this on the board as main.py.

A hand is raised while a wrist is above the nose of the same person, seen in three frames in a row.
"""

import pose_app
from fpioa_manager import fm
from Maix import GPIO

# The green LED of a Maix Bit or Maixduino, which lights at level 0; take any free pin of your board.
PIN = 12
ON = 0
NOSE, LEFT_WRIST, RIGHT_WRIST = 0, 9, 10
# Keypoints below this score (of 255) are guesses.
SURE = 100
FRAMES = 3

fm.register(PIN, fm.fpioa.GPIOHS0, force=True)
pin = GPIO(GPIO.GPIOHS0, GPIO.OUT)
pin.value(1 - ON)


class Switch:
    """Switches after the same answer in FRAMES frames in a row."""

    def __init__(self):
        self.on = False
        self.frames = 0

    def see(self, raised):
        """Takes the answer of one frame."""
        self.frames = self.frames + 1 if raised != self.on else 0
        if self.frames == FRAMES:
            self.on = raised
            self.frames = 0
            pin.value(ON if raised else 1 - ON)
            print("hand raised" if raised else "hand down")


def hand_is_up(pose):
    """Whether a wrist is above the nose; y grows downwards."""
    if pose.scores[NOSE] < SURE:
        return False
    nose = pose.y16[NOSE]
    return any(pose.scores[wrist] >= SURE and pose.y16[wrist] < nose for wrist in (LEFT_WRIST, RIGHT_WRIST))


switch = Switch()


def on_frame(poses, frame, image):
    """Called with every frame."""
    raised = False
    for pose in poses:
        raised = raised or hand_is_up(pose)
    switch.see(raised)


pose_app.run(on_frame)
