"""How long tests wait for what has to come: long enough for any machine, so that only a test that hangs ends by it."""

HANG_SECONDS = 300.0
