"""A board's /flash, through its prompt: what lies there, and carrying out a plan so that a pulled cable does no harm.

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
from host_tools import limits
from host_tools.deployment import digest, on_board, plan
from host_tools.deployment.payload import MAIN, Payload
from host_tools.deployment.plan import FINISH, NEW, PART, Found, Plan
from host_tools.errors import BoardError, LinkError
from host_tools.limits import Limit
from host_tools.prompt.repl import Prompt, RaisedError

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
            self._prompt.execute(on_board.source("helpers"), seconds=limits.ON_BOARD.seconds)
            facts: dict = {}
            for answer in self._call("firmware"):
                facts |= answer
        except RaisedError as error:
            raise BoardError(f"{self._prompt.port}: {_NO_MAIXPY} (it says: {error.raised})") from error
        what = f"{facts['platform']} {facts['version']}"
        if facts["platform"] not in FIRMWARES:
            raise BoardError(f"{self._prompt.port}: {_NO_MAIXPY} (it is {what})")
        if facts["missing"]:
            raise BoardError(
                f"{self._prompt.port}: {what} lacks {', '.join(facts['missing'])}, which the program needs: flash a "
                "newer MaixPy (v0.6) with `flash --firmware`"
            )
        return Firmware(facts["platform"], facts["version"], facts["free"], _MOUNTED_CARD in facts["mounted"])

    def _call(self, function: str, *arguments: object, limit: Limit = limits.ON_BOARD) -> list[dict]:
        """Call a function of helpers.py: its answers."""
        printed = self._prompt.execute(on_board.call(function, *arguments), seconds=limit.seconds)
        return [found for found in map(on_board.answer, printed.splitlines()) if found is not None]

    def found(self, payload: Payload | None) -> Found:
        """What lies there, as far as a plan for this payload (None: for a removal) needs it.

        If a deploy was broken off while it exchanged files, that is finished first.
        """
        found = self._inventory()
        if found.main_finishes:
            self._finish_earlier()
            found = self._inventory()
        found.digests = self._digests(plan.digests_wanted(payload, found))
        return found

    def _finish_earlier(self) -> None:
        self._talk("an earlier deploy was broken off: finishing it first")
        try:
            self._finish()
        except RaisedError as error:
            self._talk(f"it cannot be finished ({error.raised}); what differs is written anew")

    def _inventory(self) -> Found:
        found = Found(free=self._ask_free())
        for answer in self._call("inventory", plan.READ_WHOLE, plan.MOST_READ_BYTES, limit=limits.ON_BOARD_FILES):
            if "file" in answer:
                found.sizes[answer["file"]] = answer["bytes"]
            elif "content" in answer:
                piece = base64.b64decode(answer["data"])
                found.contents[answer["content"]] = found.contents.get(answer["content"], b"") + piece
        if MAIN in found.sizes:
            for answer in self._call("holds", MAIN, plan.PROGRAM_WORD, limit=limits.ON_BOARD_FILES):
                found.main_uses_program = answer["holds"]
                found.main_finishes = base64.b64decode(answer["begin"]).startswith(_FINISH_BEGINS)
        return found

    def _ask_free(self) -> int:
        return max(answer.get("free", 0) for answer in self._call("firmware"))

    def _digests(self, wanted: Mapping[str, int | None]) -> dict[str, str]:
        known = digest.of(digest.SAMPLE)[0]
        answers = self._call("digests", dict(wanted), known, limit=limits.ON_BOARD_FILES)
        return {answer["digest"]: answer["value"] for answer in answers if "digest" in answer}

    def model(self, payload: Payload, address: int) -> tuple[str, list[str]]:
        """Where the kmodel is: `same`, `other` or `empty` at the flash address, and the files that are it."""
        entry = payload.card["kmodel"]
        names = (entry["file"], _SHORT_MODEL_NAME)
        folders = (FLASH, "/sd") if self._firmware.card else (FLASH,)
        places = [f"{folder}/{name}" for folder in folders for name in names]
        answers = self._call("model", address, len(payload.kmodel), entry["crc32"], places, limit=limits.ON_BOARD_FILES)
        flash = next((answer["flash"] for answer in answers if "flash" in answer), "other")
        return flash, [answer["path"] for answer in answers if "path" in answer]

    def check_room(self, found: Found, the_plan: Plan) -> None:
        """BoardError unless old and new files fit beside each other."""
        sizes = [len(data) for data in the_plan.upload.values()] + [found.sizes[name] for name, _ in the_plan.keep]
        if the_plan.write:
            sizes += [len(on_board.source("finish")), found.sizes.get(MAIN, 0)]
        needed = sum(map(_stored, sizes))
        free = found.free + sum(_stored(found.sizes[name]) for name in the_plan.clear)
        if needed > free:
            ours = {*the_plan.write, *the_plan.remove, *the_plan.clear}
            others = sorted(((size, name) for name, size in found.sizes.items() if name not in ours), reverse=True)
            largest = ", ".join(f"{name} ({size // 1024} KiB)" for size, name in others[:3])
            raise BoardError(
                f"{self._prompt.port}: /flash has {free // 1024} KiB free, {needed // 1024} KiB are needed: remove "
                f"files of yours; the largest are {largest or 'none'}"
            )

    def apply(self, the_plan: Plan, progress: Count) -> None:
        """Carry out a plan; `progress(done, total)` in bytes sent.

        LinkError or BoardError can come at any point: the board then has the old files or the new ones.
        """
        try:
            self._prepare(the_plan)
            if the_plan.write:
                self._exchange(the_plan, progress)
            self._clean(the_plan)
        except RaisedError as error:
            raise BoardError(
                f"{self._prompt.port}: /flash cannot be written ({error.raised}): it is full or damaged; nothing is "
                "exchanged yet, remove files that you do not need and deploy again"
            ) from error

    def _prepare(self, the_plan: Plan) -> None:
        self._remove(the_plan.clear)
        for name, kept in the_plan.keep:
            self._call("copy", name, kept, PART, limit=limits.ON_BOARD_FILES)
        for name, target in the_plan.rename:
            self._call("rename", name, target, limit=limits.ON_BOARD_FILES)

    def _exchange(self, the_plan: Plan, progress: Count) -> None:
        """Everything new beside the old, then all at once."""
        files = {**{name + NEW: data for name, data in the_plan.upload.items()}, FINISH: _finish_source()}
        self._upload(files, progress)
        expected = {**{name + NEW: data for name, data in the_plan.write.items()}, FINISH: _finish_source()}
        if wrong := self._wrong(expected):
            self._talk(f"{', '.join(wrong)} arrived damaged: once more")
            self._upload({name: expected[name] for name in wrong}, progress)
            wrong = self._wrong(expected)
        if wrong:
            raise LinkError(
                f"{self._prompt.port}: {', '.join(wrong)} arrive damaged: check the cable, or the flash chip fails; "
                "nothing was exchanged"
            )
        if MAIN not in the_plan.write:
            self._call("copy", MAIN, MAIN + NEW, PART, limit=limits.ON_BOARD_FILES)
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
        self._call("finish", FINISH, limit=limits.ON_BOARD_FILES)

    def _clean(self, the_plan: Plan) -> None:
        self._remove(the_plan.remove)
        if the_plan.last_list is not None:
            self._prompt.put(f"{FLASH}/{plan.LIST}{NEW}", the_plan.last_list)
            self._call("rename", plan.LIST + NEW, plan.LIST)

    def _remove(self, names: list[str]) -> None:
        if names:
            self._call("remove", names, limit=limits.ON_BOARD_FILES)


def _stored(size: int) -> int:
    """Bytes of SPIFFS that a file takes: whole pages, and one for its index."""
    return (-(-size // PAGE_BYTES) + 1) * PAGE_BYTES


def _finish_source() -> bytes:
    return on_board.source("finish").encode()
