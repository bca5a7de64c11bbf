"""The stand-ins of the virtual board answer every probe as a real MaixPy did, but for the exceptions."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.conformance import recorded
from tests.conformance.boards import ask_stand_in
from tests.conformance.probes import Probe, answer, groups, normalised, source
from tests.test_lock import tomllib

PROBES = [probe for probes in groups().values() for probe in probes]
MOST_EXCEPTIONS = 15


@cache
def exceptions() -> dict[str, dict[str, str]]:
    """{group: {probe: why the stand-in answers something else}}."""
    return tomllib.loads(Path(__file__).with_name("exceptions.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def stand_ins() -> Callable[[str], dict[str, str]]:
    """Asks the virtual board a group, once in a session."""
    return cache(ask_stand_in)


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.id)
def test_the_stand_in_answers_as_the_real_firmware(probe: Probe, stand_ins: Callable[[str], dict[str, str]]) -> None:
    real, ours = recorded.answers(probe.group)[probe.code], stand_ins(probe.group)[probe.code]
    if probe.code in exceptions().get(probe.group, {}):
        assert ours != real, "they agree: take the exception out of exceptions.toml"
    else:
        assert ours == real


def test_there_are_few_exceptions_each_with_a_reason_and_a_probe() -> None:
    found = [(group, code, reason) for group, reasons in exceptions().items() for code, reason in reasons.items()]
    assert len(found) <= MOST_EXCEPTIONS
    for group, code, reason in found:
        assert code in {probe.code for probe in groups()[group]}
        assert len(reason) > 20


def test_the_data_answer_every_probe_and_no_other() -> None:
    """Who adds a probe must ask the images again."""
    for group, probes in groups().items():
        assert list(recorded.answers(group)) == [probe.code for probe in probes], group


def test_answers_do_not_hold_what_differs_from_run_to_run() -> None:
    printed = "kpu_net __del__\r\n\x02\r\nfind\r\r\n\x03= <io.TextIOWrapper 800d1540>\r\n"
    assert answer(printed) == "find\n= <io.TextIOWrapper …>"
    assert answer("\x02\r\n\x03! TypeError ('load() takes 1 positional arguments but 0 were given',)\r\n") == (
        "! TypeError (wrong arguments)"
    )
    assert normalised('"data"=0x802b97b0, 12345678') == '"data"=0x…, 12345678'
    assert answer("\x02\r\nstarted") == "started\n(no answer)"


def test_of_a_kind_no_value_is_asked() -> None:
    kind, value = source(Probe("g", "? f(1)")), source(Probe("g", "f(1)"))
    assert "type(_r)" in kind
    assert "_e.args" not in kind
    assert "repr(_r)" in value
    assert "_e.args" in value
