"""Runs under MicroPython: what decoding costs in heap, and in time against the float port, printed as JSON.

The folder holds card.json and 0.heads, 1.heads, ...; each measurement goes round them.
"""

import gc
import json
import sys
import time

import board_cases
import float_port
import pose_decoder

HEAP_FRAMES = 100
TIMED_FRAMES = 30


def heap_bytes(decoder, heads):
    """What decoding and reading the result leaves behind on the heap."""
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    total = 0
    for n in range(decoder.decode(heads)):
        pose = decoder.poses[n]
        for part in range(pose_decoder.PARTS):
            total += pose.x16[part] + pose.y16[part] + pose.scores[part]
    used = gc.mem_alloc() - before
    gc.enable()
    return used


def microseconds(function, *arguments):
    """How long one call takes that finds a tidy heap."""
    gc.collect()
    start = time.ticks_us()
    function(*arguments)
    return time.ticks_diff(time.ticks_us(), start)


def median(values):
    """The upper median."""
    return sorted(values)[len(values) // 2]


def main(folder, count):
    """Measures and prints."""
    with open(folder + "/card.json") as file:
        card = json.load(file)
    gc.collect()
    before = gc.mem_alloc()
    decoder = pose_decoder.PoseDecoder(card)
    gc.collect()
    own = gc.mem_alloc() - before
    cells = decoder.rows * decoder.columns
    floats = float_port.FloatDecoder(decoder.rows, decoder.columns)
    float_heads = board_cases.float_heads(cells)
    worst = 0
    times = ([], [])
    poses = set()
    for n in range(count):
        heads = board_cases.read(folder + "/" + str(n) + ".heads", cells)
        for _ in range(HEAP_FRAMES // count):
            worst = max(worst, heap_bytes(decoder, heads))
        board_cases.dequantise(heads, card, float_heads)
        for _ in range(TIMED_FRAMES // count):
            times[0].append(microseconds(decoder.decode, heads))
            times[1].append(microseconds(floats.decode, *float_heads))
        poses.add(decoder.decode(heads))
        poses.add(len(floats.decode(*float_heads)))
    result = {"heap_bytes": worst, "decoder_bytes": own, "poses": sorted(poses)}
    result["integer_us"], result["float_us"] = median(times[0]), median(times[1])
    print(json.dumps(result))


main(sys.argv[1], int(sys.argv[2]))
