"""What is known of people who are here and of items of the feed, by the names of dimensions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter

from analytics.base.idn import in_ascii
from analytics.live.beat import Beat
from analytics.live.feed import FeedItem


def _signed_in(one: Beat | FeedItem) -> str:
    return "no" if one.user_id is None else "yes"


def _stored_source(item: FeedItem) -> str:
    return in_ascii(item.source) if "." in item.source else item.source  # the feed shows hosts in letters


def _event(item: FeedItem) -> str:
    return item.type if item.name is None else item.name  # as in the history, a pageview is called so


OF_PEOPLE: Mapping[str, Callable[[Beat], str]] = {
    "page": attrgetter("path"),
    "source": attrgetter("source"),
    "country": attrgetter("country"),
    "city": attrgetter("city"),
    "user_type": attrgetter("user_type"),
    "signed_in": _signed_in,
}
"""Of a person's latest beat: so of a page, the one that the person is on."""

OF_ITEMS: Mapping[str, Callable[[FeedItem], str]] = {
    **{name: attrgetter(name) for name in ("country", "city", "user_type")},
    "page": attrgetter("path"),
    "source": _stored_source,
    "signed_in": _signed_in,
}
"""Of an item, by the same names as of people."""

ALL_OF_ITEMS: Mapping[str, Callable[[FeedItem], str]] = {
    **OF_ITEMS,
    "event": _event,
    "device": attrgetter("device"),
    "browser": attrgetter("browser"),
}
"""Of an item, also what a person's beat does not have."""
