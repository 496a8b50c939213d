"""What the Live page asks for, now or at a second of the past, with or without filters; and what is known of it."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec

from analytics.base.error_log import describe
from analytics.base.errors import InvalidInput, message
from analytics.live import facts, rewind
from analytics.live.beat import Beat
from analytics.live.feed import FeedItem
from analytics.live.presence import state_of
from analytics.live.state import Concurrency, LiveState
from analytics.query.fact_filter import test_of
from analytics.query.filters import Filter
from analytics.query.query import Query
from analytics.reports.overview import MAX_SUGGESTED
from analytics.sites.site import Site
from callbacks.page_context import parameters
from collector.service import Service

log = logging.getLogger("footfall.live")

LATE_S = 300  # by which the beginning of a slider may be behind


@dataclass(frozen=True, slots=True)
class LiveQuestion:
    """What a page asks for: a second (0: now) and filters. `fresh`: it has no feed of these filters yet.

    The second is that of the request, which is ahead of the address while the slider moves, else that of the address
    (`at`); `wrong_second` says why it is none. Filters that make no sense are left out, and `wrong` says why; `text` is
    what the address has. `had` has the digests of the parts on the page (`changed`).
    """

    at: int = 0
    text: str = ""
    fresh: bool = False
    filters: tuple[Filter, ...] = ()
    wrong: str = ""
    wrong_second: str = ""
    wants: Callable[[Beat], bool] = lambda _beat: True
    wants_item: Callable[[FeedItem], bool] = lambda _item: True
    had: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, nudge: object, site: Site) -> LiveQuestion:
        """The question in the data of a request; what no page sends asks for now and everybody."""
        search = nudge.get("search") if isinstance(nudge, dict) else ""
        fresh = isinstance(nudge, dict) and nudge.get("fresh") is True
        had = nudge.get("had") if isinstance(nudge, dict) else None
        had = had if isinstance(had, dict) else {}
        given = parameters(search)
        text, at, wrong_second = given.get("filters", ""), _second(nudge), ""
        if at is None:
            at, wrong_second = second_of(given.get("at", ""), int(time.time()))
        try:
            found = Query.from_url(urlencode({"filters": text or "[]"}), site).filters
            if not found:
                return cls(at, text, fresh, wrong_second=wrong_second, had=had)
            tests = test_of(found, facts.OF_PEOPLE), test_of(found, facts.OF_ITEMS)
            return cls(at, text, fresh, found, "", wrong_second, *tests, had)
        except InvalidInput as wrong:
            return cls(at, text, fresh, wrong=str(wrong), wrong_second=wrong_second, had=had)


class Moment(NamedTuple):
    """What a page shows of a second `at`, 0 for now.

    `state` is of those who match the filters, `everybody` the number of all, None without filters.
    """

    at: int
    state: LiveState
    everybody: int | None
    concurrency: Concurrency | None


def read_moment(service: Service, site: Site, asked: LiveQuestion, now: int) -> Moment:
    """What is shown of a requested second; 0 or one that is not kept, or is to come, is now."""
    is_past = is_kept(asked.at, now)
    if not is_past and not asked.filters:
        return Moment(0, service.hub.state(site.id), None, _minutes(service, site, 0, now))
    people, second = read_people(service, site, asked, now)
    state = state_of(list(filter(asked.wants, people)), second, service.config.active_window_s)
    at = second if is_past else 0
    return Moment(at, state, len(people) if asked.filters else None, _minutes(service, site, at, now))


def read_people(service: Service, site: Site, asked: LiveQuestion, now: int) -> tuple[list[Beat], int]:
    """The people of the requested second, whatever the filters, and that second."""
    if not is_kept(asked.at, now):
        return service.hub.people(site.id), now
    at = max(asked.at, now - rewind.FAR_S)
    return rewind.people_at(service.database, site.id, at, service.config.active_window_s), at


def _minutes(service: Service, site: Site, at: int, now: int) -> Concurrency | None:
    """The minutes before the second `at`, 0 for now."""
    history = service.history
    try:
        return history.then(site, at, now) if at else history.read(site, now)
    except Exception as failed:
        log.error("the minutes of %s could not be read: %s", site.domain, describe(failed))
        return None


def events(service: Service, site: Site, asked: LiveQuestion, at: int) -> Any:
    """The newest items of the feed as data for the page's scripts: those of memory, or of the database for a past
    second (`at`) and for a page that has none of its filters yet.
    """
    wanted = asked.wants_item if asked.filters else None
    if at or (wanted and asked.fresh):
        return msgspec.to_builtins(rewind.feed_at(service.database, site.id, at or int(time.time()), wanted))
    if wanted is None:
        return msgspec.to_builtins(service.hub.recent_items(site.id))
    items = service.hub.recent_items(site.id, rewind.SEARCHED)
    return msgspec.to_builtins(list(filter(wanted, items))[: rewind.SHOWN])


def counted(name: str, text: str, people: Iterable[Beat]) -> list[tuple[str, int]]:
    """The values of a dimension that contain the text, with their people, the most frequent first; of countries any,
    since people type their names.
    """
    wanted = "" if name == "country" else text.lower()
    found = Counter(map(facts.OF_PEOPLE[name], people))
    return [(value, many) for value, many in found.most_common() if wanted in value.lower()][:MAX_SUGGESTED]


def is_kept(at: int, now: int) -> bool:
    """Whether a page can be rewound to that second: within the last day, of which a slider may be some minutes late."""
    return now - rewind.FAR_S - LATE_S <= at < now


def second_of(text: str, now: int) -> tuple[int, str]:
    """The second in the address, 0 for now, and what is wrong with it."""
    if not text:
        return 0, ""
    at = int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else 0
    if is_kept(at, now):
        return at, ""
    return 0, message(
        "second {given}: none of the last {hours} hours", given=repr(text[:40]), hours=rewind.FAR_S // 3600
    )


def _second(nudge: object) -> int | None:
    """The second that the page requests; None where only its address has one."""
    at = nudge.get("at") if isinstance(nudge, dict) else None
    return at if isinstance(at, int) else None
