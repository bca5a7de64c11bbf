"""The parts of `link.py` and `repl.py`: a port that may vanish, blocks of data, counts, what silence may mean."""
