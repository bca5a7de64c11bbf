"""The serial line: ports that may vanish, sentences read off it, events made of them, and conversations.

What other rooms need of it is offered here.
"""

from host_tools.serial_link.blocks import RUNS
from host_tools.serial_link.decoder import Decoder
from host_tools.serial_link.diagnosis import Heard, Wanted
from host_tools.serial_link.error_codes import ErrorCode
from host_tools.serial_link.events import (
    STATES,
    Block,
    BlockLost,
    Digest,
    Event,
    Found,
    Hello,
    LayerTime,
    Lost,
    OtherProtocol,
    Print,
    Reply,
    Restarted,
    SelfTest,
    Settings,
    Stats,
    Trouble,
)
from host_tools.serial_link.link import CHANGE_SECONDS, PING_SECONDS, Link
from host_tools.serial_link.opening import BAUD, MissingPortError
from host_tools.serial_link.refusal import Refused
from host_tools.serial_link.remedies import OLDER_PROGRAM, no_previews, remedy
from host_tools.serial_link.sentences import MOST_WINDOWS, STAGES, Frame, Pose
from host_tools.serial_link.speed import FASTEST, RATES, raise_speed
from host_tools.serial_link.statistics import Statistics

__all__ = [
    "BAUD",
    "CHANGE_SECONDS",
    "FASTEST",
    "MOST_WINDOWS",
    "OLDER_PROGRAM",
    "PING_SECONDS",
    "RATES",
    "RUNS",
    "STAGES",
    "STATES",
    "Block",
    "BlockLost",
    "Decoder",
    "Digest",
    "ErrorCode",
    "Event",
    "Found",
    "Frame",
    "Heard",
    "Hello",
    "LayerTime",
    "Link",
    "Lost",
    "MissingPortError",
    "OtherProtocol",
    "Pose",
    "Print",
    "Refused",
    "Reply",
    "Restarted",
    "SelfTest",
    "Settings",
    "Statistics",
    "Stats",
    "Trouble",
    "Wanted",
    "no_previews",
    "raise_speed",
    "remedy",
]
