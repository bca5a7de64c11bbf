"""What can be changed while the program runs, by the host and by `pose_config.json`: names, ranges, values."""

import pose_decoder
import pose_errors
from pose_errors import PoseError

SEVERAL = 0
SINGLE = 1
LONGEST_MS = 3600000
# Least score of a pose that is sent and drawn, in 1/32768: 0.10. What scores less is nearly always a second pose on a
# person who has one. The decoder alone, the self-test and the host's evaluation keep such poses; the host reads this
# number from here, for what it shows.
POSE_SCORE = 3277
# How far from a keypoint, in pixels, its neighbours may say that it is to refine it; half a cell. The decoder alone has
# no vote; a self-test has that of its test vector.
VOTE = 8

# (name, lowest, highest, value at start), in the order of the SETTINGS sentence; four of the decoder's five in the
# order of its `configure`, scores in 1/32768.
TABLE = (
    ("mode", 0, 1, SEVERAL),
    ("max_poses", 1, 32, pose_decoder.DEFAULTS[0]),
    ("root_score", 1, 32768, pose_decoder.DEFAULTS[1]),
    ("nms_radius", 0, 1023, pose_decoder.DEFAULTS[2]),
    ("pose_score", 0, 32768, POSE_SCORE),
    ("frame_ms", 0, LONGEST_MS, 0),
    ("stats_ms", 0, LONGEST_MS, 10000),
    ("preview_ms", 0, LONGEST_MS, 0),
    ("preview_quality", 10, 95, 50),
    # Percent of the time that sending frames may take, since the loop stands still meanwhile.
    ("share", 1, 100, 20),
    ("vote", 0, pose_decoder.MAX_VOTE, VOTE),
    # -1: follow where two VGA frames have room, else off; 0: off; 1: follow; 2 to 4: the full frame, 1 to 3 windows.
    ("zoom", -1, 4, 0),
    ("smooth", 0, 1, 0),
)
NAMES = tuple([row[0] for row in TABLE])
# What SAVE keeps for the next start: all but the previews, which last as long as somebody looks.
SAVED = tuple([name for name in NAMES if not name.startswith("preview_")])


class Settings:
    """The values, as attributes by name."""

    def __init__(self):
        for name, _, _, value in TABLE:
            setattr(self, name, value)

    def change(self, changes):
        """Sets what {name: value} says; PoseError leaves all as it was."""
        for name, low, high, _ in TABLE:
            value = changes.get(name)
            if value is not None and not low <= value <= high:
                raise PoseError(pose_errors.BAD_FIELD, "%s is %d, must be from %d to %d" % (name, value, low, high))
        for name in changes:
            if changes[name] is not None:
                setattr(self, name, changes[name])

    def values(self):
        """All values, in the order of the table."""
        return [getattr(self, name) for name in NAMES]

    def decoder(self):
        """The decoder's five parameters, in the order of its `configure`."""
        return self.max_poses, self.root_score, self.nms_radius, self.pose_score, self.vote
