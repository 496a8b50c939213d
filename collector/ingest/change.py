"""A change of a watched table as an accepted event: it has no visitor, no page and no visit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

import msgspec

from analytics.activity.change import ChangeEvent
from analytics.base.ids import NO_VISITOR
from analytics.live.beat import PageState
from collector.ingest.accepted import Accepted, EventDetails, Kind
from collector.ingest.currency import CURRENCIES
from collector.ingest.event import storable
from collector.ingest.pipeline import tab_of
from collector.ingest.visit import Origin

MAX_NAME, MAX_DESCRIPTION, MAX_USER_ID, MAX_USER_NAME = 120, 300, 128, 120
MAX_NUMBER = 2**63
MAX_PROPS, MAX_PROP_TEXT = 30, 2000  # as `collector.ingest.event` takes them


def accepted_change(change: ChangeEvent, now_ms: int) -> Accepted:
    """The change as an event of its site. Texts are cut to what an event may have; values that no event has are left
    out. A change of the future, by the clock of its database, is one of now.
    """
    at_ms = min(change.at_ms, now_ms)
    return Accepted(
        kind=Kind.EVENT,
        site_id=change.site_id,
        at=at_ms // 1000,
        at_ms=at_ms,
        page_id=change.id,
        pageview="",
        tab=tab_of(change.id),
        visitor=NO_VISITOR,
        visitor_before=None,
        user_id=_cut(change.user_id, MAX_USER_ID) or None,
        user_type="",
        host="",
        path="",
        title="",
        engaged_ms=0,
        scroll=0,
        state=PageState.ACTIVE,
        origin=Origin,
        details=_details(change),
    )


def _details(change: ChangeEvent) -> EventDetails:
    value = change.value
    return EventDetails(
        name=_cut(change.name, MAX_NAME),
        props=msgspec.json.encode(_props(change.props)).decode(),
        value=value if value is not None and isfinite(value) and abs(value) < MAX_NUMBER else None,
        currency=change.currency if change.currency in CURRENCIES else "",
        description=_cut(change.description, MAX_DESCRIPTION),
        user_name=_cut(change.user_name, MAX_USER_NAME),
        interactive=False,
    )


def _props(props: Mapping[str, Any]) -> dict[str, Any]:
    """The properties with the values that an event takes: nested ones become JSON, large numbers text."""
    return {storable(name): _prop(props[name]) for name in list(props)[:MAX_PROPS]}


def _prop(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and abs(value) < MAX_NUMBER:
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _cut(text, MAX_PROP_TEXT)


def _cut(text: str, most: int) -> str:
    return str(storable(text))[:most]
