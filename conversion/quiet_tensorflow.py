"""TensorFlow on the processor alone, its sums in one order on every machine, without its talk: import it from here."""

from __future__ import annotations

import logging
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
# Without oneDNN the sums are made in one order on every machine.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import tensorflow as tf

__all__ = ["tf"]

# Both report how graphs are traced and exported, which is nothing that a user could act on.
for _name in ("tensorflow", "absl"):
    logging.getLogger(_name).setLevel(logging.ERROR)
