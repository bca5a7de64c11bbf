"""What a verification has found, as data: one finding for each run, and the verdict over all of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from host_tools.serial_link import Hello, Settings
from host_tools.verification.comparison import HeadsDifference, PosesDifference
from host_tools.verification.layers import LayerPlace
from host_tools.verification.upload import Sent

IMAGE, BOARD = "image", "self-test and live frames"
# What of a run is compared with the host's: heads and poses for a picture that both have, or what the host decodes from
# the heads that the board has sent.
HEADS, POSES, POSES_OF_ITS_HEADS = "heads", "poses", "poses of its heads"
# Of a frame with zoom: the windows that follow from the state before it and its heads.
WINDOWS = "windows"


@dataclass(frozen=True)
class Finding:
    """One run on the board against the host. `subject` is the picture, `compared` what was compared with the host's.

    `heads` and `poses` say how the two differ, `explanation` what that speaks for, line by line; the run is as it
    should be if all three are empty. `layers` is where to look if the heads differ. `windows` (x0, y0, step) are those
    that the board told, one a run, where there is zoom.
    """

    subject: str
    compared: tuple[str, ...]
    frame: int
    crc32: int
    pose_count: int
    heads: HeadsDifference | None = None
    poses: PosesDifference | None = None
    explanation: tuple[str, ...] = ()
    layers: tuple[LayerPlace, ...] = ()
    windows: tuple[tuple[int, int, int], ...] = ()

    @property
    def equal(self) -> bool:
        """Whether board and host agree."""
        return self.heads is None and self.poses is None and not self.explanation


@dataclass(frozen=True)
class Verdict:
    """A whole verification: `mode` is IMAGE or BOARD, `sent` the upload of the picture."""

    mode: str
    model: Path
    model_sha256: str
    model_bytes: int
    hello: Hello
    settings: Settings
    findings: tuple[Finding, ...]
    seconds: float
    input_sha256: str | None = None
    sent: Sent | None = None

    @property
    def verified(self) -> bool:
        """Whether all runs agree."""
        return all(finding.equal for finding in self.findings)

    @property
    def firmware(self) -> str:
        """The program's version and the system that it runs on."""
        return f"posenet {self.hello.firmware} on {self.hello.system} {self.hello.release}"

    def to_dict(self) -> dict:
        """For JSON."""
        return {
            "verified": self.verified,
            "mode": self.mode,
            "board": self.hello.board,
            "firmware": {name: getattr(self.hello, name) for name in ("firmware", "system", "release")},
            "model": {
                "file": self.model.name,
                "sha256": self.model_sha256,
                "bytes": self.model_bytes,
                "size": [self.hello.width, self.hello.height],
            },
            "settings": asdict(self.settings),
            "input_sha256": self.input_sha256,
            "findings": [_finding(finding) for finding in self.findings],
            "upload": asdict(self.sent) if self.sent else None,
            "seconds": round(self.seconds, 3),
        }


def _finding(finding: Finding) -> dict:
    return {**asdict(finding), "equal": finding.equal}
