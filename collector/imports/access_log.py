"""Web-server access logs: which requests are page views, and why the others are not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from analytics.base.addresses import is_own_network, plain_address
from analytics.base.errors import InvalidInput
from analytics.sites.site import normal_domain

SkipReason = Literal["broken_line", "not_get", "not_ok", "not_a_page"]

NO_AGENT = "(not in the log)"
"""The user agent if the log contains none. The empty string means that the client sent none, as robots do."""

LATEST = 2**33  # epoch seconds, in the year 2242: larger numbers are not accepted as times


class LoggedPage(NamedTuple):
    """One served page, as a log records it. `time` is epoch seconds, `path` contains the query; unknown texts are "".

    `host` is lower-case and without a port; "" if the log does not contain it.
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
    """The result for a line that is no page view."""

    reason: SkipReason


BROKEN = Skipped("broken_line")
NOT_GET, NOT_OK, NOT_A_PAGE = Skipped("not_get"), Skipped("not_ok"), Skipped("not_a_page")

MAX_HOST_LENGTH, MAX_ADDRESS_LENGTH = 253, 64

_URL = re.compile(r"https?://([^/?#]*)", re.IGNORECASE)
MAX_CACHED_LENGTH = 256  # longer paths are rarely repeated

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


def classify(
    address: str, time: int, method: str, target: str, status: int, referrer: str, agent: str, host: str = ""
) -> LoggedPage | Skipped:
    """The page of a request, or why it is none. `target` is a path or a URL; the host of a URL replaces `host`."""
    return skip_by_response(method, status) or classify_target(address, time, target, status, referrer, agent, host)


def skip_by_response(method: str, status: int) -> Skipped | None:
    """Why a request with this method and status served no page; None if it may have."""
    if method != "GET":
        return NOT_GET
    return None if 200 <= status < 300 or status == 304 else NOT_OK


def classify_target(
    address: str, time: int, target: str, status: int, referrer: str, agent: str, host: str = ""
) -> LoggedPage | Skipped:
    """The same as `classify`, for a request that `skip_by_response` has let through."""
    if target[:1] != "/":
        found = _URL.match(target)
        if found is None:
            return BROKEN
        host, target = found[1], target[found.end() :]
        target = target if target.startswith("/") else f"/{target}"
    if not is_page(target):
        return NOT_A_PAGE
    return LoggedPage(address, time, "GET", target, status, referrer, agent, host_name(host) if host else "")


def is_page(path: str) -> bool:
    """Whether a browser shows the path (with its query) as a page: it is no asset, feed or download."""
    return _is_page_cached(path) if len(path) <= MAX_CACHED_LENGTH else _is_page(path)


def _is_page(path: str) -> bool:
    if not path.startswith("/"):
        return False
    route, _, query = path.partition("?")
    last = route.rstrip("/").rpartition("/")[2].lower()
    extension = "" if route.endswith("/") else last.rpartition(".")[2]
    feed = last in _FEED_ENDS or (query and _FEED_QUERY.search(query))
    return not feed and (extension == last or extension not in _FILES)


def host_name(text: str) -> str:
    """The host of `Example.com:443` in the form of `Site.domain`: `example.com`; "" for `-`."""
    return _host_name(text[:MAX_HOST_LENGTH]) if text != "-" else ""


_is_page_cached = lru_cache(4096)(_is_page)


@lru_cache(1024)
def _host_name(text: str) -> str:
    try:
        return normal_domain(text)
    except InvalidInput:
        return text.lower()


def bare_address(text: str) -> str:
    """The address in `203.0.113.7:51324`, `[2001:db8::7]:443` or `::ffff:203.0.113.7`; any other text is unchanged."""
    return _bare_address(text) if ":" in text and len(text) <= MAX_ADDRESS_LENGTH else text


@lru_cache(1024)
def _bare_address(text: str) -> str:
    return plain_address(text) or text


def visitor_address(peer: str, forwarded: Sequence[str]) -> str:
    """The visitor's address: the last public address in `X-Forwarded-For`, else that of the peer."""
    public = (one for text in reversed(forwarded) if (one := plain_address(text)) and not is_own_network(one))
    return next(public, "") or bare_address(peer)
