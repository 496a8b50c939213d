"""Settings, Activity: which cards the Live page shows, in which order; the form that adds one; a preview."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dash import html
from dash.development.base_component import Component

from analytics.activity.card import (
    COUNT,
    COUNTER,
    DOWN,
    GAUGE,
    KINDS,
    LAST_24H,
    MAX_CARDS,
    STAT,
    TICKER,
    TODAY,
    UP,
    VALUE,
    Card,
)
from analytics.base.words import N_, _
from layouts import activity
from layouts.components import form, states
from layouts.components.address import at
from layouts.components.markup import aria, data, icon, sentence
from layouts.components.table import table
from layouts.footfall_components.event_cards import EventCards, EventFigures

ADD, MOVE, REMOVE, CHOOSE = "activity-card", "activity-move", "activity-remove", "activity-choose"
LIST, PREVIEW, TITLE = "activity-list", "activity-preview", "activity-title"
KEEP, FORGET = "keep", "forget"

KIND_WORDS = {
    COUNTER: N_("Counter: a number"),
    STAT: N_("Stat: a number, compared with earlier days, and a line"),
    TICKER: N_("Ticker: the newest events"),
    GAUGE: N_("Gauge: what is kept of a watched table"),
}
SHORT_KINDS = {COUNTER: N_("Counter"), STAT: N_("Stat"), TICKER: N_("Ticker"), GAUGE: N_("Gauge")}
MEASURES = ((COUNT, N_("How many")), (VALUE, N_("What they were worth")))
SPANS = ((TODAY, N_("Today, since midnight")), (LAST_24H, N_("Last 24 hours")))


class Offered(NamedTuple):
    """Names of the site's events and their currencies, the most frequent first; the names of its gauges by number."""

    names: Sequence[str]
    currencies: Sequence[str]
    gauges: Mapping[int, str]


def cards(
    domain: str, found: Sequence[Card], *, is_suggested: bool, preview: Component, seen: Offered
) -> list[Component]:
    """The cards that the Live page shows: their list, a preview, and the form that adds one."""
    states_of = [form.state(name) for name in (MOVE, REMOVE, CHOOSE)]
    title = html.H2(_("Business activity"), id=TITLE, tabIndex="-1")
    head = html.Header([title, *states_of], className="ff-card-head")
    connections = [form.connection(name, domain) for name in (MOVE, REMOVE, CHOOSE)]
    listed = html.Div(lists(found, is_suggested=is_suggested), id=LIST)
    whole = html.Section([head, _intro(domain), listed, *connections], className="ff-card")
    return [whole, _previewed(preview), _add(domain, seen)]


def _intro(domain: str) -> Component:
    live = html.A(_("Live"), href=at(f"/live/{domain}"), className="ff-link")
    said = _("What the page {live} counts and lists of the site's events, in this order; at most {limit} cards.")
    return html.P(sentence(said, live=live, limit=str(MAX_CARDS)), className="ff-soft ff-card-intro")


def lists(found: Sequence[Card], *, is_suggested: bool) -> list[Component]:
    """The table and what may be done with all of it; words where there is no card."""
    if is_suggested:
        return _suggested(found)
    again = _choose(FORGET, _("Use suggestions"), _("Remove all cards, and show suggested ones from now on?"))
    if not found:
        empty = states.nothing(_("No card"), _("The Live page has no business activity."), "activity")
        return [empty, again]
    heads = (_("Card"), _("Kind"), _("Events"), "")
    return [table(heads, [_row(card, nth, len(found)) for nth, card in enumerate(found)]), again]


def _suggested(found: Sequence[Card]) -> list[Component]:
    if not found:
        hint = _("Once pages or servers send events, cards for them are suggested here. Add your own below.")
        return [states.nothing(_("No event yet"), hint, "activity")]
    rows = [
        html.Tr([html.Td(html.Bdi(activity.label(c))), html.Td(_kind(c)), html.Td(_of(c)), html.Td()]) for c in found
    ]
    note = _("Suggested by the events of the last 7 days; they follow what is frequent until you change them.")
    keep = html.Button(_("Arrange these"), type="submit", className="ff-btn", **data(value=KEEP))
    chosen = form.form(CHOOSE, [html.P(note, className="ff-soft"), keep], className="ff-activity-choose")
    return [table((_("Card"), _("Kind"), _("Events"), ""), rows), chosen]


