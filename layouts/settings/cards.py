"""Settings, Cards: the cards on pages of other panels, a preview, and the form that makes one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from dash import html
from dash.development.base_component import Component

from analytics.access.embed import EXPIRED, OFF, ON
from analytics.base.idn import to_letters
from analytics.base.words import N_, _
from layouts.components import figures, form, states
from layouts.components.address import at
from layouts.components.markup import data, sentence
from layouts.components.table import table

ADD, REVOKE = "card", "card-revoke"
LIST, LINE = "cards", "new-card"

LIVES = (
    ("7d", N_("7 days")),
    ("30d", N_("30 days")),
    ("90d", N_("90 days")),
    ("365d", N_("1 year")),
    ("1095d", N_("3 years")),
)
SHAPES = (("card", N_("Card, 360 × 260")), ("small", N_("Small, 260 × 72")))
LINKS = (("", N_("Is text")), ("1", N_("Leads to the dashboard")))
STATES = {ON: N_("On"), EXPIRED: N_("Expired"), OFF: N_("Off")}
THEMES = (("light", N_("Light")), ("dark", N_("Dark")))


class CardRow(NamedTuple):
    """One card: its hosts, when it begins and ends (epoch seconds), and one of `STATES`."""

    id: int
    hosts: Sequence[str]
    since: int
    until: int
    state: str


def cards(domain: str, rows: Sequence[CardRow]) -> list[Component]:
    """The cards in a list, the form that makes one, and the preview."""
    head = html.Header([html.H2(_("Cards")), form.state(REVOKE)], className="ff-card-head")
    listed = html.Div(lists(rows), id=LIST)
    whole = html.Section([head, listed, form.connection(REVOKE, domain)], className="ff-card")
    return [whole, _make(domain), _preview(domain)]


def lists(rows: Sequence[CardRow]) -> list[Component]:
    """The table, or words where there is no card."""
    if not rows:
        hint = _("A card shows the live numbers on a page of another panel.")
        return [states.nothing(_("No card yet"), hint, "globe")]
    heads = (_("On pages of"), _("State"), _("Since"), _("Until"), "")
    return [table(heads, [_row(row) for row in rows])]


def _make(domain: str) -> Component:
    hosts_hint = _("One a line, like panel.example.com or localhost:3000. Pages of other hosts cannot show it.")
    fields = [
        form.lines(ADD, "hosts", _("Hosts"), (), hint=hosts_hint, rows=3),
        form.select(ADD, "shape", _("Shape"), "card", form.translated(SHAPES)),
        form.select(ADD, "expires", _("Good for"), "365d", form.translated(LIVES)),
        form.select(ADD, "link", _("The site's name"), "", form.translated(LINKS)),
    ]
    intro = sentence(
        _("Gives you a line to paste. Whoever opens that page sees {site} without signing in."),
        site=html.Bdi(to_letters(domain)),
    )
    return form.card(ADD, _("Make a card"), fields, domain=domain, intro=intro, save=_("Make card"), once=LINE)


def _preview(domain: str) -> Component:
    about = _("The card follows its reader's system; add &theme=light or &theme=dark to the address to decide it.")
    head = html.Header([html.H2(_("Preview")), html.P(about, className="ff-soft")])
    shapes = ((360, 260), (260, 72))
    shown = [_shown(domain, *theme, *shape) for shape in shapes for theme in THEMES]
    both = html.Div(shown, className="ff-previews")
    return html.Section(html.Div([head, both], className="ff-form"), className="ff-card")


def _shown(domain: str, theme: str, label: str, width: int, height: int) -> Component:
    """The real card, on the ground of a page in that theme."""
    address = at("/embed/live?" + urlencode({"site": domain, "theme": theme}))
    title = _(
        "Active now on {site}, {theme}, {width} × {height}",
        site=to_letters(domain),
        theme=_(label).lower(),
        width=width,
        height=height,
    )
    card = html.Iframe(src=address, title=title, width=width, height=height)
    caption = _("{theme}, {width} × {height}", theme=_(label), width=width, height=height)
    return html.Figure([html.Figcaption(caption), card], **data(bs_theme=theme))


def _row(row: CardRow) -> html.Tr:
    hosts = ", ".join(map(to_letters, row.hosts))
    name = html.Bdi(hosts, className="ff-trunc", title="\n".join(map(to_letters, row.hosts)))
    state = html.Span(_(STATES[row.state]), className="ff-badge is-ok" if row.state == ON else "ff-badge")
    lost = _("Revoke the card on {hosts}? It goes dark there within a second, for good.", hosts=hosts)
    ask = form.confirm_button(_("Revoke"), lost)
    revoke = form.form(REVOKE, [ask], key=str(row.id)) if row.state == ON else None
    cells = [name, state, figures.day(row.since), figures.day(row.until), revoke]
    return html.Tr([html.Td(cell) for cell in cells], id=f"card-{row.id}")
