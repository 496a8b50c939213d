"""A site before its first visit: the line to paste, and the wait for somebody to come."""

from __future__ import annotations

import re

from dash import html
from dash.development.base_component import Component

from layouts.components.icon import icon
from layouts.site import Site, stream_address

RINGS = (("0s", 0.4), ("-1.2s", 0.7), ("-2.4s", 1))  # of the radar: start, and size where nothing moves


def page(site: Site, snippet: str) -> html.Main:
    """The empty state. The stream's script listens here, greets the first visit and reloads."""
    intro = html.Header(
        [
            html.H1("Add the script, then watch people arrive"),
            html.P(
                [
                    "One line in the head of every page of ",
                    html.Bdi(site.domain),
                    ". It sets no cookie and weighs about 2\u00a0kB. This page turns into the Live page with the "
                    "first visit.",
                ]
            ),
        ]
    )
    card = html.Section([_paste(snippet), _wait(site.domain)], className="ff-card")
    return html.Main(
        html.Div([intro, card], className="ff-first"),
        id="first-visit",
        className="ff-main",
        **{"data-site": site.domain, "data-stream": stream_address(site.domain)},
    )


def _paste(snippet: str) -> Component:
    copy = html.Button(
        [icon("copy"), html.Span("Copy")],
        type="button",
        className="ff-btn ff-btn-primary",
        **{"data-copy": snippet},
    )
    hint = html.P(
        [
            "Signed-in people: add ",
            html.Code('data-user="…"'),
            " or call ",
            html.Code('footfall("identify", id)'),
            ".",
        ],
        className="ff-window",
    )
    code = html.Div([html.Pre(_coloured(snippet)), copy], className="ff-code")
    return _step("1", [html.H2("Paste this before </head>"), code, hint])


def _wait(domain: str) -> Component:
    radar = html.Div(
        [html.I(), *(html.I(style={"--dl": delay, "--still": still}) for delay, still in RINGS)],
        className="ff-radar",
        **{"aria-hidden": "true"},
    )
    until = html.H2("Waiting for the first visit…", className="ff-until")
    greeting = html.H2("The first visitor is here.", id="greeting", className="ff-greeting", hidden=True)
    words = ["Open ", html.Bdi(domain), " in another tab. It shows up here within a second."]
    waiting = html.Div([radar, html.P(words, className="ff-soft ff-until")], className="ff-wait")
    return _step("2", [html.Div([until, greeting], role="status"), waiting])


def _step(number: str, children: list) -> html.Div:
    n = html.Span(number, className="ff-n", **{"aria-hidden": "true"})
    return html.Div([n, html.Div(children)], className="ff-step")


def _coloured(snippet: str) -> list:
    """The snippet's words in order, none broken where it fits a line, quoted strings coloured."""
    words = [html.Span(_pieces(word), className="ff-word") for word in snippet.split(" ")]
    return [part for word in words for part in (word, " ")][:-1]


def _pieces(word: str) -> list:
    pieces = re.split(r'("[^"]*")', word)
    return [html.Span(piece, className="ff-str") if piece[:1] == '"' else piece for piece in pieces if piece]
