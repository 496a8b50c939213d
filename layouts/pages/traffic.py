"""The Traffic page: the outcomes of events by hour, robots by name, and unlisted hosts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, tzinfo
from typing import Any, NamedTuple

from dash import dcc, html
from dash.development.base_component import Component

from analytics.base.words import N_, _, ngettext
from analytics.live.outcomes import HOUR, RobotCount, Traffic
from analytics.sites.host import UnlistedHost
from analytics.sites.site import Site
from layouts import wrong_address
from layouts.components import figures, states
from layouts.components.markup import aria, data, sentence
from layouts.components.table import table
from layouts.footfall_components.choices import Choices
from layouts.footfall_components.ranking import ChoiceItem
from layouts.pages.outcomes import FIELDS, KINDS, words

DAY, WEEK = 24, 168
UNASSIGNED = "/traffic"  # the page of events that name no site
PERIODS = {"24h": DAY, "7d": WEEK}  # by their names in the address, which are the Overview's; `DAY` is the default
PERIOD, WRONG = "traffic-period", "traffic-wrong"
LABELS = {DAY: N_("24 hours"), WEEK: N_("7 days")}
WINDOWS = {DAY: N_("last 24 hours, by the hour"), WEEK: N_("last 7 days, by the hour")}
TICK_MS = 30_000
ROBOTS = 12  # rows; the others are summed up below

NOTHING_YET = N_("No page has sent anything. Is the snippet on the page? Try one below, or look at Live for the line.")
ALL_NAMED = N_("Whatever came named a site of this server.")

GROUPS = (
    ("is-stored", N_("Stored"), N_("{n} stored"), ("stored", "duplicate")),
    ("is-out", N_("Left out"), N_("{n} left out"), ("filtered",)),
    ("is-bad", N_("Refused"), N_("{n} refused"), ("rejected", "shed")),
)
"""The parts of a bar from the bottom up: class, label, words for a number of them, outcomes."""


class HourRange(NamedTuple):
    """The hours shown: the second (epoch) at which they begin, how many, and the zone of their times."""

    since: int
    hours: int
    zone: tzinfo


class Drawn(NamedTuple):
    """What changes on the page: the choice of the period, what is wrong in the address, bars, outcomes and robots."""

    choices: list[ChoiceItem]
    wrong: Component | None
    bars: Any
    outcomes: Any
    robots: Any


def page(site: Site, drawn: Drawn, hosts: Component, dry_run: Sequence[Component]) -> html.Main:
    """The page: `hosts` is a card, `dry_run` are cards."""
    return html.Main(
        [
            _toolbar(site.timezone, _("Traffic"), drawn),
            html.Section(drawn.bars, id="traffic-bars", className="ff-card"),
            html.Div(
                [
                    html.Section(drawn.outcomes, id="traffic-outcomes", className="ff-card"),
                    html.Section(drawn.robots, id="traffic-robots", className="ff-card"),
                ],
                className="ff-traffic",
            ),
            hosts,
            html.Div(list(dry_run), className="ff-traffic is-even"),
            dcc.Interval(id="traffic-tick", interval=TICK_MS),
        ],
        id="traffic",
        className="ff-main",
        **data(site=site.domain, ticks="traffic-tick"),
    )


def unassigned(drawn: Drawn, unknown: Sequence[UnlistedHost]) -> html.Main:
    """The page of events that name no site, with the unknown domains."""
    return html.Main(
        [
            _toolbar("UTC", _("Events without a site"), drawn),
            html.Section(drawn.bars, id="traffic-bars", className="ff-card"),
            html.Section(drawn.outcomes, id="traffic-outcomes", className="ff-card"),
            html.Section(drawn.robots, id="traffic-robots", hidden=True),
            html.Section(_unknown(unknown), className="ff-card ff-hosts"),
            dcc.Interval(id="traffic-tick", interval=TICK_MS),
        ],
        id="traffic",
        className="ff-main",
        **data(site="", ticks="traffic-tick"),
    )


def _unknown(found: Sequence[UnlistedHost]) -> list[Component]:
    head = html.Header(
        [html.H2(_("Sites that are not here")), html.Span(_("so far"), className="ff-window")], className="ff-card-head"
    )
    if not found:
        return [head, states.nothing(_("No other site"), _("Names that are no site's would be listed here."), "globe")]
    rows = [
        html.Tr(
            [
                html.Td(html.Bdi(one.host, className="ff-trunc", title=one.host)),
                _number(one.events),
                html.Td([figures.day(one.last_at, UTC), f", {figures.time_of_day(one.last_at, UTC)}"]),
            ]
        )
        for one in found
    ]
    said = _("Add the site, or set data-site right on its pages.")
    listed = table(("data-site", _("Events"), _("Last")), rows, numbers=(_("Events"),))
    return [head, listed, html.P(said, className="ff-rest")]


def _toolbar(timezone: str, title: str, drawn: Drawn) -> Component:
    period = Choices(PERIOD, _("Period"), "ff-chips", drawn.choices, "ff-chip")
    end = html.Div(period, className="ff-end")
    wrong = wrong_address.place(WRONG, drawn.wrong)
    return html.Div([html.H1(title), html.Span(timezone, className="ff-sub"), end, wrong], className="ff-toolbar")


def choices(chosen: int) -> list[ChoiceItem]:
    """The choice of the period; `chosen` are the hours on show."""
    return [
        {
            "key": name,
            "label": _(LABELS[hours]),
            "change": "period=" if hours == DAY else f"period={name}",
            "chosen": hours == chosen,
        }
        for name, hours in PERIODS.items()
    ]


# ── the bars ─────────────────────────────────────────────────────────────────────────────────────


def untrusted_proxy(address: str, events: int, of: int) -> Component:
    """A warning about an untrusted proxy, through which so many of the last events came, with what to do."""
    came = _(
        "{events} of {all} events came from {address}, an address of your own network.",
        events=events,
        all=of,
        address=address,
    )
    advice = sentence(
        _("If it is a proxy of yours, add it to {setting}: until then its visitors count as one."),
        setting=html.Code("FOOTFALL_TRUSTED_PROXIES"),
    )
    return states.warning([html.B(came), " ", *advice])


def bars(traffic: Traffic, span: HourRange, hint: str = NOTHING_YET) -> list[Component]:
    """Received events by the hour, stacked by outcome; where there are none, `hint` says why (a text to translate)."""
    received = html.H2(_("{n} received", n=figures.count(traffic.received)))
    window = html.Span(_(WINDOWS[span.hours]), className="ff-window")
    legend = [html.Span(_legend(), className="ff-end")] if traffic.received else []
    head = html.Header([received, window, *legend], className="ff-card-head")
    if not traffic.received:
        return [head, states.nothing(_("Nothing received"), _(hint), "filter")]
    return [head, _columns(traffic, span)]


def _legend() -> list[Component]:
    return [html.Span([html.I(className=kind), _(label)], className="ff-bars-key") for kind, label, *_rest in GROUPS]


def _columns(traffic: Traffic, span: HourRange) -> Component:
    by_hour: defaultdict[int, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in traffic.hours:
        by_hour[one.hour][one.outcome] += one.events
    stacks = [_stack(by_hour[span.since + HOUR * nth]) for nth in range(span.hours)]
    most = max(sum(stack) for stack in stacks)
    columns = [_column(stack, most, _hour(span.since + HOUR * nth, span)) for nth, stack in enumerate(stacks)]
    said = _("At most {n} in an hour. The table below has the sums.", n=figures.count(most))
    plot = html.Div(columns, className="ff-bars", role="img", **aria(label=said))
    ends = [html.Span(_hour(span.since + HOUR * nth, span)) for nth in (0, span.hours // 2, span.hours - 1)]
    most_label = html.Span(figures.count(most), className="ff-bars-most", **aria(hidden="true"))
    return html.Div([most_label, plot, html.Div(ends, className="ff-bars-x")], className="ff-bars-box")


def _stack(outcomes: defaultdict[str, int]) -> tuple[int, ...]:
    return tuple(sum(outcomes[one] for one in members) for *_words, members in GROUPS)


def _column(stack: tuple[int, ...], most: int, hour: str) -> Component:
    parts = [html.I(className=kind, style={"flex": n}) for (kind, *_rest), n in zip(GROUPS, stack, strict=True) if n]
    counts = ", ".join(
        _(said, n=figures.count(n)) for (_kind, _label, said, _members), n in zip(GROUPS, stack, strict=True) if n
    )
    height = f"{100 * sum(stack) / most:.1f}%"
    return html.Span(
        html.Span(parts, style={"height": height}),
        title=f"{hour}: {counts}" if counts else _("{hour}: nothing", hour=hour),
    )


def _hour(at: int, span: HourRange) -> str:
    time = figures.time_of_day(at, span.zone)
    return time if span.hours == DAY else f"{figures.day_text(at, span.zone)}, {time}"


# ── the tables ───────────────────────────────────────────────────────────────────────────────────


def outcomes(traffic: Traffic, nowhere: int | None) -> list[Component]:
    """Each outcome with its reason, and the sum of them all. `nowhere` is how many events named no site of this server;
    None for people who may not see that.
    """
    parts: list[Component] = []
    if traffic.received:
        rows = [_outcome(outcome, reason, events, traffic.received) for outcome, reason, events in traffic.totals()]
        total = html.Tr([html.Th(_("Received"), scope="row"), html.Td(), _number(traffic.received), html.Td()])
        inner = [_columns_of(_("Outcome"), share=True), html.Tbody(rows), html.Tfoot(total)]
        head = html.Header(html.H2(_("What became of it")), className="ff-card-head")
        parts = [head, html.Table(inner, className="ff-table ff-outcomes"), *_dropped(traffic.dropped)]
    if nowhere:
        others = _(
            "Beside these, {n} named no site of this server, or could not be read. Is data-site right?",
            n=figures.count(nowhere),
        )
        see = html.A(_("Which they were"), href=UNASSIGNED, className="ff-link")
        parts.append(html.P([others, " ", see], className="ff-rest"))
    return parts


def _outcome(outcome: str, reason: str, events: int, received: int) -> Component:
    label, advice = words(outcome, reason)
    kind = next(group for group, *_words, members in GROUPS if outcome in members)
    said: list[Any] = [
        html.B(label),
        *([html.Span(_(KINDS[outcome]), className="ff-window")] if outcome in KINDS else []),
    ]
    first = html.Td([html.Span(said, className="ff-outcome"), html.Span(advice, className="ff-window")])
    share = html.Td(figures.percent(events, received), className="ff-num ff-soft")
    return html.Tr([first, html.Td(_bar(events, received, kind)), _number(events), share])


def _dropped(fields: Sequence[tuple[str, int]]) -> list[Component]:
    """The optional fields that events lost, most frequent first; empty where none did."""
    if not fields:
        return []
    rows = [
        html.Tr([html.Td([html.Code(name), html.Span(_(FIELDS[name]), className="ff-window")]), _number(events)])
        for name, events in fields
    ]
    said = html.Header(
        [html.H2(_("Fields left out")), html.Span(_("their events count all the same"), className="ff-window")],
        className="ff-card-head",
    )
    heads = [html.Th(_("Field"), scope="col"), html.Th(_("Events"), scope="col", className="ff-num ff-col-n")]
    table = html.Table([html.Thead(html.Tr(heads)), html.Tbody(rows)], className="ff-table ff-fields")
    return [said, table]


def robots(found: Sequence[RobotCount]) -> list[Component]:
    """The robots by name, most frequent first; empty where there were none."""
    if not found:
        return []
    head = html.Header(html.H2(_("Robots")), className="ff-card-head")
    most = found[0].events
    rows = [
        html.Tr(
            [
                html.Td(html.Bdi(one.name), title=one.name),
                html.Td(_bar(one.events, most, "is-out")),
                _number(one.events),
            ]
        )
        for one in found[:ROBOTS]
    ]
    table = html.Table([_columns_of(_("Name")), html.Tbody(rows)], className="ff-table")
    rest = sum(one.events for one in found[ROBOTS:])
    return [head, table, *([html.P(_of_others(rest, len(found) - ROBOTS), className="ff-rest")] if rest else [])]


def _of_others(events: int, others: int) -> str:
    return ngettext(
        "{events} of {n} other",
        "{events} of {n} others",
        others,
        events=ngettext("{n} event", "{n} events", events, n=figures.count(events)),
        n=figures.count(others),
    )


def _columns_of(heading: str, *, share: bool = False) -> Component:
    heads = [
        html.Th(heading, scope="col"),
        html.Th(html.Span(_("Bar"), className="ff-vh"), scope="col", className="ff-col-bar"),
    ]
    numbers = [_("Events"), *([_("Share")] if share else [])]
    return html.Thead(html.Tr([*heads, *(html.Th(one, scope="col", className="ff-num ff-col-n") for one in numbers)]))


def _bar(part: int, whole: int, kind: str) -> Component:
    return html.Span(html.I(className=kind), className="ff-mini", style={"--w": f"{100 * part / (whole or 1):.1f}%"})


def _number(n: int) -> html.Td:
    return html.Td(html.B(figures.count(n)), className="ff-num")
