"""Cards for other admin panels."""

from __future__ import annotations

from functools import partial
from typing import Any

from analytics.access import embeds
from analytics.access.embed import Embed
from analytics.base.errors import InvalidInput, message
from analytics.notify.json_fields import FieldReader, list_of, whole
from collector.api.managed.call import Call, ManagedKind, UnknownItem

YEAR_S = 365 * 86_400


def _plain(call: Call, embed: Embed) -> dict[str, Any]:
    times = {"created_at": embed.created_at, "expires_at": embed.expires_at, "revoked_at": embed.revoked_at}
    return {"id": embed.id, "hosts": list(embed.hosts), "state": embed.state(call.context.now())} | times


def _listed(call: Call) -> Any:
    return [_plain(call, one) for one in embeds.of_site(call.context.database, call.site.id)]


def _found(call: Call) -> Any:
    found = [one for one in embeds.of_site(call.context.database, call.site.id) if one.id == call.number]
    if not found:
        raise UnknownItem(message("there is no embed {id}", id=call.number))
    return _plain(call, found[0])


def _add(call: Call) -> Any:
    reading = FieldReader("embed")
    fields = reading.fields_of("", call.body, ("hosts",), ("expires_s",))
    hosts = reading.field(fields, "hosts", _hosts, [])
    expires_s = reading.field(fields, "expires_s", partial(whole, 1, embeds.MAX_LIFE_S), YEAR_S)
    reading.check()
    embed, token = embeds.add(call.context.database, call.site.id, hosts, expires_s, now=call.context.now())
    return _plain(call, embed) | {"token": token}


def _hosts(given: object) -> list[str]:
    found = list_of("hosts", embeds.MAX_HOSTS, given)
    if not all(isinstance(one, str) for one in found):
        raise InvalidInput(message("hosts like {example}", example="panel.example.com"))
    return found


def _remove(call: Call) -> None:
    _found(call)
    embeds.revoke(call.context.database, call.number, call.site.id, now=call.context.now())


KIND = ManagedKind(_listed, _found, _add, removed=_remove)
