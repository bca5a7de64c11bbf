"""Published PoseNet weights in, a verified kmodel for the Kendryte K210 out."""

__version__ = "0.1.0"
