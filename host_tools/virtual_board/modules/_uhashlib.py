"""MaixPy's uhashlib: SHA-256 alone, by the chip's hardware, whose state the first digest() spoils."""

import hashlib as _hashlib

import _host


class sha256:  # noqa: N801 - MaixPy's name
    """digest() a second time gives something else."""

    def __init__(self, data=b""):
        self._made = _hashlib.sha256(data)

    def update(self, data):
        self._made.update(data)

    def digest(self):
        found = self._made.digest()
        self._made = _hashlib.sha256(found)
        return found

    calculate_hard = _host.missing("sha256.calculate_hard")
