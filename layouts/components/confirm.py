"""The dialog that asks before something is lost: empty and closed, once on every page."""

from __future__ import annotations

import dash_bootstrap_components as dbc
from dash import html

from analytics.base.words import _

NAME = "confirm"


def dialog() -> dbc.Modal:
    """The dialog. `assets/lib/form.js` writes the question of the pressed button into it, and sends its form on yes."""
    question = dbc.ModalBody(html.P(id=f"{NAME}-question"))
    no = dbc.Button(_("Cancel"), id=f"{NAME}-no", color="secondary")
    yes = dbc.Button(id=f"{NAME}-yes", color="danger")
    return dbc.Modal(
        [question, dbc.ModalFooter([no, yes])], id=NAME, centered=True, fade=False, labelledby=f"{NAME}-question"
    )
