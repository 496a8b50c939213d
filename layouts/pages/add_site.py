"""The page that adds a site."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html

from analytics.base.words import _
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
            _("Domain"),
            hint=_("Its subdomains count too."),
            placeholder="example.com",
            inputmode="url",
            autocomplete="off",
            maxlength=300,
            autofocus=True,
        ),
        form.text(FORM, "name", _("Name"), hint=_("What people here call it. Empty: the domain."), maxlength=120),
        html.Div(
            [
                form.text(
                    FORM,
                    "timezone",
                    _("Time zone"),
                    hint=_("Days begin and end in it. Type to search, like Berlin."),
                    list=ZONES,
                    autocomplete="off",
                    maxlength=60,
                ),
                html.Datalist([html.Option(value=zone) for zone in zones], id=ZONES),
            ],
            **data(own_zone=f"{FORM}-timezone"),
        ),
    ]
    card = form.card(FORM, _("Site"), fields, intro=_("Afterwards you get the line for its pages."), save=_("Add site"))
    head = html.Div(html.H1(_("Add a site")), className="ff-toolbar")
    return html.Main([head, html.Div(card, className="ff-cards ff-narrow")], className="ff-main")
