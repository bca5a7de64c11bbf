"""Sentences become events field by field; fields that cannot be are counted, never raised, never believed."""

from __future__ import annotations

import dataclasses
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion.outside.text import printable
from host_tools.serial_link import events, remedies, sentences
from host_tools.serial_link.decoder import Decoder
from host_tools.serial_link.events import Absurd, Digest, OtherProtocol, SelfTest, Settings, Stats, Trouble
from host_tools.serial_link.sentences import Sentence
from tests.firmware.app import sentences as firmware_sentences
from tests.host_tools.peer import HELLO

SOUND = {
    "HELLO": HELLO,
    "DIGEST": (5, 1, 2, 3, 4, 2**32 - 1),
    "BULK": (1, "HEADS", 34500, 384, 7, 5),
    "CHUNK": (1, 0, "AAAA"),
    "SELFTEST": (5, 1, 2, 3, 2, 1, "heads differ: 2 instead of 3"),
    "SETTINGS": (0, 5, 16384, 20, 0, 0, 10000, 0, 50, 20, 8, -1, 1),
    "LAYER": (3, 49, 870),
    "STATS": (9000, 1, 100, 90, 10, 50000, 4, 0, 0, 200000, 300000, -1, 115200),
    "ERROR": (31, 2, "no frame"),
    "REPLY": (7, 2, 0, "out of range"),
}


def said(kind: str, *fields: object) -> object:
    return events.read(Sentence(kind, tuple(map(str, fields))))


def test_every_sentence_of_the_firmware_has_an_event() -> None:
    """The firmware tests' own table has the same types, with as many fields each."""
    table = firmware_sentences.TABLE
    assert set(SOUND) | {"FRAME", "POSE"} == set(table)
    for kind, fields in SOUND.items():
        assert len(fields) == len(table[kind]), kind
        assert not isinstance(said(kind, *fields), Absurd | None), kind


def test_fields_get_their_names() -> None:
    hello = said("HELLO", *HELLO)
    assert dataclasses.astuple(hello) == (*HELLO[:12], None, *HELLO[13:])
    assert said("HELLO", *HELLO[:12], "ab" * 32, *HELLO[13:]).kmodel_sha256 == "ab" * 32
    assert said("DIGEST", *SOUND["DIGEST"]) == Digest(
        5, 1, {"heatmap": 2, "offset": 3, "displacement_fwd": 4, "displacement_bwd": 2**32 - 1}
    )
    assert said("SELFTEST", *SOUND["SELFTEST"]) == SelfTest(*SOUND["SELFTEST"])
    assert said("SETTINGS", *SOUND["SETTINGS"]) == Settings(*SOUND["SETTINGS"])
    assert said("STATS", *SOUND["STATS"]) == Stats(*SOUND["STATS"])
    assert said("ERROR", 23, 1, "50 %25 %24%2A%2C%0A %C3%A9") == Trouble(23, 1, "50 % $*,\ufffd é")


def test_fields_that_an_older_program_leaves_out_are_none() -> None:
    whole = SOUND["SETTINGS"]
    for missing, none in enumerate(("smooth", "zoom", "vote", "share"), 1):
        found = said("SETTINGS", *whole[:-missing])
        assert found == Settings(*whole[:-missing])
        assert getattr(found, none) is None
    assert isinstance(said("SETTINGS", *whole[:-5]), Absurd)


def test_a_hello_of_an_older_program_is_of_a_picture_that_stands_and_of_previews_that_may_be_had() -> None:
    older = said("HELLO", *HELLO[:15])
    assert (older.turned, older.preview_missing, older.picture) == (0, 0, (320, 240))
    turned = said("HELLO", *HELLO[:15], 1, 344)
    assert (turned.turned, turned.preview_missing, turned.picture) == (1, 344, (240, 320))
    assert isinstance(said("HELLO", *HELLO[:14]), Absurd)
    assert isinstance(said("HELLO", *HELLO[:15], 2, 0), Absurd)
    assert isinstance(said("HELLO", *HELLO[:15], 0, -1), Absurd)
    events.check(older)
    events.check(turned)
    with pytest.raises(ValueError, match="not from 0 to 1"):
        events.check(dataclasses.replace(turned, turned=2))


def test_fields_of_a_newer_program_are_passed_over() -> None:
    assert said("SETTINGS", *SOUND["SETTINGS"], 77, "new") == Settings(*SOUND["SETTINGS"])
    assert said("WEATHER", 1, 2) is None
    assert said("FRAME", 1) is None


