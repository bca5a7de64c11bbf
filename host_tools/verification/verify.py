"""Does a board compute what the host computes? Pictures through both, heads byte for byte, poses integer for integer.

plan = verify.plan_image(model_path, photo_path)
with Link(ports.choose(None)) as link:
    print(verify.run(link, plan).verified)
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from conversion import photos
from conversion.errors import ModelFormatError
from conversion.progress import BYTES, Report, Talk, silent, unreported
from conversion.test_card import draw, planes_of
from host_tools.errors import BoardError
from host_tools.serial_link import ErrorCode, Link, Refused
from host_tools.verification import model as models
from host_tools.verification import upload
from host_tools.verification.judging import Judge, Picture
from host_tools.verification.model import Model
from host_tools.verification.session import Run, Session, opened
from host_tools.verification.upload import Sent
from host_tools.verification.verdict import BOARD, IMAGE, Finding, Verdict

FRAMES = 5
_UPLOADS = 3


@dataclass(frozen=True)
class Expectation:
    """What is to be verified: `mode` is IMAGE or BOARD, `picture` a file or the test card, which so many live `frames`
    follow."""

    mode: str
    model: Model
    picture: Picture
    frames: int = 0


def expect_image(model: Path, image: Path) -> Expectation:
    """A photo, letterboxed as everywhere in this project, and laid as the kmodel's memory has it, through the kmodel on
    the host.

    Raises ModelFormatError, UnsupportedModelError, PhotoError.
    """
    photo = photos.read(image)
    the_model = models.load(model)
    words = the_model.simulation.in_memory(upload.to_words(photos.letterbox(photo, *the_model.simulation.picture)))
    return Expectation(IMAGE, the_model, _picture(the_model, image.name, words))


def expect_board(model: Path, frames: int = FRAMES) -> Expectation:
    """The test card through the kmodel on the host, to be followed by live frames.

    Raises ModelFormatError, also where the model card expects something else of the test card, UnsupportedModelError.
    """
    the_model = models.load(model)
    # RGB565 can say every pixel of the test card: back to words and to planes again is the same.
    words = upload.to_words(draw(*the_model.size).transpose(1, 2, 0))
    expected = Expectation(BOARD, the_model, _picture(the_model, "test card", words), frames)
    vector = the_model.card.get("test_vector")
    found, _ = models.checksums(expected.picture.heads)
    if vector is not None and vector.get("heads_crc32") != found:
        raise ModelFormatError(
            f"{model}: its heads on the test card have CRC-32 {found}, its card says {vector.get('heads_crc32')}; make "
            "it anew with `make kmodel`"
        )
    return expected


def _picture(model: Model, subject: str, words: np.ndarray) -> Picture:
    return Picture(subject, words, model.simulation.heads(planes_of(words)))


def run(link: Link, expected: Expectation, report: Report = unreported, talk: Talk = silent) -> Verdict:
    """Verify the board at the other end. It is paused meanwhile, and goes on afterwards if it ran before.

    LinkError or BoardError where the board cannot be verified; that it differs is what the verdict says.
    """
    begin = time.monotonic()
    sent = None
    with opened(link, expected.model, talk) as session:
        judge = Judge(expected.model, session.hello.board, report)
        if expected.mode == IMAGE:
            finding, sent = _image(session, expected.picture, judge, report)
            findings = [finding]
        else:
            findings = _board(session, expected, judge, report)
        session.check_boot()
    return Verdict(
        mode=expected.mode,
        model=expected.model.path,
        model_sha256=expected.model.sha256,
        model_bytes=len(expected.model.data),
        hello=session.hello,
        settings=session.settings,
        findings=tuple(findings),
        seconds=time.monotonic() - begin,
        input_sha256=hashlib.sha256(planes_of(expected.picture.words).tobytes()).hexdigest(),
        sent=sent,
    )


def _image(session: Session, picture: Picture, judge: Judge, report: Report) -> tuple[Finding, Sent]:
    def runs(heads: bool) -> Run:
        report("the board runs the picture", 0, 0, "")
        return session.run("RUN", int(heads), heads=heads)

    uploads = 0
    while True:
        sent = _uploaded(session, picture.words, report)
        uploads += 1
        try:
            return judge.on_picture(picture, session.settings, runs), sent
        except Refused as error:
            # The pixels are gone (somebody pressed the board's key) or damaged: send them again.
            session.check_boot()
            if error.code not in (ErrorCode.BAD_CHUNK, ErrorCode.BAD_DATA) or uploads == _UPLOADS:
                raise
            session.link.ask("PAUSE")


def _uploaded(session: Session, words: np.ndarray, report: Report) -> Sent:
    def progress(done: int, total: int) -> None:
        report("sending the picture", done, total, BYTES)

    try:
        return upload.send(session.link, words, session.hello.chunk_bytes, progress)
    except Refused:
        # A board that has started again has no upload any more: then that is the reason.
        session.check_boot()
        raise


def _board(session: Session, expected: Expectation, judge: Judge, report: Report) -> list[Finding]:
    def tests(heads: bool) -> Run:
        report("self-test: the board draws its test card", 0, 0)
        return session.run("SELFTEST", int(heads), heads=heads)

    try:
        findings = [judge.on_picture(expected.picture, expected.model.selftest, tests)]
    except Refused as error:
        # There is no test vector on the board.
        if error.code != ErrorCode.NOT_POSSIBLE:
            raise
        raise BoardError(
            f"{session.link.port}: no self-test: {error.text}, then run `deploy`; --image FILE verifies without one"
        ) from error
    for number in range(expected.frames):
        report("live frames", number, expected.frames, "frames")
        findings.append(judge.on_live(session.settings, session.run("HEADS", heads=True)))
    return findings
