"""Channels: where notifications go."""

from __future__ import annotations

from typing import Any

from analytics.notify import channel_json, channels
from analytics.notify.channel import NotificationChannel
from analytics.notify.outbound import sending
from collector.api.managed.call import Call, ManagedKind, writable


def _plain(channel: NotificationChannel) -> dict[str, Any]:
    off = {"disabled_at": channel.disabled_at, "disabled_why": channel.disabled_why}
    return {"id": channel.id, **channel_json.plain(channel), **off}


def _listed(call: Call) -> Any:
    return [_plain(one) for one in channels.of_site(call.context.database, call.site.id)]


def _get(call: Call) -> NotificationChannel:
    return channels.get(call.context.database, call.number, call.site.id)


def _found(call: Call) -> Any:
    return _plain(_get(call))


def _check_to(call: Call) -> channels.CheckTo:
    return lambda kind, to: sending.checked_to(kind, to, call.context.outside)


def _add(call: Call) -> Any:
    given, now = channel_json.read(call.body), call.context.now()
    return _plain(channels.add(call.context.database, call.site.id, given, check=_check_to(call), now=now))


def _change(call: Call) -> Any:
    _get(call)
    given = channel_json.read(writable(call.body))
    return _plain(channels.change(call.context.database, call.number, given, call.site.id, check=_check_to(call)))


def _remove(call: Call) -> None:
    channels.remove(call.context.database, call.number, call.site.id)


def _test(call: Call) -> Any:
    """Sends a test at once, which may take half a minute."""
    found = sending.send_test(_get(call), call.site, call.context.outside, now=call.context.now())
    return {"sent": found.sent, "status": found.status, "answer": found.text}


KIND = ManagedKind(_listed, _found, _add, _change, _remove, {"test": _test})
