"""The page of a site before its first visit: the line to paste, and the wait for that visit."""

from __future__ import annotations

from typing import Any

from dash import html

from analytics.base.idn import to_letters
from analytics.base.words import _
from analytics.sites.site import Site
from layouts.components.markup import aria, sentence
from layouts.settings import snippet
from layouts.settings.snippet import Doubts


def page(site: Site, line: str, doubts: Doubts) -> html.Main:
    """The empty state. It greets the first visit and becomes the Live page."""
    about = _(
        "One line in the head of every page of {domain}. It sets no cookie and weighs about 2\u00a0kB. This page turns "
        "into the Live page with the first visit."
    )
    said = sentence(about, domain=html.Bdi(to_letters(site.domain)))
    intro = html.Header([html.H1(_("Add the script, then watch people arrive")), html.P(said)])
    wait = snippet.wait(site.domain, _("Waiting for the first visit…"), _("The first visitor is here."))
    steps = [
        _step("1", [html.H2(_("Paste this before </head>")), snippet.line(line), _hint()]),
        _step("2", [html.H2(_("Check")), *wait, snippet.trouble(site.domain, doubts)]),
    ]
    card = html.Section(steps, className="ff-card")
    return html.Main(
        html.Div([intro, card], className="ff-first"), className="ff-main", **snippet.listening(site, "live")
    )


def _hint() -> html.P:
    ways = {"attribute": html.Code('data-user="…"'), "call": html.Code('footfall("identify", id)')}
    return html.P(sentence(_("Signed-in people: add {attribute} or call {call}."), **ways), className="ff-window")


def _step(number: str, children: list[Any]) -> html.Div:
    n = html.Span(number, className="ff-n", **aria(hidden="true"))
    return html.Div([n, html.Div(children)], className="ff-step")
