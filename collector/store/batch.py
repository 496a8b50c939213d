"""One group of arrivals becomes rows, inside one transaction.

A group is read with at most six statements and written with at most seven for each 128 rows of a table
(`statements.py` says why); what a visit is, `visit.py` knows. Names of robots and hosts, late days and, on PostgreSQL,
a lock for each site come on top.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

import msgspec
from msgspec.structs import astuple, replace
from sqlalchemy import Connection

from analytics.base.idn import in_letters
from analytics.base.ids import Ids
from analytics.live.beat import Beat, PageState
from analytics.live.feed import FeedItem, public_visitor_id
from analytics.live.reasons import FilteredReason, RejectedReason
from analytics.storage import schema
from analytics.storage.changes import ChangedRows
from collector.ingest import visit as visits
from collector.ingest.accepted import Added, Arrival, Duplicate, Filtered, Outcome, Retitled, Stored, named, page_key
from collector.ingest.event import MAX_ENGAGED_MS, Engagement, Rejected
from collector.ingest.visit import Visit
from collector.store.leaves import NOBODY, Tab
from collector.store.lookups import Pageview, known_events, known_pageviews, known_visits
from collector.store.outcome_counters import Tally, outcomes, write_names
from collector.store.statements import CHANGE_VISIT, Driver, driver_of, insert, known_sites, take_turns, update_totals

STATES = {None: PageState.ACTIVE, "active": PageState.ACTIVE, "idle": PageState.IDLE, "hidden": PageState.HIDDEN}
GONE = Rejected(404, RejectedReason.UNKNOWN_SITE, "the site has just been removed", "site")


def store(
    connection: Connection,
    arrivals: Sequence[Arrival],
    ids: Ids,
    tally: Tally,
    *,
    live: bool = True,
    left: Container[Tab] = NOBODY,
) -> list[Outcome]:
    """What became of each arrival, in their order. Counts the outcomes into the database too, with those in `tally`.

    `left` are the pageviews that have said goodbye before this group: of their heartbeats only the totals are taken.

    Not `live` is what was told of the past: it makes nobody present, so there are no beats, and no outcome is counted.
    """
    driver = driver_of(connection)
    if driver.postgresql:
        take_turns(driver, {arrival.site_id for arrival in arrivals})
    known = known_sites(driver, {arrival.site_id for arrival in arrivals})
    work = _Work(driver, arrivals, ids, live, left)
    outcomes = [work.take(arrival) if arrival.site_id in known else GONE for arrival in arrivals]
    for arrival, outcome in zip(arrivals, outcomes, strict=True) if live else ():
        site_id = arrival.site_id if outcome is not GONE else 0
        tally[(site_id, arrival.at // 3600 * 3600, *named(outcome))] += 1
    work.write()
    _write_tally(driver, tally)
    return outcomes


def write_tally(connection: Connection, tally: Tally) -> None:
    """Adds the counts to the outcome counters."""
    _write_tally(driver_of(connection), tally)


def _write_tally(driver: Driver, tally: Tally) -> None:
    insert(
        driver,
        schema.outcomes,
        outcomes(tally),
        "ON CONFLICT (site_id, hour, outcome, reason) DO UPDATE SET count = outcomes.count + excluded.count",
    )
    write_names(driver.cursor, driver.mark, tally)


class _Work:
    """The rows that one group reads, changes and adds; lives as long as its transaction."""

    def __init__(self, driver: Driver, arrivals: Sequence[Arrival], ids: Ids, live: bool, left: Container[Tab]) -> None:
        self._driver = driver
        self._ids = ids
        self._live = live
        self._left = left
        self._left_now: set[Tab] = set()
        self._pageviews = known_pageviews(driver, arrivals)
        self._events = known_events(driver, arrivals)
        self._visits = {(v.site_id, v.id): v for v in known_visits(driver, arrivals, self._pageviews)}
        self._visits_of: dict[tuple[int, int], list[int]] = {}
        for visit in self._visits.values():
            self._visits_of.setdefault((visit.site_id, visit.visitor), []).append(visit.id)
        self._changed: dict[tuple[int, int], Visit] = {}
        self._told: set[tuple[int, int]] = set()
        self._new_pageviews: list[tuple[Any, ...]] = []
        self._new_events: list[tuple[Any, ...]] = []
        self._beats: list[tuple[Any, ...]] = []
        self._totals: dict[tuple[int, int], tuple[int, int, str]] = {}

    def take(self, arrival: Arrival) -> Outcome:
        """Applies one arrival to the rows."""
        match arrival.event.type:
            case "pageview":
                return self._take_pageview(arrival)
            case "event":
                return self._take_event(arrival)
            case _ if type(arrival.event) is Engagement:
                return self._take_engagement(arrival)
            case _:
                return self._take_beat(arrival)

    def _take_pageview(self, arrival: Arrival) -> Outcome:
        event, at = arrival.event, arrival.at
        key = arrival.site_id, event.id or ""
        if key in self._pageviews:
            return Duplicate()
        row_id = self._ids.make(arrival.at_ms)
        visit = visits.with_pageview(self._visit(arrival, row_id), at, arrival.path)
        visit = self._change(visits.with_user(visit, event.user_id, event.user_type or ""))
        engaged, scroll = event.engaged_ms or 0, event.scroll or 0
        self._pageviews[key] = Pageview(
            row_id, visit.id, arrival.path, arrival.host, engaged, scroll, event.title or ""
        )
        self._new_pageviews.append(
            (
                arrival.site_id,
                row_id,
                event.id,
                at,
                visit.id,
                visit.visitor,
                event.user_id,
                arrival.host,
                arrival.path,
                event.title or "",
                engaged,
                scroll,
            )
        )
        beat = self._beat(arrival, visit, row_id, arrival.path, PageState.ACTIVE)
        return Stored(beat, _feed_item(arrival, visit, row_id))

    def _take_event(self, arrival: Arrival) -> Outcome:
        event, at = arrival.event, arrival.at
        key = arrival.site_id, event.id or ""
        if key in self._events:
            return Duplicate()
        self._events.add(key)
        row_id = self._ids.make(arrival.at_ms)
        page = self._pageviews.get((arrival.site_id, event.pageview or ""))
        known = self._visits.get((arrival.site_id, page.visit_id)) if page else None
        visit = known if known and visits.is_open(known, at) else self._visit(arrival, row_id)
        beaten = visits.with_event(visit, at, interactive=event.interactive)
        visit = self._change(visits.with_user(beaten, event.user_id, event.user_type or ""))
        self._new_events.append(
            (
                arrival.site_id,
                row_id,
                event.id,
                at,
                visit.id,
                visit.visitor,
                event.user_id,
                arrival.host,
                arrival.path,
                event.name or "",
                msgspec.json.encode(event.props or {}).decode(),
                None if event.value is None else float(event.value),
                event.currency or "",
                event.description or "",
                event.user_name or "",
                event.interactive,
            )
        )
        beat = self._beat(arrival, visit, row_id, arrival.path, PageState.ACTIVE)
        return Stored(beat, _feed_item(arrival, visit, row_id))

    def _take_beat(self, arrival: Arrival) -> Outcome:
        event = arrival.event
        page = self._pageviews.get((arrival.site_id, event.pageview or ""))
        if page is None and event.type == "leave":
            return Filtered(FilteredReason.UNKNOWN_PAGEVIEW)
        if page is None and event.url is None:
            return Rejected(
                422, RejectedReason.UNKNOWN_PAGEVIEW, "no such pageview; send `url` with the heartbeat", "pageview"
            )
        if event.type == "leave":
            self._left_now.add((arrival.site_id, arrival.tab))
        elif page and self._has_left(arrival):
            self._add_totals(arrival, page)
            return Added()
        row_id = self._ids.make(arrival.at_ms)
        visit = self._visits[arrival.site_id, page.visit_id] if page else self._visit(arrival, row_id)
        beaten = visits.with_beat(visit, arrival.at)
        visit = visits.with_user(beaten, event.user_id, event.user_type or "")
        self._change(visit, told=visit is not beaten)  # that it was seen again, no copy keeps
        retitled = None
        if page:
            self._add_totals(arrival, page)
            if event.title and event.title != page.title:
                retitled = Retitled(str(page.id), event.title)
        state = PageState.LEFT if event.type == "leave" else STATES[event.state]
        return Stored(self._beat(arrival, visit, row_id, page.path if page else arrival.path, state), None, retitled)

    def _take_engagement(self, arrival: Arrival) -> Outcome:
        """A beat that adds to the visitor's latest pageview of its page. Without one it keeps an open visit open, and
        without that it is filtered.
        """
        event, site_id = arrival.event, arrival.site_id
        if found := self._latest_of(arrival):
            engaged = min(self._pageviews[site_id, found].engaged_ms + (event.engaged_ms or 0), MAX_ENGAGED_MS)
            return self._take_beat(replace(arrival, event=replace(event, pageview=found, engaged_ms=engaged)))
        if any(self._open_visit(site_id, visitor, arrival.at) for visitor in arrival.visitors):
            return self._take_beat(arrival)
        return Filtered(FilteredReason.UNKNOWN_PAGEVIEW)

    def _latest_of(self, arrival: Arrival) -> str:
        """The id of the visitor's latest pageview of that page, "" where there is none."""
        for visitor in arrival.visitors:
            key = page_key(visitor, arrival.host, arrival.path)
            own = (page_id for site_id, page_id in self._pageviews if site_id == arrival.site_id)
            if found := max((page_id for page_id in own if page_id.startswith(key)), default=""):
                return found
        return ""

    def _has_left(self, arrival: Arrival) -> bool:
        tab = arrival.site_id, arrival.tab
        return tab in self._left_now or tab in self._left

    def _visit(self, arrival: Arrival, row_id: int) -> Visit:
        """The visit of the visitor, by today's or by yesterday's salt, that is open then; else a new one."""
        for visitor in (arrival.visitor, arrival.visitor_before):
            if visitor is not None and (visit := self._open_visit(arrival.site_id, visitor, arrival.at)):
                return visit
        return Visit(
            site_id=arrival.site_id,
            id=row_id,
            visitor=arrival.visitor,
            user_id=None,
            user_type="",
            started_at=arrival.at,
            last_at=arrival.at,
            seen_at=arrival.at,
            pageviews=0,
            events=0,
            entry_page=arrival.path,
            exit_page=arrival.path,
            origin=arrival.origin,
        )

    def _open_visit(self, site_id: int, visitor: int, at: int) -> Visit | None:
        """What comes late may fit between two visits: then it belongs to the one before."""
        known = (self._visits[site_id, visit_id] for visit_id in self._visits_of.get((site_id, visitor), ()))
        fitting = [visit for visit in known if visits.is_open(visit, at)]
        return max(fitting, key=lambda visit: (visit.started_at <= at, visit.seen_at), default=None)

    def _change(self, visit: Visit, *, told: bool = True) -> Visit:
        key = visit.site_id, visit.id
        known = self._visits.get(key)
        if told or known is None:
            self._told.add(key)
        if known is None:
            self._visits_of.setdefault((visit.site_id, visit.visitor), []).append(visit.id)
        if known is not visit:
            self._visits[key] = self._changed[key] = visit
        return visit

    def _add_totals(self, arrival: Arrival, page: Pageview) -> None:
        """Raises the totals of a pageview: they are totals so far, so a lost or doubled beat changes nothing.

        A title that the page set late takes the place of the one before.
        """
        engaged = max(page.engaged_ms, arrival.event.engaged_ms or 0)
        scroll = max(page.scroll, arrival.event.scroll or 0)
        title = arrival.event.title or page.title
        if (engaged, scroll, title) != (page.engaged_ms, page.scroll, page.title):
            key = arrival.site_id, arrival.event.pageview or ""
            self._pageviews[key] = page._replace(engaged_ms=engaged, scroll=scroll, title=title)
            self._totals[arrival.site_id, page.id] = engaged, scroll, title

    def _beat(self, arrival: Arrival, visit: Visit, row_id: int, path: str, state: PageState) -> Beat:
        event, origin = arrival.event, visit.origin
        user_type = event.user_type or ""
        self._beats.append(
            (
                arrival.site_id,
                row_id,
                arrival.at,
                visit.id,
                visit.visitor,
                arrival.tab,
                event.user_id,
                user_type,
                int(state),
                path,
            )
        )
        return Beat._make((*self._beats[-1], origin.source, origin.country, origin.city, origin.lat, origin.lon))

    def write(self) -> None:
        """Writes what has changed."""
        driver = self._driver
        rows = [(*astuple(visit)[:-1], *visit.origin) for visit in self._changed.values()]
        insert(driver, schema.visits, rows, CHANGE_VISIT)
        insert(driver, schema.pageviews, self._new_pageviews)
        insert(driver, schema.events, self._new_events)
        insert(driver, schema.heartbeats, self._beats if self._live else ())
        update_totals(driver, [(*key, *totals) for key, totals in self._totals.items()])
        insert(driver, schema.changes, self._noted().lines())

    def _noted(self) -> ChangedRows:
        noted = ChangedRows()
        for site_id, visit_id in self._told:
            noted.visit(site_id, visit_id)
        for row in self._new_pageviews:
            noted.pageview(row[0], row[1])
        for site_id, pageview_id in self._totals:
            noted.pageview(site_id, pageview_id)
        for row in self._new_events:
            noted.event(row[0], row[1])
        return noted


def _feed_item(arrival: Arrival, visit: Visit, row_id: int) -> FeedItem:
    event, origin = arrival.event, visit.origin
    return FeedItem(
        id=str(row_id),
        type=event.type,
        visitor_id=public_visitor_id(visit.visitor),
        user_id=event.user_id,
        user_type=event.user_type or "",
        path=arrival.path,
        title=event.title or "",
        source=in_letters(origin.source),
        country=origin.country,
        city=origin.city,
        device=origin.device,
        browser=origin.browser,
        timestamp=arrival.at,
        name=event.name,
        description=event.description,
        user_name=event.user_name,
        value=None if event.value is None else float(event.value),
        currency=event.currency,
    )
