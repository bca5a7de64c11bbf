"""Every form that comes from outside: a sound one, how it is damaged, and which of the project's doors it is led to."""

from __future__ import annotations

import binascii
import io
import json
import random
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from PIL import Image

from conversion import cli as conversion_cli
from conversion import photos
from conversion.evaluation import coco
from conversion.kpu import posenet
from host_tools import boards
from host_tools import cli as host_cli
from host_tools.flashing import kfpkg, release, sources
from tests import command_line
from tests.host_tools import fake_board
from tests.host_tools.monitor import actors
from tests.host_tools.virtual_board import kmodels
from tests.hostile import doors, mutate, sound, sound_weights, weight_forms
from tests.hostile.form import AS_JSON, Form, of_command

BOARD = "maix_bit"


# Packages


@cache
def _package() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return kfpkg.pack(sources.of_files(boards.find(BOARD), sound.kmodel_in(Path(folder)), None))


@cache
def _release() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return kfpkg.zipped(release.contents(boards.find(BOARD), sound.kmodel_in(Path(folder))))


def _zip(source: random.Random, data: bytes) -> bytes:
    """Damaged as bytes, or with a damaged or renamed member packed anew."""
    if source.random() < 0.5:
        # Most of a package is a compressed kmodel: its structure is at its end.
        tail = min(len(data), 600)
        return data[:-tail] + mutate.of_bytes(source, data[-tail:])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    name = source.choice(list(members))
    if source.random() < 0.3:
        members[source.choice(("../x", "/x", "a\\b", "x\x1b[2J", "CON", "x" * 300, "", "."))] = members.pop(name)
    elif name.endswith(".json"):
        members[name] = mutate.of_json(source, json.loads(members[name]))
    else:
        members[name] = mutate.of_bytes(source, members[name])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for each, content in members.items():
            archive.writestr(zipfile.ZipInfo(each or "x"), content)
    return packed.getvalue()


def _packed(data: Callable[[], bytes]) -> Form:
    return of_command(
        lambda source: {"package": _zip(source, data())},
        host_cli.main,
        lambda folder: ("flash", "--board", BOARD, "--package", folder / "package", "--dry-run"),
    )


# Models and cards


def _with_card(data: bytes, card: bytes | None = None) -> dict[str, bytes]:
    """A kmodel and a card that belongs to these very bytes, as somebody makes it who means harm."""
    entries = sound.card()
    entries = {**entries, "kmodel": entries["kmodel"] | sound.identity(data)}
    return {sound.KMODEL: data, sound.KMODEL + ".json": json.dumps(entries).encode() if card is None else card}


@cache
def _sound_kmodel() -> dict[str, bytes]:
    return _with_card(kmodels.kmodel())


@cache
def _photo() -> bytes:
    packed = io.BytesIO()
    Image.effect_noise((48, 40), 60).save(packed, "PNG")
    return packed.getvalue()


def _kmodel(source: random.Random) -> dict[str, bytes]:
    data = kmodels.kmodel()
    if source.random() < 0.7:
        head = 2000
        data = mutate.of_bytes(source, data[:head]) + data[head:]
    else:
        data = mutate.of_bytes(source, data)
    return {**_with_card(data), "photo.png": _photo()}


def _read_sound_kmodel() -> None:
    with tempfile.TemporaryDirectory() as folder:
        posenet.read_described(sound.kmodel_in(Path(folder)))


def _simulate(folder: Path) -> tuple[object, ...]:
    return "simulate", folder / sound.KMODEL, folder / "photo.png", "--json"


def _card(source: random.Random) -> dict[str, bytes]:
    return _with_card(kmodels.kmodel(), mutate.of_json(source, sound.card()))


def _deployed(made: Callable[[random.Random], dict[str, bytes]]) -> Form:
    def arguments(folder: Path) -> tuple[object, ...]:
        card = folder / "card"
        card.mkdir(exist_ok=True)
        return "deploy", "--board", BOARD, "--model", folder / sound.KMODEL, "--sd", card

    return of_command(made, host_cli.main, arguments, _read_sound_kmodel)


def _inspect(folder: Path) -> tuple[object, ...]:
    return "inspect", folder / sound.KMODEL, "--html", folder / "page.html"


# What lies on a card already


