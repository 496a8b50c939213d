"""An event as conditions compare it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from analytics.base.event_name import folded_name
from analytics.notify.event_fields import as_number, as_text, exact_text, value_of


class ComparedEvent:
    """The fields of an event, each read once, however many conditions compare it. Whatever it contains, nothing raises.

    `event` is a mapping as in `event_fields`.
    """

    def __init__(self, event: Mapping[str, object]) -> None:
        self._event = event
        self._texts: dict[str, str] = {}
        self._numbers: dict[str, float | None] = {}

    @cached_property
    def name(self) -> str:
        """The name of the event, as `folded_name`."""
        return folded_name(as_text(self._event.get("name")))

    def text(self, field: str) -> str:
        """The field as a casefolded text; "" if the event does not have it."""
        if field not in self._texts:
            self._texts[field] = exact_text(value_of(self._event, field)).casefold()
        return self._texts[field]

    def number(self, field: str) -> float | None:
        """The field as a number; None if it is none."""
        if field not in self._numbers:
            self._numbers[field] = as_number(value_of(self._event, field))
        return self._numbers[field]
