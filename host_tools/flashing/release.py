"""A zip for makers without a tool chain: package for kflash_gui, files for an SD card, cards, checksums, licences."""

from __future__ import annotations

import hashlib
import json
import string
from importlib import metadata
from pathlib import Path

import conversion
from conversion import card, files, memory_budget
from conversion.outside import names
from conversion.outside.text import shown
from host_tools import payload
from host_tools.boards import Board
from host_tools.errors import BoardError
from host_tools.flashing import kfpkg, sources

_DISTRIBUTION = "posenet-maix"
SD_CARD = "sd-card"
README = "README.txt"
_ROOT = Path(__file__).resolve().parents[2]
_NOTICE = """
This archive
------------
Unlike the project, this archive contains a kmodel: $kmodel
was made from the weights `$weights` ($form). Google's PoseNet weights are under the Apache License,
Version 2.0; the licence of others is for who named them to know.
"""
_TEMPLATES = Path(__file__).with_name("release_readme")
_MIB = 1024 * 1024


def name_of(board: Board) -> str:
    """What folder, package and zip of a release are called."""
    return f"{sources.RELEASE}{board.id}"


def write(board: Board, model: Path | None, folder: Path) -> Path:
    """Write `posenet-maix-BOARD.zip`, the same bytes for the same input; its path.

    BoardError, FlashError, ModelFormatError or OutputError says what is missing or in the way.
    """
    path = folder / f"{name_of(board)}.zip"
    files.write(path, kfpkg.zipped(contents(board, model)))
    return path


def contents(board: Board, model: Path | None) -> dict[str, bytes]:
    """The files of a release by their paths in the zip, in the order of their names, checksums last."""
    belongings = payload.of(board, model)
    package = sources.of_files(board, belongings.kmodel_path, None)
    name = name_of(board)
    inside = {
        f"{name}{kfpkg.SUFFIX}": kfpkg.pack(package),
        README: readme(belongings, package.size).encode(),
        "LICENSE.txt": _licence("LICENSE"),
        "NOTICE.txt": _licence("NOTICE") + _notice(belongings),
        **{f"{SD_CARD}/{file}": data for file, data in _sd_card(belongings).items()},
        f"cards/{names.plain(belongings.kmodel_path.name)}.json": card.path_beside(belongings.kmodel_path).read_bytes(),
    }
    sums = "".join(f"{hashlib.sha256(inside[path]).hexdigest()}  {path}\n" for path in sorted(inside))
    return {f"{name}/{path}": inside[path] for path in sorted(inside)} | {f"{name}/{sources.SUMS}": sums.encode()}


def _sd_card(belongings: payload.Payload) -> dict[str, bytes]:
    settings = json.dumps({**payload.DEFAULT_SETTINGS, **belongings.pose_config}, indent=2) + "\n"
    # The firmware looks for the kmodel under the name on the device card.
    kmodel = belongings.card["kmodel"]["file"]
    return {**belongings.files, payload.POSE_CONFIG: settings.encode(), kmodel: belongings.kmodel}


def readme(belongings: payload.Payload, package_bytes: int) -> str:
    """The release's README.txt: what to do, and what is not known."""
    board, the_card = belongings.board, belongings.card
    fits = memory_budget.fits(len(belongings.kmodel), the_card["memory"]["main_memory_bytes"])
    text = string.Template((_TEMPLATES / "readme.txt").read_text(encoding="utf-8")).substitute(
        name=name_of(board),
        board=board.name,
        board_id=board.id,
        version=conversion.__version__,
        build=board.firmware_build,
        package=f"{name_of(board)}{kfpkg.SUFFIX}",
        kflash=board.flash.kflash,
        address=f"0x{board.flash.model_address:X}",
        package_bytes=package_bytes,
        kmodel=belongings.kmodel_path.name,
        sha256=the_card["kmodel"]["sha256"],
        size=f"{the_card['input']['width']}x{the_card['input']['height']}",
        fits="\n".join(
            f"    {fit.build:9} build: {fit.needed / _MIB:.2f} MiB of {fit.free / _MIB:.2f} MiB" for fit in fits
        ),
        settings=_settings(belongings),
        tried="has been tried" if board.verified_on_hardware else "has NOT been tried",
    )
    return text.replace("\n", "\r\n")


def _settings(belongings: payload.Payload) -> str:
    """The step that only boards with settings of MaixPy's own need."""
    if not belongings.maixpy_config:
        return ""
    config = json.dumps(belongings.maixpy_config)
    text = (_TEMPLATES / "settings.txt").read_text(encoding="utf-8")
    return string.Template(text).substitute(board=belongings.board.name, config=config)


def _notice(belongings: payload.Payload) -> bytes:
    """What the project's own notice does not say, since the project holds no weights."""
    source = card.read(card.path_beside(belongings.kmodel_path)).get("source", {})
    text = string.Template(_NOTICE).substitute(
        kmodel=belongings.kmodel_path.name,
        weights=shown(source.get("name", "unknown")),
        form=shown(source.get("form", "unknown")),
    )
    return text.encode()


def _licence(name: str) -> bytes:
    """A file of the clone, or of the package as it was installed."""
    try:
        return (_ROOT / name).read_bytes()
    except OSError as error:
        if installed := _installed(name):
            return installed.encode()
        raise BoardError(f"{_ROOT / name}: is needed for a release ({error.strerror}); make it in a clone") from error


def _installed(name: str) -> str | None:
    try:
        return metadata.distribution(_DISTRIBUTION).read_text(f"licenses/{name}")
    except metadata.PackageNotFoundError:
        return None
