"""The command line: gathers the commands. Exit codes: 0, 1 a check failed, 2 bad use or no device."""

from __future__ import annotations

import rich_click as click

from conversion import command_line
from conversion.errors import ConversionError
from host_tools.deployment.deploy_command import deploy
from host_tools.errors import HostToolError, VerificationError
from host_tools.flashing.flash_command import flash
from host_tools.flashing.kfpkg_command import kfpkg
from host_tools.flashing.release_command import release
from host_tools.monitor.monitor_command import monitor
from host_tools.verification.profile_command import profile
from host_tools.verification.verify_command import verify
from host_tools.virtual_board.board_command import board
from host_tools.virtual_board.demo_command import demo
from host_tools.virtual_board.fps_command import fps


class _Commands(command_line.Commands):
    """With the errors of the host tools."""

    errors = (HostToolError, ConversionError)
    failed_checks = (VerificationError,)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """What runs beside a Maix board, and a virtual one."""


for command in (board, demo, deploy, flash, fps, kfpkg, monitor, profile, release, verify):
    main.add_command(command)
