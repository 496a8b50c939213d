"""The account page: quiet hours and digests, and what they hold now. They are a person's, not a site's."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from dash import Dash, Output
from dash.development.base_component import Component

from analytics.access.roles import Person
from analytics.base import zones
from analytics.base.errors import InvalidInput, message
from analytics.base.words import _
from analytics.notify import held, quiet_hours_store
from analytics.notify.quiet_hours import QuietHours
from callbacks.forms import Fields, FormResult, on_send
from callbacks.gate.guard import authorized_account, visible
from collector.service import Service
from layouts.pages import quiet_hours as layout

KEPT = ("begins", "ends", "timezone", "up_to", "digest", "digest_at")  # as the form sends them


def cards(service: Service, person: Person) -> list[Component]:
    """The cards of that person."""
    hours = quiet_hours_store.of_person(service.database, person.id)
    names = {site.id: site.name for site in visible(service)}
    channels = held.channels_of(service.database, person.email, names)
    sites = list(dict.fromkeys(names[one.site_id] for one in channels))
    return layout.cards(hours, zones.names(), person.email, sites, _held(service, person, hours))


def register(app: Dash, service: Service) -> None:
    """Saves them, and sends what is held."""
    database = service.database

    def listed(person: Person, hours: QuietHours | None, **answer: Any) -> FormResult:
        return FormResult(answer, (layout.held_now(_held(service, person, hours)),))

    def save(_domain: object, fields: Fields) -> FormResult:
        person = authorized_account()
        hours = quiet_hours_store.save(database, person.id, _read(fields))
        held.hold_again(database, person.email, hours, int(time.time()))
        return listed(person, hours, fill={f"{layout.FORM}-timezone": hours.timezone})

    def send_now(_domain: object, _fields: Fields) -> FormResult:
        person = authorized_account()
        held.hold_again(database, person.email, None, int(time.time()))
        service.notifying.courier.wake()
        hours = quiet_hours_store.of_person(database, person.id)
        return listed(person, hours, message=_("It is being sent"), focus=[f"{layout.FORM}-on"])

    on_send(app, layout.FORM, save, Output(layout.HELD, "children", allow_duplicate=True))
    on_send(app, layout.NOW, send_now, Output(layout.HELD, "children", allow_duplicate=True))


def _read(fields: Fields) -> Mapping[str, Any]:
    """The fields of the form as those of quiet hours; without the switch there are no days."""
    days = _days(fields) if "on" in fields else []
    weekday = fields.get("digest_day", "")
    read: dict[str, Any] = {name: fields[name] for name in KEPT if name in fields}
    return read | {"days": days} | ({"digest_day": int(weekday)} if weekday.isdecimal() and len(weekday) < 3 else {})


def _days(fields: Fields) -> list[int]:
    days = [day for day in layout.WEEKDAYS if layout.day_field(day) in fields]
    if not days:
        wrong = message("choose one day at least")
        raise InvalidInput(wrong, {"days": wrong})
    return days


def _held(service: Service, person: Person, hours: QuietHours | None) -> layout.HeldList:
    names = {site.id: site.name for site in visible(service)}
    found = held.of_person(service.database, person.email, names, int(time.time()))
    rows = [layout.HeldRow(one, names[one.site_id]) for one in found[: held.MAX_LISTED]]
    return layout.HeldList(rows, ZoneInfo(hours.timezone if hours else zones.UTC), len(found) > held.MAX_LISTED)
