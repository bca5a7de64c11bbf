"""A board that says no: its answer to a question, with what to do about it."""

from __future__ import annotations

from host_tools.errors import LinkError
from host_tools.serial_link.events import Reply
from host_tools.serial_link.remedies import remedy


class Refused(LinkError):  # noqa: N818 - it is an answer
    """The board answered with a status other than 0: `code` and `text` are what it said."""

    def __init__(self, port: str, kind: str, reply: Reply) -> None:
        super().__init__(f"{port}: the board refused {kind} ({reply.status}: {reply.text}); {remedy(reply.status)}")
        self.code = reply.status
        self.text = reply.text