def test_another_protocol_is_told_with_whatever_fields() -> None:
    assert said("HELLO", 2, "9.1", "anything") == OtherProtocol(2, "9.1")
    assert said("HELLO", 0, "<>") == OtherProtocol(0, "")
    assert isinstance(said("HELLO", 2), Absurd)
    assert isinstance(said("HELLO", -2, "9.1"), Absurd)


@pytest.mark.parametrize("kind", SOUND)
def test_missing_fields_and_wrong_kinds_are_absurd(kind: str) -> None:
    fields = SOUND[kind]
    for count in range(len(fields) - events._LATER_FIELDS.get(kind, 0)):
        assert isinstance(said(kind, *fields[:count]), Absurd), (kind, count)
    for number, field in enumerate(fields):
        for wrong in ("", "x", "1.5", "+1", " 1", "1e3", "0x1", "9" * 30) if isinstance(field, int) else ():
            changed = said(kind, *fields[:number], wrong, *fields[number + 1 :])
            assert isinstance(changed, Absurd), (kind, number, wrong)


@pytest.mark.parametrize(
    ("kind", "number", "value"),
    [
        ("HELLO", 2, 2**32), ("HELLO", 6, 4), ("HELLO", 7, 5000), ("HELLO", 12, "abc"), ("HELLO", 12, "AB" * 32),
        ("HELLO", 5, "maix bit"), ("HELLO", 13, 0), ("HELLO", 13, 1000), ("HELLO", 14, 5), ("DIGEST", 1, 2**32),
        ("BULK", 2, 0), ("BULK", 2, 2**21), ("BULK", 3, 0), ("BULK", 3, 769), ("SELFTEST", 1, 3), ("SELFTEST", 4, 33),
        ("SETTINGS", 1, 33), ("SETTINGS", 2, 0), ("SETTINGS", 8, 96), ("SETTINGS", 10, 17), ("SETTINGS", 11, 5),
        ("SETTINGS", 11, -2), ("SETTINGS", 12, 2),
        ("STATS", 1, 5), ("STATS", 11, -2),
        ("ERROR", 0, 0), ("ERROR", 1, 0), ("REPLY", 0, 65536), ("REPLY", 1, -1),
    ],
)  # fmt: skip
def test_what_no_board_can_mean_is_absurd_and_counted(kind: str, number: int, value: object) -> None:
    fields = [*SOUND[kind]]
    fields[number] = value
    assert isinstance(said(kind, *fields), Absurd)
    decoder = Decoder()
    assert decoder.feed(sentences.made(kind, *fields), 0) == []
    assert (decoder.statistics.absurd, decoder.statistics.sentences) == (1, 1)


FIELD = st.one_of(
    st.integers(-(2**40), 2**40).map(str),
    st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="$*,"), max_size=20),
)


@given(st.sampled_from([*SOUND, "FRAME", "POSE", "X"]), st.lists(FIELD, max_size=60))
def test_whatever_the_fields_nothing_is_raised(kind: str, fields: list[str]) -> None:
    decoder = Decoder()
    for _ in range(2):
        decoder.feed(sentences.made(kind, *fields), 0)
    assert decoder.statistics.sentences == 2


@given(st.binary(max_size=400), st.integers(1, 50))
def test_whatever_the_bytes_nothing_is_raised_and_no_text_can_move_a_cursor(data: bytes, step: int) -> None:
    decoder = Decoder()
    for at in range(0, len(data), step):
        for event in decoder.feed(data[at : at + step], 0):
            assert event.text.replace("\t", " ").isprintable() or not event.text.isascii()
            assert not any(ord(letter) < 0x20 and letter != "\t" for letter in event.text)
            assert not any(0x7F <= ord(letter) < 0xA0 for letter in event.text)
    assert decoder.statistics.bytes == len(data)


@given(st.text(max_size=100))
def test_texts_come_back_as_they_were_but_for_what_does_not_print(text: str) -> None:
    field = urllib.parse.quote(text, safe=" !\"#&'()+-./:;<=>?@[\\]^_`{|}~", errors="replace")
    assert sentences.text_of(field) == printable(text.encode(errors="replace").decode())


def test_every_code_of_the_firmware_has_a_remedy(root: object) -> None:
    table = (root / "firmware" / "README.md").read_text().split("Codes of `REPLY` and `ERROR`:")[1].split("**Room")[0]
    codes = [int(line.split("|")[1]) for line in table.splitlines() if line.startswith("| ") and line[2].isdigit()]
    assert len(codes) > 20
    assert set(codes) == set(remedies.REMEDIES)
    assert remedies.remedy(999) == ""
