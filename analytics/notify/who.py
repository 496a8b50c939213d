"""Who acknowledged or snoozed an alert, as its readers see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from analytics.access.roles import Person
from analytics.notify.alert import Alert, AlertStep


def alert_for(person: Person, alert: Alert) -> Alert:
    """The alert as this person sees it: admins of the site see e-mail addresses, others what is before the @."""
    if person.administers(alert.site_id):
        return alert
    return replace(alert, acknowledged_by=_name(alert.acknowledged_by))


def steps_for(person: Person, site_id: int, steps: Sequence[AlertStep]) -> Sequence[AlertStep]:
    """The steps of an alert of that site, likewise."""
    if person.administers(site_id):
        return steps
    return tuple(one._replace(who=_name(one.who)) for one in steps)


def _name(who: str) -> str:
    return who.partition("@")[0]
