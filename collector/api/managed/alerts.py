"""Alerts, which programs acknowledge and snooze."""

from __future__ import annotations

from typing import Any

from analytics.base.errors import InvalidInput, message
from analytics.notify import alerts
from analytics.notify.alert import Alert
from collector.api.managed.call import Call, ManagedKind, UnknownItem, snooze_hours


def _plain(alert: Alert) -> dict[str, Any]:
    names = "severity", "title", "message", "metric", "value", "threshold", "affected", "fired_at", "recovering_at"
    more = "resolved_at", "acknowledged_at", "acknowledged_by", "snoozed_until"
    fields = {name: getattr(alert, name) for name in (*names, *more)}
    return {"id": alert.id, "rule": alert.rule_id, **fields, "why": [one._asdict() for one in alert.why]}


def _listed(call: Call) -> Any:
    before, limit = call.page()
    return [_plain(one) for one in alerts.of_site(call.context.database, call.site.id, before=before, limit=limit)]


def _found(call: Call) -> Any:
    try:
        found = alerts.get(call.context.database, call.site.id, call.number)
    except InvalidInput:
        raise UnknownItem(message("there is no alert {id}", id=call.number)) from None
    return _plain(found.alert) | {"steps": [one._asdict() for one in found.steps]}


def _acknowledge(call: Call) -> Any:
    _found(call)
    own = call.site.id, call.number
    return _plain(alerts.acknowledge(call.context.database, *own, _who(call), call.context.now()))


def _snooze(call: Call) -> Any:
    _found(call)
    own = call.site.id, call.number
    return _plain(alerts.snooze(call.context.database, *own, snooze_hours(call.body), _who(call), call.context.now()))


def _who(call: Call) -> str:
    return f"key {call.key.name}"


KIND = ManagedKind(_listed, _found, actions={"acknowledge": _acknowledge, "snooze": _snooze})
