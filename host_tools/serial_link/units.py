"""The units of the numbers in sentences: integers, whose ones these are (firmware/README.md, "The serial line")."""

# Coordinates of keypoints, in pixels of the model's picture.
PER_PIXEL = 16
# Scores of poses and keypoints.
SCORE_ONE = 255
# Thresholds of scores, as the settings `root_score` and `pose_score` have them: the decoder's Q15.
THRESHOLD_ONE = 32768
# The ranges of the settings (firmware/pose_settings.py).
MOST_POSES = 32
MOST_RADIUS = 1023
MOST_VOTE = 16
PREVIEW_QUALITIES = (10, 95)
LEAST_ZOOM = -1
MOST_ZOOM = 4
