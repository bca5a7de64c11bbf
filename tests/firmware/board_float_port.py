"""Runs under MicroPython: how far the float port's poses are from the integer decoder's, over some frames.

Prints the number of poses and the largest difference of a position in 1/64 pixel.
"""

import json
import sys

import board_cases
import float_port
import pose_decoder


def difference(pose, keypoints):
    """The largest difference of a coordinate of one pose, in 1/64 pixel, rounded up."""
    worst = 0
    for part in range(pose_decoder.PARTS):
        y, x, _ = keypoints[part]
        worst = max(worst, abs(y * 64 - pose.y64[part]), abs(x * 64 - pose.x64[part]))
    return int(worst + 0.999)


def main(folder, count):
    """Decodes each frame both ways."""
    with open(folder + "/card.json") as file:
        card = json.load(file)
    decoder = pose_decoder.PoseDecoder(card)
    cells = decoder.rows * decoder.columns
    floats = float_port.FloatDecoder(decoder.rows, decoder.columns)
    float_heads = board_cases.float_heads(cells)
    poses = 0
    worst = 0
    for n in range(count):
        heads = board_cases.read(folder + "/" + str(n) + ".heads", cells)
        board_cases.dequantise(heads, card, float_heads)
        found = floats.decode(*float_heads)
        assert len(found) == decoder.decode(heads)
        for number, (_, keypoints) in enumerate(found):
            worst = max(worst, difference(decoder.poses[number], keypoints))
            poses += 1
    print(poses, worst)


main(sys.argv[1], int(sys.argv[2]))
