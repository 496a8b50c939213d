"""Text from outside in a figure: plotly reads a subset of HTML in every text that it draws."""

from __future__ import annotations

import unicodedata
from html import escape

# They would turn the text around them; in an SVG file nothing can isolate them.
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def plain(text: str) -> str:
    """A text as plotly shows it unchanged: `<b>`, `<a href>` and `&amp;` stay what they are.

    White space becomes a space. Characters that no SVG file can contain, and those that turn text round, are left out.
    """
    kept = (character for character in " ".join(text.split()) if not _is_left_out(character))
    return escape("".join(kept), quote=False)


def _is_left_out(character: str) -> bool:
    return character in _TURNING or unicodedata.category(character) in {"Cc", "Cs", "Cn"}
