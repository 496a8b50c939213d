"""Benchmarks: the figures that Footfall promises, measured on the shipped server. `python -m benchmarks` runs them."""
