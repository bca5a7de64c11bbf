"""What runs on the board (MicroPython 1.11) while its prompt is used: `taker.py`, sent as text."""
