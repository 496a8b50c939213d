"""Parses request bodies into events: all names of Footfall's own wire format are here (contract §3.1)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any, Literal, NamedTuple, NoReturn, get_type_hints

import msgspec
from msgspec import Meta

from analytics.base.limits import MAX_ENGAGED_MS
from analytics.live.reasons import RejectedReason
from collector.ingest.currency import CURRENCIES
from collector.ingest.outcomes import Rejected

MAX_BATCH = 100
MAX_TITLE = 300
MAX_DEPTH = 32
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

Id = Annotated[str, Meta(min_length=8, max_length=36)]
Millis = Annotated[int, Meta(ge=0, le=MAX_ENGAGED_MS)]
Percent = Annotated[int, Meta(ge=0, le=100)]
Pixels = Annotated[int, Meta(ge=1, le=100_000)]
PropName = Annotated[str, Meta(max_length=300)]
PropText = Annotated[str, Meta(max_length=2000)]
Currency = Annotated[str, Meta(max_length=3)]


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event from a page or a server: a pageview, a heartbeat, a custom event or a leave."""

    site: Annotated[str, Meta(min_length=1, max_length=253)]
    type: Literal["pageview", "heartbeat", "event", "leave"]
    id: Id | None = None
    pageview: Id | None = None
    url: Annotated[str, Meta(min_length=1, max_length=8192)] | None = None
    referrer: str | None = None
    title: Annotated[str, Meta(max_length=MAX_TITLE)] | None = None
    visitor_id: Annotated[str, Meta(max_length=64)] | None = None
    user_id: Annotated[str, Meta(max_length=128)] | None = None
    user_type: Annotated[str, Meta(max_length=64)] | None = None
    engaged_ms: Millis | None = None
    scroll: Percent | None = None
    state: Literal["active", "idle", "hidden"] | None = None
    name: Annotated[str, Meta(min_length=1, max_length=120)] | None = None
    props: Annotated[dict[PropName, PropText | int | float | bool | None], Meta(max_length=30)] | None = None
    value: int | float | None = None
    currency: Currency | None = None
    description: Annotated[str, Meta(max_length=300)] | None = None
    user_name: Annotated[str, Meta(max_length=120)] | None = None
    screen: tuple[Pixels, Pixels] | None = None
    timezone: Annotated[str, Meta(max_length=64)] | None = None
    language: Annotated[str, Meta(max_length=35)] | None = None
    ip: Annotated[str, Meta(max_length=64)] | None = None
    user_agent: Annotated[str, Meta(max_length=2048)] | None = None
    time: int | float | None = None
    interactive: bool = True


class Engagement(Event, frozen=True, gc=False):
    """A heartbeat of a client without pageview ids: it belongs to the visitor's latest pageview of its page.

    `engaged_ms` is the time since the last engagement, `scroll` the maximum so far.
    """


LENIENT_FIELDS = ("title", "screen", "language", "timezone", "referrer")
"""Fields that an event can do without: an invalid one is dropped, a title that is too long is cut."""

PLACEHOLDERS = {
    *("", "undefined", "null", "NULL", "nil", "<nil>", "(null)", "<null>", "<no value>", "NaN", "nan", "None"),
}
"""What templates print for a missing id or name; scripts print `[object Object]` and the like."""
IDENTITY_FIELDS = ("user_id", "user_type", "user_name", "visitor_id")

REQUIRED = {
    "pageview": ("id", "url"),
    "event": ("id", "url", "name"),
    "heartbeat": ("pageview",),
    "leave": ("pageview",),
}


class EventNote(NamedTuple):
    """What is counted of an event in addition to its outcome: the site that a refused event names ("" for none), and
    its lenient fields that were dropped or cut.
    """

    site: str = ""
    dropped: tuple[str, ...] = ()


class Body(NamedTuple):
    """The contents of a request: events and refusals in the order sent, and whether the request was an array.

    `notes` by the positions of their events; hardly any event has one.
    """

    events: list[Event | Rejected]
    batch: bool
    notes: Mapping[int, EventNote] = {}


BAD_ENCODING = Rejected(400, RejectedReason.BAD_ENCODING, "the body is not UTF-8")
BAD_JSON = Rejected(400, RejectedReason.BAD_JSON, "the body is not JSON")
TOO_DEEP = Rejected(400, RejectedReason.TOO_DEEP, f"nested deeper than {MAX_DEPTH} levels")


class _UnreadableBody(Exception):
    def __init__(self, rejected: Rejected) -> None:
        self.rejected = rejected


