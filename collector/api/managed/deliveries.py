"""Deliveries: what was sent to channels, and what they answered."""

from __future__ import annotations

from typing import Any

from analytics.notify import deliveries
from analytics.notify.delivery import Delivery
from collector.api.managed.call import Call, ManagedKind


def _plain(one: Delivery) -> dict[str, Any]:
    names = "id", "state", "message_id", "attempts", "created_at", "next_at", "last_at", "status", "answer", "more"
    ids = {"channel": one.channel_id, "notification": one.notification_id, "covers": list(one.covers)}
    return {name: getattr(one, name) for name in names} | ids


def _listed(call: Call) -> Any:
    before, limit = call.page()
    found = deliveries.of_site(call.context.database, call.site.id, before=before, limit=limit)
    return [_plain(one) for one in found]


KIND = ManagedKind(_listed)
