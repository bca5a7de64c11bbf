"""`doctor`: what is needed, from Python to the board's free memory: one line each, with the remedy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import rich_click as click

from conversion.printing import Named, show, talk
from host_tools.talk import stopped_cleanly

if TYPE_CHECKING:
    from host_tools.doctor.findings import Finding

_STYLES = {"ok": "green", "mend": "red", "note": "dim"}


@click.command()
@click.option("--port", metavar="NAME", help="Serial port, its number in the list, or a URL; default: the only board.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def doctor(context: click.Context, port: str | None, as_json: bool) -> None:
    """Look at Python, packages, port, permission, and the board's firmware, program, model and memory.

    Nothing is changed, and no program is stopped. Exit codes: 0 all is well, 1 something is to be mended.
    """
    with stopped_cleanly("stopped"):
        findings = _look(port)
    if as_json:
        click.echo(json.dumps([finding.to_dict() for finding in findings]))
    else:
        _show(findings)
    if any(finding.state == "mend" for finding in findings):
        context.exit(1)


def _look(wanted: str | None) -> list[Finding]:
    from host_tools.doctor import board, computer
    from host_tools.doctor.findings import State
    from host_tools.serial_link import link_note

    port, chosen = computer.port(wanted)
    findings = [computer.python(), *computer.packages(), computer.brltty(), port]
    if chosen is not None:
        permission = computer.permission(chosen)
        findings.append(permission)
        if permission.state is State.OK:
            link_note.tell([chosen], talk)
            talk(f"{chosen}: asking who is there")
            findings += board.look(chosen)
    return findings


def _show(findings: list[Finding]) -> None:
    facts = [
        (finding.state.value, finding.subject, " -> ".join(filter(None, (finding.text, finding.remedy))))
        for finding in findings
    ]
    show(Named(facts, [_STYLES[finding.state.value] for finding in findings]))
