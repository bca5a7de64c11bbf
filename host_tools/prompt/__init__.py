"""A board's MicroPython prompt, held by a process of its own; what goes there and back is checked."""
