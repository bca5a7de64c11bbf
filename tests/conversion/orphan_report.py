"""A worker that says where it runs."""

import os

print(os.getcwd())
print(os.environ["POSENET_TEST"])
