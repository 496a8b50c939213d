"""Events and the rules that wait for them: called by the writer, in the transaction that stores the events."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import Connection

from analytics.base.error_log import describe
from analytics.live.feed import FeedItem
from analytics.notify import notifications
from analytics.notify.compared_event import ComparedEvent
from analytics.notify.event_fields import FIELDS, properties
from analytics.notify.groups import Group, MatchedEvent, counted_at, gather
from analytics.notify.notification import CREATED, Notification
from analytics.notify.rule import Rule
from analytics.notify.rule_budget import RuleBudget
from analytics.notify.telling import Written, tell
from analytics.notify.template import NotificationText, fill

log = logging.getLogger("footfall.notify")

RulesOf = Callable[[int], Sequence[Rule]]
"""The event rules of a site that are switched on."""

DomainOf = Callable[[int], str]


class ArrivedEvent(NamedTuple):
    """A stored event with all that rules may ask of it; `props` is a JSON object as text."""

    site_id: int
    item: FeedItem
    props: str


class Notified(NamedTuple):
    """What a transaction has made: new and changed notifications, and the rules that erred, each with the reason.

    `unchecked` is how many events were left out since the last report, by the sites of which a report is due.
    """

    notifications: tuple[Notification, ...] = ()
    wrong: Mapping[int, str] = {}
    unchecked: Mapping[int, int] = {}


def notify(
    connection: Connection,
    rules_of: RulesOf,
    domain_of: DomainOf,
    events: Sequence[ArrivedEvent],
    now: int,
    budget: RuleBudget | None = None,
) -> Notified:
    """Writes the notifications of these events, in the order of the events, and their messages into the outbox.

    A rule that errs is left out and named. All is decided in memory, so that the statements are at most eight, and one
    more for each thousand rows, whatever the events and the rules are. Events of a site whose rules have spent
    their `budget` are left out, with a line in the log.
    """
    wrong: dict[int, str] = {}
    matches, unchecked = _matches(rules_of, events, budget or RuleBudget(), wrong, now)
    if not matches:
        return Notified((), wrong, unchecked)
    since = min(one.counted_at for one in matches)
    recent = notifications.recent(connection, {one.rule.id for one in matches}, since)
    groups = gather(matches, recent)
    texts = _texts(groups, domain_of, wrong)
    written = _written(connection, [one for one in groups if one.first.rule.id not in wrong], texts, now)
    return Notified(tuple(written), wrong, unchecked)


def _matches(
    rules_of: RulesOf, events: Sequence[ArrivedEvent], budget: RuleBudget, wrong: dict[int, str], now: int
) -> tuple[list[MatchedEvent], dict[int, int]]:
    """The events for which rules wait, in their order, without those of rules that err; and what was not checked."""
    found: list[MatchedEvent] = []
    matched: Counter[int] = Counter()
    left_out: Counter[int] = Counter()
    for event in events:
        site_id = event.site_id
        if budget.is_spent(site_id, matched[site_id]):
            left_out[site_id] += 1
            continue
        with budget.spending(site_id):
            new = _matches_of(event, rules_of(site_id), wrong, now)
        matched[site_id] += len(new)
        found += new
    reported = {site_id: due for site_id, many in left_out.items() if (due := budget.report(site_id, many))}
    return [one for one in found if one.rule.id not in wrong], reported


def _matches_of(event: ArrivedEvent, rules: Sequence[Rule], wrong: dict[int, str], now: int) -> list[MatchedEvent]:
    at, values = event.item.timestamp, values_of(event)
    compared = ComparedEvent(values)  # its properties are parsed once, whatever the rules ask of them
    waiting = [rule for rule in rules if _matches_rule(rule, compared, wrong)]
    return [MatchedEvent(rule, values, at, counted_at(at, now)) for rule in waiting]


def _matches_rule(rule: Rule, compared: ComparedEvent, wrong: dict[int, str]) -> bool:
    """Whether the rule waits for such an event. One that has erred is not asked again, so the log has it once."""
    if rule.id in wrong:
        return False
    with _noting_errors(rule, wrong):
        return rule.when.matches(compared)
    return False


@contextmanager
def _noting_errors(rule: Rule, wrong: dict[int, str]) -> Iterator[None]:
    try:
        yield
    except Exception as failed:  # nothing here asks the database: it is the rule that errs
        log.error("rule %d errs and is switched off: %s", rule.id, describe(failed))
        wrong[rule.id] = str(describe(failed))


def _texts(groups: Sequence[Group], domain_of: DomainOf, wrong: dict[int, str]) -> dict[Group, NotificationText]:
    """What the notifications that begin say, without those of rules that err: then nothing of them is written yet."""
    texts = {}
    for group in groups:
        rule = group.first.rule
        if group.stored or rule.id in wrong:
            continue
        with _noting_errors(rule, wrong):
            fields = {"rule": rule.name, "site": domain_of(rule.site_id)}
            texts[group] = fill(rule.notify, {**group.first.values, **fields})
    return texts


def _written(
    connection: Connection, groups: Sequence[Group], texts: Mapping[Group, NotificationText], now: int
) -> list[Notification]:
    """Stores the notifications of these groups with their messages, and returns them in the order of the groups."""
    rows = [_columns(group, texts[group]) for group in groups if group.stored is None]
    new = iter(notifications.add_all(connection, rows))
    written = [
        Written(group.first.rule, _grown(group, group.stored) if group.stored else next(new), group.stored is None)
        for group in groups
    ]
    notifications.save_counts(connection, [one.notification for one in written if not one.is_new])
    tell(connection, written, now)
    return [one.notification for one in written]


def _grown(group: Group, stored: Notification) -> Notification:
    return replace(stored, count=stored.count + group.events, last_at=max(stored.last_at, group.last_at))


def values_of(event: ArrivedEvent) -> dict[str, Any]:
    """The fields of an event by the names that conditions and templates use."""
    return {name: getattr(event.item, name) for name in FIELDS} | {"props": properties(event.props)}


def _columns(group: Group, text: NotificationText) -> dict[str, Any]:
    rule, values, at, counted = group.first
    return {
        "site_id": rule.site_id,
        "rule_id": rule.id,
        "type": CREATED,
        "priority": rule.notify.priority.value,
        "title": text.title,
        "message": text.message,
        "link": text.link,
        "link_label": text.link_label,
        "audience": rule.notify.audience.value,
        "value": values.get("value"),
        "currency": values.get("currency") or "",
        "count": group.events,
        "at": at,
        "last_at": group.last_at,
        "open_until": group.open_until,
        "counted_at": counted,
    }
