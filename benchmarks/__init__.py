"""Benchmarks: what Footfall promises in figures, measured on the shipped server. `python -m benchmarks` runs them."""
