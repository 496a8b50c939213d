"""Filters in a toolbar: a chip for each, and the menu with the form that adds and changes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from dash import html
from dash.development.base_component import Component

from analytics.base import countries
from analytics.base.words import N_, _
from analytics.query import dimensions
from analytics.query.dimensions import dimension
from analytics.query.filters import Every, Filter, HasDone, Match, Not
from analytics.reports.lists import BY_CODE, shown_value, written
from analytics.reports.view import filtered
from layouts.components import figures
from layouts.components.markup import data, icon
from layouts.footfall_components.chips import Chip, Chips
from layouts.footfall_components.filter_form import Draft, FilterForm, Suggestion, Suggestions, Value

DIMENSIONS = tuple(name for name, one in dimensions.DIMENSIONS.items() if one.of != "time")
NAMED = ("country",)  # read by another name than the stored one, which no part of a text is found in
OPERATORS: Mapping[str, tuple[str, str]] = {  # with one value, with several
    "is": (N_("is"), N_("is any of")),
    "is_not": (N_("is not"), N_("is none of")),
    "contains": (N_("contains"), N_("contains any of")),
    "contains_not": (N_("does not contain"), N_("contains none of")),
    "matches": (N_("matches"), N_("matches any of")),
    "matches_not": (N_("does not match"), N_("matches none of")),
}
NOTE = N_("In a pattern * is any text without a slash, ** any text.")


def bar(chips_id: str, form_id: str, by: Sequence[str]) -> list[Component]:
    """The chips, and the menu with the form; `by` are the dimensions to choose from."""
    form = FilterForm(
        id=form_id,
        dimensions={name: dimension(name).shown for name in by},
        exact=[name for name in NAMED if name in by],
        operators={name: (_(one), _(several)) for name, (one, several) in OPERATORS.items()},
        note=_(NOTE),
    )
    summary = html.Summary([icon("plus"), _("Filter")], className="ff-btn ff-btn-plain", **data(key="filter"))
    menu = html.Details([summary, html.Div(form, className="ff-pop")], className="ff-menu ff-filter-menu")
    return [Chips(id=chips_id, form=form_id), menu]


def chips(current: tuple[Filter, ...], by: Sequence[str]) -> list[Chip]:
    """The filters in words. Those that the form can write can be changed there."""
    return [
        _chip(one, current[:number] + current[number + 1 :], _draft(one, number, by))
        for number, one in enumerate(current)
    ]


def _chip(one: Filter, others: tuple[Filter, ...], draft: Draft | None) -> Chip:
    about, value = words(one)
    return {"about": about, "value": value, "change": filtered(others), "draft": draft}


def _draft(one: Filter, place: int, by: Sequence[str]) -> Draft | None:
    if not isinstance(one, Match) or one.dimension not in by or not one.exact_case:
        return None
    if one.dimension in NAMED and one.operator not in ("is", "is_not"):
        return None
    values: list[Value] = [{"value": value, "label": _label(one, value)} for value in one.values]
    return {"place": place, "by": one.dimension, "how": one.operator, "values": values}


def words(one: Filter) -> tuple[str, str]:
    """A filter in words, in two parts: `Country is any of`, `Germany, France`."""
    match one:
        case Match():
            how = _(OPERATORS[one.operator][len(one.values) > 1])
            values = [_label(one, value) for value in one.values]
            return f"{dimension(one.dimension).shown} {how}", ", ".join(values)
        case HasDone():
            return _("Has done"), " ".join(words(one.part))
        case Not(HasDone(part)):
            return _("Has not done"), " ".join(words(part))
        case Not():
            return _("Not"), " ".join(words(one.part))
    about, joined = (_("All of"), _("and")) if isinstance(one, Every) else (_("One of"), _("or"))
    return about, f" {joined} ".join(" ".join(words(part)) for part in one.parts)


def _label(one: Match, value: str) -> str:
    name = one.dimension
    if value == dimension(name).none:
        return shown_value(name, "")
    is_whole = one.operator in ("is", "is_not")
    return shown_value(name, value) if is_whole or name not in BY_CODE else value  # a part of a code has no name


def suggestions(name: str, text: str, counted: Sequence[tuple[str, int]], limit: int) -> Suggestions:
    """The values of a dimension that suit what is typed, as (value, people), the most frequent first.

    `limit` is how many were looked for: with fewer, these are all. Of countries each is there, by its name.
    """
    known: dict[str, str] = {value: figures.count(people) for value, people in counted}
    rest = sorted(countries.CODES, key=partial(shown_value, name)) if name == "country" else ()
    values: list[Suggestion] = [
        {"value": written(name, value), "label": shown_value(name, value), "number": number}
        for value, number in (known | {code: "" for code in rest if code not in known}).items()
    ]
    return {"by": name, "text": text, "whole": len(counted) < limit, "values": values}
