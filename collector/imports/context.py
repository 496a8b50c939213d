"""What an import works with."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from analytics.base.background import Pause, Report
from analytics.storage.database import Database
from collector.ingest.pipeline import Kit


class ImportContext(NamedTuple):
    """What an import works with; `clock` returns epoch seconds.

    `retention_days` is how long heartbeats are kept for sites without a setting of their own. `in_server`: the import
    runs in the process of a server, so it pauses after each batch for as long as that took.
    """

    database: Database
    kit: Kit
    pause: Pause
    report: Report
    retention_days: int = 7
    in_server: bool = False
    clock: Callable[[], float] = time.time
