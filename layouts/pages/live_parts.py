"""The parts of the Live page, which its callback draws again and again.

Each part is the children of the element that carries its name as id: `split(state)` goes into `#split`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any, NamedTuple
from urllib.parse import urlencode

from dash import html
from dash.development.base_component import Component

from analytics.base.idn import in_letters
from analytics.base.words import N_, _, ngettext
from analytics.live.state import Concurrency, LabelCount, LiveState, Others, PlaceCount
from analytics.query.metrics import METRICS
from analytics.reports.values import Numbers
from analytics.reports.view import TOP
from layouts.components import figures, label_counts, states
from layouts.components import places as map_of
from layouts.components.address import at
from layouts.components.markup import aria
from layouts.figures import active_minutes, places_map, template
from layouts.footfall_components.stats import Compared, Stat
from layouts.overview import numbers

ROWS = 10
USER_TYPES = 4
LINE = N_("active, each minute")


class Words(NamedTuple):
    """The page's words for the moment that it shows, in English: people read `_` of them."""

    column: str
    nobody: str
    hour_ago: str
    peak: str


NOW = Words(N_("Now"), N_("Nobody here right now"), N_("1 h ago"), N_("Peak today"))
THEN = Words(N_("Then"), N_("Nobody was here then"), N_("1 h before"), N_("Peak until then"))  # rewound
NO_MATCH_NOW = N_("Nobody here matches the filters")
NO_MATCH_THEN = N_("Nobody who was here matches the filters")
DIRECT = N_("Direct")  # people without a known source

Side = tuple[int, str, str]  # of the split: people, their number as text, share
NO_SIDE: Side = (0, figures.UNKNOWN, "")


def words(*, is_past: bool, is_filtered: bool) -> Words:
    """The words for now or a second of the past."""
    found = THEN if is_past else NOW
    return found._replace(nobody=NO_MATCH_THEN if is_past else NO_MATCH_NOW) if is_filtered else found


def active_now(state: LiveState) -> str:
    """The big number."""
    return figures.count(state.active)


def split(state: LiveState) -> list[Component]:
    """Signed-in against anonymous: a bar and its legend with numbers and shares."""
    return _split(
        *(
            (people, figures.count(people), figures.percent(people, state.active))
            for people in (state.signed_in, state.anonymous)
        )
    )


def no_split() -> list[Component]:
    """The same before the first numbers."""
    return _split(NO_SIDE, NO_SIDE)


def user_types(state: LiveState) -> list[Component]:
    """The most frequent user types with their people; empty where the site sends none."""
    shown, rest = label_counts.top(state.user_types, Others(0, 0), USER_TYPES)
    lines: list[Component] = [_user_type(entry) for entry in shown]
    if rest.people:
        others = _("{n} more", n=figures.count(rest.others))
        lines.append(_user_type(LabelCount(others, rest.people)))
    return lines


def facts(state: LiveState, concurrency: Concurrency, zone: tzinfo, words: Words = NOW) -> list[Component]:
    """The figures next to the big number: an hour ago with the change, and today's peak with its time in `zone`.

    A current number above the stored peak is the peak. A peak that is not known yet is left out.
    """
    ago = concurrency.hour_ago
    hour_ago: list[Any] = [figures.UNKNOWN if ago is None else figures.count(ago)]
    if (change := figures.change(state.active, ago, is_few=(ago or 0) < figures.FEW)) is not None:
        hour_ago += [" ", change]
    if concurrency.peak is None or not (concurrency.peak[0] or state.active):
        return _facts(hour_ago, figures.UNKNOWN, words)
    people, at = max(concurrency.peak, (state.active, state.at), key=lambda peak: peak[0])
    peak = [figures.count(people), html.Small(" " + _("at {time}", time=figures.time_of_day(at, zone)))]
    return _facts(hour_ago, peak, words)


