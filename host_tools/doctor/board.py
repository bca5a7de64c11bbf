"""A board at its port: what runs there, its model and memory, as far as it says so by itself; nothing is stopped."""

from __future__ import annotations

import conversion
from host_tools import payload, time_limits
from host_tools.doctor.findings import Finding, bad, note, ok
from host_tools.errors import LinkError
from host_tools.serial_link import STATES, Hello, Link, Stats, Trouble, remedy

_KIB = 1024


def look(port: str) -> list[Finding]:
    """Firmware, program, model and memory; LinkError never: a board that does not answer is a finding."""
    try:
        with Link(port) as link:
            hello = link.greet()
            stats, trouble = _ask(link)
    except LinkError as error:
        text, _, what_to_do = str(error).partition("; ")
        return [bad("program", text, what_to_do or "press its reset key, then run `doctor` again")]
    return [_firmware(hello), _program(hello, stats, trouble), _model(hello), *_memory(stats)]


def _ask(link: Link) -> tuple[Stats | None, Trouble | None]:
    """Its counts, and the error that it complains of meanwhile, if any."""
    trouble = None
    try:
        link.ask("STATS")
        stats = link.wait_for(Stats, time_limits.MONITOR_ANSWER.seconds)
    except LinkError:
        stats = None
    for event in link.poll(0.0):
        if isinstance(event, Trouble):
            trouble = event
    return stats, trouble


def _firmware(hello: Hello) -> Finding:
    return ok("firmware", f"{hello.system} {hello.release}, board {hello.board}")


def _program(hello: Hello, stats: Stats | None, trouble: Trouble | None) -> Finding:
    state = STATES[stats.state] if stats and stats.state < len(STATES) else "of unknown state"
    text = f"{hello.firmware}, {state}"
    if trouble:
        return bad("program", f"{text}: {trouble.text}", remedy(trouble.code) or "see `monitor`")
    if hello.firmware != conversion.__version__:
        return bad(
            "program", f"{text}; these tools are {conversion.__version__}", f"`deploy` with --board {hello.board}"
        )
    return ok("program", text)


def _model(hello: Hello) -> Finding:
    if not hello.width:
        return bad("model", "none is loaded", "`flash`, then `deploy`, both with the same kmodel")
    digest = hello.kmodel_sha256 or ""
    text = f"{hello.width}x{hello.height}, {hello.kmodel_bytes} bytes, sha256 {digest[:16]}…"
    here = payload.of_digest(digest)
    return ok("model", f"{text}, as {here}" if here else text)


def _memory(stats: Stats | None) -> list[Finding]:
    if stats is None:
        return [note("memory", "the board did not say")]
    heap = stats.heap_free + stats.heap_used
    text = f"{stats.heap_free // _KIB} of {heap // _KIB} KiB of MicroPython's heap free"
    system = f", {stats.system_free // _KIB} KiB of the firmware's" if stats.system_free >= 0 else ""
    # However little of the heap is free, it is collected when it is nearly used up.
    return [ok("memory", text + system)]
