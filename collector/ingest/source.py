"""Where a visit came from: source, channel, referrer and campaign tags.

The channels and their order are those of Google Analytics 4's default channel group
(support.google.com/analytics/answer/9756891), with three differences that people who migrate from other privacy-first
analytics rely on: Display precedes Paid Search, so that a banner with a Google click id stays Display; a Google or Bing
click id makes a visit from that search engine paid; a visit with a source and no other mark is Referral, without a
source it is Direct.
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
from collector.ingest.page_url import PageUrl, bare_host

MAX_REFERRER = 2_000

_CACHED_LENGTH = 512  # longer referrers are rare and seldom repeat; without them the cache stays small
_UNTAGGED = ("",) * 5
_CLICK_IDS = {"gclid": "Google", "gbraid": "Google", "wbraid": "Google", "msclkid": "Bing"}

_APP = re.compile(r"android-app://([A-Za-z0-9_.]{1,200})(?:[/?#].*)?", re.IGNORECASE | re.ASCII | re.DOTALL)
_LOOPBACK = re.compile(r"(?:.*\.)?localhost|127(?:\.\d+){3}|\[::1\]")
_TLD = re.compile(r"\.(?:com|(?:com?\.)?[a-z]{2})$")  # what the * in "google.*" matches
_ADS = re.compile(r"(?:[-_. ]ads?|ads)$")

_PAID = re.compile(r".*cp.*|ppc|retargeting|paid.*", re.DOTALL)
_SHOP = re.compile(r"(?:^|[^a-df-z])shop|shopping")
_DISPLAY = frozenset({"display", "banner", "expandable", "interstitial", "cpm"})
_SOCIAL = frozenset({"social", "social-network", "social-media", "sm", "social network", "social media"})
_EMAIL = frozenset({"email", "e-mail", "e_mail", "e mail"})
_REFERRAL = frozenset({"referral", "app", "link"})


class Source(NamedTuple):
    """Where a visit came from; fields are "" for none (pages show a `source` of "" as "Direct / None").

    `source` is a name ("Hacker News"), else the utm_source as written, else the referrer's host without `www.`.
    `channel` is one of `CHANNELS` and never empty. `referrer` is host and path without scheme, query, `www.` and final
    slash, at most 2,000 characters; of an Android app it is the whole address. Tags are as written, at most 200
    characters. If a paid visit has no utm_medium, the name of its click id replaces it: "(gclid)".
    """

    source: str
    channel: str
    referrer: str
    utm_source: str
    utm_medium: str
    utm_campaign: str
    utm_content: str
    utm_term: str


class KnownSource(NamedTuple):
    """A source in sources.toml: its name and kind, and whether the tag that matched it means a paid visit."""

    name: str
    kind: str = ""
    paid: bool = False


class Clues(NamedTuple):
    """The data that decide the channel; all but `kind` and `paid` in lower case."""

    source: str
    kind: str
    paid: bool = False
    medium: str = ""
    campaign: str = ""


class _Table(NamedTuple):
    hosts: dict[str, KnownSource]
    tags: dict[str, KnownSource]
    apps: dict[str, KnownSource]


_NO_SOURCE = ("", KnownSource(""))


def classify(page: PageUrl, referrer: str | None) -> Source:
    """Where the visitor of `page` came from, by the page's tags and the `referrer` that the browser sent.

    Tags win over the referrer. A referrer is ignored if it is on the page's own host (with or without `www.`) or on
    localhost, invalid, or of another scheme than http(s) and android-app. Never raises.
    """
    text = (referrer or "")[: pages.MAX_URL]
    decide = _classify_cached if len(text) <= _CACHED_LENGTH else _classify
    return decide(page.host, text, tuple(page.query.items()))


def _classify(host: str, referrer: str, tags: tuple[tuple[str, str], ...]) -> Source:
    place, known = _from_referrer(referrer, host) if referrer else _NO_SOURCE
    if not tags:
        return Source(known.name, _channel(Clues(known.name.lower(), known.kind)), place, *_UNTAGGED)
    query = dict(tags)
    get = query.get
    tag = get("utm_source") or get("source") or get("ref", "")
    known = _from_tag(tag) if tag else known
    click = _click_id(query, known)
    channel = _channel(_clues(known, click, query))
    medium = get("utm_medium") or (f"({click})" if click else "")
    campaign, content, term = get("utm_campaign", ""), get("utm_content", ""), get("utm_term", "")
    return Source(known.name, channel, place, tag, medium, campaign, content, term)


def _click_id(query: Mapping[str, str], known: KnownSource) -> str:
    """The click id of an advertisement of `known`; "" for none."""
    for key, name in _CLICK_IDS.items():
        if key in query and name == known.name:
            return key
    return ""


def _clues(known: KnownSource, click: str, query: Mapping[str, str]) -> Clues:
    medium = query.get("utm_medium", "").lower()
    paid = known.paid or bool(click) or bool(medium and _PAID.fullmatch(medium))
    return Clues(known.name.lower(), known.kind, paid, medium, query.get("utm_campaign", "").lower())


_classify_cached = lru_cache(maxsize=4_096)(_classify)


# Channels ------------------------------------------------------------------------------------------------


def _is_search(clues: Clues) -> bool:
    return clues.kind in ("search", "ai")


def _is_shopping(clues: Clues) -> bool:
    return clues.kind == "shopping" or _SHOP.search(clues.campaign) is not None


def _is_social(clues: Clues) -> bool:
    return clues.kind == "social" or clues.medium in _SOCIAL


def _is_email(clues: Clues) -> bool:
    return clues.kind == "email" or clues.source in _EMAIL or clues.medium in _EMAIL


def _is_push(clues: Clues) -> bool:
    medium = clues.medium
    return medium.endswith("push") or "mobile" in medium or "notification" in medium or clues.source == "firebase"


CHANNELS: tuple[tuple[str, Callable[[Clues], bool]], ...] = (
    ("Cross-network", lambda clues: "cross-network" in clues.campaign),
    ("Paid Shopping", lambda clues: clues.paid and _is_shopping(clues)),
    ("Display", lambda clues: clues.medium in _DISPLAY),
    ("Paid Search", lambda clues: clues.paid and _is_search(clues)),
    ("Paid Social", lambda clues: clues.paid and clues.kind == "social"),
    ("Paid Video", lambda clues: clues.paid and clues.kind == "video"),
    ("Paid Other", lambda clues: clues.paid),
    ("Organic Shopping", _is_shopping),
    ("Organic Social", _is_social),
    ("Organic Video", lambda clues: clues.kind == "video" or "video" in clues.medium),
    ("Organic Search", lambda clues: _is_search(clues) or clues.medium == "organic"),
    ("Email", _is_email),
    ("Affiliates", lambda clues: clues.medium == "affiliate"),
    ("Audio", lambda clues: clues.medium == "audio"),
    ("SMS", lambda clues: "sms" in (clues.source, clues.medium)),
    ("Mobile Push Notifications", _is_push),
    ("Referral", lambda clues: bool(clues.source) or clues.medium in _REFERRAL),
    ("Direct", lambda clues: True),
)
"""Every channel with its rule; the first channel whose rule holds is the visit's."""


