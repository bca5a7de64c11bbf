"""Files that mean harm: photos, annotations, packages, weights, cache entries; pipes and full disks."""

from __future__ import annotations

import contextlib
import io
import json
import os
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conversion import cache, photos
from conversion.errors import ModelFormatError, PhotoError
from conversion.evaluation import coco
from conversion.nncase import agreement
from conversion.outside import reading
from conversion.weights import tfjs_graph
from host_tools.errors import FlashError, HostToolError
from host_tools.flashing import kfpkg
from host_tools.monitor.publish import Address
from tests.hostile import limited, sound
from tests.hostile.test_recordings import FRAME, HEAD, line

PIPES = (
    ("conversion", "inspect", "PIPE"),
    ("conversion", "simulate", "small.kmodel", "PIPE"),
    ("conversion", "simulate", "PIPE", "photo.png"),
    ("conversion", "evaluate", "float", "--coco", "PIPE", "--images", "."),
    ("host_tools", "monitor", "--replay", "PIPE"),
    ("host_tools", "flash", "--board", "maix_bit", "--package", "PIPE", "--dry-run"),
    ("host_tools", "release", "--board", "maix_bit", "--model", "PIPE"),
    ("host_tools", "board", "--camera", "PIPE", "--model", "small.kmodel"),
)