_event_decoder = msgspec.json.Decoder(Event)
_batch_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_object_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_field_types = get_type_hints(Event, include_extras=True)
_lenient_decoders = {name: msgspec.json.Decoder(_field_types[name]) for name in LENIENT_FIELDS}
_text_decoder = msgspec.json.Decoder(str)
_error_field = re.compile(r"at `(?:key` in `)?\$(?:\[\d+\])?\.(\w+)|required field `(\w+)`")
_unstorable = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
# Possessive, and an unclosed string extends to the end: each byte is scanned once, whatever is sent.
_brackets = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)


def read_body(body: bytes) -> Body | Rejected:
    """The events of one request; a `Rejected` (400, 413) if the body as a whole is invalid."""
    try:
        if not body.isascii():
            body.decode()  # also unknown fields, which the JSON decoder skips
        if (deepness := _depth(body)) > MAX_DEPTH:
            return TOO_DEEP
        if _unstorable.search(body):
            body = _with_storable_texts(body)
        if deepness and body.lstrip()[:1] == b"[":
            return _read_batch(body)
        notes: dict[int, EventNote] = {}
        return Body([_read_one(body, 0, notes)], False, notes)
    except UnicodeDecodeError:
        return BAD_ENCODING
    except _UnreadableBody as unreadable:
        return unreadable.rejected


def read_json(body: bytes) -> object:
    """Any JSON body, with texts that both databases accept; a `Rejected` (400) if it is not JSON."""
    try:
        body.decode()
        if _depth(body) > MAX_DEPTH:
            return TOO_DEEP
        return msgspec.json.decode(_with_storable_texts(body) if _unstorable.search(body) else body)
    except UnicodeDecodeError:
        return BAD_ENCODING
    except _UnreadableBody as unreadable:
        return unreadable.rejected
    except (ValueError, RecursionError):
        return BAD_JSON


def _read_batch(body: bytes) -> Body | Rejected:
    try:
        items = _batch_decoder.decode(body)
    except (ValueError, RecursionError):
        _raise_unreadable(body)
    if not items:
        return Rejected(400, RejectedReason.EMPTY, "an empty array")
    if len(items) > MAX_BATCH:
        return Rejected(413, RejectedReason.TOO_MANY, f"{len(items)} events; at most {MAX_BATCH} go into one request")
    notes: dict[int, EventNote] = {}
    return Body([_read_one(bytes(item), at, notes) for at, item in enumerate(items)], batch=True, notes=notes)


def _read_one(text: bytes, at: int, notes: dict[int, EventNote]) -> Event | Rejected:
    """The event in that JSON, or why it is refused. Puts a note, if there is one, into `notes` at `at`."""
    try:
        event = _event_decoder.decode(text)
    except msgspec.ValidationError:
        return _read_leniently(text, at, notes)
    except (ValueError, RecursionError):
        _raise_unreadable(text)
    found = _checked(event)
    if type(found) is Rejected:
        notes[at] = EventNote(event.site)
    return found


def _read_leniently(text: bytes, at: int, notes: dict[int, EventNote]) -> Event | Rejected:
    """As `_read_one`, for an event that failed the strict reading: reads it without its invalid lenient fields."""
    text, site, dropped = _without_invalid_fields(text)
    found: Event | Rejected
    try:
        found = _checked(_event_decoder.decode(text))
    except msgspec.ValidationError as wrong:
        found = _rejection(text, str(wrong))
    notes[at] = EventNote(site, dropped)
    return found


def _without_invalid_fields(text: bytes) -> tuple[bytes, str, tuple[str, ...]]:
    """The JSON without its invalid lenient fields, the site that it names, and the names of those fields."""
    try:
        fields = _object_decoder.decode(text)
    except ValueError:  # not an object
        return text, "", ()
    site = _text_of(fields.get("site")) or ""
    dropped = tuple(name for name in LENIENT_FIELDS if name in fields and not _is_valid(name, fields[name]))
    for name in dropped:
        invalid = fields.pop(name)
        if name == "title" and (title := _text_of(invalid)) is not None:
            fields[name] = msgspec.Raw(msgspec.json.encode(title[:MAX_TITLE]))
    return msgspec.json.encode(fields), site, dropped


def _is_valid(name: str, value: msgspec.Raw) -> bool:
    try:
        _lenient_decoders[name].decode(value)
    except ValueError:
        return False
    return True


def _text_of(value: msgspec.Raw | None) -> str | None:
    """The text if this JSON is a string, else None."""
    with suppress(ValueError):
        return _text_decoder.decode(value) if value is not None else None
    return None


