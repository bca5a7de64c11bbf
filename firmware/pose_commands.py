"""What the host may ask for: each sentence's fields are checked, done, and answered with one REPLY."""

import pose_config
import pose_errors
import pose_sender
import pose_settings
import pose_wire
from pose_errors import PoseError

MAX_REQUEST = 65535
# type: (method of Commands, fields after the id that must be there, fields taken).
TABLE = {
    b"PING": ("_ping", 0, 0),
    b"HELLO": ("_hello", 0, 0),
    b"SETTINGS": ("_settings", 0, 0),
    b"STATS": ("_stats", 0, 0),
    b"MODE": ("_mode", 1, 1),
    b"POSES": ("_poses", 1, 5),
    b"RATE": ("_rate", 1, 3),
    b"ZOOM": ("_zoom", 0, 2),
    b"PREVIEW": ("_preview", 1, 2),
    b"SAVE": ("_save", 0, 0),
    b"BAUD": ("_baud", 1, 1),
    b"PAUSE": ("_pause", 0, 0),
    b"RESUME": ("_resume", 0, 0),
    b"HEADS": ("_heads", 0, 0),
    b"RESEND": ("_resend", 3, 3),
    b"PIXELS": ("_pixels", 3, 3),
    b"CHUNK": ("_chunk", 2, 1),
    b"RUN": ("_run", 0, 1),
    b"SELFTEST": ("_selftest", 0, 1),
    b"PROFILE": ("_profile", 0, 0),
    b"RESET": ("_reset", 0, 0),
}
LOWEST_BAUD = 9600
HIGHEST_BAUD = 4000000


class Commands:
    """Answers sentences of the host on behalf of the app."""

    def __init__(self, app):
        self._app = app
        self._after = None
        self._fields = None

    def handle(self, fields):
        """One sentence, as `pose_wire.parse` gives it."""
        request = pose_wire.integer(fields[1]) if len(fields) > 1 else None
        self._after = None
        try:
            if request is None or not 0 <= request <= MAX_REQUEST:
                request = 0
                raise PoseError(pose_errors.BAD_FIELD, "the first field must be a number from 0 to %d" % MAX_REQUEST)
            if fields[0] not in TABLE:
                raise PoseError(pose_errors.UNKNOWN_TYPE, "no sentence %s is known" % _name(fields[0]))
            name, needed, taken = TABLE[fields[0]]
            self._fields = fields
            value = getattr(self, name)(*_numbers(fields[2:], needed, taken))
        except PoseError as error:
            self._app.sender.reply(request, error.code, 0, error.text)
            return
        self._app.sender.reply(request, 0, value or 0, "")
        if self._after:
            self._after()

    def _ping(self):
        return self._app.sender.now_ms()

    def _hello(self):
        self._app.hello()
        return pose_sender.PROTOCOL

    def _settings(self):
        self._app.sender.settings()

    def _stats(self):
        self._app.stats()

    def _mode(self, mode):
        self._app.change({"mode": mode})
        return mode

    def _poses(self, max_poses, root_score, nms_radius, pose_score, vote):
        self._app.change(
            {
                "max_poses": max_poses,
                "root_score": root_score,
                "nms_radius": nms_radius,
                "pose_score": pose_score,
                "vote": vote,
            }
        )

    def _rate(self, frame_ms, stats_ms, share):
        self._app.change({"frame_ms": frame_ms, "stats_ms": stats_ms, "share": share})

    def _zoom(self, zoom, smooth):
        if zoom not in (None, self._app.settings.zoom) and self._app.requests.receiving():
            # Another camera would take the upload's pixels away.
            raise PoseError(pose_errors.NOT_NOW, "pixels are coming in: send RUN or RESUME first")
        self._app.change({"zoom": zoom, "smooth": smooth})
        self._after = self._app.look_anew

    def _preview(self, preview_ms, quality):
        self._app.change({"preview_ms": preview_ms, "preview_quality": quality})

    def _save(self):
        pose_config.save({name: getattr(self._app.settings, name) for name in pose_settings.SAVED})

    def _baud(self, rate):
        if rate is None or not LOWEST_BAUD <= rate <= HIGHEST_BAUD:
            raise PoseError(pose_errors.BAD_FIELD, "rate must be from %d to %d" % (LOWEST_BAUD, HIGHEST_BAUD))
        self._after = lambda: self._app.link.set_baud(rate)
        return rate

    def _pause(self):
        self._app.pause(True)

    def _resume(self):
        self._app.pause(False)

    def _heads(self):
        return self._app.requests.ask_for_heads()

    def _resend(self, number, first, count):
        if None in (number, first, count):
            raise PoseError(pose_errors.BAD_FIELD, "block, first and count are needed")
        return self._app.outgoing.resend(number, first, count)

    def _pixels(self, width, height, crc32):
        return self._app.requests.begin_upload(width, height, crc32)

    def _chunk(self, number):
        return self._app.requests.upload_chunk(number, self._fields[3])

    def _run(self, heads):
        number = self._app.requests.check_upload(heads)
        self._after = lambda: self._app.requests.run_upload(heads)
        return number

    def _selftest(self, heads):
        number = self._app.requests.check_selftest(heads)
        self._after = lambda: self._app.requests.run_selftest(heads)
        return number

    def _profile(self):
        layers = self._app.requests.check_profile()
        self._after = self._app.requests.run_profile
        return layers

    def _reset(self):
        self._after = self._app.requests.reset


def _name(field):
    """The type of a sentence as text; a question mark for each byte that is not a capital letter."""
    return "".join([chr(byte) if 0x41 <= byte <= 0x5A else "?" for byte in field])


def _numbers(fields, needed, taken):
    """The fields as numbers, None for an empty or missing one."""
    if len(fields) < needed:
        raise PoseError(pose_errors.BAD_FIELD, "%d fields are needed after the id" % needed)
    values = []
    for n in range(taken):
        field = fields[n] if n < len(fields) else b""
        value = pose_wire.integer(field)
        if value is None and field:
            raise PoseError(pose_errors.BAD_FIELD, "field %d after the id is not a number" % (n + 1))
        values.append(value)
    return values
