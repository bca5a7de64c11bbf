"""The tests, in folders as the code is; `python -m tests.bench` and `python -m tests.reproduce` live here too."""
