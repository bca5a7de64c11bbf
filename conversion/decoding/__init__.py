"""From bytes of the heads to poses: the board's own decoder, others' float decoders to compare with, and drawings."""
