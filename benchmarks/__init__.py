"""Benchmarks: the figures that Footfall promises, measured on the shipped server. `python -m benchmarks` runs them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "clients/python"))  # the client is a package of its own
