"""The command line: gathers the commands. Exit codes: 0, 1 a check failed, 2 bad use or no device."""

from __future__ import annotations

import importlib

import rich_click as click

from conversion import __version__, command_line
from conversion.errors import ConversionError, ProofError
from host_tools.boards_command import boards
from host_tools.configuration.config_command import config
from host_tools.deployment.deploy_command import deploy
from host_tools.doctor.doctor_command import doctor
from host_tools.errors import HostToolError, VerificationError
from host_tools.flashing.erase_command import erase
from host_tools.flashing.flash_command import flash
from host_tools.flashing.kfpkg_command import kfpkg
from host_tools.flashing.release_command import release
from host_tools.monitor.monitor_command import monitor
from host_tools.serial_link.ports_command import ports
from host_tools.verification.profile_command import profile
from host_tools.verification.verify_command import verify
from host_tools.virtual_board.board_command import board
from host_tools.virtual_board.demo_command import demo
from host_tools.virtual_board.fps_command import fps

# Commands of the other package, which is imported when one of them is asked for (or listed): the one exception to
# what these tools import, see README.md.
CONVERSION = ("evaluate", "inspect", "kmodel", "simulate")
_CONVERSION_MODULE = "conversion.cli"


class _Commands(command_line.Commands):
    """With the errors of the host tools, and the commands of `conversion`."""

    errors = (HostToolError, ConversionError)
    failed_checks = (VerificationError, ProofError)

    def list_commands(self, context: click.Context) -> list[str]:
        """All names, those of `conversion` among them."""
        return sorted((*super().list_commands(context), *CONVERSION))

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """A command by its name."""
        if name in CONVERSION:
            return importlib.import_module(_CONVERSION_MODULE).main.commands[name]
        return super().get_command(context, name)

    def extra_of(self, command: str | None) -> str:
        """See the base."""
        return "conversion" if command in CONVERSION else "host"


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """PoseNet on a Maix board: make the kmodel, flash and deploy it, watch it, prove it; also on a virtual board."""


for command in (
    board,
    boards,
    config,
    demo,
    deploy,
    doctor,
    erase,
    flash,
    fps,
    kfpkg,
    monitor,
    ports,
    profile,
    release,
    verify,
):
    main.add_command(command)
