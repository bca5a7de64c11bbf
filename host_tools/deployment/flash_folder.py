"""A board's /flash, through its prompt: what lies there, and carrying out changes so that a pulled cable does no harm.

New files are written beside the old ones, under other names, and checked by their digests on the board. Only then does
finish.py become main.py and exchange them: it goes on at the next start if the board goes off meanwhile. The one moment
that is not covered is while main.py itself is exchanged, if MaixPy's rename removes the old file first: without any
main.py MaixPy starts its own demo, and the next deploy mends that.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from conversion.progress import Count, Talk
from host_tools import time_limits
from host_tools.deployment import changes, digest, on_board
from host_tools.deployment.changes import FINISH, NEW, PART, Changes, Found
from host_tools.errors import BoardError, LinkError
from host_tools.payload import HEAP_STATE, MAIN, Payload
from host_tools.prompt.repl import Prompt, RaisedError
from host_tools.time_limits import Limit

FLASH = "/flash"
PAGE_BYTES = 4096
FIRMWARES = ("MaixPy", "CanMV")
_FINISH_BEGINS = b"# posenet-maix: finishes a deploy"
_MOUNTED_CARD = "sd"
# The program's second name for the kmodel in a file (firmware/pose_kmodel.py).
_SHORT_MODEL_NAME = "posenet.kmodel"
_NO_MAIXPY = "the board runs no MaixPy v1 and no CanMV; flash MaixPy with `flash --firmware`"


@dataclass(frozen=True)
class Firmware:
    """What runs on the chip, the bytes free in /flash, and whether an SD card is in the slot (`card`)."""

    system: str
    version: str
    free: int
    card: bool


class FlashFolder:
    """/flash of a board that is at its prompt."""

    def __init__(self, prompt: Prompt, talk: Talk) -> None:
        self._prompt, self._talk = prompt, talk
        self._firmware = self._ask_firmware()
        has = self._firmware
        talk(f"{prompt.port}: {has.system} {has.version}, {has.free // 1024} KiB free in {FLASH}")

    @property
    def firmware(self) -> Firmware:
        """What was found at first."""
        return self._firmware

    def _ask_firmware(self) -> Firmware:
        """BoardError unless it is a MaixPy or CanMV that has what the program needs."""
        try:
            self._prompt.execute(on_board.source("helpers"), seconds=time_limits.ON_BOARD.seconds)
            facts: dict = {}
            for answer in self._call("firmware"):
                facts |= answer
        except RaisedError as error:
            raise BoardError(f"{self._prompt.port}: {_NO_MAIXPY} (it says: {error.raised})") from error
        if not facts.keys() >= {"platform", "version", "mounted"}:
            raise BoardError(f"{self._prompt.port}: {_NO_MAIXPY} (it does not say what it is)")
        what = f"{facts['platform']} {facts['version']}"
        if facts["platform"] not in FIRMWARES:
            raise BoardError(f"{self._prompt.port}: {_NO_MAIXPY} (it is {what})")
        lacks = facts.get("missing", [])
        if lacks or "free" not in facts:
            raise BoardError(
                f"{self._prompt.port}: {what} lacks {', '.join(lacks) or 'its file system'}, which the program needs: "
                "flash a newer MaixPy (v0.6) with `flash --firmware`"
            )
        return Firmware(facts["platform"], facts["version"], facts["free"], _MOUNTED_CARD in facts["mounted"])

    def _call(self, function: str, *arguments: object, limit: Limit = time_limits.ON_BOARD) -> list[dict]:
        """Call a function of helpers.py: its answers."""
        printed = self._prompt.execute(on_board.call(function, *arguments), seconds=limit.seconds)
        return [found for found in map(on_board.answer, printed.splitlines()) if found is not None]

    def _handle(self, function: str, *arguments: object) -> list[dict]:
        """The same for one that reads or writes whole files."""
        return self._call(function, *arguments, limit=time_limits.ON_BOARD_FILES)

    def found(self, payload: Payload | None) -> Found:
        """What lies there, as far as changes for this payload (None: for a removal) need it.

        If a deploy was broken off while it exchanged files, that is finished first.
        """
        found = self._inventory()
        if found.main_finishes:
            self._finish_earlier()
            found = self._inventory()
        found.digests = self._digests(changes.digests_wanted(payload, found))
        return found

    def _finish_earlier(self) -> None:
        self._talk("an earlier deploy was broken off: finishing it first")
        try:
            self._finish()
        except RaisedError as error:
            self._talk(f"it cannot be finished ({error.raised}); what differs is written anew")

    def _inventory(self) -> Found:
        found = Found(free=self._ask_free())
        for answer in self._handle("inventory", changes.READ_WHOLE, changes.MOST_READ_BYTES):
            if {"file", "bytes"} <= answer.keys():
                found.sizes[answer["file"]] = answer["bytes"]
            elif {"content", "data"} <= answer.keys():
                piece = base64.b64decode(answer["data"])
                found.contents[answer["content"]] = found.contents.get(answer["content"], b"") + piece
            elif "damaged" in answer:
                found.damaged.add(answer["damaged"])
        if MAIN in found.sizes:
            for answer in self._handle("holds", MAIN, changes.PROGRAM_WORD):
                found.main_uses_program = answer.get("holds", False)
                found.main_finishes = base64.b64decode(answer.get("begin", "")).startswith(_FINISH_BEGINS)
                found.damaged |= {answer["damaged"]} if "damaged" in answer else set()
        self._forget_damaged(found)
        return found

    def _forget_damaged(self, found: Found) -> None:
        """What was read of a damaged file before its end is of no use."""
        for name in sorted(found.damaged):
            found.contents.pop(name, None)
            self._talk(f"{name} in {FLASH} cannot be read, as after a power cut: what belongs there is written anew")

    def _ask_free(self) -> int:
        return max((answer.get("free", 0) for answer in self._call("firmware")), default=0)

    def _digests(self, wanted: Mapping[str, int | None]) -> dict[str, str]:
        known = digest.of(digest.SAMPLE)[0]
        answers = self._handle("digests", dict(wanted), known)
        return {answer["digest"]: answer["value"] for answer in answers if {"digest", "value"} <= answer.keys()}

    def restore_heap(self) -> int | None:
        """Have MicroPython's heap as large as before the program changed it: its bytes, from the next reset on."""
        for answer in self._call("restore_heap", HEAP_STATE):
            return answer["heap"]
        return None

    def model(self, payload: Payload, address: int) -> tuple[str, list[str]]:
        """Where the kmodel is: `same`, `other` or `empty` at the flash address, and the files that are it."""
        entry = payload.card["kmodel"]
        names = (entry["file"], _SHORT_MODEL_NAME)
        folders = (FLASH, "/sd") if self._firmware.card else (FLASH,)
        places = [f"{folder}/{name}" for folder in folders for name in names]
        answers = self._handle("model", address, len(payload.kmodel), entry["crc32"], places)
        flash = next((answer["flash"] for answer in answers if "flash" in answer), "other")
        return flash, [answer["path"] for answer in answers if "path" in answer]

    def check_room(self, found: Found, the_changes: Changes) -> None:
        """BoardError unless old and new files fit beside each other."""
        sizes = [len(data) for data in the_changes.upload.values()]
        sizes += [found.sizes[name] for name, _ in the_changes.keep]
        if the_changes.write:
            sizes += [len(on_board.source("finish")), found.sizes.get(MAIN, 0)]
        needed = sum(map(_stored, sizes))
        free = found.free + sum(_stored(found.sizes[name]) for name in the_changes.clear)
        if needed > free:
            ours = {*the_changes.write, *the_changes.remove, *the_changes.clear}
            others = sorted(((size, name) for name, size in found.sizes.items() if name not in ours), reverse=True)
            largest = ", ".join(f"{name} ({size // 1024} KiB)" for size, name in others[:3])
            raise BoardError(
                f"{self._prompt.port}: /flash has {free // 1024} KiB free, {needed // 1024} KiB are needed: remove "
                f"files of yours; the largest are {largest or 'none'}"
            )

    def apply(self, the_changes: Changes, progress: Count) -> None:
        """Carry out changes; `progress(done, total)` in bytes sent.

        LinkError or BoardError can come at any point: the board then has the old files or the new ones.
        """
        try:
            self._prepare(the_changes)
            if the_changes.write:
                self._exchange(the_changes, progress)
            self._clean(the_changes)
        except RaisedError as error:
            raise BoardError(
                f"{self._prompt.port}: /flash cannot be written ({error.raised}): it is full or damaged; nothing is "
                "exchanged yet, remove files that you do not need and deploy again"
            ) from error

    def _prepare(self, the_changes: Changes) -> None:
        self._remove(the_changes.clear)
        for name, kept in the_changes.keep:
            self._handle("copy", name, kept, PART)
        for name, target in the_changes.rename:
            self._handle("rename", name, target)

    def _exchange(self, the_changes: Changes, progress: Count) -> None:
        """Everything new beside the old, then all at once."""
        files = {**{name + NEW: data for name, data in the_changes.upload.items()}, FINISH: _finish_source()}
        self._upload(files, progress)
        expected = {**{name + NEW: data for name, data in the_changes.write.items()}, FINISH: _finish_source()}
        if wrong := self._wrong(expected):
            self._talk(f"{', '.join(wrong)} arrived damaged: once more")
            self._upload({name: expected[name] for name in wrong}, progress)
            wrong = self._wrong(expected)
        if wrong:
            raise LinkError(
                f"{self._prompt.port}: {', '.join(wrong)} arrive damaged: check the cable, or the flash chip fails; "
                "nothing was exchanged"
            )
        if MAIN not in the_changes.write:
            self._handle("copy", MAIN, MAIN + NEW, PART)
        self._finish()

    def _upload(self, files: Mapping[str, bytes], progress: Count) -> None:
        total, done = sum(map(len, files.values())), 0

        def count(size: int) -> None:
            nonlocal done
            done += size
            progress(done, total)

        progress(0, total)
        for name, data in files.items():
            self._prompt.put(f"{FLASH}/{name}", data, count)

    def _wrong(self, expected: Mapping[str, bytes]) -> list[str]:
        """The files that are not what they should be."""
        found = self._digests({name: len(data) for name, data in expected.items()})
        return [name for name, data in expected.items() if found.get(name) not in digest.of(data)]

    def _finish(self) -> None:
        self._handle("finish", FINISH)

    def _clean(self, the_changes: Changes) -> None:
        self._remove(the_changes.remove)
        if the_changes.last_list is not None:
            self._prompt.put(f"{FLASH}/{changes.LIST}{NEW}", the_changes.last_list)
            self._call("rename", changes.LIST + NEW, changes.LIST)

    def _remove(self, names: list[str]) -> None:
        if names:
            self._handle("remove", names)


def _stored(size: int) -> int:
    """Bytes of SPIFFS that a file takes: whole pages, and one for its index."""
    return (-(-size // PAGE_BYTES) + 1) * PAGE_BYTES


def _finish_source() -> bytes:
    return on_board.source("finish").encode()
