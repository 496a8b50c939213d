"""Web-server access logs: which requests are a person's page, and why the others are not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from analytics.base.addresses import is_own_network, plain_address
from analytics.base.errors import InvalidInput
from analytics.sites.site import normal_domain

Reason = Literal["broken_line", "not_get", "not_ok", "not_a_page"]

NO_AGENT = "(not in the log)"
"""The user agent of a hit whose log has none to tell. An empty one is that of a robot, which sends none."""

LATEST = 2**33  # epoch seconds, the year 2242: what lies after it is no time


class Hit(NamedTuple):
    """One page that was given. `time` is epoch seconds, `path` has its query, unknown texts are empty.

    `host` is lower-case, without a port; empty where the log does not tell it.
    """

    address: str
    time: int
    method: str
    path: str
    status: int
    referrer: str
    user_agent: str
    host: str = ""


class Skipped(NamedTuple):
    """A line that is no page view."""

    reason: Reason


BROKEN = Skipped("broken_line")
NOT_GET, NOT_OK, NOT_A_PAGE = Skipped("not_get"), Skipped("not_ok"), Skipped("not_a_page")

LONGEST_HOST, LONGEST_ADDRESS = 253, 64

_URL = re.compile(r"https?://([^/?#]*)", re.IGNORECASE)
_CACHED_LENGTH = 256  # longer paths seldom come again

_FILE_ENDINGS = (
    # pictures, sound, film
    "png jpg jpeg jpe gif bmp ico cur svg svgz webp avif jxl tif tiff mp3 m4a ogg oga opus wav flac aac "
    "mp4 m4v mov webm ogv avi mkv wmv mpg mpeg swf flv "
    # styles, scripts, fonts and what they load
    "css js mjs map wasm ttf otf eot woff woff2 json webmanifest manifest appcache vtt "
    # feeds and machines' files
    "xml rss atom rdf xsl xslt dtd txt ini ics csv tsv yaml yml "
    # downloads
    "zip gz tgz bz2 tbz xz txz zst 7z rar tar jar war deb rpm apk exe msi dmg pkg iso img bin so dll torrent "
    "pdf ps eps epub mobi doc docx xls xlsx ppt pptx odt ods odp rtf "
    # sources shown as they are
    "c h cc cpp hpp py pyc rb pl pm sh java go rs lua conf cfg log sql patch diff bak"
)
_FILES = frozenset(_FILE_ENDINGS.split())
_FEED_ENDS = frozenset({"feed", "feeds", "rss", "rss2", "atom", "rdf"})
_FEED_QUERY = re.compile(r"(?:^|&)(?:feed|flav|flavou?r|format|type|output|alt)=(?:rss|atom|rdf|feed)", re.IGNORECASE)


def judged(
    address: str, time: int, method: str, target: str, status: int, referrer: str, agent: str, host: str = ""
) -> Hit | Skipped:
    """The hit of a request; `target` is a path or a whole URL, whose host is then the hit's."""
    return refused(method, status) or hit_of(address, time, target, status, referrer, agent, host)


def refused(method: str, status: int) -> Skipped | None:
    """Why no page was given, None where one may have been."""
    if method != "GET":
        return NOT_GET
    return None if 200 <= status < 300 or status == 304 else NOT_OK


def hit_of(
    address: str, time: int, target: str, status: int, referrer: str, agent: str, host: str = ""
) -> Hit | Skipped:
    """The hit of a request that is not `refused`, as `judged` gives it."""
    if target[:1] != "/":
        found = _URL.match(target)
        if found is None:
            return BROKEN
        host, target = found[1], target[found.end() :]
        target = target if target.startswith("/") else f"/{target}"
    if not is_page(target):
        return NOT_A_PAGE
    return Hit(address, time, "GET", target, status, referrer, agent, host_name(host) if host else "")


def is_page(path: str) -> bool:
    """Whether a path (with its query) is one that a browser shows as a page: no asset, feed or download."""
    return _is_page_cached(path) if len(path) <= _CACHED_LENGTH else _is_page(path)


def _is_page(path: str) -> bool:
    if not path.startswith("/"):
        return False
    route, _, query = path.partition("?")
    last = route.rstrip("/").rpartition("/")[2].lower()
    extension = "" if route.endswith("/") else last.rpartition(".")[2]
    feed = last in _FEED_ENDS or (query and _FEED_QUERY.search(query))
    return not feed and (extension == last or extension not in _FILES)


def host_name(text: str) -> str:
    """The host as sites have theirs, of `Example.com:443`; "" for the `-` of no host."""
    return _host_name(text[:LONGEST_HOST]) if text != "-" else ""


_is_page_cached = lru_cache(4096)(_is_page)


@lru_cache(1024)
def _host_name(text: str) -> str:
    try:
        return normal_domain(text)
    except InvalidInput:
        return text.lower()


def bare_address(text: str) -> str:
    """The address alone, of `203.0.113.7:51324`, `[2001:db8::7]:443`, `::ffff:203.0.113.7`; another text as it is."""
    return _bare_address(text) if ":" in text and len(text) <= LONGEST_ADDRESS else text


@lru_cache(1024)
def _bare_address(text: str) -> str:
    return plain_address(text) or text


def visitor_address(peer: str, forwarded: Sequence[str]) -> str:
    """Who asked: the last public address that `X-Forwarded-For` names, else the peer."""
    public = (one for text in reversed(forwarded) if (one := plain_address(text)) and not is_own_network(one))
    return next(public, "") or bare_address(peer)
