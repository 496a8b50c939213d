"""Plain texts: without control characters, and without those that hide or turn others."""

from __future__ import annotations

import unicodedata

TURNING = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))  # characters that turn the text after them
ELLIPSIS = "…"


def one_line(text: str, limit: int) -> str:
    """The text without control characters and line breaks, cut to `limit` characters."""
    return cut(joined(clean(text)), limit)


def clean(text: str) -> str:
    """The text without characters that hide or turn others; line breaks stay, other white space becomes a space.

    Lone surrogates, which no database accepts, become U+FFFD.
    """
    return text if text.isprintable() else "".join(map(_kept, text.translate(TURNING)))


def _kept(sign: str) -> str:
    if sign == "\n" or sign.isprintable():
        return sign
    if sign.isspace():
        return " "
    return {"Cc": "", "Cs": "\N{REPLACEMENT CHARACTER}"}.get(unicodedata.category(sign), sign)


def joined(text: str) -> str:
    """The text in one line, with single spaces."""
    return " ".join(text.split())


def cut(text: str, limit: int) -> str:
    """The text of at most `limit` characters; the last one of a longer text is an ellipsis."""
    return text if len(text) <= limit else text[: limit - len(ELLIPSIS)] + ELLIPSIS
