"""Rules on invented people and time: an evaluator whose metrics a test sets, and what it writes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from analytics.health.newest import NewestSamples
from analytics.live.beat import Beat
from analytics.live.feed import FeedItem
from analytics.notify import notifications
from analytics.notify.alert import LIVE_S
from analytics.notify.evaluator import Evaluator
from analytics.notify.kinds.crossing import Crossing, ThresholdWhen
from analytics.notify.kinds.line import LineCrossed
from analytics.notify.kinds.metric import MetricWhen
from analytics.notify.notification import Notification
from analytics.notify.reading import LiveSource, Sources
from analytics.notify.rule import Notify, Rule
from analytics.notify.standings import Add
from analytics.query.backend import Backend, fetch_from
from analytics.sites import store
from analytics.sites.site import Site
from analytics.storage import schema
from analytics.storage.database import Database
from tests.support.factories import NOW, beat, rows
from tests.support.replica import facts

WINDOW_S = 60


def add(connection: Connection, _: Rule | None, values: Mapping[str, Any]) -> Notification:
    """Stores a notification without deliveries."""
    return notifications.add(connection, values)


class Crowd:
    """A live source: the people and the feed that a test has put there, by site."""

    def __init__(self) -> None:
        self.there: dict[int, Sequence[Beat]] = {}
        self.feed: dict[int, Sequence[FeedItem]] = {}
        self.reads: list[int] = []  # the sites whose people were read

    def set(self, people: int, site_id: int = 1, **fields: Any) -> None:
        """So many people are on the site."""
        self.there[site_id] = [beat(number, site_id=site_id, **fields) for number in range(1, people + 1)]

    def people(self, site_id: int) -> Sequence[Beat]:
        self.reads.append(site_id)
        return self.there.get(site_id, [])

    def recent_items(self, site_id: int, many: int) -> Sequence[FeedItem]:
        return self.feed.get(site_id, [])[:many]

    def has_all_items(self, _site_id: int) -> bool:
        return True


Watching = Callable[..., "Watch"]


class Watch:
    """An evaluator on a crowd, with its rules and its clock. Close it: it has a lock of the database.

    `add` stores its notifications, by default without messages; `add_of_alert` is the server's. `seconds` says how long
    readings take.
    """

    def __init__(
        self,
        database: Database,
        *rules: Rule,
        live: LiveSource | None = None,
        backend: Backend | None = None,
        seconds: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.database, self.rules, self.now = database, list(rules), NOW
        self.crowd = Crowd()
        self.add: Add = add
        self.load: dict[str, float] = {}
        self._seconds = seconds
        self.samples = NewestSamples()
        known = live or self.crowd, backend or facts(fetch_from(database)), WINDOW_S
        self.sources = Sources(database, *known, lambda: self.load, self.samples)
        self.evaluator = self.opened()

    def opened(self) -> Evaluator:
        """Another evaluator over the same, as after a restart."""
        return Evaluator(self.sources, self._site, lambda: self.rules, self._add, self._seconds)

    def _add(self, connection: Connection, rule: Rule | None, values: Mapping[str, Any]) -> Notification:
        return self.add(connection, rule, values)

    def _site(self, site_id: int) -> Site | None:
        return next((site for site in store.all_sites(self.database) if site.id == site_id), None)

    def close(self) -> None:
        """Ends the evaluator."""
        self.evaluator.close()

    def restart(self) -> None:
        """The process ends, and another begins."""
        self.close()
        self.evaluator = self.opened()

    def see(self, *counts: int, site_id: int = 1) -> list[Any]:
        """One pass with each of these numbers of people on the site, five seconds apart; returns the notifications."""
        said = []
        for people in counts:
            self.crowd.set(people, site_id)
            said += self.evaluator.evaluate_live(self.now)
            self.now += LIVE_S
        return said


def line(
    number: int = 1,
    site_id: int = 1,
    *,
    above: float = 10,
    for_s: int = 0,
    kind: type[ThresholdWhen] = LineCrossed,
    **fields: Any,
) -> Rule:
    """A rule for more people than that on a site; fields of its `kind`, of `Notify` and `Rule`."""
    return rule(kind("active_sessions", Crossing.ABOVE, above, for_s=for_s), number, site_id, **fields)


def rule(when: MetricWhen, number: int = 1, site_id: int = 1, **fields: Any) -> Rule:
    """A rule with texts; fields of its `when`, of `Notify` and `Rule`."""
    texts = {"title": "{value} people on {site}", "message": "More than {threshold}", "link": "/live/{site}"}
    crossed = {one.name: fields.pop(one.name) for one in dataclasses.fields(when) if one.name in fields}
    notify = Notify(**texts | {name: fields.pop(name) for name in Notify._fields if name in fields})
    return Rule(number, site_id, "Many people", dataclasses.replace(when, **crossed), notify, created_at=NOW, **fields)


def keep_rules(database: Database, *rules: Rule) -> None:
    """Stores the rules' rows, as far as they matter to an evaluator."""
    with database.transaction() as connection:
        for one in rules:
            row = {"id": one.id, "site_id": one.site_id, "name": one.name, "kind": "threshold", "definition": "{}"}
            connection.execute(schema.rules.insert(), row | {"created_at": NOW, "changed_at": one.changed_at})


def steps(database: Database) -> list[tuple[int, str, float | None, str]]:
    """The steps of all alerts: seconds after `NOW`, step, value, who."""
    found = rows(database, schema.alert_steps, "at", "step", "value", "who")
    return [(at - NOW, step, value, who) for at, step, value, who in found]


def said(database: Database) -> list[tuple[int, str, str]]:
    """The notifications: seconds after `NOW`, type, title."""
    return [(at - NOW, kind, title) for at, kind, title in rows(database, schema.notifications, "at", "type", "title")]


def states(database: Database) -> dict[int, tuple[str, int, float | None]]:
    """The rules' stored states: state, since when (seconds after `NOW`), the value."""
    found = rows(database, schema.rule_states, "rule_id", "state", "since", "value")
    return {rule_id: (state, since - NOW, value) for rule_id, state, since, value in found}
