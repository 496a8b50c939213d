"""`python -m benchmarks [NAME…] [--short | --write]`: all of them, or the named ones.

A missed target is a measurement and exits 0. Lost or doubled events, hits of what must not be stored, and errors
exit 1. `--write` puts what was printed into docs/performance.md; a benchmark that an error ended keeps its section.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import traceback
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from benchmarks import performance_page
from benchmarks.common import Report, machine

NAMES = (
    *("collect", "live", "notices", "alert_rules", "kill", "hang", "watch", "samples", "presence", "all_sites"),
    *("purge", "today", "past_log", "rewind", "strangers", "fuzz", "columnar", "history", "answers", "forecast"),
    *("overview", "dashboards", "streams", "open_tab", "weight", "privacy", "start", "middlewares"),
)


def main() -> int:
    """Runs the chosen benchmarks in the order above and returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; default: all")
    parser.add_argument("--short", action="store_true", help="few and short rounds: shows that it works")
    parser.add_argument("--write", action="store_true", help="replace their sections in docs/performance.md")
    options = parser.parse_args()
    if options.short and options.write:
        parser.error("--write takes no --short: rough figures are not written down")
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    report, here = Report(), machine()
    commit = performance_page.commit() if options.write else ""
    report.say(here + (" · short rounds: figures are rough" if options.short else ""))
    for name in [name for name in NAMES if name in options.names or not options.names]:
        report.head(name)
        with tempfile.TemporaryDirectory(prefix=f"footfall-bench-{name}-", ignore_cleanup_errors=True) as folder:
            try:
                import_module(f"benchmarks.{name}").run(report, Path(folder), short=options.short)
            except Exception:  # the other benchmarks still run
                traceback.print_exc(file=sys.stdout)
                report.zero("errors that ended this benchmark", 1)
                continue
        if options.write:
            section = performance_page.section(report.lines, here, commit, datetime.now(UTC).date())
            performance_page.write(performance_page.PAGE, name, section)
    report.end()
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
