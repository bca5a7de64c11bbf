"""`ports`: the serial ports of this computer, and which of them may be a Maix board's."""

from __future__ import annotations

import json

import rich_click as click

from conversion.printing import tabulate, talk


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def ports(as_json: bool) -> None:
    """List what is plugged in: bridges of Maix boards, with the numbers that --port takes, then everything else."""
    from host_tools.serial_link import ports as serial_ports
    from host_tools.serial_link import survey

    seen = survey.survey()
    if as_json:
        click.echo(json.dumps([each.to_dict() for each in seen]))
    elif seen:
        tabulate(
            ("name", "--port", "USB", "what it is", "remark"),
            [(each.port.device, str(each.number or ""), each.port.ids or "", each.what, each.remark) for each in seen],
        )
    if not any(each.number for each in seen):
        talk(serial_ports.nothing_found())