def facts_of_some(state: LiveState, everybody: int) -> list[Component]:
    """The figures next to a filtered number. An hour ago and the peak are left out: they are known of all only."""
    share = figures.percent(state.active, everybody)
    match = [html.Small(" " + _("{share} match", share=share))] if share else []
    return [html.Dt(_("All visitors")), html.Dd([figures.count(everybody), *match])]


def no_facts() -> list[Component]:
    """The figures next to the big number before they are known."""
    return _facts(figures.UNKNOWN, figures.UNKNOWN)


def line_of(*, is_filtered: bool) -> str:
    """What the line of the last 30 minutes counts."""
    return _("all visitors, each minute") if is_filtered else _(LINE)


def today(domain: str, now: Numbers, before: Numbers | None, than: str, filtered_by: str = "") -> list[Stat]:
    """Today's numbers, each with its change against the same weekday a week ago, `than` in words.

    `filtered_by` has the filters as a query string.
    """
    links = {name: f"{urlencode({'period': 'today', 'metric': name})}&{filtered_by}".rstrip("&") for name in TOP}
    return [_of_today(f"/overview/{domain}?{link}", name, now[name], before, than) for name, link in links.items()]


def _of_today(href: str, name: str, now: float | None, before: Numbers | None, than: str) -> Stat:
    metric, few = METRICS[name], before is not None and numbers.is_of_few(name, before)
    earlier = before[name] if before else None
    found = None if now is None else figures.delta(now, earlier, better=metric.better, fine=True, is_few=few)
    compared: Compared | None = None
    if found:
        compared = {"look": found.look, "seen": found.seen, "said": found.said, "since": than, "within": ""}
    return {
        "key": f"today-{name}",
        "label": _("{metric} today", metric=_(metric.label)),
        "value": figures.number(now, metric.unit),
        "definition": _(metric.definition),
        "href": at(href),
        "compared": compared,
    }


def pages(state: LiveState, words: Words = NOW, titles: Mapping[str, str] = label_counts.NO_TITLES) -> list[Component]:
    """The pages that people are on, each person on one; those of `titles` (by path) with both."""
    if not state.active:
        return [states.nothing(_(words.nobody), _("The pages that people open show up here."))]
    shown, rest = label_counts.top(state.pages, state.other_pages, ROWS)
    others = ngettext("{people} on {n} other page", "{people} on {n} other pages", rest.others)
    return _ranked(_("Page"), words, tuple(shown), label_counts.left_out(rest, others), titles)


def sources(state: LiveState, words: Words = NOW) -> list[Component]:
    """The sources of the people who are here."""
    if not state.active:
        return [states.nothing(_(words.nobody), _("Where people come from shows up here."))]
    shown, rest = label_counts.top(state.sources, state.other_sources, ROWS)
    shown = tuple(LabelCount(in_letters(entry.label) or _(DIRECT), entry.people) for entry in shown)
    others = ngettext("{people} from {n} other source", "{people} from {n} other sources", rest.others)
    return _ranked(_("Source"), words, shown, label_counts.left_out(rest, others))


def places(state: LiveState, words: Words = NOW) -> list[Component]:
    """What stands on the map: the countries and the scale of its dots; without people a word."""
    if not state.active:
        return [html.P(_(words.nobody), className="ff-map-none")]
    return [map_of.list_of_countries(state), *_few(state.places), *_scale(state.places)]


def line(state: LiveState, concurrency: Concurrency | None, zone: tzinfo) -> template.Figure:
    """The line of the last 30 minutes."""
    return active_minutes.figure(points(state, concurrency), zone)


def map_of_places(state: LiveState) -> template.Figure:
    """The map."""
    return places_map.figure(state.places)


def points(state: LiveState, concurrency: Concurrency | None) -> list[active_minutes.Point]:
    """The points of the line, oldest first."""
    return active_minutes.points(concurrency.points if concurrency else (), state.at, state.active)


def line_in_words(state: LiveState, concurrency: Concurrency | None) -> str:
    """The line for screen readers."""
    return active_minutes.words(points(state, concurrency))


