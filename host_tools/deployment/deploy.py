"""`deploy`: the program, its device card and settings onto a board or an SD card; what changed, and nothing half."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from conversion import memory_budget
from conversion.printing import counted
from conversion.progress import Count, Talk
from host_tools import boards, payload, zoom_room
from host_tools.deployment import changes, entries, own_main, sd_card, start
from host_tools.deployment.changes import Changes, Found
from host_tools.deployment.flash_folder import FlashFolder
from host_tools.deployment.start import Started
from host_tools.errors import BoardError, HostToolError
from host_tools.payload import Payload
from host_tools.prompt.repl import Prompt
from host_tools.serial_link import link_note, ports

# Users report 2 to 3 KB a second at 115200 baud of other tools that write through the prompt; not measured on a board.
ESTIMATED_BYTES_PER_SECOND = 2500


@dataclass(frozen=True)
class DeployOptions:
    """What the command line asked for; None is a default."""

    port: str | None = None
    board: str | None = None
    model: Path | None = None
    sd: Path | None = None
    dry_run: bool = False
    # Bytes of MicroPython's heap, 0 for MaixPy's own; None: what the board has in its settings, else the default.
    heap: int | None = None
    seconds: float | None = None
    # A maker's program in place of main.py (a file, an example's name), and entries of pose_config.json, KEY=VALUE.
    main: str | None = None
    entries: tuple[str, ...] = ()
    # That a removal may leave a maker's own program without what it needs.
    force: bool = False


@dataclass
class Report:
    """What was done, or would be: names written and removed, the bytes to send; notes and warnings for people; what the
    board said after its reset (None: it was not waited for)."""

    place: str
    written: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    bytes: int = 0
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    started: Started | None = None

    @property
    def nothing_to_do(self) -> bool:
        """Whether everything was as it should be."""
        return not (self.written or self.removed)

    def take(self, the_changes: Changes) -> None:
        """Tell what changes."""
        self.written = sorted({*the_changes.write, *(target for _, target in the_changes.keep + the_changes.rename)})
        self.removed = sorted({*the_changes.clear, *the_changes.remove})
        self.bytes = sum(map(len, the_changes.upload.values()))
        self.notes += the_changes.notes


def run(options: DeployOptions, talk: Talk, progress: Count) -> Report:
    """Deploy; HostToolError or ConversionError say what is wrong. `progress(done, total)` in bytes."""
    if options.board is None:
        raise BoardError(f"name your board with --board: {', '.join(sorted(boards.all_boards()))}")
    board = boards.find(options.board)
    the_payload = _payload(options, board)
    if options.sd is not None:
        return _fill_card(options, the_payload, options.sd, progress)
    port = ports.choose(options.port, board)
    link_note.tell([port], talk)
    report = Report(port)
    _tell_memory(the_payload, report)
    with _prompt(port, board, talk) as prompt:
        folder = FlashFolder(prompt, talk)
        _tell_model(folder, the_payload, report)
        the_changes = _changes(folder, the_payload, report)
        if options.dry_run:
            prompt.restart()
            return report
        if not the_changes.empty:
            talk(f"{port}: writing {counted(len(the_changes.write), 'file')}, {report.bytes // 1024} KiB")
            folder.apply(the_changes, progress)
        talk(f"{port}: resetting the board and waiting for its program")
        _watch(prompt, folder, options.seconds, report)
    return report


def _payload(options: DeployOptions, board: boards.Board) -> Payload:
    """What the board is to have, with what was chosen for it."""
    made = entries.given(payload.of(board, options.model), options.entries)
    if options.heap is not None:
        made = replace(made, pose_config={**made.pose_config, "heap": options.heap})
    made = zoom_room.given(made)
    return made if options.main is None else own_main.given(made, options.main)


def remove(options: DeployOptions, talk: Talk, progress: Count) -> Report:
    """Take our files off a board or a card again, and put back what was kept."""
    if options.main is not None or options.entries:
        raise BoardError("--remove takes everything off: leave --main and --set out")
    if options.sd is not None:
        report = Report(str(options.sd))
        there = sd_card.found(options.sd, None, {})
        the_changes = _removal(there, options)
        report.take(the_changes)
        if not (options.dry_run or the_changes.empty):
            sd_card.apply(options.sd, there, the_changes, progress)
        return report
    board = boards.find(options.board) if options.board else None
    report = Report(ports.choose(options.port, board))
    with _prompt(report.place, board, talk) as prompt:
        folder = FlashFolder(prompt, talk)
        the_changes = _removal(folder.found(None), options)
        report.take(the_changes)
        if not options.dry_run:
            _restore_heap(folder, report)
        if not (options.dry_run or the_changes.empty):
            folder.apply(the_changes, progress)
        prompt.restart()
    return report


def _removal(there: Found, options: DeployOptions) -> Changes:
    """What a removal changes; BoardError where that would take from a maker's program what it needs, unasked."""
    program = {name: path.read_bytes() for name, path in payload.program().items()}
    the_changes = changes.of_removal(there, program, (payload.DEVICE_CARD, *payload.WRITTEN_BY_PROGRAM))
    if the_changes.loses and not (options.force or options.dry_run):
        raise BoardError(f"{the_changes.loses}; nothing was removed, do it with --force (FORCE=1)")
    return the_changes


def _restore_heap(folder: FlashFolder, report: Report) -> None:
    former = folder.restore_heap()
    if former is not None:
        report.notes.append(f"MicroPython's heap has {former // 1024} KiB again")


