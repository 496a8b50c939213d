"""The Concurrents page's chart: people at each minute of a day, over the same day a week before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

from analytics.base.words import _
from analytics.calendar.minute_series import MINUTE, UNKNOWN, DayOfConcurrents
from layouts.components import figures
from layouts.figures import template
from layouts.figures.template import Figure

BAND = 30  # minutes to both sides: the band is between the least and the most people of the week before around a minute
BAND_STEP = 5  # minutes from point to point of the band
WEEK_S = 7 * 86_400


def figure(day: DayOfConcurrents, zone: tzinfo) -> Figure:
    """The day's line with a dot at its peak, the week before dashed with its band, unknown stretches shaded.

    Times are those of the site's clock; plotly knows no zones. On the day on which clocks are set back, the repeated
    hour is drawn twice, and the hover names the zone.
    """
    where = _minutes(day, zone)
    zones = "%{customdata}" if "customdata" in where else ""
    low, high = _band(day.before)
    edge = {
        "type": "scatter",
        "mode": "lines",
        **_minutes(day, zone, BAND_STEP),
        "line": {"width": 0},
        "hoverinfo": "skip",
    }
    before = {
        "type": "scatter",
        "mode": "lines",
        **where,
        "y": _known(day.before),
        "name": figures.day_text(day.begin - WEEK_S + 43_200, zone),
        "line": {"color": template.LIGHT["c-prev"], "width": 1.5, "dash": template.DASHES},
        "hovertemplate": f"%{{y:,d}}{zones}",
    }
    now = {
        "type": "scatter",
        "mode": "lines",
        **where,
        "y": _known(day.people),
        "name": figures.day_text(day.begin + 43_200, zone),
        "line": {"color": template.LIGHT["c1"], "width": 2},
        "hovertemplate": f"<b>%{{y:,d}}</b>{zones}",
    }
    return {
        "data": [
            {**edge, "y": low},
            {**edge, "y": high, "fill": "tonexty", "fillcolor": template.LIGHT["band"]},
            *_peak(day, zone),
            before,
            now,
        ],
        "layout": _layout(day, zone),
    }


def words(day: DayOfConcurrents, zone: tzinfo) -> str:
    """The day in a sentence."""
    if day.peak is None:
        return ""
    people, at = day.peak
    mean = figures.mean(day.average or 0)
    when = figures.time_of_day(at, zone)
    return _(
        "People at each minute: at most {most} at {time}, {mean} on average.",
        most=figures.count(people),
        time=when,
        mean=mean,
    )


def _layout(day: DayOfConcurrents, zone: tzinfo) -> Figure:
    """The whole day, to whose ends the zoom is bound; a zoom stays while it is the same day."""
    ends = [_clock(day.begin, zone), _clock(day.end - MINUTE, zone)]
    return template.layout(
        margin={"l": 36, "r": 8, "t": 12, "b": 24},
        uirevision=ends[0],
        shapes=[_shaded(stretch, day, zone) for stretch in _unknown(day.people)],
        xaxis={
            "type": "date",
            "range": ends,
            "minallowed": ends[0],
            "maxallowed": ends[1],
            "tickformat": template.time_format(),
            "hoverformat": template.time_format(),
            "showspikes": True,
        },
        yaxis={"rangemode": "tozero", "nticks": 4, "tickformat": ",d"},
    )


def _minutes(day: DayOfConcurrents, zone: tzinfo, step: int = 1) -> dict[str, Any]:
    """The x of every so many minutes; as a start and a step, unless clocks are set on that day."""
    offsets = {datetime.fromtimestamp(at, zone).utcoffset() for at in (day.begin, day.end - MINUTE)}
    if len(offsets) == 1:
        return {"x0": _clock(day.begin, zone), "dx": step * MINUTE * 1000}
    found = range(day.begin, day.end, step * MINUTE)
    zones = [figures.told_apart(at, zone) for at in found]
    return {"x": [_clock(at, zone) for at in found], **({"customdata": zones} if any(zones) else {})}


def _known(people: Sequence[int]) -> list[int | None]:
    return [None if number == UNKNOWN else number for number in people]


def _band(people: Sequence[int]) -> tuple[list[int | None], list[int | None]]:
    """The least and the most people around every fifth minute; None where that minute is not known."""
    low: list[int | None] = []
    high: list[int | None] = []
    for minute in range(0, len(people), BAND_STEP):
        number = people[minute]
        near = people[max(0, minute - BAND) : minute + BAND + 1]
        least = min(near)
        if least == UNKNOWN:
            least = min((known for known in near if known != UNKNOWN), default=0)
        low.append(None if number == UNKNOWN else least)
        high.append(None if number == UNKNOWN else max(near))
    return low, high


def _peak(day: DayOfConcurrents, zone: tzinfo) -> Iterator[Figure]:
    if day.peak is None:
        return
    people, at = day.peak
    marker = {"color": template.LIGHT["c1"], "size": 10, "line": {"color": template.LIGHT["surface"], "width": 2}}
    where = {"x": [_clock(at, zone)], "y": [people]}
    yield {"type": "scatter", "mode": "markers", **where, "marker": marker, "hoverinfo": "skip"}


def _unknown(people: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The unknown stretches before the last known minute, as first and end."""
    last = max((minute for minute, number in enumerate(people) if number != UNKNOWN), default=0)
    begin = None
    for minute in range(last + 1):
        if people[minute] == UNKNOWN and begin is None:
            begin = minute
        elif people[minute] != UNKNOWN and begin is not None:
            yield begin, minute
            begin = None


