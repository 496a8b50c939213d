"""Segments of everybody: saved filters."""

from __future__ import annotations

from typing import Any

from analytics.base.errors import message
from analytics.notify.json_fields import FieldReader
from analytics.query import filters, segments
from analytics.query.segment import Segment
from collector.api.managed.call import Call, ManagedKind, UnknownItem

EVERYBODY = 0  # the person who sees everybody's segments alone


def _plain(one: Segment) -> dict[str, Any]:
    return {"id": one.id, "name": one.name, "filters": [filters.plain(each) for each in one.filters]}


def _listed(call: Call) -> Any:
    return [_plain(one) for one in segments.of_site(call.context.database, call.site.id, EVERYBODY)]


def _found(call: Call) -> Any:
    found = [one for one in _listed(call) if one["id"] == call.number]
    if not found:
        raise UnknownItem(message("there is no segment {id}", id=call.number))
    return found[0]


def _add(call: Call) -> Any:
    reading = FieldReader("segment")
    fields = reading.fields_of("", call.body, ("name", "filters"), ())
    given = reading.field(fields, "filters", filters.parse, ())
    if not isinstance(fields.get("name", ""), str):
        reading.note("name", message("a text"))
    reading.check()
    database, now = call.context.database, call.context.now()
    return _plain(segments.save(database, call.site.id, None, fields["name"], given, now=now))


def _remove(call: Call) -> None:
    _found(call)
    segments.remove(call.context.database, call.site.id, call.number, EVERYBODY, shared=True)


KIND = ManagedKind(_listed, _found, _add, removed=_remove)
