"""Access logs into history: an excerpt of a real log, repeated for many days, imported twice, on both databases."""

from __future__ import annotations

import re
import time
from datetime import date, timedelta
from pathlib import Path

from analytics.base.config import Config
from analytics.sites import store
from analytics.sites.directory import Directory
from analytics.sites.salts import LogSalts
from analytics.storage.database import Database
from benchmarks.common import Report
from benchmarks.postgresql import postgresql
from collector.imports import log_import
from collector.imports.context import ImportContext
from collector.ingest.geo import open_places
from collector.ingest.pipeline import Kit
from collector.ingest.rate import Rate

LINES = 200_000
EXCERPT = Path(__file__).parents[1] / "collector" / "data" / "demo-access.log"
FIRST = date(2015, 1, 1)
_STAMP = re.compile(r"\[\d\d/\w{3}/\d{4}")


def run(report: Report, folder: Path, *, short: bool) -> None:
    """Prints lines a second of the first import and of the second, which must store nothing."""
    log = folder / "access.log"
    _write(log, LINES // 10 if short else LINES)
    _on(report, "SQLite", Config(data_dir=folder / "sqlite"), log)
    with postgresql(folder) as url:
        _on(report, "PostgreSQL", Config(data_dir=folder / "beside", database_url=url), log)


def _write(path: Path, lines: int) -> None:
    """Writes the excerpt repeatedly, each time a day later."""
    excerpt = EXCERPT.read_text("utf-8").splitlines(keepends=True)
    with path.open("w") as file:
        for step in range(-(-lines // len(excerpt))):
            day = (FIRST + timedelta(days=step)).strftime("[%d/%b/%Y")
            file.writelines(_STAMP.sub(day, line) for line in excerpt)


def _on(report: Report, name: str, config: Config, log: Path) -> None:
    database, places = Database(config), open_places(None, config.data_dir)
    try:
        store.add(database, "example.com", now=0)
        secret = b"k" * 48
        kit = Kit(Directory(database), LogSalts(secret), places, Rate(0), secret)
        means = ImportContext(database, kit, lambda _: False, lambda _: None)
        for which in ("first", "second"):
            began = time.perf_counter()
            said = log_import.run(means, [str(log)], "example.com")
            took = time.perf_counter() - began
            lines, stored = (int(one.replace(",", "")) for one in re.findall(r"([\d,]+) (?:lines|pageviews)", said)[:2])
            report.figure(f"{name}, {which} import", f"{lines / took:,.0f} lines/s · {stored:,} pageviews stored")
        report.zero("  stored by the second", stored)
    finally:
        database.close()
        places.close()