@pytest.mark.soak
@pytest.mark.parametrize("place", ["pipe", "/dev/zero"])
@pytest.mark.parametrize("arguments", PIPES)
def test_no_tool_waits_for_a_pipe_or_reads_a_device(arguments: tuple[str, ...], place: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    sound.kmodel_in(tmp_path)
    Image.new("RGB", (8, 8)).save(tmp_path / "photo.png")
    limited.assert_refused(limited.run([place if each == "PIPE" else each for each in arguments], tmp_path))


@pytest.mark.parametrize("place", ["pipe", "/dev/zero", "folder", "x\0y", "none"])
def test_only_regular_files_are_opened(place: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=r"\w") as refused:
        reading.regular_bytes(tmp_path / place, 100)
    assert refused.value.strerror


@pytest.mark.parametrize(
    "arguments",
    [
        ("conversion", "simulate", "small.kmodel", "photo.png", "--json"),
        ("conversion", "simulate", "small.kmodel", "photo.png"),
        ("host_tools", "monitor", "--replay", "one.jsonl", "--speed", "0", "--json"),
    ],
)
def test_a_full_disk_behind_stdout(arguments: tuple[str, ...], tmp_path: Path) -> None:
    sound.kmodel_in(tmp_path)
    Image.new("RGB", (8, 8)).save(tmp_path / "photo.png")
    (tmp_path / "one.jsonl").write_text(f"{HEAD}\n{line(**FRAME)}\n")
    with open("/dev/full", "wb") as full:
        done = limited.run(arguments, tmp_path, capture_output=False, stdout=full, stderr=-1)
    assert done.code == limited.REFUSED, done
    assert b"No space left on device" in done.stderr
    limited.assert_harmless(done)


@pytest.mark.parametrize("form", ["EPS", "TIFF", "PDF", "ICO", "PPM", "TGA"])
def test_a_picture_of_another_format_is_not_opened(form: str, tmp_path: Path) -> None:
    """An EPS that is called .png starts Ghostscript where Pillow is let to choose."""
    path = tmp_path / "photo.png"
    Image.new("RGB", (32, 32)).save(path, form)
    with pytest.raises(PhotoError, match="not a readable photo"):
        photos.read(path)


@pytest.mark.parametrize("form", photos.FORMATS)
def test_the_formats_that_are(form: str, tmp_path: Path) -> None:
    path = tmp_path / "photo"
    Image.new("RGB", (32, 16), (255, 0, 0)).save(path, form)
    assert photos.read(path).size == (32, 16)


@pytest.mark.parametrize("size", [(65_535, 65_535), (8192, 6145)])
def test_a_picture_of_more_pixels_than_fit(size: tuple[int, int], tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    path = tmp_path / "bomb.png"
    header = chunk(b"IHDR", struct.pack(">2I5B", *size, 8, 2, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b""))
    with pytest.raises(PhotoError, match=rf"too large .*at most {photos.MOST_PIXELS} are read.*make it smaller"):
        photos.read(path)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_as_pillow_turns_it(orientation: int, tmp_path: Path) -> None:
    from PIL import ImageOps

    picture = Image.fromarray(np.random.default_rng(1).integers(0, 256, (8, 16, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "photo.png"
    picture.save(path, exif=exif)
    with Image.open(path) as plain:
        expected = ImageOps.exif_transpose(plain).convert("RGB")
    assert np.array_equal(np.asarray(photos.upright(photos.read(path))), np.asarray(expected))


def test_damaged_exif_harms_nobody(tmp_path: Path) -> None:
    """Each byte of the block in turn, replaced by what offsets, counts and types go wrong with."""
    whole, path = sound.photos()["JPEG"], tmp_path / "photo.jpg"
    start = whole.index(b"Exif") + 6
    end = start - 8 + int.from_bytes(whole[start - 8 : start - 6], "big")
    taken = 0
    for at in range(start, end):
        for value in (0x00, 0x05, 0xFF):
            path.write_bytes(whole[:at] + bytes((value,)) + whole[at + 1 :])
            with contextlib.suppress(PhotoError):
                taken += photos.upright(photos.read(path)).mode == "RGB"
    # What EXIF says of turns is not worth losing a photo.
    assert taken > 3 * (end - start) * 0.9


def annotations(**image: object) -> str:
    document = json.loads(json.dumps(sound.annotations()))
    document["images"][0] |= image
    document["annotations"][0]["image_id"] = document["images"][0]["id"]
    return json.dumps(document)


@pytest.mark.parametrize(
    "image",
    [
        {"file_name": "../a.png"}, {"file_name": "/etc/hostname"}, {"file_name": "x" * 5000}, {"file_name": "a\x1b[2J"},
        {"file_name": "\ud800"}, {"file_name": "a\0b"}, {"file_name": 10**18}, {"id": 10**400}, {"width": 10**400},
        {"file_name": "/".join("a" * 50)}, {"file_name": "c:\\x"},
    ],
)  # fmt: skip
def test_annotations_with_names_and_numbers_that_nothing_holds(image: dict, tmp_path: Path) -> None:
    path = tmp_path / "persons.json"
    Image.new("RGB", (48, 40)).save(tmp_path / "a.png")
    path.write_text(annotations())
    assert coco.read(path, tmp_path)
    path.write_text(annotations(**image))
    with pytest.raises(coco.AnnotationError) as refused:
        coco.read(path, tmp_path)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 1000


def test_a_zip64_offset_that_no_file_has(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(kfpkg.LIST, "{}")
    data = packed.getvalue()
    at = data.index(b"PK\x01\x02")
    extra = struct.pack("<HHQ", 1, 8, 1 << 63)
    entry = bytearray(data[at : data.index(b"PK\x05\x06")])
    entry[30:32] = struct.pack("<H", len(extra))
    entry[42:46] = b"\xff" * 4
    entry += extra
    end = bytearray(data[data.index(b"PK\x05\x06") :])
    end[12:16] = struct.pack("<I", len(entry))
    with pytest.raises(FlashError, match="not a sound zip archive"):
        kfpkg.read(data[:at] + bytes(entry) + bytes(end), "x.kfpkg")


@pytest.mark.parametrize("value", ["1e400", "1" + "0" * 400, "NaN", "-1e999"])
def test_a_tfjs_topology_with_numbers_that_nothing_holds(value: str, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    node = {"name": "a", "op": "Conv2D", "attr": {"strides": {"list": {"i": ["NUMBER"]}}}}
    text = json.dumps({"modelTopology": {"node": [node]}, "weightsManifest": []})
    path.write_text(text.replace('"NUMBER"', value))
    with pytest.raises(ModelFormatError, match=r"model\.json: is not valid JSON"):
        tfjs_graph.load(path)


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(cache.ENVIRONMENT_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_pipe_in_the_cache_is_not_waited_for(own_cache: Path) -> None:
    (own_cache / "kind").mkdir(parents=True)
    os.mkfifo(own_cache / "kind" / "digest")
    assert cache.cached("kind", "digest", lambda: b"made") == b"made"


@pytest.mark.parametrize("kept", [b"", b"[]", b"{}", b'{"size": 1, "pictures": 1, "values": 1}', b"\xff", b"1e400"])
def test_a_cache_entry_of_another_shape_is_made_anew(kept: bytes, own_cache: Path) -> None:
    cache.cached("kind", "digest", lambda: kept)
    made = b'{"size": "256x192", "pictures": 1, "values": 5}'
    assert cache.cached("kind", "digest", lambda: made, agreement._agreement).values == 5


@pytest.mark.parametrize(
    "url",
    [
        "mqtt://me:sec/ret@host/p", "mqtt://me:12/ret@host/p", "mqtt://me:sec#ret@host/p", "mqtt://me:sec?ret@host/p",
        "mqtt://me:sec#ret@host", "http://me:secret@host/p", "mqtt://me:secret@host", "mqtt://me:secret@host:port/p",
        "mqtt://me:secret@[/p", "mqtt://me:secret@host/p+", "mqtt://me:secret@host/%ff", "me:secret",
    ],
)  # fmt: skip
def test_no_part_of_a_password_is_in_a_message(url: str) -> None:
    with pytest.raises(HostToolError) as refused:
        Address.of(url)
    for part in ("sec", "ret", "secret", "12"):
        assert part not in str(refused.value)


@pytest.mark.soak
@pytest.mark.parametrize(
    ("form", "mode", "options"),
    [
        ("JPEG", "RGB", {"progressive": True}),
        ("JPEG", "CMYK", {}),
        ("PNG", "RGBA", {"compress_level": 1}),
        ("PNG", "I;16", {"compress_level": 1}),
        ("BMP", "RGB", {}),
        ("GIF", "P", {}),
        ("WEBP", "RGB", {"quality": 1, "method": 0}),
    ],
)
def test_the_largest_photo_takes_less_than_a_gigabyte(form: str, mode: str, options: dict, tmp_path: Path) -> None:
    size = (8192, 6144)
    assert size[0] * size[1] == photos.MOST_PIXELS
    path = tmp_path / "photo.png"
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = {"exif": exif} if form in ("JPEG", "PNG", "WEBP") else {}
    Image.new(mode, size).save(path, form, **options, **turned)
    done = limited.run(("tests.hostile.photo_memory", path), tmp_path)
    assert done.code == 0, done
    assert int(done.stdout) < 1 << 20
