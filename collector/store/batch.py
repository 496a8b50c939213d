"""Turns one batch of accepted events into rows, within one transaction.

A batch takes at most six reading statements, and seven writing statements for each 128 rows of a table
(`statements.py` says why). Names of robots and hosts, late days and, on PostgreSQL, a lock for each site are extra.
"""

from __future__ import annotations

from array import array
from collections.abc import Container, Sequence
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection

from analytics.base.idn import in_letters
from analytics.base.ids import LOW_BITS, NO_VISITOR, Ids
from analytics.base.limits import MAX_ENGAGED_MS, MAX_VISIT_S
from analytics.live.beat import Beat
from analytics.live.feed import FeedItem, link_of, public_visitor_id
from analytics.live.reasons import FilteredReason, Reason, StoredReason
from analytics.storage.changes import FACTS
from collector.ingest import visit as visits
from collector.ingest.accepted import Accepted, Kind
from collector.ingest.outcomes import (
    SITE_REMOVED,
    UNKNOWN_PAGEVIEW,
    Duplicate,
    Filtered,
    Outcome,
    Retitled,
    Stored,
    TotalsRaised,
    name_and_reason,
)
from collector.ingest.visit import Origin, Visit
from collector.store.leaves import NO_TABS, Tab
from collector.store.outcome_counters import NAMED, OutcomeCounts, write_names
from collector.store.statements import ADD_OUTCOMES, Pageview, RowValues, Tables

STORED = "stored", StoredReason.COUNTED  # the outcome of nearly every event
STORED_WITHOUT_VISITOR = "stored", StoredReason.WITHOUT_VISITOR
BEATS = (Kind.HEARTBEAT, Kind.LEAVE)


