"""The commands of `python -m host_tools`, one per file; what they have in common is in `talk.py`."""
