"""The panels: lists with a bar, a number and a share in each row, whose labels filter everything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from analytics.base.errors import InvalidInput
from analytics.base.words import _
from analytics.query.dimensions import dimension
from analytics.query.filters import Filter
from analytics.query.result import Answer, Row
from analytics.reports.lists import EVENTS, MAP, OF_PATHS, PROPERTY_VALUES, List, Panel, list_of, shown_value, written
from analytics.reports.view import TITLES, change, excluded, filtered, narrowed
from layouts.components import figures
from layouts.footfall_components.details_table import DetailsRow
from layouts.footfall_components.ranking import ChoiceItem, DetailsLink, EmptyState, FileLink, RankingRow, SecondList

PROPS = ("rows", "heading", "naming", "tabs", "empty", "details", "file", "more", "pictured")

ShownRow = TypeVar("ShownRow", RankingRow, DetailsRow)
Props = dict[str, Any]  # of a `Ranking`, all of PROPS


class Named(NamedTuple):
    """The titles of pages by path, and whether lists of pages show them."""

    titles: Mapping[str, str]
    by_title: bool = False


BY_PATH = Named({})


def panel(
    one: Panel,
    shown: List,
    answer: Answer | None,
    everybody: int,
    current: tuple[Filter, ...],
    period: str,
    files: str,
    named: Named = BY_PATH,
    *,
    of_regions: bool = False,
) -> Props:
    """A panel with one of its lists open, or its map, for which there is no `answer`.

    The map has its numbers in the list of countries, and a map `of_regions` in that of regions.

    `everybody` is the number of visitors of the whole question; `files` is the address below which its files are.
    """
    tabs = [
        {
            "key": f"tab-{each.id}",
            "label": _(each.label),
            "change": change(**{one.id: "" if each is one.lists[0] else each.id}),
            "chosen": each is shown,
        }
        for each in one.lists
    ]
    whole = list_of("region" if of_regions else "country") if shown.id == MAP else shown
    rows = _rows(shown.dimension, answer.rows, everybody, current, named.titles) if answer else []
    more = {"tabs": tabs, "pictured": answer is None, "naming": naming(shown, named.by_title)}
    return _props(shown, whole, rows, period, files) | more


def events(
    answer: Answer,
    everybody: int,
    current: tuple[Filter, ...],
    period: str,
    files: str,
    more: SecondList | None = None,
) -> Props:
    """The panel of events; `more` are the properties of the event that the filters name."""
    rows = _rows(EVENTS.dimension, answer.rows, everybody, current)
    return _props(EVENTS, EVENTS, rows, period, files) | {"more": more}


def properties(
    names: Sequence[str], shown: str, answer: Answer, everybody: int, current: tuple[Filter, ...], files: str
) -> SecondList:
    """The names of an event's properties, and the values of the one that is shown."""
    return {
        "title": _("Properties"),
        "choices": [
            {"key": f"property-{name}", "label": name, "change": change(property=name), "chosen": name == shown}
            for name in names
        ],
        "file": _file(files, PROPERTY_VALUES, shown),
        "heading": shown,
        "rows": _rows(f"prop:{shown}", answer.rows, everybody, current),
    }


def no_properties() -> SecondList:
    """The text for an event without properties."""
    return {"note": _("This event has no properties.")}


def nothing(shown: List, period: str) -> EmptyState:
    """The text for a list without rows."""
    title = _("No {rows} in this period: {period}", rows=_(shown.rows), period=period)
    return {"title": title, "hint": _(shown.empty)}


def naming(shown: List, by_title: bool) -> ChoiceItem | None:
    """The switch between titles and paths, of a list of pages."""
    if shown.dimension not in OF_PATHS:
        return None
    turned = change(names="" if by_title else TITLES)
    return {"key": "titles", "label": _("Titles"), "change": turned, "chosen": by_title}


def ways(name: str, values: list[str], current: tuple[Filter, ...]) -> dict[str, str]:
    """The changes of the address by which a click on values filters by them, and with Shift excludes them."""
    sent = [written(name, value) for value in values]
    return {"change": _way(narrowed, current, name, sent), "out": _way(excluded, current, name, sent)}


def _way(
    changed: Callable[..., tuple[Filter, ...]], current: tuple[Filter, ...], name: str, values: Sequence[str]
) -> str:
    """A change of the address; "" for a filter with more values than it can have."""
    try:
        return filtered(changed(current, name, *values))
    except InvalidInput:
        return ""


def _props(shown: List, whole: List, rows: Sequence[RankingRow], period: str, files: str) -> Props:
    details: DetailsLink = {
        "label": _("Details: {list}", list=_(whole.label)),
        "change": change(details=whole.id),
        "key": f"details-{whole.id}",
    }
    return {
        "rows": rows,
        "heading": dimension(shown.dimension).shown,
        "naming": None,
        "tabs": None,
        "empty": nothing(shown, period),
        "details": details,
        "file": _file(files, whole.id, _(whole.label)),
        "more": None,
        "pictured": False,
    }


def _file(files: str, name: str, what: str) -> FileLink:
    return {"href": f"{files}/{name}.csv", "label": _("{list} as CSV", list=what)}


def _rows(
    name: str, rows: Sequence[Row], everybody: int, current: tuple[Filter, ...], titles: Mapping[str, str] = {}
) -> list[RankingRow]:
    most = max((int(row.metrics[0] or 0) for row in rows), default=1) or 1
    found = [(str(row.dimensions[0]), int(row.metrics[0] or 0)) for row in rows]
    return [titled(_row(name, value, people, most, everybody, current), titles.get(value)) for value, people in found]


def titled(row: ShownRow, title: str | None) -> ShownRow:
    """The row of a page by its title, with its path below; as it is where the page has none."""
    return {**row, "label": title, "about": row["label"]} if title else row


def _row(name: str, value: str, people: int, most: int, everybody: int, current: tuple[Filter, ...]) -> RankingRow:
    ways_on = ways(name, [value], current)
    return {
        "key": f"{name}={value}",
        "label": shown_value(name, value),
        "bar": round(people / most, 3),
        "number": figures.count(people),
        "share": figures.number(people / everybody, "share") if everybody else "",
        "change": ways_on["change"],
        "out": ways_on["out"],
    }
