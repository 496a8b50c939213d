"""Finds the door's path for the path of a request: itself, or a pattern like `/api/v1/sites/{site}/rules/{id}`."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PLACE = re.compile(r"\{\w+\}")


class PathPatterns:
    """The paths of doors. A place in braces stands for one segment that is not empty."""

    def __init__(self, paths: Iterable[str]) -> None:
        known = frozenset(paths)
        patterns = sorted(path for path in known if "{" in path)
        self._plain = known - frozenset(patterns)
        self._begins = tuple({path.partition("{")[0] for path in patterns})
        self._patterns = [(_expression(path), path) for path in patterns]

    def find(self, path: str) -> str | None:
        """The door's path; None if there is none. A segment for a place may contain anything but a slash."""
        if path in self._plain:
            return path
        if not path.startswith(self._begins):
            return None
        return next((found for expression, found in self._patterns if expression.fullmatch(path)), None)


def _expression(path: str) -> re.Pattern[str]:
    parts = _PLACE.split(path)
    return re.compile("[^/]+".join(map(re.escape, parts)), re.DOTALL)
