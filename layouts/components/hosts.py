"""Unlisted hosts: they send events but are not on the site's list. Buttons include them, ignore them, or undo that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from dash import html
from dash.development.base_component import Component

from analytics.base.idn import to_letters
from analytics.base.words import _
from analytics.sites.host import OTHER, UnlistedHost
from analytics.sites.site import Site
from layouts.components import figures, form, states
from layouts.components.markup import aria, data
from layouts.components.table import table

HOST, LIST = "host", "hosts"  # the forms' name, and the id of the list, which each decision redraws


def card(site: Site, waiting: Sequence[UnlistedHost]) -> html.Section:
    """The list of hosts, each with its buttons; once on a page."""
    head = html.Header(
        [html.H2(_("Unlisted hosts")), html.Span(_("so far"), className="ff-window"), form.state(HOST)],
        className="ff-card-head",
    )
    rows = html.Div(listed(waiting, site.timezone), id=LIST)
    return html.Section([head, rows, form.connection(HOST, site.domain)], className="ff-card ff-hosts")


def listed(waiting: Sequence[UnlistedHost], timezone: str, decided: tuple[str, str] = ("", "")) -> list[Component]:
    """The hosts that wait for a decision. `decided` is the host of the latest decision, with its words."""
    if not waiting and not decided[0]:
        hint = _("Pages of hosts that are not the site's would be listed here.")
        return [states.nothing(_("No other host"), hint, "globe")]
    zone = ZoneInfo(timezone)
    rows = [*([_decided(*decided)] if decided[0] else []), *(_waiting(one, zone) for one in waiting)]
    return [table((_("Host"), _("Events"), _("Last"), ""), rows, numbers=(_("Events"),))]


def _waiting(one: UnlistedHost, zone: tzinfo) -> html.Tr:
    last: list[Any] = [figures.day(one.last_at, zone), f", {figures.time_of_day(one.last_at, zone)}"]
    choice = [] if one.host == OTHER else [_include(one.host), _ignore(one.host)]
    name = html.Td(_name(one.host))
    events = html.Td(html.B(figures.count(one.events)), className="ff-num")
    acts = form.form(HOST, choice, key=one.host, className="ff-choices") if choice else None
    return html.Tr([name, events, html.Td(last), html.Td(acts)])


def _decided(host: str, said: str) -> html.Tr:
    name = html.Td([_name(host), html.Span(said, className="ff-window")])
    undo = form.form(HOST, [_undo(host)], key=host, className="ff-choices")
    return html.Tr([name, html.Td(), html.Td(), html.Td(undo)])


def _name(host: str) -> html.Bdi:
    return html.Bdi(to_letters(host), className="ff-trunc", title=to_letters(host))


def _include(host: str) -> Component:
    return _choice(_("Include"), _("Include {host}", host=to_letters(host)), "include")


def _ignore(host: str) -> Component:
    return _choice(_("Ignore"), _("Ignore {host}", host=to_letters(host)), "ignore")


def _undo(host: str) -> Component:
    return _choice(_("Undo"), _("Undo {host}", host=to_letters(host)), "reconsider")


def _choice(label: str, said: str, value: str) -> Component:
    return html.Button(label, type="submit", className="ff-btn", **aria(label=said), **data(value=value))
