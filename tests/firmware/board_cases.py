"""Runs under MicroPython and CPython: reads the heads that the host's tests wrote."""

import gc
from array import array

import pose_decoder


def split(data, cells):
    """The four heads, one after the other in a buffer, as views."""
    view = memoryview(data)
    heads = []
    at = 0
    for channels in pose_decoder.HEAD_CHANNELS:
        heads.append(view[at : at + channels * cells])
        at += channels * cells
    return heads


def read(path, cells):
    """The four heads in a file, read in one piece into a heap tidied before."""
    gc.collect()
    data = bytearray(sum(pose_decoder.HEAD_CHANNELS) * cells)
    with open(path, "rb") as file:
        file.readinto(data)
    return split(data, cells)


def float_heads(cells):
    """Room for the four heads as floats."""
    return [array("f", [0.0] * (channels * cells)) for channels in pose_decoder.HEAD_CHANNELS]


def dequantise(heads, card, into):
    """Fills `into` with what the bytes stand for: logits and pixels."""
    for n in range(len(heads)):
        scale = card["heads"][n]["scale"]
        zero_point = card["heads"][n]["zero_point"]
        values = into[n]
        at = 0
        for byte in heads[n]:
            values[at] = (byte - zero_point) * scale
            at += 1  # noqa: SIM113 - as in the firmware
