"""The address of an Overview: reads the question in its query string, and writes the changes that links make to it.

A change is a query string of the names that differ: `period=7d&interval=`; an empty value removes a name from the
address. `assets/components/address.js` applies it to the current address, so that no part has to know what the others
show.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from analytics.base.errors import InvalidInput, message
from analytics.calendar.period import INTERVALS, Span
from analytics.query.filters import Filter, Match
from analytics.query.metrics import metric
from analytics.query.query import MAX_URL_LENGTH, Order, Query
from analytics.reports.lists import LISTS, PANELS, TIME, List, Panel, list_of
from analytics.sites.site import Site

TOP = ("visitors", "visits", "pageviews", "views_per_visit", "bounce_rate", "visit_duration")
USUAL_COMPARISON = "previous:weekdays"
OFF = "off"
BARS = "bars"
TITLES = "titles"
MAX_POINTS = 1_500
MAX_DAYS = 7_300
PAGE = 50  # rows of the details at once
MAX_SEARCH_LENGTH = 200
BY_VISITORS = Order("visitors")
BUCKET_S = {"minute": 60, "hour": 3_600, "day": 86_400, "week": 7 * 86_400, "month": 30 * 86_400}


@dataclass(frozen=True, slots=True)
class Details:
    """A whole list: of a dimension or, with `of` = `TIME`, of the chart's buckets. `page` counts from 1."""

    of: str
    search: str = ""
    order: Order = BY_VISITORS
    page: int = 1


@dataclass(frozen=True, slots=True)
class View:
    """A question (period, filters, comparison, the six metrics), and how its answer is shown.

    `interval` is "" for the one that suits; `lists` has the open list of each panel, by panel;
    `event_property` is the property on show, "" for the first. `bars`: the chart has bars instead of a line.
    `titles`: lists of pages show titles.
    """

    query: Query
    metric: str = "visitors"
    interval: str = ""
    lists: tuple[tuple[str, str], ...] = ()
    event_property: str = ""
    details: Details | None = None
    bars: bool = False
    titles: bool = False

    def open_list(self, panel: Panel) -> List:
        """The open list of a panel."""
        return list_of(dict(self.lists)[panel.id]) if panel.id in dict(self.lists) else panel.lists[0]

    @property
    def event(self) -> str:
        """The only event in the filters, "" where there is none or more than one."""
        found = [one for one in self.query.filters if isinstance(one, Match) and one.dimension == "event"]
        alone = len(found) == 1 and found[0].operator == "is" and len(found[0].values) == 1
        return found[0].values[0] if alone else ""


def parse(text: str, site: Site) -> View:
    """The view in a URL's query string; raises `InvalidInput` with the reason and the known values."""
    if len(text) > MAX_URL_LENGTH:
        raise InvalidInput(message("a question has at most {limit} characters", limit=MAX_URL_LENGTH))
    last = dict(parse_qsl(text))  # the last that are not empty, as assets/components/address.js reads them
    query = Query.from_url(_question(last, site), site, TOP)
    if (dates := query.period.dates) and (dates[1] - dates[0]).days > MAX_DAYS:
        raise InvalidInput(message("period {given}: at most {limit} days", given=query.period, limit=MAX_DAYS))
    return View(
        query,
        _metric(last.get("metric", "visitors")),
        _interval(last.get("interval", "")),
        tuple((panel.id, _list(panel, last[panel.id])) for panel in PANELS if panel.id in last),
        last.get("property", "")[:300],
        _details(last) if last.get("details") else None,
        _is_chosen(last, "draw", BARS),
        _is_chosen(last, "names", TITLES),
    )


def change(**names: object) -> str:
    """The change that sets these names; "" or None removes one."""
    return urlencode({name: "" if value is None else value for name, value in names.items()})


def filtered(current: tuple[Filter, ...]) -> str:
    """The change to these filters, which also closes the details."""
    written = Query(0, filters=current).to_url() or "filters="
    return f"{written}&{CLOSED}"


CLOSED = change(details="", search="", sort="", page="", property="")


def narrowed(current: tuple[Filter, ...], name: str, *values: str) -> tuple[Filter, ...]:
    """The filters, with the dimension equal to one of these values; earlier values of it are replaced."""
    return (*without(current, name), Match("is", name, values))


def without(current: tuple[Filter, ...], *names: str) -> tuple[Filter, ...]:
    """The filters, without those that ask for values of these dimensions."""
    return tuple(one for one in current if not any(_compares(one, "is", name) for name in names))


