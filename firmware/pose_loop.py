"""The program: takes frames, finds poses, shows and sends them, answers the host, and survives what goes wrong."""

import gc
import sys

import pose_board
import pose_bulk
import pose_commands
import pose_config
import pose_engine
import pose_errors
import pose_heap
import pose_link
import pose_preview
import pose_requests
import pose_screen
import pose_sender
import pose_settings
import pose_source
import utime
from pose_errors import PoseError

STARTING, RUNNING, PAUSED, WAITING, RECEIVING = range(5)
NO_SOURCE = -1
HELLO_MS = 30000
# After an error: wait, then try again, twice as long each time; from the start again after a good while.
FIRST_WAIT_MS = 1000
LONGEST_WAIT_MS = 30000
GOOD_WHILE_MS = 10000
IDLE_MS = 5
# Sentences of the host that are answered between two frames.
SENTENCES_AT_ONCE = 8
# Between two frames, blocks of data may take what the line carries in this time.
BULK_MS = 100
NOTE_MS = 5000
FPS_MS = 1000


class App:
    """The whole program. Parts that may be missing for a while (engine, frames, screen) are None then."""

    def __init__(self, on_frame):
        self.settings = pose_settings.Settings()
        self.link = pose_link.Link(pose_board.uart())
        self.sender = pose_sender.Sender(self.link, self.settings)
        self.errors = pose_errors.ErrorLog(self.sender.error)
        self.outgoing = pose_bulk.Outgoing(self.link)
        self.requests = pose_requests.Requests(self)
        self.engine = None
        self.frames = None
        # How frames are looked at, where that is not once as they are.
        self.look = None
        self.screen = None
        self.frame = 0
        self.paused = False
        self._commands = pose_commands.Commands(self)
        self._on_frame = on_frame
        self._config = None
        self._no_screen = False
        self._button = None
        self._state = STARTING
        self._wait_ms = FIRST_WAIT_MS
        self._retry = False
        self._note = ""
        self._noted = self._greeted = self._reported = self._counted = utime.ticks_ms()
        self._preview = pose_preview.Preview(self)
        self._garbage = pose_heap.Garbage()
        self._frames_counted = 0
        self._fps10 = 0

    # Life: start, run, start again after every error.

    def run(self):
        """Runs until KeyboardInterrupt."""
        try:
            self.hello()
            while True:
                try:
                    self._attempt()
                except Exception as error:  # noqa: BLE001 - what fails while an error is dealt with must not end it all
                    sys.print_exception(error)
                    utime.sleep_ms(FIRST_WAIT_MS)
        finally:
            self._drop(pose_errors.OTHER)
            if self.link.baud != pose_link.BAUD:
                self.link.set_baud(pose_link.BAUD)
            print("posenet: stopped; `import pose_app; pose_app.run()` starts it again")

    def _attempt(self):
        try:
            self._start()
            begin = utime.ticks_ms()
            while True:
                self._step()
                if utime.ticks_diff(utime.ticks_ms(), begin) > GOOD_WHILE_MS:
                    self._wait_ms = FIRST_WAIT_MS
        except Exception as error:  # noqa: BLE001 - said on LCD and line, whatever it is; Ctrl-C is no Exception
            self._recover(error)

    def _start(self):
        """Makes what is missing: kmodel, LCD if all has room, camera: what it gives back lies next to free memory."""
        self._state = STARTING
        if self._config is None:
            self._take_config(pose_config.load())
            gc.collect()
        if self.engine is None:
            self.engine = pose_engine.load(self._config, self.settings.zoom)
            self.engine.decoder.configure(*self.settings.decoder())
            gc.collect()
        if self.engine.budget.has_room():
            self._open_screen()
        if self.frames is None:
            opened = pose_source.open_source(self._config, self.engine, self.settings, self.errors.report)
            self.frames, self.look = opened
        self._open_screen()
        if self.screen:
            self.screen.turned = self.engine.card.turned
            self.screen.fit(self.engine.card.width, self.engine.card.height, self.frames.heap_bytes)
        self._preview.tell()
        pose_source.reserve(self.frames, self.engine)
        self._state = RUNNING
        self._counted = utime.ticks_ms()
        self._frames_counted = 0
        self.hello()
        if self._config.selftest:
            self._config.selftest = 0
            self.requests.check_selftest(0)
            self.requests.run_selftest(0)
        if self.paused:
            self.show_paused()

    def _take_config(self, config):
        self.settings.change(config.settings)
        self.sender.fit()
        if config.pause_button:
            self._button = pose_board.Button(config.pause_button["pin"], config.pause_button["pressed"])
        self._config = config

    def _open_screen(self):
        """The LCD is started once; where there is none, or it fails, the program goes on without."""
        if self.screen or self._no_screen:
            return
        config = self._config or pose_config.Config({})
        self._no_screen = True
        if config.lcd:
            try:
                self.screen = pose_screen.Screen(config.lcd, config.lcd_scale)
            except PoseError as error:
                self.errors.report(error)

    def _recover(self, error):
        """Says what happened, lets go of what may be broken, and waits."""
        self._state = WAITING
        self.errors.report(error)
        code, text = pose_errors.described(error)
        self._drop(code)
        self._open_screen()
        wait = self._wait_ms
        self._wait_ms = min(2 * wait, LONGEST_WAIT_MS)
        self.message("Error %d" % code, "%s\n\nNext try in %d s." % (text, wait // 1000))
        gc.collect()
        begin = utime.ticks_ms()
        self._retry = False
        while utime.ticks_diff(utime.ticks_ms(), begin) < wait and not self._retry:
            self._serve()
            utime.sleep_ms(IDLE_MS)

    def _drop(self, code):
        """Lets go of the part that an error belongs to, or of all."""
        self.requests.forget()
        self.requests.heads_wanted = False
        if self.frames and code not in pose_errors.OF_KMODEL:
            self.frames.close()
            self.frames = self.look = None
        if self.engine and code not in pose_errors.OF_SOURCE:
            engine = self.engine
            self.engine = None
            engine.close()

    # One turn of the loop.

    def _step(self):
        self._serve()
        if self.requests.receiving():
            utime.sleep_ms(1)
        elif self.paused and not self.requests.heads_wanted:
            utime.sleep_ms(IDLE_MS)
        elif not self.requests.holding():
            self._take_frame()

    def _serve(self):
        """What is due between two frames: garbage, the host, the key, regular sentences, blocks of data."""
        self._garbage.add(pose_heap.TURN)
        self._listen()
        if self._button and self._button.pressed():
            self.pause(not self.paused)
        self.requests.check_silence()
        now = utime.ticks_ms()
        if utime.ticks_diff(now, self._greeted) > HELLO_MS:
            self.hello()
        if self.settings.stats_ms and utime.ticks_diff(now, self._reported) >= self.settings.stats_ms:
            self.stats()
        milliseconds = BULK_MS if self.state() == RUNNING else 1000
        self.outgoing.push(self.link.baud * milliseconds // (pose_link.BITS_PER_BYTE * 1000))

    def _listen(self):
        for _ in range(SENTENCES_AT_ONCE):
            fields = self.link.receive()
            if fields is None:
                if self.link.fall_back():
                    print("posenet: no host at the raised speed, back at %d baud" % self.link.baud)
                return
            self._garbage.add(pose_heap.SENTENCE)
            self._commands.handle(fields)

    def _take_frame(self):
        """A live frame: capture, network, decoder, drawing, sentences."""
        self._garbage.add(pose_heap.FRAME)
        self.requests.forget()
        engine = self.engine
        begin = utime.ticks_us()
        picture = self.frames.snapshot()
        engine.stages[pose_engine.CAPTURE] = utime.ticks_diff(utime.ticks_us(), begin)
        self.frame += 1
        if self.look:
            picture = self.look.run(engine, picture, self.settings.mode, self.requests.heads_wanted)
        else:
            engine.run(picture, self.settings.mode)
        self._preview.take(picture, self.frame)
        begin = utime.ticks_us()
        if picture is not None:
            self._present(picture)
        engine.stages[pose_engine.DRAW] = utime.ticks_diff(utime.ticks_us(), begin)
        self.requests.send_frame(self.frames.source)
        self._count_frame()

    def _present(self, picture):
        """Calls the maker's hook, draws the skeletons, and shows the picture."""
        engine = self.engine
        if self.look:
            self.look.outline(picture)
        if self._on_frame:
            try:
                self._on_frame(engine.poses[: engine.count], self.frame, picture)
            except Exception as error:  # noqa: BLE001 - the maker's code may raise anything; frames go on
                self._hook_failed(error)
        if self.screen:
            caption = "%d.%d fps" % (self._fps10 // 10, self._fps10 % 10) if self._fps10 else ""
            canvas = self.screen.canvas(picture)
            least = self._config.draw_score
            self.screen.draw(canvas, engine.poses, engine.count, least, caption, self._current_note())
            self.screen.show(canvas)

    def _hook_failed(self, error):
        text = "on_frame: %s: %s" % (type(error).__name__, error)
        self.errors.report(PoseError(pose_errors.HOOK_FAILED, text), error)
        self.note(text)

    def _count_frame(self):
        self._frames_counted += 1
        now = utime.ticks_ms()
        passed = utime.ticks_diff(now, self._counted)
        if passed >= FPS_MS:
            self._fps10 = self._frames_counted * 10000 // passed
            self._frames_counted = 0
            self._counted = now

    # What others ask of it.

    def state(self):
        """The state as STATS has it."""
        if self._state != RUNNING:
            return self._state
        if self.requests.receiving():
            return RECEIVING
        return PAUSED if self.paused else RUNNING

    def address(self):
        """The flash address at which the config has the kmodel."""
        return self._config.model["address"]

    def hello(self):
        """Sends HELLO."""
        self._greeted = utime.ticks_ms()
        card = self.engine.card if self.engine else None
        source = self.frames.source if self.frames else NO_SOURCE
        self.sender.hello(self._config, source, card, self.screen, self._preview.missing)

    def stats(self):
        """Sends STATS."""
        self._reported = utime.ticks_ms()
        self.sender.stats(self.state(), self.frame, self.errors.total)

    def change(self, changes):
        """Changes settings ({name: value or None}) and says them all; PoseError leaves them as they were."""
        self.settings.change(changes)
        self.sender.fit()
        if self.engine:
            self.engine.decoder.configure(*self.settings.decoder())
        if self.look:
            self.look.configure(self.settings.smooth, self.settings.max_poses)
        self.sender.settings()

    def look_anew(self):
        """Has the source of frames, and how they are looked at, follow the settings."""
        if self.frames is None:
            return
        self.requests.heads_wanted = False
        zoom = self.engine.budget.plan(self.settings.zoom)
        if bool(zoom) == self.frames.wide:
            if self.look is None or self.look.zoom != zoom or not (zoom or self.settings.smooth):
                self.look = pose_source.look_at(self.frames, self.engine, self.settings)
            return
        self.frames.stop()
        self._drop(pose_errors.NO_CAMERA)
        self._start()
        self.sender.settings()

    def pause(self, paused):
        """Stops taking frames, or takes them again (also at once after an error)."""
        self._retry = not paused
        if not paused:
            self.requests.forget()
        if paused != self.paused:
            self.paused = paused
            if paused and self._state == RUNNING:
                self.show_paused()

    def show_paused(self):
        """Says on the LCD why there is no picture."""
        self.message("Paused", "Press the key again, or send RESUME." if self._button else "Send RESUME.")

    def message(self, title, text):
        """Shows text on the LCD, if there is one, until the next picture."""
        if self.screen:
            self.screen.message(title, text)

    def note(self, text):
        """Shows a line at the bottom of the next pictures."""
        self._note = text
        self._noted = utime.ticks_ms()

    def _current_note(self):
        if self._note and utime.ticks_diff(utime.ticks_ms(), self._noted) > NOTE_MS:
            self._note = ""
        return self._note
