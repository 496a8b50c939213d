"""Wildcards: patterns of paths in which `*` matches anything but a slash and `**` matches anything.

Owners write the patterns and strangers the paths, so a regular expression could backtrack for hours (`/*a*a*a*b`
against 300 letters: a minute). This reads each character once, for all patterns together: one integer is the set of
positions in the patterns that the path so far may have reached (Baeza-Yates and Gonnet, 1992).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_PIECES = re.compile(r"\*+|[^*]", re.DOTALL)


class Wildcards:
    """Matches a path against several patterns at once. Immutable; a match takes a few operations a character."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._starts = self._ends = self._segment = self._anything = 0
        self._literals: dict[str, int] = {}
        place = 1
        for pattern in patterns:
            self._starts |= place
            for piece in _PIECES.findall(pattern):
                if piece == "*":
                    self._segment |= place
                elif piece[0] == "*":
                    self._anything |= place
                else:
                    self._literals[piece] = self._literals.get(piece, 0) | place
                place <<= 1
            self._ends |= place
            place <<= 1
        self._stars = self._segment | self._anything

    def match(self, path: str) -> bool:
        """Whether one of the patterns matches the whole path."""
        reached = self._past_stars(self._starts)
        for sign in path:
            stay = reached & (self._anything if sign == "/" else self._stars)
            go = (reached & self._literals.get(sign, 0)) << 1
            reached = self._past_stars(stay | go)
            if not reached:
                return False
        return bool(reached & self._ends)

    def _past_stars(self, reached: int) -> int:
        """Adds the positions behind stars, which may match nothing; two stars are never adjacent."""
        return reached | (reached & self._stars) << 1
