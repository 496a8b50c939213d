"""Notifications. Programs mark them as read for all programs together, since a key is no person."""

from __future__ import annotations

from typing import Any

from analytics.base.errors import message
from analytics.notify import notifications
from analytics.notify.notification import as_json
from analytics.notify.notifications import Listed
from analytics.notify.sight import whole_sight
from analytics.sites.site import Site
from collector.api.managed.call import Call, ManagedKind, UnknownItem

PROGRAM = 0  # the person for whom programs mark notifications as read


def _plain(listed: Listed, site: Site) -> dict[str, Any]:
    one = listed.notification
    return as_json(one, site.domain) | {"id": one.id, "read": listed.is_read}


def _listed(call: Call) -> Any:
    before, limit = call.page()
    sight = whole_sight([call.site.id])
    found = notifications.of_person(call.context.database, PROGRAM, sight, before=before, limit=limit)
    return [_plain(one, call.site) for one in found]


def _found(call: Call) -> Any:
    sight = whole_sight([call.site.id])
    beyond = call.number + 1
    found = notifications.of_person(call.context.database, PROGRAM, sight, before=beyond, limit=1)
    if not found or found[0].notification.id != call.number:
        raise UnknownItem(message("there is no notification {id}", id=call.number))
    return _plain(found[0], call.site)


def _read(call: Call) -> Any:
    _found(call)
    sight = whole_sight([call.site.id])
    notifications.mark_read(call.context.database, PROGRAM, sight, call.number)
    return _found(call)


KIND = ManagedKind(_listed, _found, actions={"read": _read})
