"""Templates: texts with fields in braces, like `Payment of {value} {currency}`; `{{` and `}}` are braces.

`check_…` refuse a wrong template when it is saved. `fill` never raises, whatever the template and the values are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import quote

from analytics.base.errors import InvalidInput, message
from analytics.base.link import followable
from analytics.base.plain_text import clean, cut, joined, one_line
from analytics.notify.event_fields import PROPERTY, as_text, is_property, value_of
from analytics.notify.kinds.kind import When
from analytics.notify.rule import Notify

MAX_TITLE = 200
MAX_MESSAGE = 2_000

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_LINK = re.compile(r"https?://(?:[^\s/?#{}@\\]|\{site\})+(?:[/?#]|\{path\}|$)|/(?![/\\])|\{path\}")


class NotificationText(NamedTuple):
    """What a notification says: plain texts, the title in one line. `link` is "" where there is none."""

    title: str
    message: str
    link: str
    link_label: str


def known_fields(when: When) -> tuple[str, ...]:
    """The fields that templates of such a rule may name; those of events may name `props.NAME` too."""
    return when.TEMPLATE_FIELDS


def check(template: str, when: When) -> None:
    """Raises `InvalidInput` for a field that is not known, with its name and the known ones, and for a lone brace."""
    for found in _PIECE.finditer(template):
        name = found[1]
        if name is None and found[0] in ("{", "}"):
            raise InvalidInput(message("a lone {brace}; write {twice} for a brace", brace=found[0], twice=found[0] * 2))
        if name is not None and not _is_known(name, when):
            raise InvalidInput(_unknown(name, when))


def _is_known(name: str, when: When) -> bool:
    return name in known_fields(when) or (when.HAS_PROPERTIES and is_property(name))


def _unknown(name: str, when: When) -> str:
    known = [*known_fields(when), *([f"{PROPERTY}NAME"] if when.HAS_PROPERTIES else [])]
    return message(
        "unknown field {name}; known: {known}",
        name="{" + name[:60] + "}",
        known=", ".join(f"{{{one}}}" for one in known),
    )


def check_link(template: str, when: When) -> None:
    """As `check`, for a link: it leads to http, https or a path, and no field but `{site}` is in its host."""
    check(template, when)
    if template and not _LINK.match(template):
        wrong = message(
            "link {given}: an address with http:// or https://, or a path that begins with /; its host has no field "
            "but {site}",
            given=repr(template[:80]),
            site="{site}",
        )
        raise InvalidInput(wrong)


def fill(notify: Notify, values: Mapping[str, object]) -> NotificationText:
    """The texts with the values in the places of their names; a missing value is an empty text.

    `values` are the fields of an event (see `event_fields`), or of a reading, with `site`, `rule` and so on. An empty
    title becomes the name of the rule.
    """
    title = fill_title(notify.title, values) or one_line(_value(values, "rule"), MAX_TITLE)
    label = one_line(notify.link_label, MAX_TITLE)
    return NotificationText(title, fill_message(notify.message, values), fill_link(notify.link, values), label)


def fill_title(template: str, values: Mapping[str, object]) -> str:
    """The title: one line of at most 200 characters, without those that hide or turn others."""
    return one_line(_filled(template, lambda name: _value(values, name)), MAX_TITLE)


def fill_message(template: str, values: Mapping[str, object]) -> str:
    """The message: at most 2,000 characters, with the line breaks of the template; values have none."""
    text = clean(_filled(template, lambda name: _value(values, name)))
    return cut("\n".join(map(joined, text.split("\n"))).strip(), MAX_MESSAGE)


def _filled(template: str, value: Callable[[str], str]) -> str:
    def piece(found: re.Match[str]) -> str:
        return found[0][0] if found[1] is None else value(found[1])

    return _PIECE.sub(piece, template)


def _value(values: Mapping[str, object], name: str) -> str:
    return joined(clean(as_text(value_of(values, name))))


def fill_link(template: str, values: Mapping[str, object]) -> str:
    """The link, with the values percent-encoded; "" if it leads elsewhere than to http, https or a path."""
    if not _LINK.match(template):
        return ""
    return followable(_filled(template, lambda name: _quoted(name, _value(values, name))))


def _quoted(name: str, value: str) -> str:
    """The value as a part of a link. A path keeps its slashes and escapes, and begins with a single slash."""
    if name == "path":
        return "/" + quote(value.lstrip("/\\"), safe="/%") if value else ""
    return value if name == "site" else quote(value, safe="")
