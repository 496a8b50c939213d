"""The page that adds a site."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html

from layouts.components import form
from layouts.components.markup import data

FORM = "add-site"
ZONES = "zones"


def page(zones: Sequence[str]) -> html.Main:
    """The form; `assets/lib/form.js` writes the browser's own time zone into it."""
    fields = [
        form.text(
            FORM,
            "domain",
            "Domain",
            hint="Its subdomains count too.",
            placeholder="example.com",
            inputmode="url",
            autocomplete="off",
            maxlength=300,
            autofocus=True,
        ),
        form.text(FORM, "name", "Name", hint="What people here call it. Empty: the domain.", maxlength=120),
        html.Div(
            [
                form.text(
                    FORM,
                    "timezone",
                    "Time zone",
                    hint="Days begin and end in it. Type to search, like Berlin.",
                    list=ZONES,
                    autocomplete="off",
                    maxlength=60,
                ),
                html.Datalist([html.Option(value=zone) for zone in zones], id=ZONES),
            ],
            **data(own_zone=f"{FORM}-timezone"),
        ),
    ]
    card = form.card(FORM, "Site", fields, intro="Afterwards you get the line for its pages.", save="Add site")
    head = html.Div(html.H1("Add a site"), className="ff-toolbar")
    return html.Main([head, html.Div(card, className="ff-cards ff-narrow")], className="ff-main")
