"""Recounts visits from their pageviews and events: how many, from when to when, the first and the last page.

One SELECT that works in the database and in the columnar replica. A visit's id is the id of the row that began it, so
its begin is known even if that row was a heartbeat which has been purged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    Table,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.sql.selectable import NamedFromClause

from analytics.base.ids import LOW_BITS, NO_VISITOR, first_id, time_ms
from analytics.query.backend import Fetch
from analytics.storage import changes, locks, schema
from analytics.storage.database import Database

BEFORE_S = 8 * 86_400  # the most by which a fact can be older than the row that began its visit
VISIT_BATCH = 500  # visits repaired by one statement

NUMBERS = ("pageviews", "events", "started_at", "last_at")
PAGES = ("entry_page", "exit_page")

_visits = schema.visits
_began = _visits.c.id.op(">>")(literal(LOW_BITS)) // 1000


class WrongVisit(NamedTuple):
    """A visit whose numbers are not those of its rows: the stored and the right values, by column."""

    site_id: int
    id: int
    stored: Mapping[str, Any]
    right: Mapping[str, Any]


def wrong(fetch: Fetch, limit: int) -> list[WrongVisit]:
    """The first `limit` wrong visits, by site and id."""
    return [_wrong(row) for row in fetch(_wrong_visits().limit(limit))]


def wrong_last_seen(connection: Connection, limit: int) -> list[WrongVisit]:
    """Visits, at most `limit`, whose `seen_at` is before their last fact; it decides whether a visit is open."""
    visits = _visits.c
    early = select(visits.site_id, visits.id, visits.seen_at, visits.last_at).where(visits.seen_at < visits.last_at)
    found = connection.execute(early.limit(limit)).all()
    return [
        WrongVisit(site_id, visit_id, {"seen_at": seen}, {"seen_at": last}) for site_id, visit_id, seen, last in found
    ]


def orphans(fetch: Fetch) -> list[tuple[str, int, int]]:
    """Table, site and number of pageviews and events without a visit, or with a visit of another visitor."""
    found = []
    for table in (schema.pageviews, schema.events):
        joined = table.outerjoin(_visits, and_(table.c.site_id == _visits.c.site_id, table.c.visit_id == _visits.c.id))
        apart = or_(_visits.c.id.is_(None), _visits.c.visitor != table.c.visitor)
        by_site = select(table.c.site_id, func.count()).select_from(joined).group_by(table.c.site_id)
        by_site = by_site.where(apart, table.c.visitor != NO_VISITOR)
        found += [(table.name, site_id, rows) for site_id, rows in fetch(by_site)]
    return found


def _facts(table: Table, name: str, number: ColumnElement[int]) -> Subquery:
    """By visit: `number` of the facts, the times of the first and last, and of those on its entry and exit page.

    `began` is 1 if one of the facts began the visit; `entry_` and `exit_` are 1 if that fact is on the page.
    """
    of_visit = and_(table.c.site_id == _visits.c.site_id, table.c.visit_id == _visits.c.id)
    opens = table.c.id == _visits.c.id

    def flag(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
        return func.max(case((and_(*conditions), 1), else_=0))

    return (
        select(
            table.c.site_id,
            table.c.visit_id,
            number.label("many"),
            func.min(table.c.at).label("first"),
            func.max(table.c.at).label("last"),
            func.min(case((table.c.path == _visits.c.entry_page, table.c.at))).label("entry_at"),
            func.max(case((table.c.path == _visits.c.exit_page, table.c.at))).label("exit_at"),
            flag(opens).label("began"),
            flag(opens, table.c.path == _visits.c.entry_page).label("entry_"),
            flag(opens, table.c.path == _visits.c.exit_page).label("exit_"),
        )
        .select_from(table.join(_visits, of_visit))
        .group_by(table.c.site_id, table.c.visit_id)
        .subquery(name)
    )


def _joined(facts: Subquery) -> ColumnElement[bool]:
    return and_(facts.c.site_id == _visits.c.site_id, facts.c.visit_id == _visits.c.id)


def _wrong_visits() -> Select[Any]:
    """Wrong visits: site, id, the stored and the right numbers, and for each page whether it is wrong."""
    interactive = func.sum(case((schema.events.c.interactive, 1), else_=0))
    pages, events = _facts(schema.pageviews, "p", func.count()), _facts(schema.events, "e", interactive)
    firsts = [func.coalesce(facts.c.first, _began) for facts in (pages, events)]
    lasts = [func.coalesce(facts.c.last, _began) for facts in (pages, events)]
    entry, leaving = _entry_wrong(pages, events), _exit_wrong(pages, events)
    right: list[ColumnElement[Any]] = [
        func.coalesce(pages.c.many, 0),
        func.coalesce(events.c.many, 0),
        _least(_began, *firsts),
        _most(_began, *lasts),
    ]
    stored = [_visits.c[name] for name in NUMBERS]
    apart = [ours != theirs for ours, theirs in zip(stored, right, strict=True)]
    source: Any = _visits.outerjoin(pages, _joined(pages)).outerjoin(events, _joined(events))
    shown = [*stored, *(value.label(f"right_{name}") for name, value in zip(NUMBERS, right, strict=True))]
    flags = [
        case((flag, 1), else_=0).label(f"wrong_{name}") for name, flag in zip(PAGES, (entry, leaving), strict=True)
    ]
    wrong_ones = select(_visits.c.site_id, _visits.c.id, *shown, *flags).select_from(source)
    return wrong_ones.where(or_(*apart, entry, leaving)).order_by(_visits.c.site_id, _visits.c.id)


def _least(*values: ColumnElement[Any]) -> ColumnElement[Any]:
    least, *others = values
    for value in others:
        least = case((value < least, value), else_=least)
    return least


def _most(*values: ColumnElement[Any]) -> ColumnElement[Any]:
    most, *others = values
    for value in others:
        most = case((value > most, value), else_=most)
    return most


def _entry_wrong(pages: Subquery, events: Subquery) -> ColumnElement[bool]:
    """The entry page is that of the first pageview, or of the event that began the visit.

    If an event came before the first pageview or in the same second, any pageview's page is accepted; if a heartbeat
    began the visit, any page.
    """
    certain = or_(events.c.first.is_(None), events.c.first > pages.c.first)
    fits = or_(pages.c.entry_at == pages.c.first, and_(pages.c.entry_at.is_not(None), ~certain))
    return _page_wrong(pages, events, fits, events.c.entry_)


def _exit_wrong(pages: Subquery, events: Subquery) -> ColumnElement[bool]:
    """The exit page is that of the last pageview, or of the event that began the visit.

    If an event came after the last pageview, any pageview's page is accepted: the last one may have been sent too late
    to become the exit page.
    """
    certain = or_(events.c.last.is_(None), events.c.last <= pages.c.last)
    fits = or_(pages.c.exit_at == pages.c.last, and_(pages.c.exit_at.is_not(None), ~certain))
    return _page_wrong(pages, events, fits, events.c.exit_)


def _page_wrong(
    pages: Subquery, events: Subquery, fits: ColumnElement[bool], named: ColumnElement[int]
) -> ColumnElement[bool]:
    known = func.coalesce(pages.c.began, 0) + func.coalesce(events.c.began, 0) > 0
    return and_(known, func.coalesce(named, 0) == 0, case((fits, 0), else_=1) == 1)


def _wrong(row: Sequence[Any]) -> WrongVisit:
    site_id, visit_id, *values = row
    many = len(NUMBERS)
    pairs = zip(NUMBERS, values[:many], values[many : 2 * many], strict=True)
    apart = {name: (int(ours), int(theirs)) for name, ours, theirs in pairs if ours != theirs}
    pages = [name for name, flag in zip(PAGES, values[2 * many :], strict=True) if flag]
    stored = {name: ours for name, (ours, _) in apart.items()} | dict.fromkeys(pages, "another page's")
    right = {name: theirs for name, (_, theirs) in apart.items()} | dict.fromkeys(pages, None)
    return WrongVisit(site_id, visit_id, stored, right)


# ── repairing ────────────────────────────────────────────────────────────────────────────────────────────────────────


def repair(database: Database, found: Sequence[WrongVisit]) -> int:
    """Repairs these visits, by their rows as they are now, in one transaction; returns how many visits."""
    repaired = len({one[:2] for one in found})
    with database.transaction() as connection:
        for site_id in sorted({one.site_id for one in found}):
            if connection.dialect.name == "postgresql":  # as the writer does
                connection.execute(select(func.pg_advisory_xact_lock(locks.SITE, site_id)))
            ids = iter(sorted(one.id for one in found if one.site_id == site_id))
            while some := list(islice(ids, VISIT_BATCH)):
                _repair(connection, site_id, some)
    return repaired


def _repair(connection: Connection, site_id: int, ids: Sequence[int]) -> None:
    since = first_id(max(0, time_ms(ids[0]) // 1000 - BEFORE_S))
    still_wrong = _wrong_visits().where(_visits.c.site_id == site_id, _visits.c.id.in_(ids))
    wrong_now = [_wrong(row) for row in connection.execute(still_wrong).all()]
    for one in wrong_now:
        right = {name: value for name, value in one.right.items() if name not in PAGES}
        right |= {name: page for name in PAGES if name in one.right and (page := _page(connection, one, name, since))}
        own = _visits.c.site_id == site_id, _visits.c.id == one.id
        connection.execute(update(_visits).where(*own).values(right))
    seen_early = _visits.c.site_id == site_id, _visits.c.id.in_(ids), _visits.c.seen_at < _visits.c.last_at
    connection.execute(update(_visits).where(*seen_early).values(seen_at=_visits.c.last_at))
    if wrong_now:
        changes.record(connection, site_id, visits=[one.id for one in wrong_now])


def _page(connection: Connection, visit: WrongVisit, name: str, since: int) -> str | None:
    """The path of the visit's first or last pageview, else of the event that began the visit."""
    table: NamedFromClause = schema.pageviews
    own = table.c.site_id == visit.site_id, table.c.id >= since, table.c.visit_id == visit.id
    order = (table.c.at, table.c.id) if name == "entry_page" else (table.c.at.desc(), table.c.id.desc())
    path = connection.execute(select(table.c.path).where(*own).order_by(*order).limit(1)).scalar()
    if path is None:
        events = schema.events.c
        began = events.site_id == visit.site_id, events.id == visit.id
        path = connection.execute(select(events.path).where(*began)).scalar()
    return path
