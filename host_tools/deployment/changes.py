"""What a deploy (or its removal) does to the files of a board or an SD card, from what is there and what shall be.

Files of ours are those of the list `posenet_files.json`, and those of this version. A main.py or config.json that is
not ours is kept under another name before ours takes its place. Nothing else is touched.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from conversion.outside import json_text
from conversion.outside import names as file_names
from host_tools.deployment import digest
from host_tools.payload import DEFAULT_SETTINGS, MAIN, MAIXPY_CONFIG, POSE_CONFIG, Payload

LIST = "posenet_files.json"
LIST_FORMAT = "posenet-maix files 1"
# Where a maker's main.py goes that would end in ImportError without the program.
WITH_PROGRAM = ("main_with_posenet", ".py")
# While it is written a file has this behind its name; a copy within the board has the name PART.
NEW, PART = ".new", "posenet.part"
FINISH = "posenet_finish" + NEW
_OUR_TEMPORARY = re.compile(r"pose_[a-z0-9_]+\.(py|json)\.new")
# A main.py with this word uses the program: it is its maker's own, and stays.
PROGRAM_WORD = b"pose_app"
# Files of which other people's content matters, and how theirs is kept; the first of each is put back by a removal.
KEPT = {MAIN: ("main_before_posenet", ".py"), MAIXPY_CONFIG: ("config_before_posenet", ".json")}
READ_WHOLE = (LIST, POSE_CONFIG, MAIXPY_CONFIG)
MOST_READ_BYTES = 16384


@dataclass
class Found:
    """What lies on a board or a card. `sizes` by name; `digests` of those files that were asked for; `contents` of
    READ_WHOLE; `damaged` names of those files that cannot be read, which are nobody's any more; `free` bytes; about
    main.py: whether it uses the program, and whether it is finish.py."""

    sizes: dict[str, int] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)
    free: int = 0
    main_uses_program: bool = False
    main_finishes: bool = False

    def holds(self, name: str, data: bytes) -> bool:
        """Whether a file has this content."""
        return self.digests.get(name) in digest.of(data)


@dataclass
class FileList:
    """The list on the board: names of our files, those of former ones until they are removed, the digests of the shared
    files as we wrote them, and whether main.py is a maker's that we were given (`deploy --main`)."""

    files: list[str] = field(default_factory=list)
    former: list[str] = field(default_factory=list)
    written: dict[str, list[str]] = field(default_factory=dict)
    own_main: bool = False

    @classmethod
    def read(cls, data: bytes | None) -> FileList:
        """From its file; an empty list where there is none, or a damaged one."""
        values = _object(data) or {}
        if values.get("format") != LIST_FORMAT:
            return cls()
        try:
            found = cls(list(values["files"]), list(values["former"]), dict(values["written"]))
            found.own_main = bool(values.get("own_main"))
        except (ValueError, KeyError, TypeError):
            return cls()
        sound = all(file_names.is_plain_on_board(name) for name in (*found.files, *found.former))
        return found if sound and all(isinstance(known, list) for known in found.written.values()) else cls()

    def to_bytes(self) -> bytes:
        """Its file."""
        values: dict = {"format": LIST_FORMAT, "files": self.files, "former": self.former, "written": self.written}
        if self.own_main:
            values["own_main"] = True
        return json.dumps(values, sort_keys=True).encode()

    def wrote(self, name: str, found: Found) -> bool:
        """Whether a shared file still has the content that we gave it, or none any more."""
        if name in found.damaged or (name == MAIN and found.main_finishes):
            return True
        return found.digests.get(name) in self.written.get(name, [])


@dataclass
class Changes:
    """What is to be done, in this order: `clear` names of leftovers; `keep` copies (from, to); `rename` (from, to);
    `write` new contents by name, all at once (those in `ready` lie there already, under their temporary names);
    `remove` names; `last_list`, the list's content after that, None where it stays. `notes` are for people; `loses` is
    what stops working that is not ours, for which somebody has to say that it may."""

    clear: list[str] = field(default_factory=list)
    keep: list[tuple[str, str]] = field(default_factory=list)
    rename: list[tuple[str, str]] = field(default_factory=list)
    write: dict[str, bytes] = field(default_factory=dict)
    ready: set[str] = field(default_factory=set)
    remove: list[str] = field(default_factory=list)
    last_list: bytes | None = None
    notes: list[str] = field(default_factory=list)
    loses: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.clear or self.keep or self.rename or self.write or self.remove)

    @property
    def upload(self) -> dict[str, bytes]:
        """What has to be sent of `write`: main.py last."""
        names = sorted((name for name in self.write if name not in self.ready), key=lambda name: (name == MAIN, name))
        return {name: self.write[name] for name in names}


