"""The reader's language: which one it is, and how it formats dates and numbers. Words are in `words.py`.

The gate sets the language for each request (`write_in`), in a context variable.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache

from babel import Locale, parse_locale
from babel.dates import format_date, format_interval, format_skeleton, format_time
from babel.numbers import format_compact_decimal, format_decimal, format_percent

from analytics.base import countries
from analytics.base.errors import InvalidInput, message

BROWSERS = ""  # instead of a tag: the language that the reader's browser prefers
DEFAULT = "en-GB"

# BCP 47; the first of several tags of one language is its default. Few enough to be in memory at once (0.8 MB each),
# and only those that browsers and Babel format alike, since both format numbers of one page.
LANGUAGES = (
    "en-GB",
    "en-US",
    "en-AU",
    "en-CA",
    "en-IN",
    "cs-CZ",
    "da-DK",
    "de-DE",
    "el-GR",
    "es-ES",
    "es-MX",
    "fi-FI",
    "fr-FR",
    "fr-CA",
    "hu-HU",
    "it-IT",
    "ja-JP",
    "nb-NO",
    "nl-NL",
    "pl-PL",
    "pt-BR",
    "pt-PT",
    "ro-RO",
    "sv-SE",
    "tr-TR",
    "uk-UA",
    "zh-CN",
)
_BY_TAG = {tag.lower(): tag for tag in LANGUAGES}
_BY_LANGUAGE = {tag.split("-")[0]: tag for tag in reversed(LANGUAGES)}
_MAX_HEADER = 200
_MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
_BUCKET_FIELDS = {"minute": "MMMEd", "hour": "MMMEd", "day": "MMMEd", "month": "yMMMM"}


_languages: ContextVar[str] = ContextVar("languages", default=DEFAULT)


def write_in(languages: str) -> None:
    """Sets the languages of this request: a tag of `LANGUAGES`, or a browser's `Accept-Language`.

    The first of them that is supported is looked up when the first word or figure is written.
    """
    _languages.set(languages)


def written_in() -> str:
    """The language of this request: a tag of `LANGUAGES`."""
    tag = _languages.get()
    if tag not in LANGUAGES:
        tag = asked_for(tag)
        _languages.set(tag)
    return tag


@contextmanager
def writing_in(languages: str) -> Iterator[None]:
    """Sets the languages for the length of a block."""
    before = _languages.set(languages)
    try:
        yield
    finally:
        _languages.reset(before)


def checked(tag: str) -> str:
    """The tag, if it is one of `LANGUAGES` or `BROWSERS`; else `InvalidInput`."""
    if tag != BROWSERS and tag not in LANGUAGES:
        wrong = message(
            "{tag} is no language that is here; give one like {example}, or nothing",
            tag=repr(tag[:40]),
            example=DEFAULT,
        )
        raise InvalidInput(wrong)
    return tag


def name(tag: str) -> str:
    """The language's own name: `Deutsch (Deutschland)`."""
    found = _locale(tag)
    named = found.get_display_name(found) or tag
    return named[:1].upper() + named[1:]


def asked_for(accept_language: str) -> str:
    """The first of `LANGUAGES` in a browser's `Accept-Language`, else `DEFAULT`. Weights are ignored."""
    return _asked_for(accept_language[:_MAX_HEADER])


@lru_cache(256)
def _asked_for(accept_language: str) -> str:
    for part in accept_language.split(","):
        tag = re.split(r"[;\s]", part.strip().lower())[0]
        if found := _BY_TAG.get(tag) or _BY_LANGUAGE.get(tag.split("-")[0]):
            return found
    return DEFAULT


@lru_cache(8192)
def count(n: int, tag: str) -> str:
    """`12,345` in English, `12.345` in German."""
    return str(format_decimal(n, locale=_locale(tag)))


def mean(value: float, tag: str) -> str:
    """`12,345` in English; below 10 with one decimal, `0.4`."""
    whole = value >= 10 or value == int(value)
    return str(format_decimal(round(value) if whole else round(value, 1), locale=_locale(tag)))


@lru_cache(1024)
def percent(whole: int, tag: str) -> str:
    """`27%` for 27 in English; `27 %`, with a no-break space, in German."""
    return str(format_percent(whole / 100, locale=_locale(tag)))


