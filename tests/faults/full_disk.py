"""Runs a command of Python's on a disk that is full soon: SQLite itself refuses pages beyond the tables.

`python full_disk.py python app.py serve …`, so that `serving(config, before=…)` can start it.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = 140  # of 4 KiB: the tables take most of them

if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    from analytics.storage import engines

    engines.PRAGMAS = (*engines.PRAGMAS, f"max_page_count={PAGES}")
    sys.argv = sys.argv[2:]
    runpy.run_path(str(ROOT / "app.py"), run_name="__main__")