def of_deploy(payload: Payload, found: Found, extra: Mapping[str, bytes] | None = None) -> Changes:
    """What makes a board have a payload; `extra` files are more of ours (an SD card's kmodel)."""
    old, changes, new = FileList.read(found.contents.get(LIST)), Changes(), FileList()
    wanted = {**payload.files, **(extra or {}), POSE_CONFIG: _pose_config(payload, found, changes)}
    if _main_stays(payload, found, old):
        del wanted[MAIN]
        changes.notes.append("main.py there is your own and uses pose_app: it stays as it is")
        if old.own_main and old.wrote(MAIN, found):
            new.files, new.written, new.own_main = [MAIN], {MAIN: old.written[MAIN]}, True
    config = _maixpy_config(payload, found)
    if config is not None:
        wanted[MAIXPY_CONFIG] = config
    elif payload.maixpy_config and MAIXPY_CONFIG in old.files:
        new.files.append(MAIXPY_CONFIG)
        new.written[MAIXPY_CONFIG] = old.written.get(MAIXPY_CONFIG, [])
    for name in KEPT:
        if name in wanted:
            _keep_foreign(name, found, old, wanted[name], changes)
            new.written[name] = digest.of(wanted[name])
    new.files = sorted({*new.files, *wanted})
    new.own_main |= payload.own_main
    changes.write = {name: data for name, data in wanted.items() if not found.holds(name, data)}
    _drop_former(found, old, new, changes)
    changes.ready = {name for name, data in changes.write.items() if found.holds(name + NEW, data)}
    changes.clear = [name for name in _leftovers(found, new.files) if name.removesuffix(NEW) not in changes.ready]
    return changes


def _main_stays(payload: Payload, found: Found, old: FileList) -> bool:
    """Whether the board's main.py is its maker's own program, and nobody has said that it shall be another."""
    if payload.main_chosen or not found.main_uses_program or found.main_finishes:
        return False
    ours = old.wrote(MAIN, found) and not old.own_main
    return not (ours or found.holds(MAIN, payload.files[MAIN]))


def of_removal(found: Found, program: Mapping[str, bytes], more: Iterable[str] = ()) -> Changes:
    """What takes our files off again and puts back what was kept: those of this version's `program`, and `more`."""
    old, changes = FileList.read(found.contents.get(LIST)), Changes()
    names = {*old.files, *old.former, *program, *more, POSE_CONFIG, LIST} - set(KEPT)
    ours = old.wrote(MAIN, found) or found.holds(MAIN, program[MAIN])
    if found.main_uses_program and not ours:
        _set_main_aside(found, changes)
    else:
        _take_back(MAIN, found, old, changes)
    _take_back(MAIXPY_CONFIG, found, old, changes)
    changes.clear = _leftovers(found, {*names, *KEPT})
    # The list goes last: until then a removal that was broken off can be taken up again.
    changes.remove += sorted((name for name in names if name in found.sizes), key=lambda name: (name == LIST, name))
    return changes


def digests_wanted(payload: Payload | None, found: Found, extra: Mapping[str, bytes] | None = None) -> dict:
    """The files whose digests are needed to find changes: {name: size}, None for any size."""
    sizes: dict[str, int | None] = {}
    for name, data in ({**payload.files, **(extra or {})} if payload else {}).items():
        sizes |= {name: len(data), name + NEW: len(data)}
    kept = [name for name in found.sizes if any(name.startswith(begin) for begin, _ in KEPT.values())]
    for name in (*KEPT, *READ_WHOLE, *kept):
        sizes |= {name: None, name + NEW: None}
    return {name: size for name, size in sizes.items() if name in found.sizes}


def _keep_foreign(name: str, found: Found, old: FileList, wanted: bytes, changes: Changes) -> None:
    """Plan to keep a copy of a shared file that is not ours, once."""
    if name not in found.sizes or old.wrote(name, found) or found.holds(name, wanted):
        return
    kept = _free_name(KEPT[name], found, found.digests.get(name))
    if kept not in found.sizes:
        changes.keep.append((name, kept))
        changes.notes.append(f"{name} there is not ours: kept as {kept}")


def _free_name(parts: tuple[str, str], found: Found, digest_kept: str | None = None) -> str:
    """The first name of this kind that nothing has, or that has this content."""
    for number in itertools.count(1):
        name = _numbered(parts, number)
        if name not in found.sizes or (digest_kept is not None and found.digests.get(name) == digest_kept):
            return name
    raise AssertionError("numbers end")


def _kept_name(name: str) -> str:
    return _numbered(KEPT[name], 1)


def _numbered(parts: tuple[str, str], number: int) -> str:
    return parts[0] + (f"_{number}" if number > 1 else "") + parts[1]


