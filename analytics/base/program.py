"""How this program was started, so that messages name commands as they work on this machine."""

from __future__ import annotations

import shutil
import sys
from functools import cache
from pathlib import Path

SCRIPT = "footfall"
APP = Path(__file__).parents[2] / "app.py"


def command(words: str) -> str:
    """The whole command line for `user list`, in backquotes: `.venv/bin/python app.py user list`."""
    return f"`{line(words)}`"


def line(words: str) -> str:
    """The same without backquotes."""
    return f"{_program(sys.argv[0], sys.executable)} {words}"


@cache
def _program(started: str, python: str) -> str:
    """The installed script if that was started, else Python with `app.py`; relative if below this directory."""
    if Path(started).name == SCRIPT:
        return SCRIPT if shutil.which(SCRIPT) else _near(Path(started))
    if APP.exists():
        return f"{_near(Path(python))} {_near(APP)}"
    return _near(Path(python).with_name(SCRIPT))  # installed, and served by another WSGI server


def _near(path: Path) -> str:
    whole, here = path.absolute(), Path.cwd()
    return str(whole.relative_to(here) if whole.is_relative_to(here) else whole)
