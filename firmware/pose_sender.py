"""The sentences that the board sends, from what the program knows; the table is in README.md."""

import gc

import pose_board
import pose_boot
import pose_decoder
import pose_wire
import utime

PROTOCOL = 1
FIRMWARE = "0.1.0"
PARTS = 17
# What a frame and each of its poses take at least: less room on the line than this, and they need not be written.
LEAST_FRAME = 40
LEAST_POSE = 130
# With nobody there who speaks, sending gets this part of its share, unless that is all of the time.
SILENT_PART = 3
ALL = 100
POSE = b"POSE,%d,%d,%d" + b",%d,%d,%d" * PARTS


class Sender:
    """Writes sentences for the link; counts frames `sent` and `skipped`."""

    def __init__(self, link, settings):
        self.sent = 0
        self.skipped = 0
        self.boot = pose_boot.number()
        self._begin = utime.ticks_ms()
        self._link = link
        self._settings = settings
        self._writer = pose_wire.Writer(pose_wire.MAX_SENTENCE)
        self._frames = None
        self._values = [0] * (3 + 3 * PARTS)
        # From one frame that is sent to the next, so that sending takes its share of the time at most.
        self._share_ms = 0
        self._last_frame = -settings.frame_ms
        self.fit()

    def fit(self):
        """Makes room for as many poses as the settings allow, and for those of the self-test."""
        poses = max(self._settings.max_poses, pose_decoder.DEFAULTS[0])
        size = pose_wire.MAX_FRAME + pose_wire.MAX_WINDOWS + poses * pose_wire.MAX_POSE
        if self._frames is None or len(self._frames.line) != size:
            self._frames = None
            self._frames = pose_wire.Writer(size)
            self._link.expect(size)

    def now_ms(self):
        """Milliseconds since the program started."""
        return utime.ticks_diff(utime.ticks_ms(), self._begin)

    def _send(self, body):
        self._writer.clear()
        self._writer.sentence(body)
        self._link.send(self._writer)

    def hello(self, config, source, card, screen, preview_missing):
        """HELLO; `config`, `card` and `screen` may be None."""
        self._send(
            (
                "HELLO,%d,%s,%d,%s,%s,%s,%d,%d,%d,%d,%d,%d,%s,%d,%d,%d,%d"
                % (
                    PROTOCOL,
                    FIRMWARE,
                    self.boot,
                    pose_board.name_of(pose_board.SYSTEM),
                    pose_board.release(),
                    pose_board.name_of(config.board if config else "-"),
                    source,
                    card.width if card else 0,
                    card.height if card else 0,
                    screen.width if screen else 0,
                    screen.height if screen else 0,
                    card.bytes if card else 0,
                    pose_board.name_of(card.sha256) if card else "-",
                    pose_wire.HOST_CHUNK,
                    self._link.baud,
                    card.turned if card else 0,
                    preview_missing,
                )
            ).encode()
        )

    def frame(self, number, source, poses, count, stages, forced, look=None):
        """FRAME and the POSEs of the first `count` poses, unless the line has no room, it is too soon, or sending has
        had its share of the time; `forced` sends them in any case. `stages` are five times in microseconds; the last
        one, of sending, is set here. `look` has the windows of the frame, if it has any."""
        begin = utime.ticks_us()
        now = self.now_ms()
        if not forced and not self._may_send(now, LEAST_FRAME + LEAST_POSE * count):
            self.skipped += 1
            return
        writer = self._frames
        writer.clear()
        writer.begin(b"FRAME,%d,%d,%d,%d" % (number, now, source, count))
        for stage in stages:
            writer.put(b",%d" % stage)
        if look and look.runs:
            writer.put(b",%d" % look.warp_us)
            for n in range(3 * look.runs):
                writer.put(b",%d" % look.windows[n])
        writer.end()
        for n in range(count):
            _write_pose(writer, number, n, poses[n], self._values)
        if not forced and self._link.credit() < writer.size:
            self.skipped += 1
            return
        self._link.send(writer)
        self.sent += 1
        self._last_frame = now
        stages[4] = utime.ticks_diff(utime.ticks_us(), begin)
        self._share_ms = stages[4] // (10 * self._share())

    def _share(self):
        """Percent of the time that sending may take now. At the usual speed a frame's sentences hold the loop up for 25
        ms and more, too much for a host that may not be there."""
        share = self._settings.share
        return max(1, share // SILENT_PART) if share < ALL and self._link.silent() else share

    def _may_send(self, now, least):
        soon = max(self._settings.frame_ms, self._share_ms)
        return now - self._last_frame >= soon and self._link.credit() >= least

    def digest(self, frame, crcs):
        """DIGEST: the CRC-32 of all heads, then of each."""
        self._send(b"DIGEST,%d,%d,%d,%d,%d,%d" % ((frame,) + tuple(crcs)))

    def selftest(self, frame, result, crcs, counts, text):
        """SELFTEST: (expected, found) checksums of the heads and numbers of poses."""
        self._writer.clear()
        self._writer.text(b"SELFTEST,%d,%d,%d,%d,%d,%d" % ((frame, result) + crcs + counts), text)
        self._link.send(self._writer)

    def layer(self, number, layers, microseconds):
        """LAYER: what the first `number` of all layers took."""
        self._send(b"LAYER,%d,%d,%d" % (number, layers, microseconds))

    def settings(self):
        """SETTINGS."""
        self._send(b"SETTINGS" + b"".join([b",%d" % value for value in self._settings.values()]))

    def stats(self, state, frames, errors):
        """STATS."""
        link = self._link
        self._send(
            b"STATS,%d,%d,%d,%d,%d" % (self.now_ms(), state, frames, self.sent, self.skipped)
            + b",%d,%d,%d,%d" % (link.bytes, link.received, link.damaged, errors)
            + b",%d,%d,%d,%d" % (gc.mem_free(), gc.mem_alloc(), pose_board.system_free(), link.baud)
        )

    def error(self, code, count, text):
        """ERROR; the text also stands on the line for people."""
        print("posenet: error %d: %s" % (code, text))
        self._writer.clear()
        self._writer.text(b"ERROR,%d,%d" % (code, count), text)
        self._link.send(self._writer)

    def reply(self, request, status, value, text):
        """REPLY."""
        self._writer.clear()
        self._writer.text(b"REPLY,%d,%d,%d" % (request, status, value), text)
        self._link.send(self._writer)


def _write_pose(writer, frame, index, pose, values):
    """One POSE by one formatting, which takes half the time of a formatting for each keypoint; `values` are reused."""
    values[0] = frame
    values[1] = index
    values[2] = pose.score
    xs = pose.x16
    ys = pose.y16
    scores = pose.scores
    at = 3
    for part in range(PARTS):
        values[at] = xs[part]
        values[at + 1] = ys[part]
        values[at + 2] = scores[part]
        at += 3
    writer.sentence(POSE % tuple(values))
