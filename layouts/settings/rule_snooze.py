"""The card to which the link Snooze of a message leads: it snoozes a rule on events with one click."""

from __future__ import annotations

from datetime import tzinfo

from dash import html
from dash.development.base_component import Component

from analytics.base.words import _
from analytics.notify.rule import Rule
from layouts.components import form
from layouts.components.address import at
from layouts.components.markup import aria
from layouts.components.snooze import buttons

SNOOZE, GROUP = "rule-snooze", "snooze"


def card(domain: str, rule: Rule, now: int, zone: tzinfo) -> Component:
    """The card, with a way back to all rules. The first of its buttons has the focus."""
    back = html.A(_("Back to all rules"), href=at(f"/settings/{domain}/rules"), className="ff-link ff-rule-back")
    head = html.H2(_("Snooze {name}", name=rule.name), id=GROUP)
    about_it = _("Until then nothing of it is sent outside; in the app it goes on.")
    choices = buttons(now, zone, is_snoozed=rule.snoozed_until > now, has_focus=True)
    row = html.Div(choices, role="group", className="ff-snooze-row", **aria(labelledby=GROUP))
    inner = [html.Header([head, html.P(about_it, className="ff-soft")]), form.form(SNOOZE, [row], key=str(rule.id))]
    whole = html.Section(html.Div(inner, className="ff-form"), className="ff-card")
    return html.Div([back, whole], className="ff-rule-draft")
