"""The rules of sites: reads, adds, changes and removes them, and keeps those that are switched on in memory."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, true, update

from analytics.base.error_log import describe
from analytics.base.errors import InvalidInput, message
from analytics.notify import money, rule_json, sample_metrics
from analytics.notify.kinds import table as kinds
from analytics.notify.kinds.kind import EventWhen
from analytics.notify.rule import Rule
from analytics.notify.rule_json import RuleInput
from analytics.storage import schema
from analytics.storage.database import Database

log = logging.getLogger("footfall.rules")

MAX_RULES = 200  # of a site
MAX_CONDITIONS = 400  # of all its rules: the writer checks them for each event


class UnknownRule(InvalidInput):
    """There is no such rule, or it is another site's."""


def of_site(database: Database, site_id: int) -> list[Rule]:
    """The rules of a site, oldest first. One that this version cannot read is left out, with a line in the log."""
    return _rules(database, schema.rules.c.site_id == site_id)


def all_rules(database: Database) -> list[Rule]:
    """The rules of every site, oldest first, as `of_site`."""
    return _rules(database)


def get(database: Database, rule_id: int, site_id: int | None = None) -> Rule:
    """The rule with that id. `UnknownRule` if there is none, or, with `site_id`, if it is another site's."""
    found = _rules(database, _own(rule_id, site_id))
    if not found:
        raise _unknown(rule_id)
    return found[0]


def add(database: Database, site_id: int, given: RuleInput, *, now: int) -> Rule:
    """The new rule; one on money is in one currency (`money.in_one_currency`).

    `InvalidInput` if a channel is none of the site's, for a metric of which no sample has come, for money of several
    currencies, and beyond 200 rules or 400 conditions of a site.
    """
    table = schema.rules
    given = given._replace(when=money.in_one_currency(database, site_id, given.when))
    with database.transaction() as connection:
        _check_channels(connection, site_id, given)
        sample_metrics.check_known(connection, site_id, given.when)
        _check_conditions(connection, site_id, None, given)
        if connection.execute(select(func.count()).where(table.c.site_id == site_id)).scalar_one() >= MAX_RULES:
            raise InvalidInput(message("a site has at most {limit} rules; remove one first", limit=MAX_RULES))
        return insert_rule(connection, site_id, given, now=now)


def insert_rule(connection: Connection, site_id: int, given: RuleInput, *, shipped: str = "", now: int) -> Rule:
    """As `add`, without a check, within the caller's transaction. `shipped` is the name of the example."""
    values = _columns(given) | {"site_id": site_id, "shipped": shipped, "created_at": now, "changed_at": now}
    return _read(connection.execute(insert(schema.rules).values(values).returning(schema.rules)).one())


def change(database: Database, rule_id: int, given: RuleInput, site_id: int | None = None, *, now: int) -> Rule:
    """The rule as it is now. By `changed_at` the evaluator begins it again and resolves its open alert.

    `UnknownRule` as in `get`; `InvalidInput` as in `add`.
    """
    own_site = _site_of(database, rule_id, site_id)
    given = given._replace(when=money.in_one_currency(database, own_site, given.when))
    with database.transaction() as connection:
        _check_channels(connection, own_site, given)
        sample_metrics.check_known(connection, own_site, given.when)
        _check_conditions(connection, own_site, rule_id, given)
        return _read(_update(connection, rule_id, own_site, _columns(given) | {"wrong": "", "changed_at": now}))


def switch(database: Database, rule_id: int, *, on: bool, site_id: int | None = None, now: int) -> Rule:
    """Switches the rule on or off and returns it; the evaluator resolves its open alert. `UnknownRule` as in `get`."""
    with database.transaction() as connection:
        row = _update(connection, rule_id, site_id, {"enabled": on, "wrong": "", "changed_at": now})
    return _read(row)


def remove(database: Database, rule_id: int, site_id: int | None = None) -> str:
    """Removes the rule and returns its name. Its notifications stay; the evaluator resolves its open alert.

    `UnknownRule` as in `get`.
    """
    with database.transaction() as connection:
        removing = delete(schema.rules).where(_own(rule_id, site_id)).returning(schema.rules.c.name)
        name: str | None = connection.execute(removing).scalar()
        if name is None:
            raise _unknown(rule_id)
    return name


def forget_channel(connection: Connection, site_id: int, channel_id: int) -> None:
    """Takes a removed channel out of the rules of its site; their states stay."""
    table = schema.rules
    for row in connection.execute(select(table).where(table.c.site_id == site_id)).all():
        definition = json.loads(row.definition)
        left = [one for one in definition["notify"].get("channels", ()) if one != channel_id]
        if left != definition["notify"].get("channels", []):
            definition["notify"]["channels"] = left
            connection.execute(update(table).where(table.c.id == row.id).values(definition=_json(definition)))


def _rules(database: Database, *conditions: ColumnElement[bool]) -> list[Rule]:
    wanted = select(schema.rules).where(*conditions).order_by(schema.rules.c.id)
    with database.read() as connection:
        rows = connection.execute(wanted).all()
    return [rule for row in rows if (rule := _rule(row))]