def _shaded(stretch: tuple[int, int], day: DayOfConcurrents, zone: tzinfo) -> dict[str, Any]:
    first, end = (_clock(day.begin + minute * MINUTE, zone) for minute in stretch)
    filled = {"fillcolor": template.LIGHT["surface-2"], "line": {"width": 0}, "layer": "below"}
    return {"type": "rect", "xref": "x", "yref": "paper", "x0": first, "x1": end, "y0": 0, "y1": 1, **filled}


# ── a chosen range ───────────────────────────────────────────────────────────────────────────────────────────────────

ENDS = "xaxis.range[0]", "xaxis.range[1]"
MAX_TIME = 32  # characters of `2026-11-20 14:05:33.1234`


def chosen(relayout: object, day: DayOfConcurrents, zone: tzinfo) -> tuple[int, int] | None:
    """The minutes (first, end) of the day that the reader zoomed to, from the graph's `relayoutData`.

    After a reset they are all minutes. None where it says nothing of a range, as after a change of the window's size,
    and for what no reader can have chosen: a time that is none or lies outside of the day, a range that ends before it
    begins.
    """
    if not isinstance(relayout, dict):
        return None
    whole = len(day.people)
    if relayout.get("xaxis.autorange") is True:
        return 0, whole
    ends = relayout.get("xaxis.range") or [relayout.get(end) for end in ENDS]
    if not isinstance(ends, list) or len(ends) != len(ENDS):
        return None
    first, last = (_minute(end, day, zone) for end in ends)
    if first is None or last is None or first > last:
        return None
    return first, min(last + 1, whole)


def _minute(text: object, day: DayOfConcurrents, zone: tzinfo) -> int | None:
    """The minute of the day at a time of the site's clock; None if it is none."""
    if not isinstance(text, str) or len(text) > MAX_TIME:
        return None
    try:
        moment = datetime.fromisoformat(text)
        at = moment.replace(tzinfo=zone).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        return None
    return int((at - day.begin) // MINUTE) if day.begin <= at <= day.end else None


def _clock(second: int, zone: tzinfo) -> str:
    return datetime.fromtimestamp(second, zone).strftime("%Y-%m-%d %H:%M")