def _checked(event: Event) -> Event | Rejected:
    """The event, or its refusal: the checks that types cannot express."""
    for field in REQUIRED[event.type]:
        if getattr(event, field) is None:
            return Rejected(
                422, RejectedReason.MISSING_FIELD, f"`{field}` is required for the type {event.type}", field
            )
    if event.value is not None and not abs(event.value) < 2**63:
        integer = isinstance(event.value, int)
        status, code = (400, RejectedReason.BAD_NUMBER) if integer else (422, RejectedReason.WRONG_FIELD)
        return Rejected(status, code, "a number that is out of range", "value")
    if event.currency is not None and event.currency not in CURRENCIES:
        return Rejected(422, RejectedReason.WRONG_FIELD, "`currency` is no code of ISO 4217, like EUR", "currency")
    if event.user_id is None and event.user_type is None and event.user_name is None and event.visitor_id is None:
        return event
    return without_placeholders(event)


def _is_placeholder(text: str) -> bool:
    """Whether the text stands for a missing value; both parts of a name may be missing."""
    text = text.strip()
    return text in PLACEHOLDERS or text.startswith("[object ") or all(word in PLACEHOLDERS for word in text.split())


def without_placeholders(event: Event) -> Event:
    """The event without ids and names that are placeholders for missing values."""
    for text in (event.user_id, event.user_type, event.user_name, event.visitor_id):
        if text is not None and _is_placeholder(text):
            break
    else:
        return event
    identity = {name: getattr(event, name) for name in IDENTITY_FIELDS}
    nothing = {name: None for name, text in identity.items() if text is not None and _is_placeholder(text)}
    return msgspec.structs.replace(event, **nothing)


def _rejection(text: bytes, problem: str) -> Rejected:
    """The refusal of an event whose JSON can be parsed; numbers that no database can store are 400."""
    if "out of range" in problem or ((b"e" in text.lower() or len(text) > 18) and _has_bad_number(text)):
        return Rejected(400, RejectedReason.BAD_NUMBER, "a number that is out of range")
    if problem.startswith("Expected `object`, got") and "at `$" not in problem:
        return Rejected(400, RejectedReason.NOT_AN_OBJECT, "an event is a JSON object")
    found = _error_field.search(problem)
    field = (found.group(1) or found.group(2)) if found else None
    code = RejectedReason.MISSING_FIELD if "missing required" in problem else RejectedReason.WRONG_FIELD
    return Rejected(422, code, problem.replace("`$.", "`").replace(" - at ", " at "), field)


def _raise_unreadable(text: bytes) -> NoReturn:
    """Raises `_UnreadableBody` with the reason why these bytes are not accepted as JSON."""
    try:
        json.loads(text, parse_constant=_raise_bad_number, parse_float=_checked_float, parse_int=_checked_int)
    except _UnreadableBody:
        raise
    except (ValueError, RecursionError):
        pass
    raise _UnreadableBody(BAD_JSON)


def _has_bad_number(text: bytes) -> bool:
    try:
        json.loads(text, parse_constant=_raise_bad_number, parse_float=_checked_float, parse_int=_checked_int)
    except _UnreadableBody:
        return True
    except (ValueError, RecursionError):
        return False
    return False


def _raise_bad_number(number: str) -> NoReturn:
    raise _UnreadableBody(Rejected(400, RejectedReason.BAD_NUMBER, f"{number[:20]} is no number that we take"))


def _checked_float(text: str) -> float:
    number = float(text)
    return number if abs(number) < float("inf") else _raise_bad_number(text)


def _checked_int(number: str) -> int:
    if len(number) > 20 or not -(2**63) <= int(number) < 2**63:
        _raise_bad_number(number)
    return int(number)


def _depth(body: bytes) -> int:
    """The nesting depth of the brackets; 1 if there are too few for the depth to matter."""
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return 1
    depth = deepest = 0
    for found in _brackets.finditer(body):
        mark = found.group()
        if mark in (b"[", b"{"):
            depth += 1
            deepest = max(deepest, depth)
        elif mark in (b"]", b"}"):
            depth -= 1
    return deepest


def _with_storable_texts(body: bytes) -> bytes:
    """The JSON with U+FFFD for NUL and lone surrogates, which neither database accepts."""
    try:
        value = json.loads(
            body.decode(), parse_constant=_raise_bad_number, parse_float=_raw_number, parse_int=_raw_number
        )
    except (ValueError, RecursionError):
        _raise_unreadable(body)
    return msgspec.json.encode(storable(value))


def _raw_number(number: str) -> msgspec.Raw:
    """A number as it was written; the event's types check it later."""
    return msgspec.Raw(number.encode())


def storable(value: Any) -> Any:
    """The value with texts that every database takes: without NUL and without halves of surrogate pairs."""
    if isinstance(value, str):
        sound = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return sound.replace("\x00", REPLACEMENT)
    if isinstance(value, list):
        return [storable(item) for item in value]
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    return value
