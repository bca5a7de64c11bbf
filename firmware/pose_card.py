"""The device card `pose_model.json`: what the program must know of the kmodel, in integers and names."""

import json

import pose_decoder
import pose_errors
import pose_files
from pose_errors import PoseError

FILE = "pose_model.json"
FORMAT = "posenet-maix device card 1"
VERSION = 3
# nncase begins each head at a multiple of 8 bytes of main memory.
HEAD_ALIGNMENT = 8


class Card:
    """The checked card, with the decoder made from it.

    `width`, `height` in pixels, as the picture lies in memory; `turned`, 1 if people lie on their side there; `bytes`,
    `crc32`, `sha256`, `file` of the kmodel; `main_memory`; `head_bytes`, the sizes of the four heads; `test_vector`, a
    dict, or None.
    """

    def __init__(self, values):
        kmodel = values["kmodel"]
        self.width = values["input"]["width"]
        self.height = values["input"]["height"]
        self.turned = values["input"].get("turned", 0)
        self.file = kmodel["file"]
        self.bytes = kmodel["bytes"]
        self.sha256 = kmodel["sha256"]
        self.crc32 = kmodel["crc32"]
        self.main_memory = values["memory"]["main_memory_bytes"]
        self.test_vector = values.get("test_vector")
        if kmodel["version"] != VERSION:
            raise PoseError(
                pose_errors.KMODEL_VERSION,
                "the card describes a kmodel V%d, this program runs V%d: make it with `make kmodel`"
                % (kmodel["version"], VERSION),
            )
        self.decoder = pose_decoder.PoseDecoder(values)
        cells = self.decoder.rows * self.decoder.columns
        self.head_bytes = [channels * cells for channels in pose_decoder.HEAD_CHANNELS]

    def head_starts(self):
        """Where each head begins in the block of all four (output 0)."""
        starts = []
        at = 0
        for size in self.head_bytes:
            starts.append(at)
            at += (size + HEAD_ALIGNMENT - 1) // HEAD_ALIGNMENT * HEAD_ALIGNMENT
        return starts

    def block_bytes(self):
        """Bytes of the block of all four heads."""
        size = self.head_starts()[-1] + self.head_bytes[-1]
        return (size + HEAD_ALIGNMENT - 1) // HEAD_ALIGNMENT * HEAD_ALIGNMENT


def load():
    """The card of this board; PoseError says what is wrong with it."""
    path = pose_files.find(FILE)
    if path is None:
        raise PoseError(
            pose_errors.NO_CARD, "no %s in /flash or /sd: put it there with `deploy`, together with the kmodel" % FILE
        )
    with pose_files.opened(path) as file:
        try:
            values = json.load(file)
        except ValueError:
            raise _damaged(path, "not JSON")
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise _damaged(path, 'format is not "%s"' % FORMAT)
    try:
        return Card(values)
    except KeyError as error:
        raise _damaged(path, "%s is missing" % error.args[0])
    except (TypeError, IndexError, OverflowError):
        raise _damaged(path, "an entry is of the wrong kind")
    except ValueError as error:
        raise _damaged(path, str(error))


def _damaged(path, what):
    return PoseError(pose_errors.BAD_CARD, "%s: %s; write it again with `deploy`" % (path, what))
