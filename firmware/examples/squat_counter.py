"""Counts squats of the person in front of the camera. Put this on the board as main.py.

Stand so that hips, knees and ankles are in the picture. What counts is how high the hip is above the knee, in shins
(knee to ankle): upright it is about one, in a squat near zero.
"""

import pose_app

HIPS, KNEES, ANKLES = (11, 12), (13, 14), (15, 16)
# Keypoints below this score (of 255) are guesses.
SURE = 80
# Thigh over shin, in percent: below the first it is a squat, above the second one stands. Between them nothing changes.
DOWN = 40
UP = 75


class Counter:
    """Counts each way down and up again."""

    def __init__(self):
        self.squats = 0
        self.down = False

    def see(self, percent):
        """Takes thigh over shin of one frame, in percent."""
        if percent < DOWN and not self.down:
            self.down = True
        elif percent > UP and self.down:
            self.down = False
            self.squats += 1
            print("squats: %d" % self.squats)


def thigh_over_shin(pose):
    """How high the hip is above the knee, in percent of the shin, on the side seen better; None if neither is."""
    best = None
    best_score = SURE - 1
    for side in (0, 1):
        hip, knee, ankle = HIPS[side], KNEES[side], ANKLES[side]
        score = min(pose.scores[hip], pose.scores[knee], pose.scores[ankle])
        shin = pose.y16[ankle] - pose.y16[knee]
        if score > best_score and shin > 0:
            best = (pose.y16[knee] - pose.y16[hip]) * 100 // shin
            best_score = score
    return best


counter = Counter()


def on_frame(poses, frame, image):
    """Called with every frame."""
    if poses:
        percent = thigh_over_shin(poses[0])
        if percent is not None:
            counter.see(percent)
    image.draw_string(4, image.height() - 20, "squats: %d" % counter.squats, color=(255, 255, 255))


pose_app.run(on_frame)
