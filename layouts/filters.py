"""Settings, Filters: which hosts count, and who and what is left out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import NamedTuple, Protocol

from dash import html
from dash.development.base_component import Component

from layouts.components import figures, form

HOSTS, ADDRESSES, PATHS, UNLISTED = "filter-hosts", "filter-addresses", "filter-paths", "unlisted-host"
INCLUDE, IGNORE = "include", "ignore"


class Site(Protocol):
    """What this page shows of a site; addresses are anything that reads as one."""

    @property
    def domain(self) -> str: ...
    @property
    def hosts(self) -> Sequence[str]: ...
    @property
    def excluded_hosts(self) -> Sequence[str]: ...
    @property
    def excluded_addresses(self) -> Sequence[object]: ...
    @property
    def excluded_paths(self) -> Sequence[str]: ...


class Unlisted(NamedTuple):
    """A host that sends events without being on the list: how many so far, the last at that second (epoch).

    `decidable` is False for what stands for many hosts.
    """

    host: str
    events: int
    last_at: int
    decidable: bool


def cards(site: Site, unlisted: Sequence[Unlisted], own_address: str) -> list[Component]:
    """What waits for a decision comes first. `own_address` is the network of whoever looks."""
    waiting = [_waiting(site.domain, unlisted)] if unlisted else []
    return [*waiting, _hosts(site), _addresses(site, own_address), _paths(site)]


def _waiting(domain: str, unlisted: Sequence[Unlisted]) -> html.Section:
    words = f"Unlisted hosts: {figures.count(len(unlisted))}, include?"
    head = html.Header([html.H2(words), form.state(UNLISTED)], className="ff-card-head")
    titles = [*(html.Th(one, scope="col") for one in ("Host", "Events", "Last")), html.Td()]
    table = html.Table(
        [html.Thead(html.Tr(titles)), html.Tbody([_unlisted(one) for one in unlisted])], className="ff-table ff-rows"
    )
    return html.Section(
        [head, html.Div(table, className="ff-scroll"), form.channel(UNLISTED, domain)], className="ff-card"
    )


def _unlisted(one: Unlisted) -> html.Tr:
    last = [figures.day(one.last_at), f", {figures.time_of_day(one.last_at, UTC)} UTC"]
    decide = None
    if one.decidable:
        buttons = [
            html.Button(label, type="submit", className="ff-btn", **{"data-value": value})
            for label, value in (("Include", INCLUDE), ("Ignore", IGNORE))
        ]
        decide = form.form(UNLISTED, buttons, key=one.host, className="ff-decide")
    name = html.Bdi(one.host, className="ff-trunc", title=one.host)
    return html.Tr([html.Td(name), html.Td(figures.count(one.events)), html.Td(last), html.Td(decide)])


def _hosts(site: Site) -> html.Section:
    fields = [
        form.lines(HOSTS, "hosts", "Allowed hosts", site.hosts, hint="One a line, like shop.example.net."),
        form.lines(
            HOSTS, "excluded_hosts", "Excluded hosts", site.excluded_hosts, hint="One a line, like staging.example.com."
        ),
    ]
    intro = [html.Bdi(site.domain), " and its subdomains count; other hosts only when they are allowed here."]
    return form.card(HOSTS, "Hosts", fields, domain=site.domain, intro=intro)


def _addresses(site: Site, own: str) -> html.Section:
    field = form.lines(
        ADDRESSES,
        "excluded_addresses",
        "Excluded addresses",
        [str(one) for one in site.excluded_addresses],
        hint="One a line: an address like 203.0.113.7, or a network like 10.0.0.0/8.",
    )
    add = html.Button(
        "Exclude my own address",
        type="button",
        className="ff-btn",
        **{"data-add": own, "data-to": f"{ADDRESSES}-excluded_addresses"},
    )
    intro = "Whoever comes from there is not counted. Addresses of visitors are never stored; these are."
    return form.card(ADDRESSES, "Addresses", [field, html.Div(add)], domain=site.domain, intro=intro)


def _paths(site: Site) -> html.Section:
    hint = "One a line, like /admin/**. * stands for anything within a segment, ** for anything."
    field = form.lines(PATHS, "excluded_paths", "Excluded paths", site.excluded_paths, hint=hint)
    return form.card(PATHS, "Pages", [field], domain=site.domain, intro="These pages are not counted.")
