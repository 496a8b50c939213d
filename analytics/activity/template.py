"""Templates of titles and links: `{name} booked {room}`; `{old.status}` is the value before an update."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from analytics.base.link import followable

OLD = "old."
_PLACE = re.compile(r"\{([^{}]+)\}")
_LINK = re.compile(r"https?://[^\s/?#{}@\\]+(?:[/?#]|$)|/(?![/\\])")


def columns_in(template: str) -> list[str]:
    """The columns that the template names, in its order."""
    return [place.removeprefix(OLD) for place in _PLACE.findall(template)]


def render(template: str, row: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """The template with the values of a row, and of the row as it was; a value that is missing or NULL is empty."""
    return _rendered(template, row, before, str)


def is_link(template: str) -> bool:
    """Whether the template is a link: an address with http or https whose host has no column, or a path."""
    return bool(_LINK.match(template))


def render_link(template: str, row: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """As `render`, with the values percent-encoded; "" if it is no link that may be followed."""
    link = _rendered(template, row, before, lambda value: quote(value, safe="", errors="replace"))
    return followable(link) if is_link(template) else ""


def _rendered(template: str, row: Mapping[str, Any], before: Mapping[str, Any], put: Callable[[str], str]) -> str:
    def value(found: re.Match[str]) -> str:
        name = found[1]
        side, column = (before, name.removeprefix(OLD)) if name.startswith(OLD) else (row, name)
        return put(text_of(side.get(column)))

    return _PLACE.sub(value, template)


def text_of(value: Any) -> str:
    """A value of a row as text: "" for NULL, JSON for what is nested."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
