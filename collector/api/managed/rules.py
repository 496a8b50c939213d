"""Rules: when to notify."""

from __future__ import annotations

from typing import Any

from analytics.notify import rule_json, rule_snooze, rules
from analytics.notify.rule import Rule
from analytics.notify.snooze import in_hours
from collector.api.managed.call import Call, ManagedKind, snooze_hours, writable


def _plain(rule: Rule) -> dict[str, Any]:
    names = "shipped", "wrong", "created_at", "changed_at", "snoozed_until"
    return {"id": rule.id, **rule_json.plain(rule), **{name: getattr(rule, name) for name in names}}


def _listed(call: Call) -> Any:
    return [_plain(one) for one in rules.of_site(call.context.database, call.site.id)]


def _found(call: Call) -> Any:
    return _plain(rules.get(call.context.database, call.number, call.site.id))


def _add(call: Call) -> Any:
    given = rule_json.read(call.body)
    return _plain(rules.add(call.context.database, call.site.id, given, now=call.context.now()))


def _change(call: Call) -> Any:
    _found(call)  # what is not there is not checked
    given = rule_json.read(writable(call.body))
    return _plain(rules.change(call.context.database, call.number, given, call.site.id, now=call.context.now()))


def _remove(call: Call) -> None:
    rules.remove(call.context.database, call.number, call.site.id)


def _snooze(call: Call) -> Any:
    _found(call)
    now = call.context.now()
    until = in_hours(snooze_hours(call.body), now)
    return _plain(rule_snooze.snooze(call.context.database, call.site.id, call.number, until, now))


KIND = ManagedKind(_listed, _found, _add, _change, _remove, {"snooze": _snooze})
