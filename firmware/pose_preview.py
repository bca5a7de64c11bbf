"""Previews: a JPEG of the camera's picture for the host, without skeletons, every so often."""

import pose_bulk
import pose_errors
import utime
from pose_errors import PoseError

# Half of a JPEG is made by the second core, which looks for an SD card for the first ten seconds; where the slot is
# empty, a picture compressed meanwhile comes when that is over, and half of it is wrong.
CARD_SEARCH_MS = 10000
# MaixPy's image.compressed() takes 304 KiB of the system's heap on a minimum build, 708 on a full one, for a picture of
# whatever size. A full build has that beside 320x240 with a smaller heap of MicroPython's and one camera buffer only;
# two VGA frames leave it to no build.
ROOM = (
    "a `minimum` build of MaixPy without zoom has room, or `deploy --heap 384 --set camera.dual_buffer=0 "
    "--set settings.zoom=0`"
)


class Preview:
    """Makes them on behalf of the app."""

    def __init__(self, app):
        self._app = app
        self._taken = utime.ticks_add(utime.ticks_ms(), CARD_SEARCH_MS)
        self._jpeg = None

    def take(self, picture, frame):
        """Starts to send a JPEG of the picture, still without skeletons, when it is time."""
        app = self._app
        every = app.settings.preview_ms
        if not every or app.outgoing.busy() or utime.ticks_diff(utime.ticks_ms(), self._taken) < every:
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
