"""From the bytes of a request to events: every name of Footfall's own wire format lives here (contract §3.1)."""

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

LARGEST_BODY = 64 * 1024
LARGEST_BATCH = 100
LONGEST_TITLE = 300
DEEPEST = 32
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

Id = Annotated[str, Meta(min_length=8, max_length=36)]
Millis = Annotated[int, Meta(ge=0, le=MAX_ENGAGED_MS)]
Percent = Annotated[int, Meta(ge=0, le=100)]
Pixels = Annotated[int, Meta(ge=1, le=100_000)]
PropName = Annotated[str, Meta(max_length=300)]
PropText = Annotated[str, Meta(max_length=2000)]
Currency = Annotated[str, Meta(max_length=3)]


class Event(msgspec.Struct, frozen=True, gc=False):
    """One thing that a page (or a server) tells: a pageview, a heartbeat, an event or a leave."""

    site: Annotated[str, Meta(min_length=1, max_length=253)]
    type: Literal["pageview", "heartbeat", "event", "leave"]
    id: Id | None = None
    pageview: Id | None = None
    url: Annotated[str, Meta(min_length=1, max_length=8192)] | None = None
    referrer: str | None = None
    title: Annotated[str, Meta(max_length=LONGEST_TITLE)] | None = None
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
    """A heartbeat of a client that gives its pageviews no ids: it is of the visitor's latest pageview of its page.

    `engaged_ms` is what has come since the last one, `scroll` the most so far.
    """


DECORATING = ("title", "screen", "language", "timezone", "referrer")
"""The fields without which an event is as true: a wrong one is left out, a title that is too long is cut."""

NOBODY = {
    *("", "undefined", "null", "NULL", "nil", "<nil>", "(null)", "<null>", "<no value>", "NaN", "nan", "None"),
}
"""What a template prints for an id or a name that is not there, as a script does by `[object Object]` and the like."""
WHO = ("user_id", "user_type", "user_name", "visitor_id")

REQUIRED = {
    "pageview": ("id", "url"),
    "event": ("id", "url", "name"),
    "heartbeat": ("pageview",),
    "leave": ("pageview",),
}


class Note(NamedTuple):
    """What is counted of an event beside its outcome: the site that a refused one names ("" for none), and the
    decorating fields that were left out or cut.
    """

    site: str = ""
    dropped: tuple[str, ...] = ()


class Body(NamedTuple):
    """What a request holds: events and refusals in the order sent, and whether it was an array.

    `notes` are those of the events that have one, by their places; hardly any has.
    """

    events: list[Event | Rejected]
    batch: bool
    notes: Mapping[int, Note] = {}


BAD_ENCODING = Rejected(400, RejectedReason.BAD_ENCODING, "the body is not UTF-8")
BAD_JSON = Rejected(400, RejectedReason.BAD_JSON, "the body is not JSON")
TOO_DEEP = Rejected(400, RejectedReason.TOO_DEEP, f"nested deeper than {DEEPEST} levels")


class _Unreadable(Exception):
    def __init__(self, rejected: Rejected) -> None:
        self.rejected = rejected


_one = msgspec.json.Decoder(Event)
_many = msgspec.json.Decoder(list[msgspec.Raw])
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_types = get_type_hints(Event, include_extras=True)
_decorating = {name: msgspec.json.Decoder(_types[name]) for name in DECORATING}
_text = msgspec.json.Decoder(str)
_field = re.compile(r"at `(?:key` in `)?\$(?:\[\d+\])?\.(\w+)|required field `(\w+)`")
_odd = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
# Possessive, and an open string goes to the end: each byte is looked at once, whatever is sent.
_structure = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)


def read_body(body: bytes) -> Body | Rejected:
    """The events of one request; a `Rejected` where the body as a whole cannot be read (400, 413)."""
    try:
        if not body.isascii():
            body.decode()  # the fields that nobody knows too: the decoder passes over them
        if (deepness := _depth(body)) > DEEPEST:
            return TOO_DEEP
        if _odd.search(body):
            body = _scrubbed(body)
        if deepness and body.lstrip()[:1] == b"[":
            return _read_batch(body)
        notes: dict[int, Note] = {}
        return Body([_read_one(body, 0, notes)], False, notes)
    except UnicodeDecodeError:
        return BAD_ENCODING
    except _Unreadable as unreadable:
        return unreadable.rejected


def read_json(body: bytes) -> object:
    """Whatever JSON the body holds, its texts such as both databases take; a `Rejected` (400) where it holds none."""
    try:
        body.decode()
        if _depth(body) > DEEPEST:
            return TOO_DEEP
        return msgspec.json.decode(_scrubbed(body) if _odd.search(body) else body)
    except UnicodeDecodeError:
        return BAD_ENCODING
    except _Unreadable as unreadable:
        return unreadable.rejected
    except (ValueError, RecursionError):
        return BAD_JSON


def _read_batch(body: bytes) -> Body | Rejected:
    try:
        items = _many.decode(body)
    except (ValueError, RecursionError):
        _explain(body)
    if not items:
        return Rejected(400, RejectedReason.EMPTY, "an empty array")
    if len(items) > LARGEST_BATCH:
        return Rejected(
            413, RejectedReason.TOO_MANY, f"{len(items)} events; at most {LARGEST_BATCH} go into one request"
        )
    notes: dict[int, Note] = {}
    return Body([_read_one(bytes(item), at, notes) for at, item in enumerate(items)], batch=True, notes=notes)


