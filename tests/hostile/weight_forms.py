"""The forms of published weights: damaged where their structure is, loaded, and looked into."""

from __future__ import annotations

import json
import os
import random
from functools import cache
from pathlib import Path

from conversion import cli, weights
from tests.hostile import doors, mutate, sound_weights
from tests.hostile.form import AS_JSON, Form, of_command

# Where `sound_weights` has written them.
WEIGHTS = "HOSTILE_WEIGHTS"
_STRUCTURE = 20_000


@cache
def _weight_files(form: str) -> dict[str, bytes]:
    folder = Path(os.environ[WEIGHTS], form)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@cache
def _document(form: str, name: str) -> object:
    return json.loads(_weight_files(form)[name])


def of(form: str, looked_into: bool = False) -> Form:
    """One file of a form damaged; most of each is numbers, so faults are put where its structure is: at its ends."""
    main = sound_weights.MAIN[form]

    def made(source: random.Random) -> dict[str, bytes]:
        files = _weight_files(form)
        name = main if source.random() < 0.8 else source.choice(list(files))
        data = files[name]
        if name.endswith(".json") and source.random() < 0.7:
            return {**files, name: mutate.of_json(source, _document(form, name))}
        size = min(_STRUCTURE, len(data) // 2)
        head, middle, tail = data[:size], memoryview(data)[size : len(data) - size], data[len(data) - size :]
        fate = source.randrange(3)
        head = head if fate == 1 else mutate.of_bytes(source, head)
        tail = tail if fate == 0 else mutate.of_bytes(source, tail)
        return {**files, name: b"".join((head, middle, tail))}

    def ready() -> None:
        weights.load(Path(os.environ[WEIGHTS], form, main))

    if looked_into:
        return of_command(made, cli.main, lambda folder: ("inspect", folder / main), ready, AS_JSON)
    return Form(made, lambda folder: doors.call(lambda: weights.load(folder / main)), ready=ready)
