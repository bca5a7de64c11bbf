"""A board's MicroPython prompt, through mpremote in a process of its own."""
