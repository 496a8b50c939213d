"""Where a visit came from: source, channel, referrer and campaign tags.

The channels and their order are those of Google Analytics 4's default channel group
(support.google.com/analytics/answer/9756891), with three differences that people who migrate from other
privacy-first analytics rely on: Display goes before Paid Search, so that an advertisement's banner stays one
even with a Google click id; a Google or Bing click id makes a visit from there a paid one; and what has a
source but no other mark is Referral, what has none is Direct.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from analytics.base import idn
from analytics.base.redaction import clean_path
from collector.ingest import page_url as pages
from collector.ingest.page_url import Page, bare_host

MAX_REFERRER = 2_000

_CACHED_LENGTH = 512  # a longer referrer is rare and seldom repeats: the cache stays small
_UNTAGGED = ("",) * 5
_CLICK_IDS = {"gclid": "Google", "gbraid": "Google", "wbraid": "Google", "msclkid": "Bing"}

_APP = re.compile(r"android-app://([A-Za-z0-9_.]{1,200})(?:[/?#].*)?", re.IGNORECASE | re.ASCII | re.DOTALL)
_LOOPBACK = re.compile(r"(?:.*\.)?localhost|127(?:\.\d+){3}|\[::1\]")
_TLD = re.compile(r"\.(?:com|(?:com?\.)?[a-z]{2})$")  # what the * of "google.*" stands for
_ADS = re.compile(r"(?:[-_. ]ads?|ads)$")

_PAID = re.compile(r".*cp.*|ppc|retargeting|paid.*", re.DOTALL)
_SHOP = re.compile(r"(?:^|[^a-df-z])shop|shopping")
_DISPLAY = frozenset({"display", "banner", "expandable", "interstitial", "cpm"})
_SOCIAL = frozenset({"social", "social-network", "social-media", "sm", "social network", "social media"})
_EMAIL = frozenset({"email", "e-mail", "e_mail", "e mail"})
_REFERRAL = frozenset({"referral", "app", "link"})


class Source(NamedTuple):
    """Where a visit came from; "" for none (a `source` of "" is shown as "Direct / None").

    `source` is a name ("Hacker News"), else the utm_source as written, else the referrer's host without
    `www.`. `channel` is one of `CHANNELS` and never empty. `referrer` is host and path, without scheme,
    query, `www.` and final slash, at most 2,000 characters; of an Android app, its whole address. The tags
    are as written, at most 200 characters; a click id stands in for the absent medium of a paid visit:
    "(gclid)".
    """

    source: str
    channel: str
    referrer: str
    utm_source: str
    utm_medium: str
    utm_campaign: str
    utm_content: str
    utm_term: str


class Known(NamedTuple):
    """A source of the table: its name and kind, and whether the tag that named it means a paid visit."""

    name: str
    kind: str = ""
    paid: bool = False


class Clues(NamedTuple):
    """What the channel is decided by; all but `kind` and `paid` in lower case."""

    source: str
    kind: str
    paid: bool = False
    medium: str = ""
    campaign: str = ""


class _Table(NamedTuple):
    hosts: dict[str, Known]
    tags: dict[str, Known]
    apps: dict[str, Known]


_NOBODY = ("", Known(""))


def classify(page: Page, referrer: str | None) -> Source:
    """Where the visitor of `page` came from, by the page's tags and by the `referrer` that the browser sent.

    Tags win over the referrer. A referrer from the page's own host (with or without `www.`), from this very
    machine, of another scheme than http(s) and android-app, or unreadable counts as none. Never raises.
    """
    text = (referrer or "")[: pages.MAX_URL]
    decide = _classify_cached if len(text) <= _CACHED_LENGTH else _classify
    return decide(page.host, text, tuple(page.query.items()))


def _classify(host: str, referrer: str, tags: tuple[tuple[str, str], ...]) -> Source:
    place, known = _referred(referrer, host) if referrer else _NOBODY
    if not tags:
        return Source(known.name, _channel(Clues(known.name.lower(), known.kind)), place, *_UNTAGGED)
    query = dict(tags)
    get = query.get
    tag = get("utm_source") or get("source") or get("ref", "")
    known = _tagged(tag) if tag else known
    click = _click(query, known)
    channel = _channel(_clues(known, click, query))
    medium = get("utm_medium") or (f"({click})" if click else "")
    campaign, content, term = get("utm_campaign", ""), get("utm_content", ""), get("utm_term", "")
    return Source(known.name, channel, place, tag, medium, campaign, content, term)


def _click(query: Mapping[str, str], known: Known) -> str:
    """The click id that says that the visitor clicked an advertisement of `known`; "" for none."""
    for key, name in _CLICK_IDS.items():
        if key in query and name == known.name:
            return key
    return ""


def _clues(known: Known, click: str, query: Mapping[str, str]) -> Clues:
    medium = query.get("utm_medium", "").lower()
    paid = known.paid or bool(click) or bool(medium and _PAID.fullmatch(medium))
    return Clues(known.name.lower(), known.kind, paid, medium, query.get("utm_campaign", "").lower())


_classify_cached = lru_cache(maxsize=4_096)(_classify)


# Channels ------------------------------------------------------------------------------------------------


def _searched(clues: Clues) -> bool:
    return clues.kind in ("search", "ai")


def _shopped(clues: Clues) -> bool:
    return clues.kind == "shopping" or _SHOP.search(clues.campaign) is not None


def _socialised(clues: Clues) -> bool:
    return clues.kind == "social" or clues.medium in _SOCIAL


def _mailed(clues: Clues) -> bool:
    return clues.kind == "email" or clues.source in _EMAIL or clues.medium in _EMAIL


def _pushed(clues: Clues) -> bool:
    medium = clues.medium
    return medium.endswith("push") or "mobile" in medium or "notification" in medium or clues.source == "firebase"


CHANNELS: tuple[tuple[str, Callable[[Clues], bool]], ...] = (
    ("Cross-network", lambda clues: "cross-network" in clues.campaign),
    ("Paid Shopping", lambda clues: clues.paid and _shopped(clues)),
    ("Display", lambda clues: clues.medium in _DISPLAY),
    ("Paid Search", lambda clues: clues.paid and _searched(clues)),
    ("Paid Social", lambda clues: clues.paid and clues.kind == "social"),
    ("Paid Video", lambda clues: clues.paid and clues.kind == "video"),
    ("Paid Other", lambda clues: clues.paid),
    ("Organic Shopping", _shopped),
    ("Organic Social", _socialised),
    ("Organic Video", lambda clues: clues.kind == "video" or "video" in clues.medium),
    ("Organic Search", lambda clues: _searched(clues) or clues.medium == "organic"),
    ("Email", _mailed),
    ("Affiliates", lambda clues: clues.medium == "affiliate"),
    ("Audio", lambda clues: clues.medium == "audio"),
    ("SMS", lambda clues: "sms" in (clues.source, clues.medium)),
    ("Mobile Push Notifications", _pushed),
    ("Referral", lambda clues: bool(clues.source) or clues.medium in _REFERRAL),
    ("Direct", lambda clues: True),
)
"""Every channel with its rule; the first whose rule holds is the visit's."""


