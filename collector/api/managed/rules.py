"""Rules: when to notify."""

from __future__ import annotations

from typing import Any

from analytics.notify import rule_json, rules
from analytics.notify.rule import Rule
from collector.api.managed.call import Call, ManagedKind, writable


def _plain(rule: Rule) -> dict[str, Any]:
    more = {"shipped": rule.shipped, "wrong": rule.wrong, "created_at": rule.created_at, "changed_at": rule.changed_at}
    return {"id": rule.id, **rule_json.plain(rule), **more}


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


KIND = ManagedKind(_listed, _found, _add, _change, _remove)
