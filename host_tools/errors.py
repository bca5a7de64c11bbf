"""The errors of the host tools: each one is a single line that says what, where and what to do next."""


class HostToolError(Exception):
    """Anything that stops a host tool and that its user can mend; the command line exits with 2."""


class LinkError(HostToolError):
    """A serial port that is missing, taken, silent, or that says what nobody expects."""


class FlashError(HostToolError):
    """A chip that cannot be written, or an image that must not be."""


class BoardError(HostToolError):
    """A board, real or virtual, that cannot be started or described: unknown name, wrong settings, missing parts."""


class VerificationError(HostToolError):
    """A board whose numbers differ from the host's; the command line exits with 1."""
