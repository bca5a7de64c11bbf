"""Raising the speed of a line as far as it goes, and remembering what it did not carry."""

from __future__ import annotations

from collections.abc import Sequence

from host_tools.serial_link.link import Link
from host_tools.serial_link.refusal import Refused

# Of the usual bridges some end at 921,600.
RATES = (1_500_000, 921_600)
# In the place of a rate: as fast as the line goes.
FASTEST = 0


def raise_speed(link: Link, rates: Sequence[int] = RATES) -> list[int]:
    """Let the line run at the first of the rates that works, see `Link.raise_baud`; returns those that did not, []
    where the first did. A rate that failed once is not tried again, nor any on a port whose speed cannot be set.

    LinkError if the board does not answer at all any more.
    """
    failed: list[int] = []
    known = link.failed_rates.copy()
    for rate in rates if link.has_speed else ():
        if rate in known:
            continue
        try:
            if link.raise_baud(rate):
                break
        except Refused:
            pass
        link.failed_rates.add(rate)
        failed.append(rate)
    return failed
