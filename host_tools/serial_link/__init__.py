"""The serial line: ports that may vanish, sentences read off it, events made of them, and conversations."""
