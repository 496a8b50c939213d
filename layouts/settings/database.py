"""Settings, Database: the watched tables with their state, their gauges, and the form that watches another one.

The form has two steps. The first shows the SQL and does nothing; the second, a button under the SQL, runs just that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from analytics.activity.gauge import Gauge
from analytics.activity.watch import MAX_UNREAD, VALUE, Watch, masked
from analytics.activity.watch_state import WatchState, behind_s, state_of
from analytics.base import language
from analytics.base.language import written_in
from analytics.base.words import N_, _, ngettext, pgettext
from layouts.components import figures, form, states
from layouts.components.markup import aria, data, icon, sentence
from layouts.components.table import table

ADD, REMOVE = "watch-add", "watch-remove"
LIST, GAUGES, PLAN, SQL, TITLE = "watches", "watch-gauges", "watch-plan", "watch-sql", "watch-title"
TICK, DRAWN = "watch-tick", "watch-drawn"
TICK_MS = 5_000
FORGET = "forget"  # what the second button of a row sends
EXAMPLE = "postgresql://footfall:password@db.example.com:5432/shop"

CHANGES = (
    ("insert", N_("Rows that are added")),
    ("update", N_("Rows that are changed")),
    ("delete", N_("Rows that are deleted")),
)
SHORT_CHANGES = {"insert": N_("added"), "update": N_("changed"), "delete": N_("deleted")}
LOOKS = {WatchState.FOLLOWED: "is-ok", WatchState.WRONG: "is-bad", WatchState.STALLED: "is-bad"}
LOOKS |= {WatchState.BEHIND: "is-demo", WatchState.FILLING: "is-demo"}


def cards(
    domain: str, found: Sequence[Watch], gauges: Sequence[Gauge], now: int, zone: tzinfo, *, may_add: bool
) -> list[Component]:
    """The list, the gauges, and the form for those who may add."""
    title = html.H2(_("Watched tables"), id=TITLE, tabIndex="-1")
    head = html.Header([title, form.state(REMOVE)], className="ff-card-head")
    about = _(
        "Changes of tables in the PostgreSQL of your application become events of this site: each once, in order, and "
        "of a row only the columns that you name."
    )
    intro = html.P(about, className="ff-soft ff-card-intro")
    drawn = html.Div(lists(found, now, zone), id=LIST)
    quiet = [form.connection(REMOVE, domain), dcc.Interval(id=TICK, interval=TICK_MS), dcc.Store(id=DRAWN)]
    whole = html.Section([head, intro, drawn, *quiet], className="ff-card", **data(ticks=TICK))
    numbers = html.Div(kept(found, gauges, zone), id=GAUGES)
    return [whole, numbers, _add(domain) if may_add else _not_for_you()]


def lists(found: Sequence[Watch], now: int, zone: tzinfo) -> list[Component]:
    """The table, or words where no table is watched."""
    if not found:
        hint = _("A booking, a payment, a review: what your application stores arrives here within a second.")
        return [states.nothing(_("No table yet"), hint, "zap")]
    heads = (pgettext("database", "Table"), _("State"), _("Last read"), "")
    return [table(heads, [_row(one, now, zone) for one in found])]


def _row(one: Watch, now: int, zone: tzinfo) -> html.Tr:
    name = one.definition.table_name
    what = html.Div(
        [
            html.B(html.Bdi(name)),
            html.Small(_what(one), className="ff-soft"),
            html.Small(html.Bdi(masked(one.source)), className="ff-soft ff-watch-source"),
        ],
        className="ff-stack",
    )
    read = html.Div(_read(one, zone), className="ff-stack")
    cells: list[Any] = [what, html.Div(_state(one, now, zone), className="ff-stack"), read, _ways(one, name, now)]
    return html.Tr([html.Td(cell) for cell in cells], id=f"watch-{one.id}", key=str(one.id))


def _what(one: Watch) -> str:
    """Which changes become which event."""
    if not one.definition.on:
        return _("only gauges")
    changes = ", ".join(_(SHORT_CHANGES[change]) for change in one.definition.on)
    many = len(one.definition.filters)
    filtered = ngettext("{n} filter", "{n} filters", many, n=figures.count(many)) if many else ""
    return " · ".join(part for part in (f"{changes} → {one.definition.event}", filtered) if part)


def _state(one: Watch, now: int, zone: tzinfo) -> list[Component]:
    """The state as a badge, and below it what is wrong, and what was lost."""
    state = state_of(one, now)
    badge = html.Span(_state_words(one, state, now), className=f"ff-badge {LOOKS.get(state, '')}".strip())
    lines = [one.wrong] if one.wrong else []
    if one.missed:
        lines.append(
            _(
                "About {n} changes until {time} are missing: the outbox was full.",
                n=figures.count(one.missed),
                time=figures.moment(one.missed_at or 0, zone),
            )
        )
    if one.refused:
        lines.append(
            ngettext(
                "{n} change could not become an event, at {time}. The log of the server says why.",
                "{n} changes could not become events, the last at {time}. The log of the server says why.",
                one.refused,
                n=figures.count(one.refused),
                time=figures.moment(one.refused_at or 0, zone),
            )
        )
    return [badge, *(html.Small(html.Bdi(line), className="ff-watch-wrong") for line in lines)]


def _state_words(one: Watch, state: WatchState, now: int) -> str:
    late = figures.duration(behind_s(one, now), is_short=True)
    if state is WatchState.FILLING:
        return _("{n} of {most} changes wait", n=figures.count(one.unread or 0), most=figures.count(MAX_UNREAD))
    return {
        WatchState.NEW: _("Not read yet"),
        WatchState.FOLLOWED: _("Followed"),
        WatchState.BEHIND: _("{time} behind", time=late),
        WatchState.STALLED: _("Not read for {time}", time=late),
        WatchState.WRONG: _("Not followed"),
    }[state]


def _read(one: Watch, zone: tzinfo) -> list[Component]:
    if one.read_at is None:
        return []
    waits = ngettext("{n} waits", "{n} wait", one.unread or 0, n=figures.count(one.unread or 0))
    outbox = _("outbox {size}", size=size(one.outbox_bytes or 0))
    below = html.Small(" · ".join([*([waits] if one.unread else []), outbox]), className="ff-soft")
    return [html.Span(figures.moment(one.read_at, zone)), below]


def _ways(one: Watch, name: str, now: int) -> Component:
    gone = _(
        "Remove the watch of {table}? Its triggers and unread changes go from the database, with the last watch also "
        "the schema footfall: nothing stays behind. Its events stay here; its gauges go.",
        table=name,
    )
    ways = [form.confirm_button(_("Remove"), gone)]
    if state_of(one, now) in (WatchState.WRONG, WatchState.STALLED):
        left = _(
            "Forget the watch of {table} without its database? What is installed there stays, and writes into its "
            "outbox until that is full.",
            table=name,
        )
        ways.append(form.confirm_button(_("Forget"), left, value=FORGET))
    return form.form(REMOVE, [html.Div(ways, className="ff-row-ways")], key=str(one.id))


def kept(found: Sequence[Watch], gauges: Sequence[Gauge], zone: tzinfo) -> list[Component]:
    """The card of the gauges; nothing where there is none."""
    if not gauges:
        return []
    names = {one.id: one.definition.table_name for one in found}
    heads = (_("Gauge"), _("Value"), _("Last check"), _("Notice"))
    rows = [_gauge(one, names, zone) for one in gauges]
    head = html.Header(html.H2(_("Gauges")), className="ff-card-head")
    return [html.Section([head, table(heads, rows, numbers=(_("Value"),))], className="ff-card")]


def _gauge(one: Gauge, names: Mapping[int, str], zone: tzinfo) -> html.Tr:
    of = html.Small(html.Bdi(names.get(one.watch_id, "")), className="ff-soft")
    name = html.Div([html.B(html.Bdi(one.definition.name)), of], className="ff-stack")
    checked = figures.moment(one.compared_at, zone) if one.compared_at else _("Not yet")
    notice = html.Bdi(one.notice, className="ff-watch-wrong") if one.notice else figures.UNKNOWN
    value = html.Td(_value(one), className="ff-num")
    return html.Tr([html.Td(name), value, html.Td(checked), html.Td(notice)], id=f"gauge-{one.id}", key=str(one.id))


def _value(one: Gauge) -> str:
    if one.value is None:
        return figures.UNKNOWN
    is_whole = one.value == int(one.value)
    shown = figures.count(int(one.value)) if is_whole else language.decimal(one.value, 2, written_in())
    return f"{shown} {one.definition.currency}".strip()


def size(many: int) -> str:
    """A size in bytes: `64 kB`, `1.2 MB`."""
    if many < 1_000_000:
        return _("{n} kB", n=figures.count(round(many / 1000)))
    return _("{n} MB", n=language.decimal(many / 1_000_000, 1, written_in()))


# ── the form ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _not_for_you() -> Component:
    words = _("A watch opens a connection from this server, so only admins of every site add one.")
    inner = [html.H2(_("Watch a table")), html.P(words, className="ff-soft")]
    return html.Section(html.Div(html.Header(inner), className="ff-form"), className="ff-card")


def _add(domain: str) -> Component:
    intro = _(
        "The SQL is shown first, and nothing is done until you say so. Where the source's user may not run it, copy it "
        "for an administrator of the database; after that, the button only begins to follow."
    )
    head = html.Header([html.H2(_("Watch a table")), html.P(intro, className="ff-soft")])
    parts = [
        head,
        _part(_("Where"), _where()),
        _part(_("Which changes"), _which()),
        _part(_("What the event says"), _says()),
        _part(_("Numbers of the table"), _numbers()),
        form.actions(_("Show the SQL")),
        html.Div(id=PLAN),
    ]
    inner = form.form(ADD, parts, className="ff-form", **data(saying=_("Working…")))
    return html.Section([inner, form.connection(ADD, domain)], className="ff-card")


def _part(title: str, fields: Sequence[Component]) -> Component:
    """Fields that belong together, under a title."""
    legend = html.H3(title)
    return html.Div([legend, html.Div(fields, className="ff-watch-fields")], role="group", **aria(label=title))


def _where() -> list[Component]:
    source_hint = sentence(
        _("Like {example}: the database itself, not a pooler. Its password is never shown again."),
        example=html.Code(EXAMPLE),
    )
    return [
        html.Div(
            form.text(ADD, "source", _("Source"), hint=source_hint, autocomplete="off", maxlength=2000),
            className="is-wide",
        ),
        form.text(ADD, "table", pgettext("database", "Table"), autocomplete="off", maxlength=63),
        form.text(ADD, "schema", _("Schema"), hint=_("Empty: {name}", name="public"), autocomplete="off", maxlength=63),
    ]


def _which() -> list[Component]:
    switches = [form.switch(ADD, name, _(label), True) for name, label in CHANGES]
    hint = sentence(
        _("One a line, all hold: {examples}. For changed rows alone: {changed}."),
        examples=_codes("status=eq.pending", "amount=gt.100", "status=in.(new,paid)", "paid_at=is.not.null"),
        changed=_codes("status=changed", "status=changed.pending.paid"),
    )
    filters = form.lines(ADD, "filters", _("Filters"), (), hint=hint, rows=3)
    return [html.Div(switches, className="ff-options"), html.Div(filters, className="is-wide")]


def _says() -> list[Component]:
    title_hint = sentence(
        _("With columns in braces: {example}; {before} is the value before a change."),
        example=html.Code("{guest} booked {room}"),
        before=html.Code("{old.status}"),
    )
    link_hint = sentence(_("An address, like {example}."), example=html.Code("https://admin.example.com/b/{id}"))
    currency_hint = _("A code like EUR, or the column that has it.")
    columns_hint = _("With commas between them. They become properties; no other column leaves the database.")
    return [
        _column("event", _("Event"), _("Its name. Empty: that of the table.")),
        _column("title", _("Title"), title_hint),
        _column(VALUE, _("Value"), _("The column of the value.")),
        _column("currency", _("Currency"), currency_hint),
        _column("link", _("Link"), link_hint),
        _column("columns", _("Columns"), columns_hint),
        _column("user_id", _("Person"), _("The column of your id of the person.")),
        _column("user_name", _("Name"), _("The column of the name that the feed shows.")),
    ]


def _column(field: str, label: str, hint: Any) -> Component:
    return form.text(ADD, field, label, hint=hint, autocomplete="off", maxlength=1000)


def _numbers() -> list[Component]:
    hint = sentence(
        _("One a line, kept up to date: {examples}. A card of the Live page shows it (Settings, Activity)."),
        examples=_codes(
            "Bookings: count",
            "Revenue: sum(amount) where status=eq.paid in EUR",
            "New guests: count last 30d of created_at",
        ),
    )
    return [html.Div(form.lines(ADD, "gauges", _("Gauges"), (), hint=hint, rows=3), className="is-wide")]


def _codes(*examples: str) -> list[Any]:
    shown: list[Any] = []
    for one in examples:
        shown += [", ", html.Code(one)] if shown else [html.Code(one)]
    return shown


def plan(sql: str, digest: str, source: str) -> list[Component]:
    """The second step: the SQL, a button that copies it, and one that runs it. `digest` says which SQL was seen."""
    title = html.H3(sentence(_("What would be run in {source}"), source=html.Bdi(masked(source))), id=f"{PLAN}-title")
    copy = html.Button([icon("copy"), html.Span(_("Copy"))], type="button", className="ff-btn", **data(copy=f"#{SQL}"))
    shown = html.Div(
        [html.Pre(html.Code(sql, id=SQL), tabIndex="0", role="region", **aria(label=_("SQL"))), copy],
        className="ff-code ff-watch-sql",
    )
    install = html.Button(
        _("Install and follow"),
        id=f"{PLAN}-install",
        type="submit",
        className="ff-btn ff-btn-primary",
        **data(value=digest),
    )
    undo = _("Remove takes all of it back.")
    return [title, shown, html.Div([install, html.Span(undo, className="ff-soft")], className="ff-form-end")]