def _own(rule_id: int, site_id: int | None) -> ColumnElement[bool]:
    return (schema.rules.c.id == rule_id) & (true() if site_id is None else schema.rules.c.site_id == site_id)


def _site_of(database: Database, rule_id: int, site_id: int | None) -> int:
    with database.read() as connection:
        found: int | None = connection.execute(select(schema.rules.c.site_id).where(_own(rule_id, site_id))).scalar()
    if found is None:
        raise _unknown(rule_id)
    return found


def _unknown(rule_id: int) -> UnknownRule:
    return UnknownRule(message("there is no rule {id}; `rule list` shows them", id=rule_id))


def _update(connection: Connection, rule_id: int, site_id: int | None, values: Mapping[str, Any]) -> Row[Any]:
    changing = update(schema.rules).where(_own(rule_id, site_id)).values(values).returning(schema.rules)
    row = connection.execute(changing).first()
    if row is None:
        raise _unknown(rule_id)
    return row


def _check_channels(connection: Connection, site_id: int, given: RuleInput) -> None:
    table = schema.channels
    known = set(connection.execute(select(table.c.id).where(table.c.site_id == site_id)).scalars())
    if unknown := [str(one) for one in given.notify.channels if one not in known]:
        wrong = message(
            "no channel {unknown} on this site; known: {known}",
            unknown=", ".join(unknown),
            known=", ".join(map(str, sorted(known))) or "-",
        )
        raise InvalidInput(f"notify.channels: {wrong}", {"notify.channels": wrong})


def _check_conditions(connection: Connection, site_id: int, rule_id: int | None, given: RuleInput) -> None:
    own = _conditions(given.when.plain())
    if not own:
        return
    table = schema.rules
    rows = connection.execute(select(table).where(table.c.site_id == site_id, table.c.id != (rule_id or 0))).all()
    others = sum(_conditions(rule.when.plain()) for row in rows if (rule := _rule(row)))
    if others + own > MAX_CONDITIONS:
        wrong = message(
            "the rules of a site have at most {limit} conditions on events; its other rules have {others}",
            limit=MAX_CONDITIONS,
            others=others,
        )
        raise InvalidInput(f"when.where: {wrong}", {"when.where": wrong})


def _conditions(when: Mapping[str, Any]) -> int:
    return len(when.get("where", ()))


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _columns(given: RuleInput) -> dict[str, Any]:
    definition = {"when": given.when.plain(), "notify": rule_json.plain_notify(given.notify)}
    return {
        "name": given.name,
        "kind": kinds.name_of(given.when),
        "definition": _json(definition),
        "enabled": given.enabled,
    }


def _json(definition: Mapping[str, Any]) -> str:
    return json.dumps(definition, separators=(",", ":"), ensure_ascii=False)


def _rule(row: Row[Any]) -> Rule | None:
    try:
        return _read(row)
    except (InvalidInput, ValueError, RecursionError) as wrong:
        log.warning("rule %s of site %s cannot be read: %s", row.id, row.site_id, describe(wrong))
        return None


def _read(row: Row[Any]) -> Rule:
    given = rule_json.read({"name": row.name, "enabled": row.enabled} | json.loads(row.definition))
    stored = row.id, row.site_id, *given
    return Rule(*stored, row.shipped, row.wrong, row.created_at, row.changed_at, row.snoozed_until)


class RuleRing:
    """The rules in memory that are switched on, as `refresh` last read them; the first time is when it is made.

    At most 200 of each site.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._by_row: dict[tuple[Any, ...], Rule | None] = {}
        self._of_events: Mapping[int, tuple[Rule, ...]] = {}
        self._evaluated: Sequence[Rule] = ()
        self.refresh()

    def event_rules(self, site_id: int) -> tuple[Rule, ...]:
        """The rules of the site that wait for events, oldest first; empty for most sites."""
        return self._of_events.get(site_id, ())

    def evaluated_rules(self) -> list[Rule]:
        """The rules of every site that read a metric, or wait for alerts, oldest first."""
        return list(self._evaluated)

    def refresh(self) -> None:
        """Reads the table now; if that fails, the known rules stay and the error passes through.

        Serialised, so that a slow read cannot overwrite a newer one. Only rows that have changed are parsed.
        """
        with self._lock:
            table = schema.rules
            with self._database.read() as connection:
                rows = connection.execute(select(table).where(table.c.enabled).order_by(table.c.id)).all()
            before = self._by_row
            self._by_row = {key: before[key] if key in before else _rule(row) for row in rows if (key := tuple(row))}
            known = [rule for rule in self._by_row.values() if rule]
            of_events: dict[int, tuple[Rule, ...]] = {}
            for rule in known:
                if isinstance(rule.when, EventWhen):
                    of_events[rule.site_id] = (*of_events.get(rule.site_id, ()), rule)
            self._of_events = of_events
            self._evaluated = [rule for rule in known if not isinstance(rule.when, EventWhen)]
