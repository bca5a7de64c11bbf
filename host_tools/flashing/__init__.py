"""How `flash.py` writes a flash: what may be written, kflash in a process of its own, and a watch on what it does."""
