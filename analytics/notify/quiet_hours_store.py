"""The quiet hours of people: reads, saves and removes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, delete, select

from analytics.base.errors import InvalidInput, checked, message
from analytics.base.zones import canonical
from analytics.notify.quiet_hours import ALL_DAYS, PRIORITIES, Digest, QuietHours
from analytics.notify.rule import Priority
from analytics.storage import schema
from analytics.storage.database import Database
from analytics.storage.upsert import upsert

_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


def of_person(database: Database, person_id: int) -> QuietHours | None:
    """The quiet hours of a person; None for one who has never set any."""
    table = schema.quiet_hours
    with database.read() as connection:
        row = connection.execute(select(table).where(table.c.person_id == person_id)).first()
    return None if row is None else read_row(row)


def read_row(row: Row[Any]) -> QuietHours:
    """The quiet hours in a row of the table."""
    values = {name: getattr(row, name) for name in QuietHours._fields}
    return QuietHours(**values | {"up_to": Priority(row.up_to), "digest": Digest(row.digest)})


def save(database: Database, person_id: int, fields: Mapping[str, Any]) -> QuietHours:
    """Saves the quiet hours of a person, who may have had others.

    `fields` are those of `QuietHours`; times are texts like 22:00, days a list of weekdays from 0, Monday, empty for no
    quiet hours. Missing ones get their defaults. `InvalidInput` names every field that is wrong.
    """
    if unknown := sorted(set(fields) - set(_CHECKS)):
        raise InvalidInput(f"unknown: {', '.join(unknown)[:200]}; quiet hours have {', '.join(_CHECKS)}")
    hours = QuietHours(**checked(_CHECKS, fields))
    if hours.days == ALL_DAYS and hours.begins == hours.ends:
        wrong = message("quiet hours of every day end at another time than they begin")
        raise InvalidInput(wrong, {"ends": wrong})
    with database.transaction() as connection:
        upsert(connection, schema.quiet_hours, [{"person_id": person_id} | hours._asdict()], overwrite=True)
    return hours


def remove(database: Database, person_id: int) -> None:
    """Removes the quiet hours of a person, if there are any."""
    table = schema.quiet_hours
    with database.transaction() as connection:
        connection.execute(delete(table).where(table.c.person_id == person_id))


def _days(given: object) -> int:
    known = isinstance(given, list | tuple) and all(type(day) is int and 0 <= day <= 6 for day in given)
    if not known:
        raise InvalidInput(message("days: a list of weekdays, 0 (Monday) to 6 (Sunday); empty: no quiet hours"))
    return sum(1 << day for day in set(given))  # type: ignore[call-overload]


def _minutes(given: object) -> int:
    found = _TIME.fullmatch(given) if isinstance(given, str) else None
    if found is None:
        raise InvalidInput(message("give a time of the day like 22:00"))
    return int(found[1]) * 60 + int(found[2])


def _timezone(given: object) -> str:
    return canonical(given if isinstance(given, str) else "")


def _priority(given: object) -> Priority:
    if given not in PRIORITIES:
        raise InvalidInput(message("up_to: one of {known}", known=", ".join(PRIORITIES)))
    return Priority(str(given))


def _digest(given: object) -> Digest:
    if given not in tuple(Digest):
        raise InvalidInput(message("digest: one of {known}", known=", ".join(Digest)))
    return Digest(str(given))


def _digest_day(given: object) -> int:
    if type(given) is not int or not 0 <= given <= 6:
        raise InvalidInput(message("digest_day: a weekday, 0 (Monday) to 6 (Sunday)"))
    return given


_CHECKS = {
    "days": _days,
    "begins": _minutes,
    "ends": _minutes,
    "timezone": _timezone,
    "up_to": _priority,
    "digest": _digest,
    "digest_at": _minutes,
    "digest_day": _digest_day,
}
