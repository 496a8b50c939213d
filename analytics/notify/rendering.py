"""The message of a delivery, made of the rows of its notifications as they are at this moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select

from analytics.notify import alert_groups, difference, rule_snooze
from analytics.notify.delivery import Delivery
from analytics.notify.notification import CREATED, FIRING, RESOLVED
from analytics.notify.outbound.message import MAX_COVERED, MAX_RULES, Covered, OutboundMessage, RuleCount, time_of
from analytics.notify.rule import Priority
from analytics.storage import schema

ORDER = [*map(str, Priority)]
REMOVED = "A removed rule"


class Subject(NamedTuple):
    """What a message is about: for the links that lead from it to the dashboard. `rule_id` is that of a rule on events.
    A message of several has no ids, but for that of an alert that all of it is about, and says whether it has alerts.
    """

    domain: str
    notification_id: int | None
    alert_id: int | None
    rule_id: int | None = None
    has_alerts: bool = False


class DashboardLinks(NamedTuple):
    """Where a message leads: to what it is about, and to where its alert is snoozed while it fires, or its rule; "" for
    no link.

    `base_url` is the address at which people reach the dashboard, with which the paths of rules begin; "" if unknown.
    """

    open_url: str = ""
    snooze_url: str = ""
    base_url: str = ""


LinksOf = Callable[[Subject], DashboardLinks]


def no_links(_: Subject) -> DashboardLinks:
    """Messages without links to the dashboard."""
    return DashboardLinks()


def message_of(connection: Connection, delivery: Delivery, links_of: LinksOf = no_links) -> OutboundMessage | None:
    """The message of a delivery; None if its site or its notifications are not there any more."""
    site = connection.execute(select(schema.sites).where(schema.sites.c.id == delivery.site_id)).first()
    if site is None:
        return None
    rows = _notifications(connection, delivery.site_id, _ids(delivery))
    if not rows:
        return None
    if delivery.notification_id is None or delivery.more:
        return _of_several(connection, delivery, site, rows, links_of)
    snoozes = rule_snooze.may_snooze(connection, rows[0].rule_id)
    single = _single(delivery, site, rows[0], rows[0].rule_id if snoozes else None, links_of)
    return _about_alert(connection, single, rows[0].alert_id)


def _about_alert(connection: Connection, message: OutboundMessage, alert_id: int | None) -> OutboundMessage:
    """The message with what is known of its alert: by its id receivers acknowledge it."""
    if alert_id is None:
        return message
    names = _rule_names(connection, [message.rule] if message.rule is not None else [])
    alert = _alerts(connection, {alert_id}).get(alert_id)
    return message._replace(
        alert=alert_id,
        alert_url=message.open_url,
        metric=alert.metric if alert else "",
        rule_name=names.get(message.rule or 0, ""),
    )


def _ids(delivery: Delivery) -> Sequence[int]:
    return delivery.covers if delivery.notification_id is None else (delivery.notification_id,)


def _single(
    delivery: Delivery, site: Row[Any], row: Row[Any], rule_id: int | None, links_of: LinksOf
) -> OutboundMessage:
    links = links_of(Subject(site.domain, row.id, row.alert_id, rule_id))
    return OutboundMessage(
        message_id=delivery.message_id,
        type=row.type,
        site=site.domain,
        title=row.title,
        at=row.last_at,
        text=row.message,
        id=row.id,
        rule=row.rule_id,
        priority=row.priority,
        severity=row.severity,
        link=_from_outside(row.link, links.base_url),
        link_label=row.link_label,
        value=row.value,
        currency=row.currency,
        threshold=row.threshold,
        why=difference.from_json(row.why),
        events=row._mapping["count"],  # `row.count` is a method of tuples
        timezone=site.timezone,
        open_url=links.open_url,
        snooze_url=links.snooze_url if row.type == FIRING or rule_id else "",
    )


def _from_outside(link: str, base_url: str) -> str:
    """The link of a rule as one from outside: a path of ours leads nowhere where our address is not known."""
    if not link.startswith("/"):
        return link
    return base_url + link if base_url else ""


def _of_several(
    connection: Connection, delivery: Delivery, site: Row[Any], rows: Sequence[Row[Any]], links_of: LinksOf
) -> OutboundMessage:
    ids, rows = _ids(delivery), sorted(rows, key=_rank)
    of_alerts = _alerts(connection, {row.alert_id for row in rows if row.alert_id is not None})
    lines, rules = _covered(rows, of_alerts, site.timezone), _rule_counts(connection, rows, of_alerts)
    number = len(ids) + delivery.more
    alerts = None if delivery.more else alert_groups.counted(connection, ids)
    alert = rows[0].alert_id if len({row.alert_id for row in rows}) == 1 and not delivery.more else None
    links = links_of(Subject(site.domain, None, alert, has_alerts=bool(of_alerts)))
    fires = alert in of_alerts and of_alerts[alert].resolved_at is None
    several = OutboundMessage(
        message_id=delivery.message_id,
        type=alerts.type if alerts else CREATED,
        site=site.domain,
        title=alerts.title if alerts else f"{number} notifications since {_since(rows, site.timezone)}",
        at=max(row.last_at for row in rows),
        priority=max((row.priority for row in rows), key=ORDER.index),
        events=number,
        timezone=site.timezone,
        open_url=links.open_url,
        snooze_url=links.snooze_url if fires else "",
        covered=tuple(lines[:MAX_COVERED]),
        more=max(0, len(lines) - MAX_COVERED) + delivery.more,
        rules=tuple(rules[:MAX_RULES]),
        more_rules=max(0, len(rules) - MAX_RULES),
    )
    return _about_alert(connection, several, alert)


def _since(rows: Sequence[Row[Any]], timezone: str) -> str:
    return time_of(min(row.at for row in rows), timezone)


def _covered(rows: Sequence[Row[Any]], alerts: Mapping[int, Row[Any]], timezone: str) -> list[Covered]:
    """A line for each alert with what became of it, and one for each other notification, in the order of the rows."""
    seen: set[int] = set()
    covered = []
    for row in rows:
        if row.alert_id in seen:
            continue
        covered.append(_covered_one(row, alerts.get(row.alert_id), timezone))
        seen |= set() if row.alert_id is None else {row.alert_id}
    return covered


def _rule_counts(connection: Connection, rows: Sequence[Row[Any]], alerts: Mapping[int, Row[Any]]) -> list[RuleCount]:
    """What each rule has in these rows, in their order; none where every rule is in them once: the list says that."""
    of_rules: dict[int | None, list[Row[Any]]] = {}
    for row in rows:
        of_rules.setdefault(row.rule_id, []).append(row)
    different = {row.alert_id or -row.id for row in rows}
    if len(different) == len(of_rules):
        return []
    names = _rule_names(connection, [number for number in of_rules if number is not None])
    return [_rule_count(names.get(number or 0, REMOVED), number, own, alerts) for number, own in of_rules.items()]


def _rule_count(name: str, number: int | None, rows: Sequence[Row[Any]], alerts: Mapping[int, Row[Any]]) -> RuleCount:
    events = sum(row._mapping["count"] for row in rows if row.alert_id is None)
    own = {row.alert_id for row in rows if row.alert_id is not None}
    firing = sum(one in alerts and alerts[one].resolved_at is None for one in own)
    return RuleCount(number, name, events, len(own), firing)


def _rule_names(connection: Connection, ids: Sequence[int]) -> dict[int, str]:
    table = schema.rules
    return {row.id: row.name for row in connection.execute(select(table.c.id, table.c.name).where(table.c.id.in_(ids)))}


def _rank(row: Row[Any]) -> tuple[bool, int]:
    """Alerts first, then what is more urgent; of one priority the older, as rows are read."""
    return row.alert_id is None, -ORDER.index(row.priority)


def _covered_one(row: Row[Any], alert: Row[Any] | None, timezone: str) -> Covered:
    one = Covered(row.id, row.title, row.at, row.value, row.currency, "", row._mapping["count"], row.rule_id, row.type)
    if alert is None or row.type == RESOLVED:
        return one
    if alert.resolved_at is None:
        return one._replace(outcome="still firing")
    return one._replace(outcome=f"resolved {time_of(alert.resolved_at, timezone)}", type=RESOLVED)


def _alerts(connection: Connection, ids: set[int]) -> dict[int, Row[Any]]:
    table = schema.alerts
    return {row.id: row for row in connection.execute(select(table).where(table.c.id.in_(sorted(ids))))}


def _notifications(connection: Connection, site_id: int, ids: Sequence[int]) -> Sequence[Row[Any]]:
    """The notifications of these ids, in the order in which they were made."""
    table = schema.notifications
    wanted = select(table).where(table.c.site_id == site_id, table.c.id.in_(ids)).order_by(table.c.id)
    return connection.execute(wanted).all()
