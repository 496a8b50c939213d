"""Lists and charts of the Overview as files: all the rows of what the page shows, with numbers as the API has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analytics.base.errors import InvalidInput
from analytics.query.formatting import number
from analytics.query.metrics import METRICS
from analytics.query.query import Order
from callbacks.pages.overview_answers import Answers
from layouts.overview import details, heat
from layouts.overview.lists import LISTS
from layouts.overview.page import HOURS
from layouts.overview.panels import PROPERTY
from layouts.overview.sheet import Cell, text
from layouts.overview.usage import USAGE
from layouts.overview.view import TIME, Details

SHEETS = (TIME, HOURS, USAGE, PROPERTY, *LISTS)


def sheet(answers: Answers, name: str) -> str:
    """The file of that name; `InvalidInput` where there is none, naming those that there are."""
    if name not in SHEETS:
        raise InvalidInput(f"file {name[:40]!r}: {', '.join(SHEETS)}")
    if name == USAGE:
        return text(_usage(answers))
    if name == PROPERTY:
        return text(_values(answers))
    return text(_week(answers) if name == HOURS else _list(answers, name))


def _list(answers: Answers, name: str) -> Iterator[Sequence[Cell]]:
    """Searched and sorted as in the details, where those are on show."""
    shown = answers.view.details
    usual = Details(name, order=Order("name", False) if name == TIME else Order("visitors"))
    one = shown if shown and shown.of == name else usual
    found = answers.listing(one, whole=True)
    columns = [METRICS[metric] for metric in details.metrics_of(name)]
    yield [details.heading(name), *(metric.label for metric in columns)]
    for entry in found.rows:
        yield [entry.value if name == TIME else entry.name, *map(number, columns, entry.numbers)]


def _week(answers: Answers) -> Iterator[Sequence[Cell]]:
    yield ["Weekday", "Hour", "Visitors an hour on average"]
    for day in answers.week():
        for hour in day:
            yield [heat.weekday(hour.weekday), hour.hour, hour.visitors]


def _values(answers: Answers) -> Iterator[Sequence[Cell]]:
    """Of the property that is on show, of the event that everything is filtered by."""
    name = answers.open_property if answers.view.event else ""
    if not name:
        raise InvalidInput(f"file {PROPERTY!r}: filter by an event that has properties")
    yield [name, "Visitors"]
    for row in answers.values(name, whole=True).rows:
        yield [str(row.dimensions[0]), row.metrics[0]]


def _usage(answers: Answers) -> Iterator[Sequence[Cell]]:
    yield ["UTC day", "People", "Signed in", "Anonymous"]
    for one in answers.usage():
        yield [one.day, one.people, one.signed_in, one.anonymous]
