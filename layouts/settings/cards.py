"""Settings, Cards: the cards on pages of other panels, a preview, and the form that makes one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from dash import html
from dash.development.base_component import Component

from analytics.access.embed import EXPIRED, OFF, ON
from analytics.base.idn import to_letters
from layouts.components import figures, form, states
from layouts.components.address import at
from layouts.components.markup import data
from layouts.components.table import table

ADD, REVOKE = "card", "card-revoke"
LIST, LINE = "cards", "new-card"

LIVES = (("7d", "7 days"), ("30d", "30 days"), ("90d", "90 days"), ("365d", "1 year"), ("1095d", "3 years"))
SHAPES = (("card", "Card, 360 × 260"), ("small", "Small, 260 × 72"))
LINKS = (("", "Is text"), ("1", "Leads to the dashboard"))
STATES = {ON: "On", EXPIRED: "Expired", OFF: "Off"}
THEMES = (("light", "Light"), ("dark", "Dark"))
LOST = "Revoke the card on {hosts}? It goes dark there within a second, for good."


class CardRow(NamedTuple):
    """One card: its hosts, when it begins and ends (epoch seconds), and one of `STATES`."""

    id: int
    hosts: Sequence[str]
    since: int
    until: int
    state: str


def cards(domain: str, rows: Sequence[CardRow]) -> list[Component]:
    """The list with its channel, the form that makes one, and the preview."""
    head = html.Header([html.H2("Cards"), form.state(REVOKE)], className="ff-card-head")
    listed = html.Div(lists(rows), id=LIST)
    whole = html.Section([head, listed, form.channel(REVOKE, domain)], className="ff-card")
    return [whole, _make(domain), _preview(domain)]


def lists(rows: Sequence[CardRow]) -> list[Component]:
    """The table, or words where there is no card."""
    if not rows:
        return [states.nothing("No card yet", "A card shows the live numbers on a page of another panel.", "globe")]
    return [table(("On pages of", "State", "Since", "Until", ""), [_row(row) for row in rows])]


def _make(domain: str) -> Component:
    hosts_hint = "One a line, like panel.example.com or localhost:3000. Pages of other hosts cannot show it."
    fields = [
        form.lines(ADD, "hosts", "Hosts", (), hint=hosts_hint, rows=3),
        form.select(ADD, "shape", "Shape", "card", SHAPES),
        form.select(ADD, "expires", "Good for", "365d", LIVES),
        form.select(ADD, "link", "The site's name", "", LINKS),
    ]
    intro = [
        "Gives you a line to paste. Whoever opens that page sees ",
        html.Bdi(to_letters(domain)),
        " without signing in.",
    ]
    return form.card(ADD, "Make a card", fields, domain=domain, intro=intro, save="Make card", once=LINE)


def _preview(domain: str) -> Component:
    about = "The card follows its reader's system; add &theme=light or &theme=dark to the address to decide it."
    head = html.Header([html.H2("Preview"), html.P(about, className="ff-soft")])
    shapes = ((360, 260), (260, 72))
    shown = [_shown(domain, *theme, *shape) for shape in shapes for theme in THEMES]
    both = html.Div(shown, className="ff-previews")
    return html.Section(html.Div([head, both], className="ff-form"), className="ff-card")


def _shown(domain: str, theme: str, label: str, width: int, height: int) -> Component:
    """The real card, on the ground of a page in that theme."""
    address = at("/embed/live?" + urlencode({"site": domain, "theme": theme}))
    title = f"Active now on {to_letters(domain)}, {theme}, {width} × {height}"
    card = html.Iframe(src=address, title=title, width=width, height=height)
    return html.Figure([html.Figcaption(f"{label}, {width} × {height}"), card], **data(bs_theme=theme))


def _row(row: CardRow) -> html.Tr:
    hosts = ", ".join(map(to_letters, row.hosts))
    name = html.Bdi(hosts, className="ff-trunc", title="\n".join(map(to_letters, row.hosts)))
    state = html.Span(STATES[row.state], className="ff-badge is-ok" if row.state == ON else "ff-badge")
    ask = form.confirm_button("Revoke", LOST.format(hosts=hosts))
    revoke = form.form(REVOKE, [ask], key=str(row.id)) if row.state == ON else None
    cells = [name, state, figures.day(row.since), figures.day(row.until), revoke]
    return html.Tr([html.Td(cell) for cell in cells], id=f"card-{row.id}")
