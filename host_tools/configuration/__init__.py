"""The settings of a running board: what they are, changing them, keeping them for its next start."""
