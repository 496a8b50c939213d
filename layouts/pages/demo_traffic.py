"""The page of demo traffic: what it is, whether it runs, and how to remove it."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from analytics.base.words import N_, _
from layouts.components import form
from layouts.components.markup import sentence

START, STOP, REMOVE = "demo-start", "demo-stop", "demo-remove"
STATE = "demo"

LOST = N_("Remove the demo site with all that was ever counted for it? Your own sites stay as they are.")
ABOUT = N_(
    "Made-up visitors, to look around or to show somebody. They walk on a site of their own, {domain}, which is marked "
    "as demo wherever it shows; the numbers of your sites are not touched. When the server stops they leave, and stay "
    "away until they are started again."
)


def page(domain: str, state: Sequence[Component]) -> html.Main:
    """The page. `domain` is the demo site's; `state` is the part that answers redraw."""
    head = html.Div([html.H1(_("Demo traffic")), html.Bdi(domain, className="ff-sub")], className="ff-toolbar")
    about = sentence(_(ABOUT), domain=html.Bdi(domain))
    says = [form.state(name) for name in (START, STOP, REMOVE)]
    row = html.Div([html.Div(list(state), id=STATE, className="ff-form-end"), *says], className="ff-form-end")
    inner = html.Div(
        [html.Header([html.H2(_("Visitors")), html.P(about, className="ff-soft")]), row], className="ff-form"
    )
    connections = [form.connection(name) for name in (START, STOP, REMOVE)]
    card = html.Section([inner, *connections], className="ff-card")
    return html.Main([head, html.Div(card, className="ff-cards ff-narrow")], className="ff-main")


def state(*, is_here: bool, live: str) -> list[Component]:
    """The current state, with its buttons. `live` is the address of the Live page, "" while there is no demo site."""
    badge = (
        html.Span(_("Running"), className="ff-badge is-ok") if is_here else html.Span(_("Off"), className="ff-badge")
    )
    start = _button(STOP, _("Stop")) if is_here else _button(START, _("Start"), "ff-btn ff-btn-primary")
    if not live:
        return [badge, start]
    watch = html.A(_("Watch live"), href=live, className="ff-btn")
    return [badge, start, watch, form.form(REMOVE, [form.confirm_button(_("Remove"), _(LOST))])]


def _button(name: str, label: str, kind: str = "ff-btn") -> html.Form:
    return form.form(name, [html.Button(label, type="submit", className=kind)])
