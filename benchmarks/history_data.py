"""A year of made-up history, written straight into the tables: the same rows for the same seed.

Pages by Zipf's law, 60 countries, real browsers and sources, events with properties; more visits by day than by
night, on weekdays than at weekends, and from month to month. `python -m benchmarks.history_data --visits 3000000`.
"""

from __future__ import annotations

import argparse
import json
import time
from bisect import bisect
from collections.abc import Iterator, Sequence
from itertools import accumulate, islice
from pathlib import Path
from random import Random
from typing import Any, Generic, NamedTuple, TypeVar

from analytics import changes, sites
from analytics.config import Config
from analytics.database import Database
from benchmarks.fill import fill
from collector.source import find_source
