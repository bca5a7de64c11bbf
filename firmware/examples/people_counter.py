"""Counts the people in the picture. Put this on the board as main.py.

The number is written into the picture, and printed when it changes. A person who is missed in a frame or two does not
change it: it is the middle one of the last nine counts.
"""

import pose_app

# A pose with less than this score (of 255) is not counted.
SURE = 80
FRAMES = 9

counts = [0] * FRAMES
shown = [0]


def on_frame(poses, frame, image):
    """Called with every frame."""
    people = 0
    for pose in poses:
        if pose.score >= SURE:
            people += 1
    counts[frame % FRAMES] = people
    number = sorted(counts)[FRAMES // 2]
    if number != shown[0]:
        shown[0] = number
        print("people: %d" % number)
    image.draw_string(4, image.height() - 20, "people: %d" % number, color=(255, 255, 255))


pose_app.run(on_frame)
