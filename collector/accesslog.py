"""Web-server access logs, line by line: which lines are a person's page and why the others are not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal, NamedTuple

Reason = Literal["broken_line", "not_get", "not_ok", "not_a_page"]


class Hit(NamedTuple):
    """One page that was given. `time` is epoch seconds, `path` has its query, unknown texts are empty."""

    address: str
    time: int
    method: str
    path: str
    status: int
    referrer: str
    user_agent: str


class Skipped(NamedTuple):
    """A line that is no page view."""

    reason: Reason


# Combined Log Format, https://httpd.apache.org/docs/2.4/logs.html#combined. What follows the size is optional
# as a whole (the Common format ends there), so a line cut inside the referrer or the agent does not match.
# `[^"\\]*(?:\\.[^"\\]*)*` is a quoted text with escapes, in linear time.
_LINE = re.compile(
    r"([^ ]+) [^\[]*\[([0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}):([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-][0-9]{4})\] "
    r'"([^"\\]*(?:\\.[^"\\]*)*)" ([0-9]{3}) (?:[0-9]+|-)'
    r'(?: "([^"\\]*(?:\\.[^"\\]*)*)" "([^"\\]*(?:\\.[^"\\]*)*)"(?: .*)?)?\s*\Z',
    re.DOTALL,
)
_ESCAPE = re.compile(r"((?:\\x[0-9a-fA-F]{2})+)|\\(.)", re.DOTALL)
_ORIGIN = re.compile(r"https?://[^/?#]*", re.IGNORECASE)

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
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


def read(lines: Iterable[str | bytes]) -> Iterator[Hit | Skipped]:
    """What each line of a log is, in the log's order; blank lines are passed over.

    Reads the Combined Log Format and the Common one (no referrer, no agent); further fields are ignored.
    Bytes are UTF-8, wrong ones replaced. No input raises: a line that makes no sense is a `broken_line`.
    """
    for line in lines:
        text = line.decode("utf-8", "replace") if isinstance(line, bytes) else line
        if text and not text.isspace():
            yield _understood(text)


def pages(lines: Iterable[str | bytes], skipped: Counter[str]) -> Iterator[Hit]:
    """The page views among the lines, in the log's order; the others are counted by reason into `skipped`."""
    for line in read(lines):
        if isinstance(line, Hit):
            yield line
        else:
            skipped[line.reason] += 1


def _understood(line: str) -> Hit | Skipped:
    found = _LINE.match(line)
    if found is None:
        return Skipped("broken_line")
    address, day, hour, minute, second, zone, request, status, referrer, agent = found.groups()
    midnight = _midnight(day, zone)
    if midnight is None or hour > "23" or minute > "59" or second > "60":  # 60: a leap second
        return Skipped("broken_line")
    method, _, rest = request.partition(" ")
    if method != "GET":
        return Skipped("not_get")
    if status[0] != "2" and status != "304":
        return Skipped("not_ok")
    path = _path(rest)
    if not is_page(path):
        return Skipped("not_a_page" if path.startswith("/") else "broken_line")
    time = midnight + int(hour) * 3600 + int(minute) * 60 + int(second)
    return Hit(address, time, method, path, int(status), _text(referrer), _text(agent))


@lru_cache(maxsize=256)
def _midnight(day: str, zone: str) -> int | None:
    """Epoch seconds of 00:00 of `17/May/2015` at `+0200`; None where there is no such day."""
    east = int(zone[1:3]) * 3600 + int(zone[3:]) * 60
    try:
        utc = datetime(int(day[7:]), _MONTHS.index(day[3:6]) + 1, int(day[:2]), tzinfo=UTC)
    except ValueError:
        return None
    return int(utc.timestamp()) + (east if zone[0] == "-" else -east)


def _path(rest: str) -> str:
    """The path with its query, of `/a?b HTTP/1.1`, of `/a` (HTTP/0.9) and of `http://host/a HTTP/1.1`."""
    target, _, protocol = rest.rpartition(" ")
    if not protocol.startswith("HTTP/"):
        target = rest
    path = _text(target)
    return path if path.startswith("/") else _ORIGIN.sub("", path, count=1)


def is_page(path: str) -> bool:
    """Whether a path (with its query) is one that a browser shows as a page: no asset, feed or download."""
    if not path.startswith("/"):
        return False
    route, _, query = path.partition("?")
    last = route.rstrip("/").rpartition("/")[2].lower()
    extension = "" if route.endswith("/") else last.rpartition(".")[2]
    feed = last in _FEED_ENDS or (query and _FEED_QUERY.search(query))
    return not feed and (extension == last or extension not in _FILES)


def _text(quoted: str | None) -> str:
    """What stood between the quotes: `-` is nothing, `\\"` is `"`, `\\xe4` its byte."""
    if quoted is None or quoted == "-":
        return ""
    return _ESCAPE.sub(_unescaped, quoted) if "\\" in quoted else quoted


def _unescaped(escape: re.Match[str]) -> str:
    if hexadecimal := escape[1]:
        return bytes.fromhex(hexadecimal.replace("\\x", "")).decode("utf-8", "replace")
    return {"n": "\n", "r": "\r", "t": "\t", "v": "\v"}.get(escape[2], escape[2])
