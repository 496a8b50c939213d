"""What a rule would do: with the newest events or alerts, or with its metric now. Nothing is written or sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from analytics.notify import alerts, newest_events, reading
from analytics.notify.alert_rules import alert_fields
from analytics.notify.alert_text import metric_fields
from analytics.notify.compared_event import ComparedEvent
from analytics.notify.kinds.kind import AlertWhen, EventWhen
from analytics.notify.kinds.metric import MetricWhen
from analytics.notify.rule import Rule
from analytics.notify.rule_json import RuleInput
from analytics.notify.template import fill
from analytics.notify.trial import AlertTrial, EventTrial, MetricTrial, Trial
from analytics.query.backend import Backend
from analytics.sites.site import Site
from analytics.storage.database import Database

TRIED_EVENTS = 1_000

INVENTED: Mapping[str, object] = {
    "name": "signup",
    "value": 149.0,
    "currency": "EUR",
    "user_id": "u-17",
    "user_name": "Ada Lovelace",
    "user_type": "customer",
    "path": "/pricing",
    "description": "Team plan",
    "country": "DE",
    "source": "Google",
    "props": {"plan": "Team"},
}
"""The event of which a rule speaks in a trial as long as none of its own has arrived."""


INVENTED_ALERT: Mapping[str, object] = {
    "title": "Nobody for a day",
    "message": "",
    "severity": "critical",
    "value": 0.0,
}
"""The alert of which a rule speaks in a trial as long as none of its own has begun."""


class TrialSources(NamedTuple):
    """Where a trial reads: also who is active now is read from the database, as `window_s` seconds after a beat.

    Without `measured` the metrics of the server have no data.
    """

    database: Database
    backend: Backend
    window_s: int
    measured: reading.Measured = dict


def try_rule(
    rule: Rule | RuleInput, site: Site, sources: TrialSources, *, now: int, events: int = TRIED_EVENTS
) -> Trial:
    """The trial of a rule of that site; of at most so many `events`.

    Raises `InvalidInput` for a metric that cannot be read, and `StillCounting` as long as its minutes are not counted.
    """
    if isinstance(rule.when, EventWhen):
        return _of_events(rule, rule.when, site, sources, events)
    if isinstance(rule.when, AlertWhen):
        return _of_alerts(rule, rule.when, site, sources)
    assert isinstance(rule.when, MetricWhen)
    return _of_metric(rule, rule.when, site, sources, now)


def _of_events(rule: Rule | RuleInput, when: EventWhen, site: Site, sources: TrialSources, events: int) -> EventTrial:
    tried = newest_events.newest(sources.database, site.id, events)
    found = [one for one in tried if when.matches(ComparedEvent(one.values))]
    values: Mapping[str, Any] = found[0].values if found else _invented(when)
    more = {"rule": rule.name, "site": site.shown_domain}
    return EventTrial(len(tried), len(found), found[0].at if found else None, fill(rule.notify, {**values, **more}))


def _invented(when: EventWhen) -> Mapping[str, object]:
    """The invented event, with the name for which the rule waits."""
    return {**INVENTED, "name": when.plain().get("event") or INVENTED["name"]}


def _of_alerts(rule: Rule | RuleInput, when: AlertWhen, site: Site, sources: TrialSources) -> AlertTrial:
    tried = alerts.of_site(sources.database, site.id)
    found = [one for one in tried if when.concerns(one.severity)]
    invented = {**INVENTED_ALERT, "rule": rule.name, "site": site.domain}
    values = alert_fields(found[0], rule.name, site) if found else invented
    return AlertTrial(len(tried), len(found), found[0].fired_at if found else None, fill(rule.notify, values))


def _of_metric(rule: Rule | RuleInput, when: MetricWhen, site: Site, sources: TrialSources, now: int) -> MetricTrial:
    read = sources.database, sources.backend, sources.window_s, now, sources.measured
    value = reading.stored_value(when, site, *read)
    shown = when.line if value is None else value
    return MetricTrial(value, when.is_breached(value), fill(rule.notify, metric_fields(rule, site, shown)))
