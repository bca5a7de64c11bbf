"""The doors of the project: functions of commands, and calls of the library where no light command leads."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import rich_click as click

from conversion import cache as kept_results
from conversion import network
from conversion.command_line import Commands
from conversion.nncase import agreement
from conversion.outside import text
from conversion.printing import talk
from conversion.quantisation import calibration
from conversion.tensorflow import reference
from conversion.tensorflow.proof_result import Proof
from host_tools import cli
from host_tools.deployment import changes
from host_tools.deployment.flash_folder import FlashFolder
from host_tools.errors import HostToolError
from host_tools.monitor import event_format
from host_tools.monitor.feed import Item
from host_tools.monitor.figure import draw
from host_tools.monitor.frame_processing import FrameProcessor
from host_tools.monitor.text_output import JsonFrames, PlainText
from host_tools.monitor.web import messages
from host_tools.serial_link import Decoder, Frame, Print, diagnosis
from host_tools.serial_link.diagnosis import Heard
from tests import command_line


def call(take: Callable[[], object]) -> command_line.Ended:
    """Run it as a command of the host tools is run."""
    return command_line.ended(lambda: cli.main.ended(take))


def command(group: Commands, *arguments: str) -> command_line.Ended:
    """Run a command with the function that it runs: its command line is read once for all mutants."""
    context = _read(group, arguments)
    return command_line.ended(lambda: group.ended(lambda: context.invoke(context.command.callback, **context.params)))


@cache
def _read(group: Commands, arguments: tuple[str, ...]) -> click.Context:
    name, *options = arguments
    parent = click.Context(group, info_name="hostile")
    return group.get_command(parent, name).make_context(name, options, parent)


def heard(data: bytes) -> None:
    """A line as the monitor hears it: events, words, frames as text and JSON, figures, people."""
    decoder, processor = Decoder(), FrameProcessor(smooth=True, ids=True)
    lines = io.StringIO()
    outputs = [JsonFrames(lines, click.echo), PlainText(lines, click.echo)]
    for number, at in enumerate(range(0, len(data), 300)):
        for event in decoder.feed(data[at : at + 300], number / 10):
            item = Item("bit", event, number / 10)
            if isinstance(event, Frame):
                processed = processor.process("bit", event, number / 10, (320, 240))
                draw(processed.frame.poses, (320, 240), 40, 12)
                for output in outputs:
                    output.frame(processed)
            elif isinstance(event, Print) or not hasattr(event, "status"):
                for output in outputs:
                    output.event(item)
                event_format.of(event)
        decoder.due(number / 10)
    click.echo(lines.getvalue())
    instead = Heard("/dev/pts/0", 115200, sentences=decoder.statistics.sentences)
    instead.add(data)
    click.echo(text.message(diagnosis.explain(instead)))


def inventory(answers: str) -> None:
    """What a board's helpers answer, where `deploy` asks: each question gets all of it."""
    prompt = SimpleNamespace(port="/dev/pts/0", execute=lambda source, seconds, line=None: answers)
    folder = FlashFolder(prompt, talk)
    found = folder.found(None)
    talk(", ".join(sorted(found.sizes)))
    made = changes.of_removal(found, {"main.py": b""})
    for note in made.notes:
        talk(note)


def ordered(data: bytes) -> None:
    """An order of the page; HostToolError for one that is refused, as the page is told."""
    try:
        messages.parse(data.decode("utf-8", errors="surrogateescape"), [0])
    except messages.BadOrderError as error:
        raise HostToolError(str(error)) from error


# The cache


def _packed(**arrays: np.ndarray) -> bytes:
    packed = io.BytesIO()
    np.savez(packed, **arrays)
    return packed.getvalue()


@cache
def cache_entries() -> dict[str, tuple[bytes, Callable[[bytes], object]]]:
    """Of each kind of kept result a sound one, and what reads it."""
    pictures = io.BytesIO()
    np.save(pictures, np.zeros((2, 16, 32, 3), np.uint8))
    heads = {spec.name: np.zeros((1, spec.channels, 2, 2), np.float32) for spec in network.HEADS}
    proof = Proof({"321x241": {"heatmap": 0.0}}, 1e-4, {}, {"320x240": {"heatmap": 0.0}})
    return {
        "agreement": (b'{"size": "256x192", "pictures": 1, "values": 5}', agreement._agreement),
        "proof": (proof.to_json(), Proof.from_json),
        "calibration": (pictures.getvalue(), lambda data: calibration._drawn(data, 32, 16)),
        "float-heads": (_packed(**heads), lambda data: reference._heads(data, 1)),
    }


def kept(folder: Path, kind: str, data: bytes) -> None:
    """A whole entry with these bytes in the cache: it is read, or made anew and then like a sound one."""
    sound, read = cache_entries()[kind]
    os.environ[kept_results.ENVIRONMENT_VARIABLE] = str(folder)
    kept_results._write(folder / kind / "digest", data)
    found = kept_results.cached(kind, "digest", lambda: sound, read)
    assert type(found) is type(read(sound))