@cache
def _filled_card() -> dict[str, bytes]:
    """The files of a card that has been filled with the sound kmodel."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        card = folder / "card"
        card.mkdir()
        arguments = ("deploy", "--board", BOARD, "--model", sound.kmodel_in(folder), "--sd", card)
        assert command_line.invoke(host_cli.main, arguments).exit_code == 0
        return {f"card/{path.name}": path.read_bytes() for path in sorted(card.iterdir())}


def _on_card(name: str, document: object) -> Callable[[random.Random], dict[str, bytes]]:
    def made(source: random.Random) -> dict[str, bytes]:
        # A card that is filled already, or one with nothing but this.
        others = _filled_card() if source.random() < 0.9 else {}
        return {**_sound_kmodel(), **others, f"card/{name}": mutate.of_json(source, document)}

    return made


_POSE_CONFIG = boards.pose_config(boards.find(BOARD))
_FILE_LIST = {
    "format": "posenet-maix files 1",
    "files": ["main.py", "pose_app.py", "pose_old.py"],
    "former": ["pose_older.py"],
    "written": {"main.py": ["sha256:" + "0" * 64]},
}

# Recordings, sentences, prompts


@cache
def _recording() -> tuple[bytes, ...]:
    return tuple(json.dumps(line).encode() for line in sound.recording())


def _recorded(source: random.Random) -> dict[str, bytes]:
    lines = list(_recording())
    at = source.randrange(len(lines))
    lines[at] = mutate.of_json(source, sound.recording()[at])
    text = b"\n".join(lines) + b"\n"
    return {"one.jsonl": mutate.of_bytes(source, text) if source.random() < 0.1 else text}


def _replay(folder: Path) -> tuple[object, ...]:
    options = ("--speed", 0, "--snapshot", folder / "x.png", "--frames", 3)
    return "monitor", "--replay", folder / "one.jsonl", *options


_FIELDS = (*fake_board.WIDE, "0", "1", "5", "64", "HEADS", "-", "%1B%5B2J", "%ED%A0%80")


@cache
def _said() -> bytes:
    return b"".join(actors.lines(frame) for frame in actors.walking(2, people=2)) + fake_board.greeting()


def _sentences(source: random.Random) -> dict[str, bytes]:
    said = _said()
    pieces = [mutate.of_bytes(source, said)]
    for _ in range(8):
        fields = source.choices(_FIELDS, k=source.randint(0, 8))
        # Also one that is longer than any sentence may be.
        body = ",".join((source.choice(fake_board.NAMED), *fields)).encode()
        pieces.append(b"$%s*%04X\r\n" % (body, binascii.crc_hqx(body, 0xFFFF)))
    source.shuffle(pieces)
    return {"line": b"".join(pieces)}


def _listen(folder: Path) -> command_line.Ended:
    return doors.call(lambda: doors.heard((folder / "line").read_bytes()))


def _prompted(source: random.Random) -> dict[str, bytes]:
    answers = [mutate.of_json(source, answer) for answer in sound.PROMPT_ANSWERS]
    return {"answers": b"".join(b"@" + answer.replace(b"\n", b"") + b"\r\n" for answer in answers)}


def _prompt(folder: Path) -> command_line.Ended:
    return doors.call(lambda: doors.inventory((folder / "answers").read_bytes().decode(errors="replace")))


# Photos, annotations, boards, cache, the page


@cache
def _photos() -> dict[str, bytes]:
    return sound.photos()


def _damaged_photo(source: random.Random) -> dict[str, bytes]:
    data = _photos()[source.choice(list(_photos()))]
    head = 700
    damaged = mutate.of_bytes(source, data[:head]) + data[head:]
    return {"photo.png": damaged if source.random() < 0.7 else mutate.of_bytes(source, data)}


def _read_photo(folder: Path) -> command_line.Ended:
    return doors.call(lambda: photos.letterbox(photos.read(folder / "photo.png"), 96, 80))


def _annotations(source: random.Random) -> dict[str, bytes]:
    return {"persons.json": mutate.of_json(source, sound.annotations()), "a.png": _photo()}


def _read_annotations(folder: Path) -> command_line.Ended:
    return doors.call(lambda: coco.read(folder / "persons.json", folder))


def _board(source: random.Random) -> dict[str, bytes]:
    return {"x.toml": mutate.of_text(source, (boards.FOLDER / f"{BOARD}.toml").read_text(encoding="utf-8"))}


def _cache_entry(source: random.Random) -> dict[str, bytes]:
    kind = source.choice(list(doors.cache_entries()))
    sound_entry, _ = doors.cache_entries()[kind]
    as_text = sound_entry.startswith(b"{")
    entry = mutate.of_json(source, json.loads(sound_entry)) if as_text else mutate.of_bytes(source, sound_entry)
    return {"kind": kind.encode(), "entry": entry}


def _keep(folder: Path) -> command_line.Ended:
    kind = (folder / "kind").read_text()
    return doors.call(lambda: doors.kept(folder / "cache", kind, (folder / "entry").read_bytes()))


def _order(source: random.Random) -> dict[str, bytes]:
    order = source.choice(sound.ORDERS)
    return {"order": mutate.of_json(source, order)}


FORMS: dict[str, Form] = {
    "kfpkg": _packed(_package),
    "release": _packed(_release),
    "kmodel": of_command(_kmodel, conversion_cli.main, _simulate, _read_sound_kmodel),
    "kmodel looked into": of_command(_kmodel, conversion_cli.main, _inspect, quick=AS_JSON),
    "card": _deployed(_card),
    "tfjs graph": weight_forms.of(sound_weights.GRAPH),
    "tfjs checkpoint": weight_forms.of(sound_weights.CHECKPOINT),
    "frozen graph": weight_forms.of(sound_weights.FROZEN),
    "float TFLite": weight_forms.of(sound_weights.FLOAT),
    "Coral TFLite": weight_forms.of(sound_weights.CORAL),
    "tfjs graph looked into": weight_forms.of(sound_weights.GRAPH, looked_into=True),
    "TFLite looked into": weight_forms.of(sound_weights.CORAL, looked_into=True),
    "recording": of_command(_recorded, host_cli.main, _replay),
    "sentences": Form(_sentences, _listen),
    "prompt answers": Form(_prompted, _prompt),
    "photo": Form(_damaged_photo, _read_photo),
    "annotations": Form(_annotations, _read_annotations),
    "board TOML": Form(_board, lambda folder: doors.call(lambda: boards.load(folder / "x.toml"))),
    "pose_config.json": _deployed(_on_card("pose_config.json", _POSE_CONFIG)),
    "posenet_files.json": _deployed(_on_card("posenet_files.json", _FILE_LIST)),
    "cache entry": Form(_cache_entry, _keep),
    "order of the page": Form(
        _order, lambda folder: doors.call(lambda: doors.ordered((folder / "order").read_bytes()))
    ),
}

OF_WEIGHTS = (
    "tfjs graph", "tfjs checkpoint", "frozen graph", "float TFLite", "Coral TFLite", "tfjs graph looked into",
    "TFLite looked into",
)  # fmt: skip