def _channel(clues: Clues) -> str:
    for name, holds in CHANNELS:
        if holds(clues):
            return name
    raise AssertionError("Direct holds for everything")


# Sources -------------------------------------------------------------------------------------------------


def _from_referrer(referrer: str, page_host: str) -> tuple[str, KnownSource]:
    """The referrer as it is stored, and its source."""
    address = pages.split(referrer)
    if address is None:
        return _app(referrer)
    if address.scheme == "chrome-extension":
        return _NO_SOURCE
    host = bare_host(address.host)
    if host == bare_host(page_host) or _LOOPBACK.fullmatch(host):
        return _NO_SOURCE
    return (host + clean_path(address.path)).rstrip("/")[:MAX_REFERRER], _by_host(host) or KnownSource(host)


def _app(referrer: str) -> tuple[str, KnownSource]:
    app = _APP.fullmatch(referrer.strip())
    if app is None:
        return _NO_SOURCE
    address_text = f"android-app://{app[1]}"
    return address_text, _TABLE.apps.get(app[1].lower()) or KnownSource(address_text)


def _from_tag(tag: str) -> KnownSource:
    """The source of a utm_source: by its tag ("yt"), as an advertiser ("yt-ads"), by its host, else the tag itself."""
    key = tag.lower()
    if known := _TABLE.tags.get(key):
        return known
    if key.endswith(("ads", "ad")) and (known := _TABLE.tags.get(_ADS.sub("", key))):
        return known._replace(paid=True)
    if "." not in key:
        return KnownSource(tag)
    return _by_host(idn.in_ascii(key)) or KnownSource(idn.in_ascii(tag))


def _by_host(host: str) -> KnownSource | None:
    """The source with the longest host name that equals `host` or is a parent of it; full names win over "name.*"."""
    known = _by_suffix(host)
    if known is None and (tld := _TLD.search(host)):
        return _by_suffix(host[: tld.start()] + ".*")
    return known


def _by_suffix(host: str) -> KnownSource | None:
    known = _TABLE.hosts.get(host)
    while known is None and host:
        host = host.partition(".")[2]
        known = _TABLE.hosts.get(host)
    return known


def _load(path: Path) -> _Table:
    table = _Table({}, {}, {})
    for kind, sources in tomllib.loads(path.read_text("utf-8")).items():
        for name, entry in sources.items():
            _add(table, KnownSource(name, kind), entry)
    return table


def _add(table: _Table, known: KnownSource, entry: Mapping[str, Any]) -> None:
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
