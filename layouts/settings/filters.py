"""Settings, Filters: the hosts that count, and the addresses and pages that do not."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from analytics.base.idn import to_letters
from analytics.sites.site import Site
from layouts.components import form
from layouts.components.markup import data

HOSTS, ADDRESSES, PATHS = "filter-hosts", "filter-addresses", "filter-paths"


def cards(site: Site, unlisted: Component | None, own_address: str) -> list[Component]:
    """The hosts that wait for a decision come first. `own_address` is the reader's network."""
    return [*([unlisted] if unlisted else []), _hosts(site), _addresses(site, own_address), _paths(site)]


def _hosts(site: Site) -> html.Section:
    fields = [
        form.lines(
            HOSTS, "hosts", "Allowed hosts", map(to_letters, site.hosts), hint="One a line, like shop.example.net."
        ),
        form.lines(
            HOSTS,
            "excluded_hosts",
            "Excluded hosts",
            map(to_letters, site.excluded_hosts),
            hint="One a line, like staging.example.com.",
        ),
    ]
    intro = [
        html.Bdi(to_letters(site.domain)),
        " and its subdomains count; other hosts only when they are allowed here.",
    ]
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
        **data(add=own, to=f"{ADDRESSES}-excluded_addresses"),
    )
    intro = "Whoever comes from there is not counted. Addresses of visitors are never stored; these are."
    return form.card(ADDRESSES, "Addresses", [field, html.Div(add)], domain=site.domain, intro=intro)


def _paths(site: Site) -> html.Section:
    hint = "One a line, like /admin/**. * stands for anything within a segment, ** for anything."
    field = form.lines(PATHS, "excluded_paths", "Excluded paths", site.excluded_paths, hint=hint)
    return form.card(PATHS, "Pages", [field], domain=site.domain, intro="These pages are not counted.")
