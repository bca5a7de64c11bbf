"""Watching boards: one stream of events from all ports, and what is drawn, printed, recorded and published of it."""
