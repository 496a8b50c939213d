"""Links whose parts come from outside: only those that may be followed."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from analytics.base.plain_text import clean

MAX_LINK = 2_000

ROW_LINK = "row_link"
"""The property with which an event from a database table leads to its row."""


def followable(link: str) -> str:
    r"""The link, if it leads to http or https without credentials, or to a path; else "".

    A path has no `.` and `..`, which would lead to another one, and no `\`, which browsers read as `/`. A link is one
    word without hidden characters.
    """
    try:
        parts = urlsplit(link)
    except ValueError:
        return ""
    is_path = link.startswith("/") and not link.startswith("//")
    is_far = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    is_plain = clean(link) == link and len(link.split()) == 1 and len(link) <= MAX_LINK
    leads_away = "\\" in link or any(unquote(step) in (".", "..") for step in parts.path.split("/"))
    return link if is_plain and (is_path or is_far) and not leads_away else ""
