"""A watch: a table of another PostgreSQL database whose changes become events of a site."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

from analytics.activity import row_filter, template
from analytics.activity.row_filter import CHANGED, RowFilter
from analytics.base.errors import InvalidInput, Message, message
from analytics.base.link import ROW_LINK

OPERATIONS = ("insert", "update", "delete")
MAX_COLUMNS = 30  # an event has as many properties
MAX_COPIED = 45  # a function of PostgreSQL has at most 100 arguments
MAX_EVENT_NAME = 120
MAX_IDENTIFIER_BYTES = 63
MASK = "***"
VALUE = "value_column"  # the field of `value` in forms, whose buttons have a `value` of their own
KEY_HEX_DIGITS = 8
MAX_UNREAD = 1_000_000  # rows in the outbox of a database


class WatchDefinition(NamedTuple):
    """What is watched, and what becomes of a change. `on`: some of `OPERATIONS`; none: only gauges are kept.

    `columns` become the event's properties. `event` is its name, `title` and `link` are templates of its description
    and of where its row is; `value`, `user_id` and `user_name` name columns. `currency` is a code of ISO 4217 or names
    a column.
    """

    schema: str
    table: str
    on: tuple[str, ...] = OPERATIONS
    filters: tuple[RowFilter, ...] = ()
    columns: tuple[str, ...] = ()
    event: str = ""
    title: str = ""
    link: str = ""
    value: str = ""
    currency: str = ""
    user_id: str = ""
    user_name: str = ""

    @property
    def table_name(self) -> str:
        """The table with its schema: `public.bookings`."""
        return f"{self.schema}.{self.table}"

    @property
    def currency_column(self) -> str:
        """The column of the currency; "" if the currency is a code."""
        return "" if is_currency_code(self.currency) else self.currency

    @property
    def copied(self) -> tuple[str, ...]:
        """The columns that leave the database: those that the definition names, except in filters."""
        named = [name for text in (self.title, self.link) for name in template.columns_in(text)]
        others = (self.value, self.currency_column, self.user_id, self.user_name)
        return tuple(dict.fromkeys(name for name in (*self.columns, *named, *others) if name))

    @property
    def mentioned(self) -> tuple[str, ...]:
        """Every column that the definition names."""
        return tuple(dict.fromkeys((*self.copied, *(one.column for one in self.filters))))


class Watch(NamedTuple):
    """One watch of a site. `source` is the database's URL, with its password: show `masked(source)`.

    `key` is its name in that database. `wrong` says why it does not follow, else "". `behind_s` is the age of the
    oldest unread change in seconds, 0 for none, None before the first look; `read_at` when that was (epoch s), `unread`
    how many were unread then, and `outbox_bytes` the size of the outbox for all watches of that database.

    `missed`: about so many changes found the outbox full and are lost, the last before `missed_at`. `refused`: so many
    could not become events, and are lost too. `guarded`: a page added it, so it is connected to only at addresses that
    are allowed.
    """

    id: int
    site_id: int
    source: str
    key: str
    definition: WatchDefinition
    enabled: bool = True
    wrong: str = ""
    behind_s: float | None = None
    read_at: int | None = None
    created_at: int = 0
    guarded: bool = False
    unread: int | None = None
    outbox_bytes: int | None = None
    missed: int = 0
    missed_at: int | None = None
    refused: int = 0
    refused_at: int | None = None


def _wrong(field: str, said: Message) -> InvalidInput:
    return InvalidInput(said, {field: said})


def masked(url: str) -> str:
    """The URL with `***` in place of its passwords, also of one that should have been written with %2F or %40."""
    scheme, _, rest = url.partition("://")
    authority = rest.partition("/")[0]
    begin = authority.rfind("@") + 1  # as libpq reads it: a password may have `?` and `#` in it
    place, _, query = rest[begin:].partition("?")
    credentials, at, shown = f"{rest[:begin]}{place}".rpartition("@")
    user, colon, _ = credentials.partition(":")
    hidden = [(name, MASK if _is_secret(name) else value) for name, value in parse_qsl(query)]
    query = urlencode(hidden, safe="/*", quote_via=quote)
    return f"{scheme}://{user}{f':{MASK}' if colon else ''}{at}{shown}" + (f"?{query}" if query else "")


def _is_secret(parameter: str) -> bool:
    return any(word in parameter.lower() for word in ("password", "secret", "scram"))


def is_currency_code(text: str) -> bool:
    """Whether the text is written like a code of ISO 4217: three capital letters."""
    return len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()


def checked_definition(one: WatchDefinition) -> WatchDefinition:
    """The definition with the default name of its event; `InvalidInput` if it contradicts itself.

    Whether the table and its columns exist only the database knows.
    """
    unknown = next((operation for operation in one.on if operation not in OPERATIONS), None)
    if unknown is not None:
        known = ", ".join(OPERATIONS)
        raise _wrong("on", message("{change} is no change; some of {known}", change=repr(unknown), known=known))
    if any(each.operator == CHANGED for each in one.filters) and set(one.on) != {"update"}:
        raise _wrong("filters", message("a filter with `changed` is for updates alone"))
    if one.link and not template.is_link(one.link):
        raise _wrong("link", _no_link(one.link))
    if ROW_LINK in one.columns:
        raise _wrong("columns", message("{name} is the property of the link; no column has that name", name=ROW_LINK))
    if len(one.columns) > MAX_COLUMNS:
        raise _wrong("columns", message("at most {n} columns; an event has no more properties", n=MAX_COLUMNS))
    if len(one.copied) > MAX_COPIED:
        raise _wrong("columns", message("at most {n} columns, with those of templates, can be copied", n=MAX_COPIED))
    for field, name in (("schema", one.schema), ("table", one.table), *_named(one)):
        if not name or not name.isprintable() or len(name.encode()) > MAX_IDENTIFIER_BYTES:
            raise _wrong(field, message("{name} is no name of a table or column", name=repr(name[:80])))
    if len(one.event) > MAX_EVENT_NAME:
        raise _wrong("event", message("the name of an event has at most {n} letters", n=MAX_EVENT_NAME))
    return one._replace(event=one.event or default_event(one))


def _no_link(given: str) -> Message:
    return message(
        "link {given}: an address with http:// or https://, or a path that begins with /; no column is in its host",
        given=repr(given[:80]),
    )


def _named(one: WatchDefinition) -> list[tuple[str, str]]:
    """The fields of the definition with each column that they name."""
    named = [("columns", name) for name in one.columns]
    named += [("title", name) for name in template.columns_in(one.title)]
    named += [("link", name) for name in template.columns_in(one.link)]
    others = {VALUE: one.value, "currency": one.currency_column, "user_id": one.user_id, "user_name": one.user_name}
    named += [(field, name) for field, name in others.items() if name]
    return named + [("filters", each.column) for each in one.filters]


def field_of(one: WatchDefinition, column: str) -> str:
    """The first field of the definition that names this column; "" if none does."""
    return next((field for field, name in _named(one) if name == column), "")


def default_event(one: WatchDefinition) -> str:
    """The name of the events where none is given: `bookings insert`, or the table alone for several operations."""
    return f"{one.table} {one.on[0]}" if len(one.on) == 1 else one.table


def key_of(site: str, one: WatchDefinition, gauges: tuple[str, ...] = ()) -> str:
    """The name of the watch in its database: the same for the same site (its UUID) and definition."""
    text = "\n".join((site, one.schema, one.table, as_json("", one), *gauges))
    return blake2b(text.encode(), digest_size=KEY_HEX_DIGITS // 2).hexdigest()


def as_json(key: str, one: WatchDefinition) -> str:
    """The definition as it is stored, with its key."""
    fields: dict[str, Any] = one._asdict()
    del fields["schema"], fields["table"]
    return json.dumps({"key": key, **fields}, ensure_ascii=False)


def from_json(text: str, schema: str, table: str) -> tuple[str, WatchDefinition]:
    """Key and definition of a stored one."""
    fields = json.loads(text)
    key = fields.pop("key")
    filters = tuple(RowFilter(column, operator, tuple(values)) for column, operator, values in fields.pop("filters"))
    operations, columns = tuple(fields.pop("on")), tuple(fields.pop("columns"))
    return key, WatchDefinition(schema, table, operations, filters, columns, **fields)


def filters_of(texts: tuple[str, ...]) -> tuple[RowFilter, ...]:
    """The filters in these texts; `InvalidInput` names the first that is none."""
    return tuple(map(row_filter.parse, texts))
