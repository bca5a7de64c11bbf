"""The parts of `verify`: what the host expects, what the board answers, and what it means when the two differ."""
