"""Calibrated 8-bit weights: each layer's codes are fitted to what the float network computes on photos."""