def decimal(value: float, digits: int, tag: str) -> str:
    """`2.16` with two digits in English, `2,16` in German."""
    return str(format_decimal(value, "#,##0." + "0" * digits, _locale(tag)))


def compact(n: int, tag: str) -> str:
    """`9K` for 9,000 in English: for the scale of a chart."""
    return str(format_compact_decimal(n, locale=_locale(tag), fraction_digits=1))


def share(part: float, tag: str) -> str:
    """`48.2%` for 0.482, with the percent sign where the language puts it."""
    pattern = _locale(tag).percent_formats[None].pattern.replace("##0", "##0.0")
    return str(format_percent(part, pattern, _locale(tag)))


def time_of_day(moment: datetime, tag: str, *, seconds: bool = False) -> str:
    """`14:32` in the moment's own zone, or `2:32 PM` in languages of the 12-hour clock; `seconds` adds them."""
    written = format_time(moment, "medium" if seconds else "short", moment.tzinfo, _locale(tag))
    return str(written).replace("\u202f", "\u00a0")  # the space that browsers use


def day(moment: datetime, tag: str) -> str:
    """`20 Nov 2026` in the moment's own zone, with the month in that language."""
    return str(format_date(moment, "medium", _locale(tag)))


def dated(moment: datetime, fields: str, tag: str) -> str:
    """These CLDR fields of a moment, in its own zone and in the language's order: "MMMEd" gives `Fri 20 Nov`."""
    return str(format_skeleton(fields, moment, moment.tzinfo, locale=_locale(tag)))


def dates(first: date, last: date, tag: str) -> str:
    """`22 Oct – 20 Nov 2026`; one date if both are the same."""
    return str(format_interval(first, last, "yMMMd", locale=_locale(tag))).replace("\u2009", " ")


def bucket(begin: datetime, last: date, interval: str, tag: str) -> str:
    """A bucket of time from `begin` to the day `last`: `Fri 6 Nov`, `Fri 6 Nov, 14:00`, `2 – 8 Nov 2026`,
    `November 2026`.
    """
    if interval == "week":
        return dates(begin.date(), last, tag)
    written = dated(begin, _BUCKET_FIELDS[interval], tag)
    return written if interval in ("day", "month") else f"{written}, {time_of_day(begin, tag)}"


def weekday(number: int, tag: str, *, whole: bool = False) -> str:
    """`Mon` of 0, or the `whole` name as a heading has it: `Monday`."""
    if whole:
        named = str(format_date(_MONDAY + timedelta(days=number), "EEEE", _locale(tag)))
        return named[:1].upper() + named[1:]
    return dated(_MONDAY + timedelta(days=number), "E", tag)


def country(code: str, tag: str) -> str:
    """The name of a country by its two-letter code: `Germany`, in German `Deutschland`; another code is unchanged."""
    name = countries.name(code)
    return name if name == code or tag.startswith("en") else str(_locale(tag).territories.get(code, name))


def browser_language(code: str, tag: str) -> str:
    """The name of a browser's language by its code: of `de-DE` `German (Germany)`, in German `Deutsch (Deutschland)`.

    A code that is unknown, or in another spelling (`de-de`), is unchanged, so no two codes have one name.
    """
    try:
        language, territory, script, *_ = parse_locale(code, sep="-")
    except ValueError:
        return code
    if "-".join(part for part in (language, script, territory) if part) != code:
        return code
    known, more = _locale(tag), []
    if script:
        more.append(known.scripts.get(script))
    if territory:
        more.append(known.territories.get(territory))
    named = str(known.languages.get(language, ""))
    if not named or None in more:
        return code
    return named[:1].upper() + named[1:] + (f" ({', '.join(map(str, more))})" if more else "")


@cache
def _locale(tag: str) -> Locale:
    return Locale.parse(tag, sep="-")


def separators(tag: str) -> str:
    """The decimal sign and the sign between thousands: `.,` in English, `,.` in German."""
    symbols = _locale(tag).number_symbols["latn"]
    return f"{symbols['decimal']}{symbols['group']}"


def has_12_hours(tag: str) -> bool:
    """Whether the language writes `2:32 PM`."""
    return "a" in _locale(tag).time_formats["short"].pattern
