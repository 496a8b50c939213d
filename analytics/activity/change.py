"""A change of a watched table, and the event that it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from analytics.activity import template
from analytics.activity.watch import Watch, WatchDefinition
from analytics.base.link import ROW_LINK

NOTHING: Mapping[str, Any] = {}
UNCLEAR = "unclear"
"""The operation of a change whose filter could not be checked."""


class RowChange(NamedTuple):
    """One committed change. `key` names its watch, `operation` is insert, update, delete or `UNCLEAR`; `at_us` in
    microseconds.

    `old` and `new` have the copied columns of the row before and after; None where there is no such row.
    """

    key: str
    id: int
    xid: int
    at_us: int
    operation: str
    old: Mapping[str, Any] | None
    new: Mapping[str, Any] | None

    @property
    def event_id(self) -> str:
        """The event's id, at most 36 letters: delivered again, the change has the same one.

        The moment is part of it, because the outbox counts from 1 again after it was removed and installed, or after
        its database was restored.
        """
        return f"{self.key}{self.id:x}-{self.at_us:x}"


class ChangeEvent(NamedTuple):
    """A change as an event of a site. `at_ms` is its time (epoch milliseconds); "" for texts that it has not."""

    id: str
    site_id: int
    at_ms: int
    name: str
    description: str
    value: float | None
    currency: str
    user_id: str
    user_name: str
    props: Mapping[str, Any]


def event_of(watch: Watch, change: RowChange) -> ChangeEvent:
    """The event of a change. A deleted row has the values that it had."""
    one, before = watch.definition, change.old or NOTHING
    row = change.new if change.new is not None else before
    return ChangeEvent(
        id=change.event_id,
        site_id=watch.site_id,
        at_ms=change.at_us // 1000,
        name=one.event,
        description=template.render(one.title, row, before),
        value=_number(row.get(one.value)) if one.value else None,
        currency=_currency(one, row),
        user_id=template.text_of(row.get(one.user_id)) if one.user_id else "",
        user_name=template.text_of(row.get(one.user_name)) if one.user_name else "",
        props=_props(one, row, before),
    )


def _props(one: WatchDefinition, row: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    link = template.render_link(one.link, row, before)
    return ({ROW_LINK: link} if link else {}) | {name: row.get(name) for name in one.columns}


def _currency(one: WatchDefinition, row: Mapping[str, Any]) -> str:
    column = one.currency_column
    return template.text_of(row.get(column)).strip().upper() if column else one.currency


def _number(value: Any) -> float | None:
    with suppress(TypeError, ValueError, OverflowError):
        return float(value)
    return None
