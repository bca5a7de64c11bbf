"""Runs under MicroPython and CPython: the CRC-32 of the test card's RGB565 words at some sizes, little endian."""

import sys
from array import array
from binascii import crc32

import pose_selftest


def card_crc(width, height):
    """Drawn row by row into one buffer, as on the board."""
    row = array("H", [0] * width)
    crc = 0
    for y in range(height):
        pose_selftest.draw_row(y, width, height, row)
        crc = crc32(memoryview(row), crc)
    return crc


def main(sizes):
    """Prints a line for each WIDTHxHEIGHT."""
    for size in sizes:
        width, height = size.split("x")
        print(size, card_crc(int(width), int(height)))


main(sys.argv[1:])
