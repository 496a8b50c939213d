"""The bell: what the person asks of the notifications, on every page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, no_update
from dash.development.base_component import Component

from analytics.base.ids import numbered_id
from analytics.notify import notifications
from analytics.notify.notification import TYPES, as_json
from analytics.notify.notifications import MAX_LISTED, Listed
from analytics.notify.rule import Priority
from analytics.notify.sight import Sight, sight_of
from callbacks.gate.guard import current_person
from callbacks.page_context import PageContext
from collector.service import Service
from layouts import notices
from layouts.footfall_components.notices import Notice, NoticesAnswered
from layouts.notices import BellState

LOOK, READ, READ_ALL, CLEAR, MORE = ACTIONS = ("look", "read", "read_all", "clear", "more")
NOBODY = 0  # a public dashboard has no person: everything can be looked at, nothing is marked


def state(service: Service) -> BellState:
    """What the bell shows as the page is made. What comes meanwhile is on the stream."""
    last_id = notifications.last_id(service.database)
    return BellState(_unread(service, last_id), last_id)


def _unread(service: Service, up_to: int) -> int:
    """How many notifications up to that id this person has not read, counted up to 10; 0 where nobody is signed in."""
    person = current_person()
    if not person.id:
        return 0
    return notifications.unread(service.database, person.id, _sight(service), up_to=up_to)


def page(_: PageContext) -> Component:
    """The page of all notifications."""
    return notices.page()


def register(app: Dash, service: Service) -> None:
    """Does what the person asks, and answers with the list as it is then."""

    @app.callback(Output(notices.BELL, "answered"), Input(notices.BELL, "asked"), prevent_initial_call=True)
    def answer(asked: object) -> Any:
        if not isinstance(asked, dict) or asked.get("action") not in ACTIONS:
            return no_update
        if person_id := current_person().id:
            _act(service, person_id, asked)
        return _answered(service, person_id, asked)


def _act(service: Service, person_id: int, asked: Mapping[str, Any]) -> None:
    action, wanted = asked["action"], numbered_id(asked.get("id"))
    if action == READ and wanted is not None:
        notifications.mark_read(service.database, person_id, _sight(service), wanted)
    elif action == READ_ALL:
        _mark_read(service, person_id, *_chosen(asked))
    elif action == CLEAR:
        notifications.clear(service.database, person_id)


def _mark_read(service: Service, person_id: int, priority: str, kind: str) -> None:
    if priority or kind:
        chosen = {"priority": priority, "kind": kind}
        notifications.mark_listed_read(service.database, person_id, _sight(service), **chosen)
    else:
        notifications.mark_all_read(service.database, person_id)


def _chosen(asked: Mapping[str, Any]) -> tuple[str, str]:
    """The priority and the type that the list shows alone; "" for all."""
    priority, kind = asked.get("priority"), asked.get("type")
    return priority if priority in tuple(Priority) else "", kind if kind in TYPES else ""


def _answered(service: Service, person_id: int, asked: Mapping[str, Any]) -> NoticesAnswered:
    last_id = notifications.last_id(service.database)  # number and list are of one moment
    before = numbered_id(asked.get("before")) if asked["action"] == MORE else None
    priority, kind = _chosen(asked)
    found = notifications.of_person(
        service.database,
        person_id,
        _sight(service),
        priority=priority,
        kind=kind,
        before=last_id + 1 if before is None else before,
        limit=MAX_LISTED + 1,
    )
    at = asked.get("at")
    return {
        "rows": [row for one in found[:MAX_LISTED] if (row := _row(service, one, person_id))],
        "unread": _unread(service, last_id),
        "last_id": last_id,
        "more": len(found) > MAX_LISTED,
        "added": before is not None,
        "to": at if isinstance(at, int) else 0,
    }


def _row(service: Service, listed: Listed, person_id: int) -> Notice | None:
    site = service.sites.numbered(listed.notification.site_id)
    if site is None:
        return None
    row: Notice = {**as_json(listed.notification, site.shown_domain), "read": listed.is_read or not person_id}  # type: ignore[typeddict-item]
    return row


def _sight(service: Service) -> Sight:
    return sight_of(current_person(), [site.id for site in service.sites.all()])
