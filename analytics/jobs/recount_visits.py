"""Visits counted again from their pageviews and events: how many, from when to when, the first and the last page.

One SELECT that the database and the columnar replica both understand. A visit's id is the id of the row that began it,
so its moment is known even where that row was a heartbeat which is purged by now.
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

from analytics.base.ids import LOW_BITS, first_id, time_ms
from analytics.query.stats import Ask
from analytics.storage import changes, locks, schema
from analytics.storage.database import Database

BEFORE_S = 8 * 86_400  # a fact may be so much older than the row that began its visit, at the very most
VISIT_BATCH = 500  # visits mended by one statement

NUMBERS = ("pageviews", "events", "started_at", "last_at")
PAGES = ("entry_page", "exit_page")

_visits = schema.visits
_began = _visits.c.id.op(">>")(literal(LOW_BITS)) // 1000


class WrongVisit(NamedTuple):
    """A visit whose numbers are not those of its rows: what is stored and what is right, by column."""

    site_id: int
    id: int
    stored: Mapping[str, Any]
    right: Mapping[str, Any]


def wrong(ask: Ask, most: int) -> list[WrongVisit]:
    """The first of them, at most so many."""
    return [_wrong(row) for row in ask(_asked().limit(most))]


def unseen(connection: Connection, most: int) -> list[WrongVisit]:
    """Visits that were seen for the last time before their last fact: open or over, that decides."""
    visits = _visits.c
    asked = select(visits.site_id, visits.id, visits.seen_at, visits.last_at).where(visits.seen_at < visits.last_at)
    found = connection.execute(asked.limit(most)).all()
    return [
        WrongVisit(site_id, visit_id, {"seen_at": seen}, {"seen_at": last}) for site_id, visit_id, seen, last in found
    ]


def orphans(ask: Ask) -> list[tuple[str, int, int]]:
    """How many pageviews and events there are without their visit, or of another visitor: table, site, rows."""
    found = []
    for table in (schema.pageviews, schema.events):
        joined = table.outerjoin(_visits, and_(table.c.site_id == _visits.c.site_id, table.c.visit_id == _visits.c.id))
        apart = or_(_visits.c.id.is_(None), _visits.c.visitor != table.c.visitor)
        asked = select(table.c.site_id, func.count()).select_from(joined).where(apart).group_by(table.c.site_id)
        found += [(table.name, site_id, rows) for site_id, rows in ask(asked)]
    return found


def _facts(table: Table, name: str) -> Subquery:
    """By visit: how many facts, when the first and the last was, and when those were that name its pages.

    `began` is 1 where one of them began the visit, `entry_` and `exit_` where that one names the page.
    """
    of_visit = and_(table.c.site_id == _visits.c.site_id, table.c.visit_id == _visits.c.id)
    opens = table.c.id == _visits.c.id

    def flag(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
        return func.max(case((and_(*conditions), 1), else_=0))

    return (
        select(
            table.c.site_id,
            table.c.visit_id,
            func.count().label("many"),
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


def _asked() -> Select[Any]:
    """Wrong visits: site, id, what is stored, what is right; of the pages whether they are wrong."""
    pages, events = _facts(schema.pageviews, "p"), _facts(schema.events, "e")
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
    told = [_visits.c.site_id, _visits.c.id, *shown, *flags]
    return (
        select(*told).select_from(source).where(or_(*apart, entry, leaving)).order_by(_visits.c.site_id, _visits.c.id)
    )


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
    """The entry page is that of the first pageview, or of the event that began the visit. Where an event came before
    the first pageview, or in its second, it may be another pageview's; where a heartbeat began the visit, any.
    """
    certain = or_(events.c.first.is_(None), events.c.first > pages.c.first)
    fits = or_(pages.c.entry_at == pages.c.first, and_(pages.c.entry_at.is_not(None), ~certain))
    return _page_wrong(pages, events, fits, events.c.entry_)


def _exit_wrong(pages: Subquery, events: Subquery) -> ColumnElement[bool]:
    """The exit page is that of the last pageview, or of the event that began the visit. Where an event came after it,
    it may be another pageview's: the last one may have come too late to be it.
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


# ── mending ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def mend(database: Database, found: Sequence[WrongVisit]) -> int:
    """Sets these visits right, as their rows are by now, in one transaction; how many were."""
    mended = len({one[:2] for one in found})
    with database.transaction() as connection:
        for site_id in sorted({one.site_id for one in found}):
            if connection.dialect.name == "postgresql":  # as the writer does
                connection.execute(select(func.pg_advisory_xact_lock(locks.SITE, site_id)))
            ids = iter(sorted(one.id for one in found if one.site_id == site_id))
            while some := list(islice(ids, VISIT_BATCH)):
                _mend(connection, site_id, some)
    return mended


def _mend(connection: Connection, site_id: int, ids: Sequence[int]) -> None:
    since = first_id(max(0, time_ms(ids[0]) // 1000 - BEFORE_S))
    asked = _asked().where(_visits.c.site_id == site_id, _visits.c.id.in_(ids))
    wrong_now = [_wrong(row) for row in connection.execute(asked).all()]
    for one in wrong_now:
        right = {name: value for name, value in one.right.items() if name not in PAGES}
        right |= {name: page for name in PAGES if name in one.right and (page := _page(connection, one, name, since))}
        own = _visits.c.site_id == site_id, _visits.c.id == one.id
        connection.execute(update(_visits).where(*own).values(right))
    unseen_now = _visits.c.site_id == site_id, _visits.c.id.in_(ids), _visits.c.seen_at < _visits.c.last_at
    connection.execute(update(_visits).where(*unseen_now).values(seen_at=_visits.c.last_at))
    if wrong_now:
        changes.record(connection, site_id, visits=[one.id for one in wrong_now])


def _page(connection: Connection, visit: WrongVisit, name: str, since: int) -> str | None:
    """The path of its first or last pageview, else of the event that began it."""
    table: NamedFromClause = schema.pageviews
    own = table.c.site_id == visit.site_id, table.c.id >= since, table.c.visit_id == visit.id
    order = (table.c.at, table.c.id) if name == "entry_page" else (table.c.at.desc(), table.c.id.desc())
    path = connection.execute(select(table.c.path).where(*own).order_by(*order).limit(1)).scalar()
    if path is None:
        events = schema.events.c
        began = events.site_id == visit.site_id, events.id == visit.id
        path = connection.execute(select(events.path).where(*began)).scalar()
    return path