def _read_one(text: bytes, at: int, notes: dict[int, Note]) -> Event | Rejected:
    """The event in that JSON, or why it is refused; its note, if it has one, is put at its place."""
    try:
        event = _one.decode(text)
    except msgspec.ValidationError:
        return _read_tidied(text, at, notes)
    except (ValueError, RecursionError):
        _explain(text)
    found = _checked(event)
    if type(found) is Rejected:
        notes[at] = Note(event.site)
    return found


def _read_tidied(text: bytes, at: int, notes: dict[int, Note]) -> Event | Rejected:
    """The same of an event with something wrong: it is read again without what is wrong of its decorating fields."""
    text, site, dropped = _tidied(text)
    found: Event | Rejected
    try:
        found = _checked(_one.decode(text))
    except msgspec.ValidationError as wrong:
        found = _wrong(text, str(wrong))
    notes[at] = Note(site, dropped)
    return found


def _tidied(text: bytes) -> tuple[bytes, str, tuple[str, ...]]:
    """The JSON with only sound decorating fields, the site that it names, and the names of the unsound ones."""
    try:
        fields = _fields.decode(text)
    except ValueError:  # no object
        return text, "", ()
    site = _text_of(fields.get("site")) or ""
    dropped = tuple(name for name in DECORATING if name in fields and not _is_sound(name, fields[name]))
    for name in dropped:
        unsound = fields.pop(name)
        if name == "title" and (title := _text_of(unsound)) is not None:
            fields[name] = msgspec.Raw(msgspec.json.encode(title[:LONGEST_TITLE]))
    return msgspec.json.encode(fields), site, dropped


def _is_sound(name: str, value: msgspec.Raw) -> bool:
    try:
        _decorating[name].decode(value)
    except ValueError:
        return False
    return True


def _text_of(value: msgspec.Raw | None) -> str | None:
    """The text that this JSON is; None where it is something else."""
    with suppress(ValueError):
        return _text.decode(value) if value is not None else None
    return None


def _checked(event: Event) -> Event | Rejected:
    """The event itself, unless something is missing or absurd that its types cannot say."""
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
    return without_nobody(event)


def _is_nothing(said: str) -> bool:
    """Whether that is only what is printed for nothing; a name may be of two parts, neither of which is there."""
    said = said.strip()
    return said in NOBODY or said.startswith("[object ") or all(word in NOBODY for word in said.split())


def without_nobody(event: Event) -> Event:
    """The event without ids and names that are just what is printed for nothing."""
    for said in (event.user_id, event.user_type, event.user_name, event.visitor_id):
        if said is not None and _is_nothing(said):
            break
    else:
        return event
    told = {name: getattr(event, name) for name in WHO}
    nothing = {name: None for name, text in told.items() if text is not None and _is_nothing(text)}
    return msgspec.structs.replace(event, **nothing)


def _wrong(text: bytes, said: str) -> Rejected:
    """What is wrong with an event whose JSON is readable; numbers that no database holds are 400."""
    if "out of range" in said or ((b"e" in text.lower() or len(text) > 18) and _has_bad_number(text)):
        return Rejected(400, RejectedReason.BAD_NUMBER, "a number that is out of range")
    if said.startswith("Expected `object`, got") and "at `$" not in said:
        return Rejected(400, RejectedReason.NOT_AN_OBJECT, "an event is a JSON object")
    found = _field.search(said)
    field = (found.group(1) or found.group(2)) if found else None
    code = RejectedReason.MISSING_FIELD if "missing required" in said else RejectedReason.WRONG_FIELD
    return Rejected(422, code, said.replace("`$.", "`").replace(" - at ", " at "), field)


def _explain(text: bytes) -> NoReturn:
    """Raises with the reason why these bytes are no JSON that we read."""
    try:
        json.loads(text, parse_constant=_refuse_number, parse_float=_finite, parse_int=_whole)
    except _Unreadable:
        raise
    except (ValueError, RecursionError):
        pass
    raise _Unreadable(BAD_JSON)


def _has_bad_number(text: bytes) -> bool:
    try:
        json.loads(text, parse_constant=_refuse_number, parse_float=_finite, parse_int=_whole)
    except _Unreadable:
        return True
    except (ValueError, RecursionError):
        return False
    return False


def _refuse_number(said: str) -> NoReturn:
    raise _Unreadable(Rejected(400, RejectedReason.BAD_NUMBER, f"{said[:20]} is no number that we take"))


def _finite(said: str) -> float:
    number = float(said)
    return number if abs(number) < float("inf") else _refuse_number(said)


def _whole(said: str) -> int:
    if len(said) > 20 or not -(2**63) <= int(said) < 2**63:
        _refuse_number(said)
    return int(said)


def _depth(body: bytes) -> int:
    """How deep the brackets nest: exactly where there are many, roughly (1) where there are few."""
    if body.count(b"[") + body.count(b"{") <= DEEPEST:
        return 1
    depth = deepest = 0
    for found in _structure.finditer(body):
        mark = found.group()
        if mark in (b"[", b"{"):
            depth += 1
            deepest = max(deepest, depth)
        elif mark in (b"]", b"}"):
            depth -= 1
    return deepest


def _scrubbed(body: bytes) -> bytes:
    """The same JSON with U+FFFD for NUL and for lone surrogates, which neither database takes."""
    try:
        value = json.loads(body.decode(), parse_constant=_refuse_number, parse_float=_verbatim, parse_int=_verbatim)
    except (ValueError, RecursionError):
        _explain(body)
    return msgspec.json.encode(_clean(value))


def _verbatim(said: str) -> msgspec.Raw:
    """A number as it was written: whether it is one that we take is the event's own matter."""
    return msgspec.Raw(said.encode())


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        sound = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return sound.replace("\x00", REPLACEMENT)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    return value
