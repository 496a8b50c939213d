"""The files of an Overview: all the rows of what the page shows, with numbers as the statistics API gives them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analytics.base import language
from analytics.base.errors import InvalidInput, message
from analytics.query.formatting import number
from analytics.query.metrics import METRICS
from analytics.query.query import Order
from analytics.reports.formats import Cell, spreadsheet
from analytics.reports.lists import HOURS, LISTS, PROPERTY_VALUES, TIME, USAGE
from analytics.reports.overview import Overview
from analytics.reports.values import columns_of, heading_of
from analytics.reports.view import Details

FILES = (TIME, HOURS, USAGE, PROPERTY_VALUES, *LISTS)
HOUR_COLUMNS = ("Weekday", "Hour", "Visitors an hour on average")
USAGE_COLUMNS = ("UTC day", "People", "Signed in", "Anonymous")


def headings(name: str) -> tuple[str, ...]:
    """The first row of the file of that name; of `property` the first heading is the name of the property on show."""
    fixed = {HOURS: HOUR_COLUMNS, USAGE: USAGE_COLUMNS, PROPERTY_VALUES: ("", "Visitors")}
    return fixed.get(name) or (heading_of(name), *(METRICS[metric].label for metric in columns_of(name)))


def file(overview: Overview, name: str) -> str:
    """The CSV file of that name; raises `InvalidInput` for an unknown one, naming the known ones."""
    if name not in FILES:
        raise InvalidInput(f"file {name[:40]!r}: {', '.join(FILES)}")
    if name == USAGE:
        return spreadsheet(_usage(overview))
    if name == PROPERTY_VALUES:
        return spreadsheet(_property_values(overview))
    return spreadsheet(_week(overview) if name == HOURS else _list(overview, name))


def _list(overview: Overview, name: str) -> Iterator[Sequence[Cell]]:
    """Searched and sorted as in the details, where those are open."""
    shown = overview.view.details
    usual = Details(name, order=Order("name", False) if name == TIME else Order("visitors"))
    details = shown if shown and shown.of == name else usual
    columns = [METRICS[metric] for metric in columns_of(name)]
    yield headings(name)
    for entry in overview.listing(details, whole=True).rows:
        yield [entry.value if name == TIME else entry.name, *map(number, columns, entry.numbers)]


def _week(overview: Overview) -> Iterator[Sequence[Cell]]:
    yield HOUR_COLUMNS
    for day in overview.week():
        for hour in day:
            yield [language.weekday(hour.weekday, overview.tag), hour.hour, hour.visitors]


def _property_values(overview: Overview) -> Iterator[Sequence[Cell]]:
    """The values of the property on show, of the event in the filters."""
    name = overview.open_property if overview.view.event else ""
    if not name:
        raise InvalidInput(message("file {given}: filter by an event that has properties", given=repr(PROPERTY_VALUES)))
    yield [name, "Visitors"]
    for row in overview.values(name, whole=True).rows:
        yield [str(row.dimensions[0]), row.metrics[0]]


def _usage(overview: Overview) -> Iterator[Sequence[Cell]]:
    yield USAGE_COLUMNS
    for one in overview.usage():
        yield [one.day, one.people, one.signed_in, one.anonymous]
