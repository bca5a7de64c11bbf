"""Previews: a JPEG of the camera's picture for the host, without skeletons, every so often."""

import image
import pose_board
import pose_bulk
import pose_errors
import utime
from pose_errors import PoseError

# Half of a JPEG is made by the second core, which looks for an SD card for the first ten seconds; where the slot is
# empty, a picture compressed meanwhile comes when that is over, and half of it is wrong.
CARD_SEARCH_MS = 10000
# What MaixPy's image.compressed() takes of the system's heap for a picture of whatever size; a `minimum` build, which
# takes less, has no classifiers.
BYTES = (708 if hasattr(image, "HaarCascade") else 304) * 1024
# A full build has that beside 320x240 with a smaller heap of MicroPython's and one camera buffer only; two VGA frames
# leave it to no build.
ROOM = (
    "a `minimum` build of MaixPy without zoom has room, or `deploy --heap 384 --set camera.dual_buffer=0 "
    "--set settings.zoom=0`"
)


class Preview:
    """Makes them on behalf of the app. `missing`: KiB that they lack; 0 where there is room, or nobody knows."""

    def __init__(self, app):
        self.missing = 0
        self._app = app
        self._taken = utime.ticks_add(utime.ticks_ms(), CARD_SEARCH_MS)
        self._jpeg = None

    def tell(self):
        """Looks at what is missing beside kmodel, camera and LCD, and prints it unless it was as much before."""
        before = self.missing
        free = pose_board.system_free()
        self.missing = (BYTES - free + 1023) // 1024 if 0 <= free < BYTES else 0
        if self.missing and self.missing != before:
            print("posenet: no previews, which need %d KiB more: %s" % (self.missing, ROOM))

    def take(self, picture, frame):
        """Starts to send a JPEG of the picture (None: it is not shown), still without skeletons, when it is time."""
        app = self._app
        every = app.settings.preview_ms
        if (
            picture is None
            or not every
            or app.outgoing.busy()
            or utime.ticks_diff(utime.ticks_ms(), self._taken) < every
        ):
            return
        self._taken = utime.ticks_ms()
        self._jpeg = None
        try:
            self._jpeg = picture.compressed(quality=app.settings.preview_quality)
        except (MemoryError, OSError, RuntimeError, ValueError) as error:
            app.settings.preview_ms = 0
            app.errors.report(PoseError(pose_errors.NO_PREVIEW, "no preview (%s): it is off now; %s" % (error, ROOM)))
            app.sender.settings()
            return
        app.outgoing.start(pose_bulk.JPEG, self._jpeg.to_bytes(), frame)
