"""What is stored already of what a group of arrivals speaks of: at most five statements, by index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from analytics.base.ids import first_id
from analytics.base.limits import MAX_VISIT_S
from collector.ingest.accepted import Arrival, page_key
from collector.ingest.event import Engagement
from collector.ingest.visit import Origin, Visit
from collector.store.statements import VISIT_COLUMNS, Driver, latest, matching

BEATS = ("heartbeat", "leave")  # of a known page they need no other visit than the page's


class Pageview(NamedTuple):
    """What later arrivals need to know of a stored pageview."""

    id: int
    visit_id: int
    path: str
    host: str
    engaged_ms: int
    scroll: int
    title: str


def known_pageviews(driver: Driver, arrivals: Sequence[Arrival]) -> dict[tuple[int, str], Pageview]:
    """The pageviews that these arrivals belong to or repeat, by site and the page's own id; of an engagement, which
    names none, the latest of its page.
    """
    wanted = {
        (arrival.site_id, page_id)
        for arrival in arrivals
        for page_id in (arrival.event.pageview, arrival.event.id if arrival.event.type == "pageview" else None)
        if page_id
    }
    engaged = {
        (arrival.site_id, page_key(visitor, arrival.host, arrival.path))
        for arrival in arrivals
        if type(arrival.event) is Engagement
        for visitor in arrival.visitors
    }
    columns = "t.id, t.visit_id, t.path, t.host, t.engaged_ms, t.scroll, t.title, t.site_id, t.page_id"
    found = matching(driver, "pageviews", columns, "page_id", "text", wanted) + latest(driver, columns, engaged)
    return {(row[7], row[8]): Pageview._make(row[:7]) for row in found}


def known_events(driver: Driver, arrivals: Sequence[Arrival]) -> set[tuple[int, str]]:
    """Which of these events are there, by site and the page's own id."""
    wanted = {(arrival.site_id, arrival.event.id or "") for arrival in arrivals if arrival.event.type == "event"}
    found = matching(driver, "events", "t.site_id, t.page_id", "page_id", "text", wanted)
    return {(row[0], row[1]) for row in found}


def known_visits(
    driver: Driver, arrivals: Sequence[Arrival], pageviews: dict[tuple[int, str], Pageview]
) -> list[Visit]:
    """The visits of the pages that these arrivals name, and the recent ones of their visitors."""
    columns = ", ".join(f"t.{name}" for name in VISIT_COLUMNS)
    by_id = {(site_id, page.visit_id) for (site_id, _), page in pageviews.items()}
    rows = matching(driver, "visits", columns, "id", "bigint", by_id)
    by_visitor = {
        (arrival.site_id, visitor)
        for arrival in arrivals
        for visitor in (arrival.visitor, arrival.visitor_before)
        if visitor is not None
        and not (arrival.event.type in BEATS and (arrival.site_id, arrival.event.pageview) in pageviews)
    }
    if by_visitor:
        since = first_id(min(arrival.at for arrival in arrivals) - MAX_VISIT_S)
        rows += matching(driver, "visits", columns, "visitor", "bigint", by_visitor, since)
    head = len(Visit.__struct_fields__) - 1
    return [Visit(*(*row[:head], Origin._make(row[head:]))) for row in rows]
