"""The watches of sites in our database, with their gauges: adds, lists, removes them, and notes their state."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, func, insert, select, true, update

from analytics.activity import gauge as gauge_values
from analytics.activity import install, install_sql
from analytics.activity import watch as watch_values
from analytics.activity.change_source import UnreadChanges
from analytics.activity.gauge import GaugeDefinition
from analytics.activity.source import SourceRefused, checked_source, parameters
from analytics.activity.source_guard import Allowed
from analytics.activity.watch import Watch, WatchDefinition, checked_definition, key_of, masked
from analytics.base.addresses import Network
from analytics.base.errors import InvalidInput, message
from analytics.base.program import command
from analytics.sites.site import Site
from analytics.storage import schema
from analytics.storage.database import Database

log = logging.getLogger("footfall.watch")

Networks = Sequence[Network]

MAX_WATCHES = 100  # of a site
MAX_GAUGES = 20  # of a watch
BEING_INSTALLED = "it was not installed completely; remove it and add it again"


def checked(one: WatchDefinition, gauges: Sequence[GaugeDefinition]) -> WatchDefinition:
    """The definition with its defaults; `InvalidInput` if watch and gauges make no sense together."""
    if not one.on and not gauges:
        said = message("nothing to follow: choose changes (insert, update, delete), or give a gauge")
        raise InvalidInput(said, {"gauges": said})
    if len(gauges) > MAX_GAUGES:
        said = message("a watch has at most {n} gauges", n=MAX_GAUGES)
        raise InvalidInput(said, {"gauges": said})
    return checked_definition(one)


def sql_of(
    site: Site, source: str, one: WatchDefinition, gauges: Sequence[GaugeDefinition], allowed: Allowed = None
) -> str:
    """The SQL that `add` would execute; nothing is connected to and nothing changed."""
    source, one = checked_source(source), checked(_linked(site, one), gauges)
    parameters(source, allowed)
    return install.print_sql(source, _key(site, one, gauges), one, gauges)


def add(
    database: Database,
    site: Site,
    source: str,
    one: WatchDefinition,
    gauges: Sequence[GaugeDefinition] = (),
    *,
    allowed: Allowed = None,
    now: int,
) -> Watch:
    """Installs the watch in its database and adds it. `InvalidInput` in one line if not; then nothing was changed.

    Where `allowed` are networks, the watch stays guarded: whatever its name leads to later, it is connected to only
    there and on the public internet.
    """
    source, one = checked_source(source), checked(_linked(site, one), gauges)
    key = _key(site, one, gauges)
    found = of_site(database, site.id)
    if existing := next((each for each in found if each.key == key and each.source == source), None):
        raise InvalidInput(message("watch {id} is the same; nothing was changed", id=existing.id))
    if len(found) >= MAX_WATCHES:
        raise InvalidInput(message("a site has at most {n} watches; remove one first", n=MAX_WATCHES))
    number = _insert(database, site.id, source, key, one, gauges, now, guarded=allowed is not None)
    try:
        install.install(source, key, one, gauges, allowed)
    except BaseException:
        _delete(database, number)
        raise
    with database.transaction() as connection:
        own = schema.watches.c.id == number
        connection.execute(update(schema.watches).where(own).values(enabled=True, wrong=""))
    return find(database, number)


def _linked(site: Site, one: WatchDefinition) -> WatchDefinition:
    """A link that is a path leads to a page of the site: below the dashboard's address there is none."""
    is_path = one.link.startswith("/") and not one.link.startswith("//")
    return one._replace(link=f"https://{site.domain}{one.link}") if is_path else one


def _key(site: Site, one: WatchDefinition, gauges: Sequence[GaugeDefinition]) -> str:
    return key_of(site.uuid or site.domain, one, tuple(gauge_values.as_json("", each) for each in gauges))


def _insert(
    database: Database,
    site_id: int,
    source: str,
    key: str,
    one: WatchDefinition,
    gauges: Sequence[GaugeDefinition],
    now: int,
    *,
    guarded: bool,
) -> int:
    values = {"site_id": site_id, "source": source, "schema": one.schema, "table": one.table, "created_at": now}
    values |= {"definition": watch_values.as_json(key, one), "enabled": False, "wrong": BEING_INSTALLED}
    values |= {"guarded": guarded}
    with database.transaction() as connection:
        adding = insert(schema.watches).values(values).returning(schema.watches.c.id)
        number: int = connection.execute(adding).scalar_one()
        rows = [
            {
                "site_id": site_id,
                "watch_id": number,
                "name": each.name,
                "currency": each.currency,
                "definition": gauge_values.as_json(gauge_key, each),
            }
            for gauge_key, each in zip(install_sql.gauge_keys(key, gauges), gauges, strict=True)
        ]
        if rows:
            connection.execute(insert(schema.gauges), rows)
    return number