def _channel(clues: Clues) -> str:
    for name, holds in CHANNELS:
        if holds(clues):
            return name
    raise AssertionError("Direct holds for everything")


# Sources -------------------------------------------------------------------------------------------------


def _referred(referrer: str, page_host: str) -> tuple[str, Known]:
    """The referrer as it is stored, and who that is."""
    address = pages.split(referrer)
    if address is None:
        return _app(referrer)
    if address.scheme == "chrome-extension":
        return _NOBODY
    host = bare_host(address.host)
    if host == bare_host(page_host) or _LOOPBACK.fullmatch(host):
        return _NOBODY
    return (host + clean_path(address.path)).rstrip("/")[:MAX_REFERRER], _by_host(host) or Known(host)


def _app(referrer: str) -> tuple[str, Known]:
    app = _APP.fullmatch(referrer.strip())
    if app is None:
        return _NOBODY
    whole = f"android-app://{app[1]}"
    return whole, _TABLE.apps.get(app[1].lower()) or Known(whole)


def _tagged(tag: str) -> Known:
    """Who a utm_source names: by a tag ("yt"), as an advertiser ("yt-ads"), by a host, or just itself."""
    key = tag.lower()
    if known := _TABLE.tags.get(key):
        return known
    if key.endswith(("ads", "ad")) and (known := _TABLE.tags.get(_ADS.sub("", key))):
        return known._replace(paid=True)
    if "." not in key:
        return Known(tag)
    return _by_host(idn.in_ascii(key)) or Known(idn.in_ascii(tag))


def _by_host(host: str) -> Known | None:
    """The source of the longest known name that `host` is or is below; whole names go before "name.*"."""
    known = _by_suffix(host)
    if known is None and (tld := _TLD.search(host)):
        return _by_suffix(host[: tld.start()] + ".*")
    return known


def _by_suffix(host: str) -> Known | None:
    known = _TABLE.hosts.get(host)
    while known is None and host:
        host = host.partition(".")[2]
        known = _TABLE.hosts.get(host)
    return known


def _load(path: Path) -> _Table:
    table = _Table({}, {}, {})
    for kind, sources in tomllib.loads(path.read_text("utf-8")).items():
        for name, entry in sources.items():
            _add(table, Known(name, kind), entry)
    return table


def _add(table: _Table, known: Known, entry: Mapping[str, Any]) -> None:
    paid = known._replace(paid=True)
    for index, keys, value in (
        (table.hosts, entry["hosts"], known),
        (table.apps, entry.get("apps", ()), known),
        (table.tags, (known.name.lower(), *entry.get("tags", ())), known),
        (table.tags, entry.get("paid_tags", ()), paid),
    ):
        for key in keys:
            if index.setdefault(key, value) != value:
                raise ValueError(f"sources.toml: {key!r} is both {index[key].name} and {known.name}")


_TABLE = _load(Path(__file__).parents[1] / "data" / "sources.toml")
