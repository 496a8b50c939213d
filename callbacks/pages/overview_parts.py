"""What the parts of an Overview show: the values of their outputs, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from analytics.reports.lists import EVENT_PANEL, EVENTS, HOURS, LISTS, MAP, PANELS, PLACES, USAGE, Panel, list_of
from analytics.reports.overview import Overview
from analytics.reports.view import interval_of
from layouts.components.address import at
from layouts.figures import countries, over_time, regions, week_hours
from layouts.figures.countries import CountryCount
from layouts.figures.regions import RegionCount
from layouts.footfall_components.ranking import SecondList
from layouts.overview import details, filters, notes, numbers, page, panels, places, segments, toolbar, usage, week
from layouts.overview.segments import May

Values = dict[str, Any]
PANEL_OF: Mapping[str, Panel] = {one.id: one for one in PANELS}


def top(overview: Overview, may: May) -> Values:
    """The toolbar, the numbers and the words above the chart."""
    is_running = overview.span.begin <= overview.now < overview.span.end
    windows = numbers.windows(overview.span, overview.earlier, overview.zone)
    view, interval = overview.view, interval_of(overview.view, overview.span)
    empty = _empty(overview, may)
    stats = [] if empty else numbers.stats(overview.numbers, overview.before, view.metric, windows)
    return {
        **_toolbar(overview, may),
        "panels": bool(empty),
        "stats": stats,
        "empty": empty,
        "no_chart": bool(empty),
        "title": numbers.title(view.metric, interval),
        "legend": numbers.legend(windows, interval, is_running=is_running),
        "intervals": numbers.intervals(overview.intervals, interval),
        "shapes": numbers.shapes(bars=view.bars),
        "notes": notes.lines(overview.notes) if may.share else [],
        "said": numbers.sentence(stats, empty),
    }


def _empty(overview: Overview, may: May) -> Any:
    if overview.numbers["visits"]:
        return None
    if (first := overview.first_day) is None:
        domain = quote(overview.site.domain, safe="")
        return numbers.no_data(at(f"/settings/{domain}/snippet") if may.share else "")
    return numbers.nothing(overview.period, bool(overview.query.filters), first)


def _toolbar(overview: Overview, may: May) -> Values:
    query, span, now = overview.query, overview.span, overview.now
    before, after = (toolbar.turn(query, span, now, way) for way in (-1, 1))
    known, saves = overview.segments(), bool(query.filters) and may.save
    return {
        "chips": filters.chips(query.filters, filters.DIMENSIONS),
        "comparison": toolbar.comparison(query, overview.earlier),
        "period": toolbar.periods(query, span, now),
        "before": before,
        "no_before": not before,
        "after": after,
        "no_after": not after,
        "segments": segments.lines(known, query.filters, may),
        "no_segments": not known and not saves,
        "saves": segments.written(query.filters),
        "no_saves": not saves,
    }


def chart(overview: Overview) -> Values:
    """The chosen metric over time; nothing of a site without data."""
    drawn = overview.chart()
    if not any(value for _, value in drawn.buckets) and not overview.first:
        return {}
    return {"figure": over_time.figure(drawn, bars=overview.view.bars), "words": over_time.words(drawn)}


def ranking(name: str, overview: Overview) -> Values:
    """A panel: one of its lists, or its map, which is a part of its own."""
    files, filters, period = page.address(overview.site.domain), overview.query.filters, overview.period
    if name == EVENT_PANEL:
        found = overview.rows(EVENTS)
        return panels.events(found, overview.everybody, filters, period, files, _properties(overview, files))
    panel = PANEL_OF[name]
    shown = overview.view.open_list(panel)
    is_picture = shown.id == MAP and overview.everybody > 0
    answer = None if is_picture else overview.rows(shown)
    titles = overview.titles(shown.dimension, [str(row.dimensions[0]) for row in answer.rows]) if answer else {}
    named = panels.Named(titles, overview.view.titles)
    of_regions = is_picture and any(name for name, _ in overview.regions)
    return panels.panel(panel, shown, answer, overview.everybody, filters, period, files, named, of_regions=of_regions)


def _properties(overview: Overview, files: str) -> SecondList | None:
    if not overview.view.event:
        return None
    names, shown = overview.properties, overview.open_property
    if not names:
        return panels.no_properties()
    values = overview.values(shown)
    return panels.properties(names, shown, values, overview.everybody, overview.query.filters, files)


def _map(overview: Overview) -> Values:
    if overview.view.open_list(PLACES).id != MAP:
        return {}
    if overview.everybody == 0:
        return {}
    placed = regions.placed(overview.country, [one for one in overview.regions if one[0]])
    note = places.note(overview.country, overview.regions, placed, overview.query.filters)
    return {"note": note} | (_regions if any(placed) else _countries)(overview)


def _countries(overview: Overview) -> Values:
    rows, filters = overview.rows(list_of(MAP)).rows, overview.query.filters
    known = [(str(row.dimensions[0]), int(row.metrics[0] or 0)) for row in rows if row.dimensions[0]]
    found = [CountryCount(code, people, **panels.ways("country", [code], filters)) for code, people in known]
    drawn = {"figure": countries.figure(found, overview.country), "words": countries.words(found)}
    return drawn if overview.country else drawn | {"note": places.note_of_world(known)}


def _regions(overview: Overview) -> Values:
    known = [one for one in overview.regions if one[0]]
    found = [
        RegionCount(
            code, names[0], sum(people for _, people in same), **panels.ways("region", names, overview.query.filters)
        )
        for code, same in regions.placed(overview.country, known).items()
        if code and (names := [name for name, _ in same])
    ]
    return {"figure": regions.figure(overview.country, found), "words": regions.words(overview.country, known)}


def _hours(overview: Overview) -> Values:
    if not overview.everybody:  # in a hidden box a figure would have no size
        return {"foot": week.nothing(overview.period), "box": True}
    found = overview.week()
    if not any(hour.visitors for day in found for hour in day):
        return {"foot": week.nothing(overview.week_period), "box": True}
    return {
        "box": False,
        "figure": week_hours.figure(found),
        "words": week_hours.words(found),
        "foot": week.foot(found, overview.week_period),
        **week.table(found),
    }


def _usage(overview: Overview) -> Values:
    return usage.bars(overview.usage(), overview.days)


SLOW: Mapping[str, Callable[[Overview], Values]] = {"map": _map, HOURS: _hours, USAGE: _usage}


def rows(overview: Overview) -> Values:
    """The rows of the details; nothing while they are closed."""
    one = overview.view.details
    if one is None:
        return {}
    files = page.address(overview.site.domain)
    found = overview.listing(one)
    titles = overview.titles(LISTS[one.of].dimension, [row.value for row in found.rows]) if one.of in LISTS else {}
    named = panels.Named(titles, overview.view.titles)
    return details.table(one, found, overview.query.filters, overview.period, files, named)