def estimated_seconds(size: int) -> float:
    """How long sending so many bytes takes at 115200 baud: an estimate, not measured on a board."""
    return size / ESTIMATED_BYTES_PER_SECOND


def _prompt(port: str, board: boards.Board | None, talk: Talk) -> Prompt:
    talk(f"{port}: stopping what runs there")
    return Prompt(port, talk, board.flash.reset_wiring if board else None)


def _changes(folder: FlashFolder, the_payload: Payload, report: Report) -> Changes:
    there = folder.found(the_payload)
    the_changes = changes.of_deploy(the_payload, there)
    folder.check_room(there, the_changes)
    report.take(the_changes)
    return the_changes


def _tell_model(folder: FlashFolder, the_payload: Payload, report: Report) -> None:
    """Warn if the kmodel is not where the program looks for it."""
    address = the_payload.board.flash.model_address
    state, files = folder.model(the_payload, address)
    if state == "same":
        report.notes.append(f"{the_payload.kmodel_path.name} is at flash {address:#x}")
    elif files:
        report.notes.append(f"{the_payload.kmodel_path.name} is {files[0]}, not in flash")
    else:
        holds = "no kmodel is" if state == "empty" else "something else than this kmodel is"
        report.warnings.append(f"{holds} at flash {address:#x}: run `flash` with {the_payload.kmodel_path.name}, too")


def _tell_memory(the_payload: Payload, report: Report) -> None:
    """Say what RAM the model takes, and warn if that is more than the board's firmware leaves."""
    board, lcd = the_payload.board, the_payload.board.lcd
    main_memory = the_payload.card["memory"]["main_memory_bytes"]
    lcd_bytes = lcd.width * lcd.height * 2 if lcd else 0
    fits = memory_budget.fits(len(the_payload.kmodel), main_memory)
    needed = fits[0].needed - memory_budget.LCD_BYTES + lcd_bytes
    free = ", ".join(f"{fit.free // 1024} KiB with MaixPy {fit.build}" for fit in fits)
    line = f"RAM: {needed // 1024} KiB needed; free are {free}"
    report.notes.append(line)
    _tell_lcd_copy(the_payload, report)
    for is_warning, text in zoom_room.told(the_payload):
        (report.warnings if is_warning else report.notes).append(text)
    name = memory_budget.MINIMUM.name if memory_budget.MINIMUM.name in board.firmware_build else memory_budget.FULL.name
    build = next(fit for fit in fits if fit.build == name)
    if needed > build.free:
        report.warnings.append(
            f"the model is likely too large for {board.firmware_build}: {needed // 1024} KiB of RAM needed, "
            f"{build.free // 1024} KiB free; make a smaller one with `make kmodel SIZE=256x192`"
        )


def _tell_lcd_copy(the_payload: Payload, report: Report) -> None:
    """Say what of MicroPython's heap a picture at the LCD's size takes, where it has another than the model's."""
    lcd, picture = the_payload.board.lcd, the_payload.card["input"]
    if lcd is None or not the_payload.pose_config.get("lcd_scale", 1):
        return
    heap = the_payload.pose_config.get("heap", payload.DEFAULT_SETTINGS["heap"])
    heap = heap or memory_budget.MICROPYTHON_HEAP_BYTES
    copy = memory_budget.lcd_copy((picture["width"], picture["height"]), (lcd.width, lcd.height), heap)
    if copy is None:
        return
    report.notes.append(f"MicroPython's heap: {copy.bytes / 1024:.0f} KiB for the picture at the LCD's size")
    if not copy.fits:
        report.warnings.append(
            f"a heap of {heap // 1024} KiB has no room for that: the LCD will show the picture's middle; "
            f"take --heap {payload.DEFAULT_SETTINGS['heap'] // 1024}"
        )


def _watch(prompt: Prompt, folder: FlashFolder, seconds: float | None, report: Report) -> None:
    """Reset, and see the program start. With a card in the slot it is the card's, so that anything may come."""
    if not folder.firmware.card:
        report.started = start.watch(prompt, seconds)
    else:
        report.warnings.append(
            "an SD card is in the slot: MaixPy starts the card's main.py, not that in /flash; take the card out, or "
            "put the program on it with --sd"
        )
        try:
            report.started = start.watch(prompt, seconds)
        except HostToolError as error:
            report.warnings.append(str(error))
    if report.started and report.started.heap:
        report.notes.append(report.started.heap)
    if report.started and report.started.warning:
        report.warnings.append(report.started.warning)


def _fill_card(options: DeployOptions, the_payload: Payload, folder: Path, progress: Count) -> Report:
    """The same files and the kmodel, onto an SD card in the PC's reader."""
    report = Report(str(folder))
    _tell_memory(the_payload, report)
    if the_payload.maixpy_config:
        report.warnings.append(
            f"{the_payload.board.name} needs MaixPy's config.json in its own flash as well, for LCD and card: run "
            "deploy over USB once, too"
        )
    # MaixPy reads its own config.json from flash only.
    on_card = replace(the_payload, maixpy_config=None)
    extra = {the_payload.card["kmodel"]["file"]: the_payload.kmodel}
    there = sd_card.found(folder, on_card, extra)
    the_changes = changes.of_deploy(on_card, there, extra)
    report.take(the_changes)
    if not (options.dry_run or the_changes.empty):
        sd_card.apply(folder, there, the_changes, progress)
    return report