def map_in_words(state: LiveState) -> str:
    """The map for screen readers."""
    return places_map.words(state.places)


def minutes_table(state: LiveState, concurrency: Concurrency | None, zone: tzinfo) -> Component:
    """The line's numbers, the latest first."""
    shown = reversed(points(state, concurrency))
    rows = [(figures.time_of_day(at, zone), figures.count(people)) for at, people in shown]
    return _table((_("Minute"), _("Active")), rows)


def places_table(state: LiveState) -> Component:
    """The people of each place on the map."""
    shown, rest = state.places[: places_map.MAX_PLACES], state.places[places_map.MAX_PLACES :]
    rows = [(places_map.name(place), figures.count(place.people)) for place in shown]
    if rest:
        others = ngettext("{n} other place", "{n} other places", len(rest), n=figures.count(len(rest)))
        rows.append((others, figures.count(sum(place.people for place in rest))))
    return _table((_("Place"), _("Active")), rows)


def _table(heads: tuple[str, str], rows: list[tuple[str, str]]) -> Component:
    head = html.Tr([html.Th(heads[0], scope="col"), html.Th(heads[1], scope="col", className="ff-num")])
    body = [html.Tr([html.Th(html.Bdi(left), scope="row"), html.Td(right, className="ff-num")]) for left, right in rows]
    return html.Table([html.Thead(head), html.Tbody(body)], className="ff-table")


def _few(places: Sequence[PlaceCount]) -> list[Component]:
    """That the map has no dot for the smallest places; nothing where it has."""
    said = places_map.left_out(places)
    return [html.P(said, className="ff-map-few")] if said else []


def _scale(places: Sequence[PlaceCount]) -> list[Component]:
    """What the sizes of the dots mean; nothing without places."""
    if not places:
        return []
    most = max(place.people for place in places)
    parts: list[Any] = []
    for people in places_map.legend(most):
        px = f"{places_map.diameter(people, most):.0f}px"
        parts += [html.I(style={"width": px, "height": px}), figures.count(people)]
    parts[-1] = figures.people(places_map.legend(most)[-1])
    return [html.Div(parts, className="ff-map-size", **aria(hidden="true"))]


def _ranked(
    heading: str,
    words: Words,
    shown: tuple[LabelCount, ...],
    rest: Component | None,
    titles: Mapping[str, str] = label_counts.NO_TITLES,
) -> list[Component]:
    table = label_counts.table(heading, shown, _(words.column), titles)
    return [table] if rest is None else [table, rest]


def _facts(hour_ago: str | list[Any], peak: str | list[Any], words: Words = NOW) -> list[Component]:
    return [html.Dt(_(words.hour_ago)), html.Dd(hour_ago), html.Dt(_(words.peak)), html.Dd(peak)]


def _split(signed_in: Side, anonymous: Side) -> list[Component]:
    bars = [
        html.I(id="split-signed-in", style={"flex": signed_in[0]}),
        html.I(id="split-anonymous", style={"flex": anonymous[0]}),
    ]
    legend = [
        _legend("signed-in", "ff-key-dot", _("Signed in"), signed_in),
        _legend("anonymous", "ff-key-dot ff-key-2", _("Anonymous"), anonymous),
    ]
    return [html.Div(bars, className="ff-split-bar", **aria(hidden="true")), html.Ul(legend)]


def _legend(name: str, key: str, label: str, side: Side) -> Component:
    _people, people, share = side
    return html.Li(
        [
            html.Span(className=f"ff-key {key}"),
            html.Span(label),
            html.B(people, id=name),
            html.Span(share, id=f"{name}-share", className="ff-muted ff-num"),
        ]
    )


def _user_type(entry: LabelCount) -> html.Li:
    return html.Li(
        [html.Bdi(entry.label, className="ff-trunc", title=entry.label), html.B(figures.count(entry.people))]
    )
