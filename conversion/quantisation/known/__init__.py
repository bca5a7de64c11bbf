"""Roundings of published weights that are shipped: computed once, on many photos, and taken where nobody calibrates."""
