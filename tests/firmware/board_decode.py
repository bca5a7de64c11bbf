"""Runs under MicroPython and CPython: decodes the cases in a folder and prints every integer of every result.

Case NAME is NAME.json (a card and parameters) and NAME.heads.
"""

import gc
import json
import sys

import board_cases
import pose_decoder


def show(name, mode, decoder, count):
    """One line for a call, two for each pose."""
    print(name, mode, count)
    for pose in decoder.poses[:count]:
        print(pose.score, pose.score_sum, list(pose.x16), list(pose.y16), list(pose.scores))
        print(list(pose.x64), list(pose.y64), list(pose.heat))


def main(folder, names):
    """Decodes each case, both ways."""
    for name in names:
        # What the case before took is free before the next one takes its own.
        decoder = heads = None
        gc.collect()
        with open(folder + "/" + name + ".json") as file:
            case = json.load(file)
        decoder = pose_decoder.PoseDecoder(case["card"])
        decoder.configure(**case["parameters"])
        heads = board_cases.read(folder + "/" + name + ".heads", decoder.rows * decoder.columns)
        show(name, "multi", decoder, decoder.decode(heads))
        show(name, "single", decoder, decoder.decode_single(heads))


main(sys.argv[1], sys.argv[2:])