def store(
    connection: Connection,
    accepted: Sequence[Accepted],
    ids: Ids,
    counts: OutcomeCounts,
    *,
    live: bool = True,
    left: Container[Tab] = NO_TABS,
) -> list[Outcome]:
    """Stores these events and returns their outcomes in the same order.

    Adds the outcomes to `counts` and writes all of `counts` into the outcome counters. `left` are the pageviews that
    left before this batch: their heartbeats only raise the totals. With `live=False` the events are of the past: they
    get no beats, since they make nobody present, and their outcomes are not counted.
    """
    tables = Tables(connection)
    site_ids = {one.site_id for one in accepted}
    tables.lock_sites(site_ids)
    existing = tables.existing_sites(site_ids)
    batch = _Batch(tables, accepted, ids, left)
    outcomes = [batch.apply(one) if one.site_id in existing else SITE_REMOVED for one in accepted]
    for one, outcome in zip(accepted, outcomes, strict=True) if live else ():
        site_id = one.site_id if outcome is not SITE_REMOVED else 0
        name, reason = _name_and_reason(one, outcome)
        counts[site_id, one.at // 3600 * 3600, name, reason] += 1
    batch.write(live)
    _write_counts(tables, counts)
    return outcomes


def _name_and_reason(one: Accepted, outcome: Outcome) -> tuple[str, Reason]:
    if type(outcome) is not Stored:
        return name_and_reason(outcome)
    return STORED if one.visitor != NO_VISITOR else STORED_WITHOUT_VISITOR


def write_counts(connection: Connection, counts: OutcomeCounts) -> None:
    """Adds the counts to the outcome counters in the database."""
    _write_counts(Tables(connection), counts)


def _write_counts(tables: Tables, counts: OutcomeCounts) -> None:
    rows = [
        {"site_id": site_id, "hour": hour, "outcome": outcome, "reason": reason, "count": counts[key]}
        for key in sorted(counts)  # the same order in every process prevents deadlocks
        for site_id, hour, outcome, reason in (key,)
        if outcome not in NAMED
    ]
    tables.insert("outcomes", rows, ADD_OUTCOMES)
    if len(rows) < len(counts):
        write_names(tables, counts)


class _Batch:
    """The rows that one batch reads, changes and adds. It lives as long as its transaction."""

    def __init__(self, tables: Tables, accepted: Sequence[Accepted], ids: Ids, left: Container[Tab]) -> None:
        self._tables = tables
        self._low_bits = ids.low_bits
        self._left = left
        self._left_now: set[Tab] = set()
        self._pageviews = tables.pageviews(_named_pageviews(accepted)) | tables.latest_pageviews(
            {(one.site_id, page_key) for one in accepted for page_key in one.page_keys}
        )
        self._events = tables.events({(one.site_id, one.page_id) for one in accepted if one.kind is Kind.EVENT})
        self._visits: dict[tuple[int, int], Visit] = {}
        self._visits_of: dict[tuple[int, int], list[int]] = {}
        found = self._read_visits(accepted)
        for visit in {(one.site_id, one.id): one for one in found}.values():
            self._add_visit(visit)
        self._changed_visits: dict[tuple[int, int], Visit] = {}
        self._copied_visits: set[tuple[int, int]] = set()  # visits whose changes the replica has to copy
        self._new_pageviews: list[RowValues] = []
        self._new_events: list[RowValues] = []
        self._beats: list[RowValues] = []
        self._totals: dict[tuple[int, int], RowValues] = {}

    def _read_visits(self, accepted: Sequence[Accepted]) -> list[Visit]:
        """The visits of the pageviews that these events name, and the recent visits of their visitors.

        For a beat of a stored pageview the visit of the pageview is enough.
        """
        tables = self._tables
        found = tables.visits({(site_id, page.visit_id) for (site_id, _), page in self._pageviews.items()})
        visitors = {
            (one.site_id, visitor)
            for one in accepted
            if one.kind not in BEATS or (one.site_id, one.pageview) not in self._pageviews
            for visitor in one.visitors
            if visitor != NO_VISITOR
        }
        if visitors:
            found += tables.visits_of(visitors, since=min(one.at for one in accepted) - MAX_VISIT_S)
        return found

    # ── one event at a time ──────────────────────────────────────────────────────────────────────────────────────

    def apply(self, one: Accepted) -> Outcome:
        """Applies one event to the rows and returns its outcome."""
        if one.kind in BEATS:
            return self._apply_beat(one)
        if one.kind is Kind.ENGAGEMENT:
            return self._apply_engagement(one)
        return self._apply_pageview(one) if one.kind is Kind.PAGEVIEW else self._apply_event(one)

    def _apply_pageview(self, one: Accepted) -> Outcome:
        key = one.site_id, one.page_id
        if key in self._pageviews:
            return Duplicate()
        row_id = self._new_id(one)
        visit = visits.with_pageview(self._visit(one, row_id), one.at, one.path)
        visit = self._change(visits.with_user(visit, one.user_id, one.user_type))
        self._pageviews[key] = Pageview(row_id, visit.id, one.path, one.host, one.engaged_ms, one.scroll, one.title)
        self._new_pageviews.append(
            {
                **_page_columns(one, visit, row_id),
                "title": one.title,
                "engaged_ms": one.engaged_ms,
                "scroll": one.scroll,
            }
        )
        return Stored(self._beat(one, visit, row_id, one.path), _feed_item(one, visit, row_id))

    def _apply_event(self, one: Accepted) -> Outcome:
        key = one.site_id, one.page_id
        if key in self._events:
            return Duplicate()
        self._events.add(key)
        row_id = self._new_id(one)
        visit = self._visit_of_event(one, row_id) if one.visitor != NO_VISITOR else _no_visit(one)
        assert one.details is not None
        self._new_events.append(
            {
                **_page_columns(one, visit, row_id),
                "name": one.details.name,
                "props": one.details.props,
                "value": one.details.value,
                "currency": one.details.currency,
                "description": one.details.description,
                "user_name": one.details.user_name,
                "interactive": one.details.interactive,
            }
        )
        return Stored(self._beat(one, visit, row_id, one.path), _feed_item(one, visit, row_id))

    def _visit_of_event(self, one: Accepted, row_id: int) -> Visit:
        page = self._pageviews.get((one.site_id, one.pageview))
        visit = self._visits.get((one.site_id, page.visit_id)) if page else None
        if visit is None or not visits.is_open(visit, one.at):
            visit = self._visit(one, row_id)
        assert one.details is not None
        visit = visits.with_event(visit, one.at, interactive=one.details.interactive)
        return self._change(visits.with_user(visit, one.user_id, one.user_type))

    def _apply_beat(self, one: Accepted) -> Outcome:
        page = self._pageviews.get((one.site_id, one.pageview))
        if page is None and one.kind is Kind.LEAVE:
            return Filtered(FilteredReason.UNKNOWN_PAGEVIEW)
        if page is None and not one.path:
            return UNKNOWN_PAGEVIEW
        tab = one.site_id, one.tab
        if one.kind is Kind.LEAVE:
            self._left_now.add(tab)
        elif page and (tab in self._left_now or tab in self._left):
            self._raise_totals(one, page)
            return TotalsRaised()
        row_id = self._new_id(one)
        seen = visits.with_beat(self._visits[one.site_id, page.visit_id] if page else self._visit(one, row_id), one.at)
        visit = visits.with_user(seen, one.user_id, one.user_type)
        self._change(visit, copied=visit is not seen)  # the replica has no column `seen_at`
        retitled = None
        if page:
            self._raise_totals(one, page)
            if one.title and one.title != page.title:
                retitled = Retitled(str(page.id), one.title)
        return Stored(self._beat(one, visit, row_id, page.path if page else one.path), None, retitled)

    def _apply_engagement(self, one: Accepted) -> Outcome:
        """Applies the engagement as a beat of the visitor's latest pageview of its page.

        Without such a pageview it extends an open visit. Without an open visit it is filtered.
        """
        if found := self._latest_pageview(one):
            engaged_ms = min(self._pageviews[one.site_id, found].engaged_ms + one.engaged_ms, MAX_ENGAGED_MS)
            return self._apply_beat(replace(one, pageview=found, engaged_ms=engaged_ms))
        if any(self._open_visit(one.site_id, visitor, one.at) for visitor in one.visitors):
            return self._apply_beat(one)
        return Filtered(FilteredReason.UNKNOWN_PAGEVIEW)

    def _latest_pageview(self, one: Accepted) -> str:
        """The id of the visitor's latest pageview of that page; "" if there is none."""
        for key in one.page_keys:
            page_ids = (page_id for site_id, page_id in self._pageviews if site_id == one.site_id)
            if found := max((page_id for page_id in page_ids if page_id.startswith(key)), default=""):
                return found
        return ""

    def _new_id(self, one: Accepted) -> int:
        return one.at_ms << LOW_BITS | next(self._low_bits)

    # ── visits ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _visit(self, one: Accepted, row_id: int) -> Visit:
        """The open visit of the visitor under today's or yesterday's salt, else a new visit."""
        for visitor in one.visitors:
            if visit := self._open_visit(one.site_id, visitor, one.at):
                return visit
        return Visit(
            site_id=one.site_id,
            id=row_id,
            visitor=one.visitor,
            user_id=None,
            user_type="",
            started_at=one.at,
            last_at=one.at,
            seen_at=one.at,
            pageviews=0,
            events=0,
            entry_page=one.path,
            exit_page=one.path,
            origin=one.origin(),
        )

    def _open_visit(self, site_id: int, visitor: int, at: int) -> Visit | None:
        """The open visit of that visitor. A late event may fit two visits: then it belongs to the earlier one."""
        known = (self._visits[site_id, visit_id] for visit_id in self._visits_of.get((site_id, visitor), ()))
        fitting = [visit for visit in known if visits.is_open(visit, at)]
        return max(fitting, key=lambda visit: (visit.started_at <= at, visit.seen_at), default=None)

    def _add_visit(self, visit: Visit) -> None:
        self._visits[visit.site_id, visit.id] = visit
        self._visits_of.setdefault((visit.site_id, visit.visitor), []).append(visit.id)

    def _change(self, visit: Visit, *, copied: bool = True) -> Visit:
        """Records the changed visit; `copied`: the replica has to copy the change."""
        key = visit.site_id, visit.id
        known = self._visits.get(key)
        if copied or known is None:
            self._copied_visits.add(key)
        if known is None:
            self._add_visit(visit)
        if known is not visit:
            self._visits[key] = self._changed_visits[key] = visit
        return visit

    # ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _raise_totals(self, one: Accepted, page: Pageview) -> None:
        """Raises the totals of a pageview to those of the beat. A lost or duplicate beat changes nothing.

        A title that the page set late replaces the earlier title.
        """
        engaged_ms, scroll = max(page.engaged_ms, one.engaged_ms), max(page.scroll, one.scroll)
        title = one.title or page.title
        if (engaged_ms, scroll, title) != (page.engaged_ms, page.scroll, page.title):
            self._pageviews[one.site_id, one.pageview] = page._replace(
                engaged_ms=engaged_ms, scroll=scroll, title=title
            )
            self._totals[one.site_id, page.id] = {
                "site_id": one.site_id,
                "id": page.id,
                "engaged_ms": engaged_ms,
                "scroll": scroll,
                "title": title,
            }

    def _beat(self, one: Accepted, visit: Visit, row_id: int, path: str) -> Beat:
        row: dict[str, Any] = {
            "site_id": one.site_id,
            "id": row_id,
            "at": one.at,
            "visit_id": visit.id,
            "visitor": visit.visitor,
            "tab": one.tab,
            "user_id": one.user_id,
            "user_type": one.user_type,
            "state": int(one.state),
            "path": path,
        }
        if one.visitor != NO_VISITOR:
            self._beats.append(row)
        origin = visit.origin
        return Beat(
            **row, source=origin.source, country=origin.country, city=origin.city, lat=origin.lat, lon=origin.lon
        )

    def write(self, live: bool) -> None:
        """Writes the new and changed rows, without the beats if `live` is false."""
        tables = self._tables
        tables.write_visits(self._changed_visits.values())
        tables.insert("pageviews", self._new_pageviews)
        tables.insert("events", self._new_events)
        tables.insert("heartbeats", self._beats if live else ())
        tables.update_totals(list(self._totals.values()))
        tables.insert("changes", self._change_rows())

    def _change_rows(self) -> list[RowValues]:
        """One row for each site: the ids of the facts that were written (`analytics.storage.changes`)."""
        written: dict[str, list[tuple[int, int]]] = {
            "visits": list(self._copied_visits),
            "pageviews": [*((row["site_id"], row["id"]) for row in self._new_pageviews), *self._totals],
            "events": [(row["site_id"], row["id"]) for row in self._new_events],
        }
        ids: dict[int, dict[str, array[int]]] = {}
        for table, keys in written.items():
            for site_id, row_id in keys:
                if site_id not in ids:
                    ids[site_id] = {fact: array("q") for fact in FACTS}
                ids[site_id][table].append(row_id)
        return [
            {"site_id": site_id, **{fact: packed.tobytes() for fact, packed in by_fact.items()}}
            for site_id, by_fact in ids.items()
        ]


def _named_pageviews(accepted: Sequence[Accepted]) -> set[tuple[int, str]]:
    """The ids of the pageviews that these events are or belong to, by site."""
    return {
        (one.site_id, page_id)
        for one in accepted
        for page_id in (one.pageview, one.page_id if one.kind is Kind.PAGEVIEW else "")
        if page_id
    }


def _no_visit(one: Accepted) -> Visit:
    """What an event without a visitor has in place of a visit; it is not stored."""
    return Visit(
        site_id=one.site_id,
        id=0,
        visitor=NO_VISITOR,
        user_id=None,
        user_type="",
        started_at=one.at,
        last_at=one.at,
        seen_at=one.at,
        pageviews=0,
        events=0,
        entry_page="",
        exit_page="",
        origin=Origin(),
    )


def _page_columns(one: Accepted, visit: Visit, row_id: int) -> dict[str, Any]:
    """The columns that pageviews and events share."""
    return {
        "site_id": one.site_id,
        "id": row_id,
        "page_id": one.page_id,
        "at": one.at,
        "visit_id": visit.id,
        "visitor": visit.visitor,
        "user_id": one.user_id,
        "host": one.host,
        "path": one.path,
    }


def _feed_item(one: Accepted, visit: Visit, row_id: int) -> FeedItem:
    origin, details = visit.origin, one.details
    return FeedItem(
        id=str(row_id),
        type="event" if details else "pageview",
        visitor_id=public_visitor_id(visit.visitor),
        user_id=one.user_id,
        user_type=one.user_type,
        path=one.path,
        title=one.title,
        source=in_letters(origin.source),
        country=origin.country,
        city=origin.city,
        device=origin.device,
        browser=origin.browser,
        timestamp=one.at,
        name=details.name if details else None,
        description=(details.description or None) if details else None,
        user_name=(details.user_name or None) if details else None,
        value=details.value if details else None,
        currency=(details.currency or None) if details else None,
        link=link_of(visit.visitor, details.props) if details else None,
    )