def remove(
    database: Database, watch_id: int, *, site_id: int | None = None, forget: bool = False, allowed: Networks = ()
) -> Watch:
    """Removes the watch, in its database and in ours, with its gauges; events stay. `InvalidInput` if there is none.

    With `site_id` it has to be one of that site. A guarded one is connected to only on the public internet and in the
    `allowed` networks. `SourceRefused` if its database does not allow it; with `forget` the watch goes all the same,
    and what is installed there stays.
    """
    one = find(database, watch_id, site_id)
    try:
        install.remove(one.source, one.key, _reach(one, allowed))
    except SourceRefused:
        if not forget:
            raise
    _delete(database, watch_id)
    return one


def _reach(one: Watch, allowed: Networks) -> Allowed:
    return allowed if one.guarded else None


def remove_of_site(database: Database, site_id: int, allowed: Networks = ()) -> list[str]:
    """Removes the watches of a site, which is about to go; a line for each whose database does not allow it: what is
    installed there stays.
    """
    lines = []
    for one in of_site(database, site_id):
        try:
            install.remove(one.source, one.key, _reach(one, allowed))
        except SourceRefused as refused:
            lines.append(f"what watch {one.id} installed in {masked(one.source)} stays there: {refused}")
            log.warning("%s", lines[-1])
        _delete(database, one.id)
    return lines


def _delete(database: Database, watch_id: int) -> None:
    with database.transaction() as connection:
        own = schema.gauges.c.watch_id == watch_id
        numbers = select(schema.gauges.c.id).where(own)
        connection.execute(delete(schema.gauge_readings).where(schema.gauge_readings.c.gauge_id.in_(numbers)))
        connection.execute(delete(schema.gauges).where(own))
        connection.execute(delete(schema.watches).where(schema.watches.c.id == watch_id))


def find(database: Database, watch_id: int, site_id: int | None = None) -> Watch:
    """The watch of that id, with `site_id` only of that site; `InvalidInput` if there is none."""
    own = true() if site_id is None else schema.watches.c.site_id == site_id
    found = _watches(database, and_(schema.watches.c.id == watch_id, own))
    if not found and site_id is not None:
        raise InvalidInput(message("that watch is not here any more"))
    if not found:
        shown = command("watch list")
        raise InvalidInput(message("there is no watch {id}; {command} shows them", id=watch_id, command=shown))
    return found[0]


def all_watches(database: Database) -> list[Watch]:
    """Every watch, oldest first."""
    return _watches(database, true())


def enabled(database: Database) -> list[Watch]:
    """The watches that are followed, oldest first."""
    return _watches(database, schema.watches.c.enabled)


def of_site(database: Database, site_id: int) -> list[Watch]:
    """The watches of the site, oldest first."""
    return _watches(database, schema.watches.c.site_id == site_id)


def _watches(database: Database, condition: ColumnElement[bool]) -> list[Watch]:
    wanted = select(schema.watches).where(condition).order_by(schema.watches.c.id)
    with database.read() as connection:
        return [_watch(row) for row in connection.execute(wanted)]


def _watch(row: Row[Any]) -> Watch:
    columns = row._mapping
    key, definition = watch_values.from_json(row.definition, columns["schema"], columns["table"])
    return Watch(
        row.id,
        row.site_id,
        row.source,
        key,
        definition,
        row.enabled,
        row.wrong,
        row.behind_s,
        row.read_at,
        row.created_at,
        row.guarded,
        row.unread,
        row.outbox_bytes,
        row.missed,
        row.missed_at,
        row.refused,
        row.refused_at,
    )


# ── state ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def note_backlogs(database: Database, backlogs: Mapping[int, UnreadChanges], outbox_bytes: int, now: int) -> None:
    """Notes what is unread by watch, how large the outbox of their database is, and that these watches follow."""
    table = schema.watches
    with database.transaction() as connection:
        for number, backlog in sorted(backlogs.items()):
            values: dict[str, Any] = {
                "behind_s": max(0.0, backlog.age_s),
                "unread": backlog.rows,
                "outbox_bytes": outbox_bytes,
            }
            values |= {"read_at": now, "wrong": ""}
            connection.execute(update(table).where(table.c.id == number).values(values))


def note_missed(database: Database, numbers: Sequence[int], missed: int, now: int) -> None:
    """Notes that about so many more changes found the outbox of these watches full, and are lost."""
    table = schema.watches
    with database.transaction() as connection:
        own = update(table).where(table.c.id.in_(numbers))
        connection.execute(own.values(missed=table.c.missed + missed, missed_at=now))


def note_refused(database: Database, refused: Mapping[int, int], now: int) -> None:
    """Notes that so many more changes of these watches, by id, could not become events."""
    table = schema.watches
    with database.transaction() as connection:
        for number, many in sorted(refused.items()):
            own = update(table).where(table.c.id == number)
            connection.execute(own.values(refused=table.c.refused + many, refused_at=now))


def note_wrong(database: Database, numbers: Sequence[int], line: str) -> None:
    """Notes why these watches do not follow."""
    table = schema.watches
    differs = func.coalesce(table.c.wrong, "") != line
    with database.transaction() as connection:
        connection.execute(update(table).where(table.c.id.in_(numbers), differs).values(wrong=line))