def only_value(current: tuple[Filter, ...], name: str) -> str:
    """The value that all filters of the dimension ask for; "" where there is none, or more than one."""
    values = [value for one in current if _compares(one, "is", name) for value in _values(one)]
    return values[0] if len(values) == 1 else ""


def excluded(current: tuple[Filter, ...], name: str, *values: str) -> tuple[Filter, ...]:
    """The filters, with these values of the dimension excluded, in addition to those excluded before."""
    before = [value for one in current if _compares(one, "is_not", name) for value in _values(one)]
    others = tuple(one for one in current if not _compares(one, "is_not", name))
    return (*others, Match("is_not", name, tuple(dict.fromkeys((*before, *values)))))


def intervals(period: Span) -> list[str]:
    """The intervals by which a period can be drawn, the shortest first: at least two points, not more than 1,500."""
    seconds = period.end - period.begin
    return [one for one in INTERVALS if 2 <= seconds / BUCKET_S[one] <= MAX_POINTS] or ["month"]


def interval_of(view: View, period: Span) -> str:
    """The interval to draw: the chosen one, else a suitable one; raises `InvalidInput` for one that is too short."""
    known = intervals(period)
    if not view.interval:
        usual = view.query.period.interval
        return usual if usual in known else known[-1] if usual == "month" else known[0]
    if (period.end - period.begin) / BUCKET_S[view.interval] > MAX_POINTS:
        wrong = message(
            "by {interval} this period has more than {limit} points: {known}",
            interval=view.interval,
            limit=MAX_POINTS,
            known=", ".join(known),
        )
        raise InvalidInput(wrong)
    return view.interval


def _compares(one: Filter, operator: str, name: str) -> bool:
    return isinstance(one, Match) and (one.operator, one.dimension, one.exact_case) == (operator, name, True)


def _values(one: Filter) -> tuple[str, ...]:
    return one.values if isinstance(one, Match) else ()


def _question(last: Mapping[str, str], site: Site) -> str:
    """The part of the address that `Query.from_url` reads: period, filters and comparison."""
    pairs = [("period", last.get("period", site.overview_period))]
    if "filters" in last:
        pairs.append(("filters", last["filters"]))
    if (compare := last.get("compare", USUAL_COMPARISON)) != OFF:
        pairs.append(("compare", compare))
    return urlencode(pairs)


def _metric(name: str) -> str:
    if name not in TOP:
        metric(name)  # its error names the known metrics
        raise InvalidInput(message("metric {given} is not drawn here: {known}", given=repr(name), known=", ".join(TOP)))
    return name


def _unknown(what: str, given: str, known: Iterable[str]) -> str:
    """A name of the address with a value that it cannot have, and those that it can: `sort 'x': name, visitors`."""
    return f"{what} {given[:40]!r}: {', '.join(known)}"


def _interval(name: str) -> str:
    if name and name not in INTERVALS:
        raise InvalidInput(_unknown("interval", name, INTERVALS))
    return name


def _is_chosen(last: Mapping[str, str], name: str, choice: str) -> bool:
    chosen = last.get(name, "")
    if chosen not in ("", choice):
        raise InvalidInput(_unknown(name, chosen, [choice]))
    return chosen == choice


def _list(panel: Panel, name: str) -> str:
    known = [one.id for one in panel.lists]
    if name not in known:
        raise InvalidInput(_unknown(panel.id, name, known))
    return name


def _details(values: dict[str, str]) -> Details:
    of = values["details"]
    if of != TIME and of not in LISTS:
        raise InvalidInput(_unknown("details", of, (TIME, *LISTS)))
    columns = ("name", *TOP) if of == TIME else ("name", *LISTS[of].metrics)
    order = order_of(values.get("sort", "-visitors" if of != TIME else "name"), columns)
    return Details(of, values.get("search", "")[:MAX_SEARCH_LENGTH], order, page_of(values.get("page", "1")))


def order_of(text: str, columns: Sequence[str]) -> Order:
    """The order that an address names, `-` before the column for the largest first; raises `InvalidInput`."""
    by = text.removeprefix("-")
    if by not in columns:
        raise InvalidInput(_unknown("sort", by, columns))
    return Order(by, text.startswith("-"))


def page_of(text: str) -> int:
    """The number of a list's page, which counts from 1; raises `InvalidInput`."""
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and int(text)):
        raise InvalidInput(message("page {given} is no whole number from 1 on", given=repr(text[:40])))
    return int(text)