def _pose_config(payload: Payload, found: Found, changes: Changes) -> bytes:
    """The program's settings: entries that the board file has no word of stay as they are on the board."""
    existing = _object(found.contents.get(POSE_CONFIG))
    if not existing or existing.get("format") != payload.pose_config["format"]:
        existing = {}
    chosen = {name: value for name, value in existing.items() if DEFAULT_SETTINGS.get(name) != value}
    if stay := _others(chosen, payload.pose_config):
        changes.notes.append(f"{POSE_CONFIG} on the board keeps {', '.join(stay)}")
    wanted = merged(merged(DEFAULT_SETTINGS, existing), payload.pose_config)
    return _bytes(wanted, found.contents.get(POSE_CONFIG))


def _maixpy_config(payload: Payload, found: Found) -> bytes | None:
    """MaixPy's config.json with our entries; None where it says what we want, or we want nothing."""
    if not payload.maixpy_config:
        return None
    existing = _object(found.contents.get(MAIXPY_CONFIG))
    if existing is None:
        return json.dumps(payload.maixpy_config).encode()
    wanted = merged(existing, payload.maixpy_config)
    return None if wanted == existing else json.dumps(wanted).encode()


def merged(existing: Mapping, wanted: Mapping) -> dict:
    """`wanted` over `existing`, section by section; what only `existing` has stays."""
    result = dict(existing)
    for name, value in wanted.items():
        below = existing.get(name)
        result[name] = merged(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return result


def _others(existing: Mapping, wanted: Mapping) -> list[str]:
    """Names of entries that only `existing` has."""
    found = []
    for name, value in existing.items():
        if name not in wanted:
            found.append(name)
        elif isinstance(value, Mapping) and isinstance(wanted[name], Mapping):
            found += [f"{name}.{below}" for below in _others(value, wanted[name])]
    return found


def _object(data: bytes | None) -> dict | None:
    """A JSON object; None for anything else."""
    try:
        found = json_text.parse(data, MOST_READ_BYTES) if data is not None else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _bytes(values: dict, existing: bytes | None) -> bytes:
    """Values as a file, which stays as it is if it says the same."""
    return existing if existing is not None and _object(existing) == values else json.dumps(values).encode()


def _drop_former(found: Found, old: FileList, new: FileList, changes: Changes) -> None:
    """Plan to remove files of an older version; the list keeps their names until that is done."""
    former = sorted({*old.files, *old.former} - {*new.files, MAIN})
    for name in former:
        if name in KEPT:
            _take_back(name, found, old, changes)
        elif name in found.sizes:
            changes.remove.append(name)
    last = new.to_bytes()
    if not changes.remove and not changes.rename:
        if not found.holds(LIST, last):
            changes.write[LIST] = last
        return
    new.former = former
    new.written |= {name: old.written[name] for name in former if name in old.written}
    changes.write[LIST], changes.last_list = new.to_bytes(), last


def _leftovers(found: Found, names: Iterable[str]) -> list[str]:
    """Temporary files of ours, also of versions whose list never came."""
    ours = {*(each + NEW for each in (*names, LIST, MAIN)), FINISH, PART}
    return [name for name in sorted(found.sizes) if name in ours or _OUR_TEMPORARY.fullmatch(name)]


def _set_main_aside(found: Found, changes: Changes) -> None:
    """Plan what becomes of a maker's own main.py that needs the program which goes, and of what was there before it."""
    aside = _free_name(WITH_PROGRAM, found)
    changes.rename.append((MAIN, aside))
    kept = _kept_name(MAIN)
    then = "and MaixPy starts its own demo"
    if kept in found.sizes:
        changes.rename.append((kept, MAIN))
        then = f"and {kept} is main.py again"
    changes.notes.append(f"main.py is your own and needs the program: kept as {aside}, {then}")
    changes.loses = (
        f"main.py there is your own and needs the program that would go: it would be kept as {aside}, {then}"
    )


def _take_back(name: str, found: Found, old: FileList, changes: Changes) -> None:
    """Plan to put the file back in place of which ours was written, or to remove ours."""
    kept = _kept_name(name)
    if name in found.sizes and not old.wrote(name, found):
        if kept in found.sizes and found.digests.get(kept) == found.digests.get(name):
            changes.remove.append(kept)
        elif name in old.written or kept in found.sizes:
            beside = f"; what was there before lies beside it as {kept}" if kept in found.sizes else ""
            changes.notes.append(f"{name} there is not as deploy wrote it: it stays as it is{beside}")
    elif kept in found.sizes:
        changes.rename.append((kept, name))
        changes.notes.append(f"{name} is again what it was before ({kept})")
    elif name in found.sizes:
        changes.remove.append(name)
