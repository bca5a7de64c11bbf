"""What the host asks for beyond settings: heads of a frame, its own pixels through the network, the self-test."""

import pose_board
import pose_bulk
import pose_camera
import pose_decoder
import pose_errors
import pose_selftest
import pose_settings
import utime
from pose_errors import PoseError

# The host asks for chunks that were lost within this time after the last one.
RESEND_MS = 500


class Requests:
    """Carries them out on behalf of the app; each `check_…` raises PoseError before anything is promised."""

    def __init__(self, app):
        self.heads_wanted = False
        self._app = app
        self._upload = None
        self._running = False
        # Whether the block on its way lies in the picture of the next frame, and when it was last seen on its way.
        self._holding = False
        self._sending = 0
        # The kmodel's copy for measuring, and its number of layers.
        self._copy = None
        self._layers = 0

    def receiving(self):
        """Whether pixels are coming in, so that no frames must be taken."""
        return self._upload is not None and not self._running

    def forget(self):
        """Ends an upload, whose pixels are gone, and a block that lay in the picture."""
        self._upload = None
        self._running = False
        if self._holding:
            self._holding = False
            self._app.outgoing.drop()

    def holding(self):
        """Whether no frame must be taken, since heads that were asked for are on their way out of its picture, or
        parts of them may be asked for again."""
        if self._holding and not self.heads_wanted:
            now = utime.ticks_ms()
            if self._app.outgoing.busy():
                self._sending = now
            return utime.ticks_diff(now, self._sending) < RESEND_MS
        return False

    def check_silence(self):
        """Gives an upload up that has stopped."""
        if self.receiving() and self._upload.silent():
            self.forget()
            self._app.errors.report(PoseError(pose_errors.BAD_CHUNK, "upload given up: no chunk for 10 s"))

    def _ready(self, heads):
        """The engine, with room for a copy of the heads if they are wanted; PoseError if there are no frames."""
        app = self._app
        if app.engine is None or app.frames is None:
            raise PoseError(pose_errors.NOT_POSSIBLE, "not without kmodel and source of frames; see the last error")
        if heads:
            app.engine.reserve_copy()
        return app.engine

    def send_frame(self, source, heads=0):
        """Sends the frame just computed; one that was asked for in any case and with its checksums."""
        app = self._app
        wanted = self.heads_wanted
        self.heads_wanted = False
        asked = wanted or source in (pose_camera.HOST, pose_camera.TEST_CARD)
        engine = app.engine
        look = None if source in (pose_camera.HOST, pose_camera.TEST_CARD) else app.look
        app.sender.frame(app.frame, source, engine.poses, engine.count, engine.stages, asked, look)
        if asked:
            app.sender.digest(app.frame, engine.digest())
        if wanted and look:
            if look.whole:
                app.outgoing.start(pose_bulk.RUNS, look.block(), app.frame)
                self._holding = look.in_picture
                self._sending = utime.ticks_ms()
        elif wanted or heads:
            app.outgoing.start(pose_bulk.HEADS, engine.copied_heads(), app.frame)

    # Heads

    def ask_for_heads(self):
        """Wants the heads of the next frame; returns its number."""
        look = self._app.look
        self._ready(look is None)
        if look:
            look.reserve()
        self.heads_wanted = True
        return self._app.frame + 1

    # Pixels of the host

    def begin_upload(self, width, height, crc32):
        """Takes the camera's own buffer for pixels of the host; returns the number of chunks."""
        card = self._ready(False).card
        if (width, height) != (card.width, card.height) or crc32 is None:
            raise PoseError(
                pose_errors.BAD_FIELD, "the model takes %dx%d pixels, and their CRC-32" % (card.width, card.height)
            )
        self.forget()
        self._upload = pose_bulk.Upload(self._app.frames.canvas(), crc32)
        self._app.message("Receiving", "The host sends a picture.")
        return self._upload.count

    def upload_chunk(self, number, field):
        """Takes a chunk; returns the number of the next one wanted."""
        if self._upload is None:
            raise PoseError(pose_errors.BAD_CHUNK, "no upload is under way: send PIXELS")
        if number is None:
            raise PoseError(pose_errors.BAD_FIELD, "the chunk's number is missing")
        self._running = False
        return self._upload.chunk(number, field)

    def check_upload(self, heads):
        """The frame number that a run on the uploaded pixels will have."""
        self._ready(heads)
        if self._upload is None:
            raise PoseError(pose_errors.BAD_CHUNK, "no pixels are here: send PIXELS")
        self._upload.check()
        return self._app.frame + 1

    def run_upload(self, heads):
        """Runs the network on the uploaded pixels. They stay as they are, until a frame is taken."""
        self._running = True
        self._run(self._upload.picture, pose_camera.HOST, heads)

    def _run(self, picture, source, heads):
        app = self._app
        picture.pix_to_ai()
        app.frame += 1
        app.engine.clear_stages()
        app.engine.run(picture, app.settings.mode)
        self.send_frame(source, heads)
        if app.screen:
            app.screen.show(app.screen.canvas(picture))

    # Self-test

    def check_selftest(self, heads):
        """The frame number that the self-test will have."""
        if self._ready(heads).card.test_vector is None:
            raise PoseError(pose_errors.NOT_POSSIBLE, "the device card has no test vector: make it with `make kmodel`")
        return self._app.frame + 1

    def run_selftest(self, heads):
        """Draws the test card, runs it with the decoder's defaults and the test vector's vote, compares with that."""
        app = self._app
        engine = app.engine
        self.forget()
        app.message("Self-test", "This takes 1 to 2 s.")
        picture = app.frames.canvas()
        pose_selftest.draw(memoryview(picture.to_bytes()), engine.card.width, engine.card.height)
        mode = app.settings.mode
        app.settings.mode = pose_settings.SEVERAL
        engine.decoder.configure(*pose_decoder.DEFAULTS)
        engine.decoder.configure(vote=engine.card.test_vector.get("vote", 0))
        try:
            self._run(picture, pose_camera.TEST_CARD, heads)
            self._judge()
        finally:
            app.settings.mode = mode
            engine.decoder.configure(*app.settings.decoder())

    def _judge(self):
        app = self._app
        engine = app.engine
        vector = engine.card.test_vector
        found = engine.digest()[0]
        result, text = pose_selftest.compare(vector, found, engine.poses, engine.count)
        app.sender.selftest(
            app.frame,
            result,
            (vector["heads_crc32"], found),
            (len(vector["poses"]), engine.count),
            text,
        )
        print("posenet: self-test: " + text)
        app.note("self-test: " + text)

    # Profile

    def check_profile(self):
        """The number of layers that will be measured; nothing else may want the KPU meanwhile."""
        app = self._app
        card = self._ready(False).card
        if not app.paused:
            raise PoseError(pose_errors.NOT_NOW, "frames are being taken: send PAUSE first")
        if pose_board.CANMV:
            raise PoseError(pose_errors.NOT_POSSIBLE, "CanMV cannot run a part of a network")
        import pose_profile

        self._copy, self._layers = pose_profile.place(card, app.address())
        return self._layers

    def run_profile(self):
        """Sends a LAYER for each layer, and has the network loaded afresh."""
        import pose_profile

        app = self._app
        self.forget()
        picture = app.frames.canvas()
        app.message("Measuring", "The KPU, layer by layer.")
        try:
            app.engine.without_network(
                lambda: pose_profile.measure(self._copy, self._layers, picture, app.sender.layer)
            )
        except (MemoryError, OSError, ValueError) as error:
            app.errors.report(PoseError(pose_errors.KPU_FAILED, "measuring ended early: %s" % error))
        app.show_paused()

    def reset(self):
        """Resets the chip."""
        pose_board.reset()
