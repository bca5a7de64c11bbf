"""The errors of the emulated chip; each is one line that says what, where and what to do next."""

from host_tools.errors import BoardError


class EmulatorError(BoardError):
    """Anything about the emulated K210 that its user can mend; the command line exits with 2."""


class NoFirmwareError(EmulatorError):
    """The mask ROM finds no firmware in flash that it could start."""


class UnmodelledError(EmulatorError):
    """The firmware uses a part of the chip that this emulator does not have."""


class WaitError(EmulatorError):
    """Something that was waited for has not come within its limit of emulated or of real time."""


class CrashError(EmulatorError):
    """The firmware has crashed; `report` is what is known of it, several lines: registers, calls, last words."""

    def __init__(self, line: str, report: str) -> None:
        super().__init__(line)
        self.report = report
