"""What a form for filters asks for."""

from __future__ import annotations

from collections.abc import Container

from werkzeug.exceptions import BadRequest

MAX_TEXT = 300  # as the form's field


def suggestion_wanted(asked: object, dimensions: Container[str]) -> tuple[str, str, str]:
    """The dimension, what is typed, and the query string of the address; 400 for what no form asks."""
    if not isinstance(asked, dict):
        raise BadRequest("No page sends that.")
    name, text, search = (asked.get(key) for key in ("by", "text", "search"))
    if not (isinstance(name, str) and isinstance(text, str) and isinstance(search, str)) or name not in dimensions:
        raise BadRequest("No page sends that.")
    if len(text) > MAX_TEXT:
        raise BadRequest("No page sends that.")
    return name, text.strip(), search