def _choose(value: str, label: str, lost: str) -> Component:
    return form.form(CHOOSE, [form.confirm_button(label, lost, value=value)], className="ff-activity-choose")


def buttons(card: int, way: str) -> list[str]:
    """The ids of the buttons that move a card, first the one of that way: the first that can be pressed has the focus
    after the move.
    """
    other = DOWN if way == UP else UP
    return [_button_id(card, way), _button_id(card, other)]


def _button_id(card: int, way: str) -> str:
    return f"{MOVE}-{card}-{way}"


def _row(card: Card, nth: int, many: int) -> html.Tr:
    name = activity.label(card)
    lost = _("Remove {card}? Its events stay.", card=name)
    ways = [
        _move(card, UP, _("Move {card} up", card=name), nth == 0),
        _move(card, DOWN, _("Move {card} down", card=name), nth == many - 1),
    ]
    move = form.form(MOVE, ways, key=str(card.id), className="ff-activity-ways")
    remove = form.form(REMOVE, [form.confirm_button(_("Remove"), lost)], key=str(card.id))
    end = html.Div([move, remove], className="ff-activity-ways")
    cells: list[Any] = [html.Bdi(name, className="ff-trunc", title=name), _kind(card), _of(card), end]
    return html.Tr([html.Td(cell) for cell in cells], id=f"activity-{card.id}", key=str(card.id))


def _move(card: Card, way: str, said: str, is_last: bool) -> html.Button:
    return html.Button(
        icon(way),
        id=_button_id(card.id, way),
        type="submit",
        title=said,
        disabled=is_last,
        className="ff-icon",
        **aria(label=said),
        **data(value=way),
    )


def _kind(card: Card) -> str:
    return _(SHORT_KINDS[card.kind])


def _of(card: Card) -> str:
    """Which events, and of when."""
    if card.kind == GAUGE:
        return _("a watched table")
    events = card.event or _("every event")
    when = activity.window(card)
    return f"{events} · {when}" if when else events


def preview(found: EventFigures | None) -> Component:
    """The cards as the Live page shows them."""
    if found is None:
        return html.Div(states.nothing(_("Nothing to show"), _("Add a card below."), "activity"))
    return EventCards(id="activity", label=_("Preview"), figures=found)


def _previewed(inner: Component) -> Component:
    head = html.Header([html.H2(_("Preview"))], className="ff-card-head")
    return html.Section([head, html.Div(inner, id=PREVIEW)], className="ff-card ff-activity")


def _add(domain: str, seen: Offered) -> Component:
    names, currencies = f"{ADD}-names", f"{ADD}-currencies"
    kinds = [kind for kind in KINDS if kind != GAUGE or seen.gauges]
    gauges = [("", "–"), *((str(number), name) for number, name in seen.gauges.items())]
    event_hint = _("As your pages or servers send it; empty for every event.")
    fields = [
        form.select(ADD, "kind", _("Kind"), STAT, [(kind, _(KIND_WORDS[kind])) for kind in kinds]),
        *([form.select(ADD, "gauge_id", _("Gauge"), "", gauges)] if seen.gauges else []),
        form.text(ADD, "event", _("Event"), hint=event_hint, list=names, autocomplete="off"),
        form.select(ADD, "measure", _("What is counted"), COUNT, form.translated(MEASURES)),
        form.text(
            ADD,
            "currency",
            _("Currency"),
            hint=_("Of values, like EUR: amounts in others are left out."),
            list=currencies,
            autocomplete="off",
        ),
        form.select(ADD, "span", _("Time"), TODAY, form.translated(SPANS)),
        form.text(ADD, "title", _("Title"), hint=_("Empty: the name of the event."), autocomplete="off"),
        html.Datalist([html.Option(value=name) for name in seen.names], id=names),
        html.Datalist([html.Option(value=code) for code in seen.currencies], id=currencies),
    ]
    intro = sentence(
        _("Events come from {call} on a page, or from a server with an ingest key."),
        call=html.Code('footfall("event", "Signup", {value: 29, currency: "EUR"})'),
    )
    return form.card(ADD, _("Add a card"), fields, domain=domain, intro=intro, save=_("Add card"))
