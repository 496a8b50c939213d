"""The channels of sites: reads, adds, changes and removes them, and switches them off and on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, true, update

from analytics.base.errors import InvalidInput, message
from analytics.base.public_address import UnknownHost
from analytics.notify import channel_health, deliveries, rules
from analytics.notify.channel import ChannelKind, NotificationChannel
from analytics.notify.channel_health import channel_of
from analytics.notify.channel_json import ChannelInput
from analytics.notify.outbound.webhook import new_secret
from analytics.storage import schema
from analytics.storage.database import Database

MAX_CHANNELS = 20  # of a site
BY_HAND = "switched off"
REMOVED = "the channel was removed"
ON: dict[str, Any] = {"disabled_at": None, "disabled_why": "", "failing_since": None}

CheckTo = Callable[[str, str], str]
"""The address of a channel of a kind, as it is stored; `InvalidInput` for what is none, or leads inwards.

`UnknownHost` is no reason to refuse it: each attempt to send checks the address again.
"""


class UnknownChannel(InvalidInput):
    """There is no such channel, or it is another site's."""


def of_site(database: Database, site_id: int) -> list[NotificationChannel]:
    """The channels of a site, also those that are off, oldest first."""
    return _channels(database, schema.channels.c.site_id == site_id)


def all_channels(database: Database) -> list[NotificationChannel]:
    """The channels of every site, as `of_site`."""
    return _channels(database)


def get(database: Database, channel_id: int, site_id: int | None = None) -> NotificationChannel:
    """The channel with that id. `UnknownChannel` if there is none, or, with `site_id`, if it is another site's."""
    found = _channels(database, _own(channel_id, site_id))
    if not found:
        raise _unknown(channel_id)
    return found[0]


def add(database: Database, site_id: int, given: ChannelInput, *, check: CheckTo, now: int) -> NotificationChannel:
    """The new channel. A webhook without a secret gets one.

    `InvalidInput` for an address that `check` refuses, and beyond 20 channels of a site. `check` may take seconds.
    """
    columns = _columns(given, check)
    if given.kind is ChannelKind.WEBHOOK and not given.secret:
        columns["secret"] = new_secret()
    table = schema.channels
    with database.transaction() as connection:
        if connection.execute(select(func.count()).where(table.c.site_id == site_id)).scalar_one() >= MAX_CHANNELS:
            raise InvalidInput(message("a site has at most {limit} channels; remove one first", limit=MAX_CHANNELS))
        values = columns | {"site_id": site_id, "created_at": now}
        return channel_of(connection.execute(insert(table).values(values).returning(table)).one())


def change(
    database: Database, channel_id: int, given: ChannelInput, site_id: int | None = None, *, check: CheckTo
) -> NotificationChannel:
    """The channel as it is now, switched on. A webhook without a secret keeps the one that it had.

    `UnknownChannel` as in `get`; `InvalidInput` for an address that `check` refuses.
    """
    get(database, channel_id, site_id)
    columns = _columns(given, check)
    with database.transaction() as connection:
        if given.kind is ChannelKind.WEBHOOK and not given.secret:
            columns["secret"] = _locked(connection, channel_id, site_id).secret or new_secret()
        return channel_of(_update(connection, channel_id, site_id, columns | ON))


def rename(database: Database, channel_id: int, name: str, site_id: int | None = None) -> NotificationChannel:
    """Gives the channel that name and returns it; all else stays as it is. `UnknownChannel` as in `get`."""
    with database.transaction() as connection:
        return channel_of(_update(connection, channel_id, site_id, {"name": name}))


def rotate(database: Database, channel_id: int, site_id: int | None = None) -> NotificationChannel:
    """Gives a webhook a new secret and returns it. Until the next one it signs with the new secret, which comes first,
    and with the one before, so that its receiver has time to change.

    `InvalidInput` for a channel of another kind, `UnknownChannel` as in `get`.
    """
    with database.transaction() as connection:
        row = _locked(connection, channel_id, site_id)
        if row.kind != ChannelKind.WEBHOOK:
            raise InvalidInput(message("only webhooks are signed"))
        secrets = [new_secret(), *row.secret.split()[:1]]
        return channel_of(_update(connection, channel_id, site_id, {"secret": " ".join(secrets)}))


def disable(
    database: Database, channel_id: int, why: str = BY_HAND, site_id: int | None = None, *, now: int
) -> NotificationChannel:
    """Switches the channel off and returns it; what waits for it is dropped. `UnknownChannel` as in `get`."""
    get(database, channel_id, site_id)
    with database.transaction() as connection:
        channel_health.disable(connection, channel_id, why, now)
    return get(database, channel_id, site_id)


def enable(database: Database, channel_id: int, site_id: int | None = None) -> NotificationChannel:
    """Switches the channel on and returns it; its failures are forgotten. `UnknownChannel` as in `get`."""
    with database.transaction() as connection:
        return channel_of(_update(connection, channel_id, site_id, ON))


def remove(database: Database, channel_id: int, site_id: int | None = None) -> NotificationChannel:
    """Removes the channel and returns it. Rules name it no longer, what waits for it is dropped; its log stays.

    `UnknownChannel` as in `get`.
    """
    table = schema.channels
    with database.transaction() as connection:
        row = connection.execute(delete(table).where(_own(channel_id, site_id)).returning(table)).first()
        if row is None:
            raise _unknown(channel_id)
        rules.forget_channel(connection, row.site_id, channel_id)
        deliveries.drop_of_channel(connection, channel_id, REMOVED)
    return channel_of(row)


def _channels(database: Database, *conditions: ColumnElement[bool]) -> list[NotificationChannel]:
    wanted = select(schema.channels).where(*conditions).order_by(schema.channels.c.id)
    with database.read() as connection:
        return [channel_of(row) for row in connection.execute(wanted)]


def _own(channel_id: int, site_id: int | None) -> ColumnElement[bool]:
    table = schema.channels
    return (table.c.id == channel_id) & (true() if site_id is None else table.c.site_id == site_id)


def _unknown(channel_id: int) -> UnknownChannel:
    return UnknownChannel(message("there is no channel {id}; `channel list` shows them", id=channel_id))


def _columns(given: ChannelInput, check: CheckTo) -> dict[str, Any]:
    try:
        address = check(given.kind, given.to)
    except UnknownHost:  # names may be away for a while; the address is checked again when it is used
        address = given.to
    except InvalidInput as refused:
        why = str(refused).removeprefix("to: ")
        raise InvalidInput(f"to: {why}", {"to": why}) from None
    return {"kind": given.kind.value, "name": given.name, "address": address, "secret": given.secret}


def _locked(connection: Connection, channel_id: int, site_id: int | None) -> Row[Any]:
    """The row, which nobody else changes before the transaction ends."""
    row = connection.execute(select(schema.channels).where(_own(channel_id, site_id)).with_for_update()).first()
    if row is None:
        raise _unknown(channel_id)
    return row


def _update(connection: Connection, channel_id: int, site_id: int | None, values: Mapping[str, Any]) -> Row[Any]:
    changing = update(schema.channels).where(_own(channel_id, site_id)).values(values).returning(schema.channels)
    row = connection.execute(changing).first()
    if row is None:
        raise _unknown(channel_id)
    return row
