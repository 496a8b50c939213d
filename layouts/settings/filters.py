"""Settings, Filters: the hosts that count, and the addresses and pages that do not."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from analytics.base.idn import to_letters
from analytics.base.words import _
from analytics.sites.site import Site
from layouts.components import form
from layouts.components.markup import data, sentence

HOSTS, ADDRESSES, PATHS = "filter-hosts", "filter-addresses", "filter-paths"


def cards(site: Site, unlisted: Component | None, own_address: str) -> list[Component]:
    """The hosts that wait for a decision come first. `own_address` is the reader's network."""
    return [*([unlisted] if unlisted else []), _hosts(site), _addresses(site, own_address), _paths(site)]


def _hosts(site: Site) -> html.Section:
    fields = [
        form.lines(
            HOSTS,
            "hosts",
            _("Allowed hosts"),
            map(to_letters, site.hosts),
            hint=_("One a line, like shop.example.net."),
        ),
        form.lines(
            HOSTS,
            "excluded_hosts",
            _("Excluded hosts"),
            map(to_letters, site.excluded_hosts),
            hint=_("One a line, like staging.example.com."),
        ),
    ]
    intro = sentence(
        _("{site} and its subdomains count; other hosts only when they are allowed here."),
        site=html.Bdi(to_letters(site.domain)),
    )
    return form.card(HOSTS, _("Hosts"), fields, domain=site.domain, intro=intro)


def _addresses(site: Site, own: str) -> html.Section:
    field = form.lines(
        ADDRESSES,
        "excluded_addresses",
        _("Excluded addresses"),
        [str(one) for one in site.excluded_addresses],
        hint=_("One a line: an address like 203.0.113.7, or a network like 10.0.0.0/8."),
    )
    add = html.Button(
        _("Exclude my own address"),
        type="button",
        className="ff-btn",
        **data(add=own, to=f"{ADDRESSES}-excluded_addresses"),
    )
    intro = _("Whoever comes from there is not counted. Addresses of visitors are never stored; these are.")
    return form.card(ADDRESSES, _("Addresses"), [field, html.Div(add)], domain=site.domain, intro=intro)


def _paths(site: Site) -> html.Section:
    hint = _("One a line, like /admin/**. * stands for anything within a segment, ** for anything.")
    field = form.lines(PATHS, "excluded_paths", _("Excluded paths"), site.excluded_paths, hint=hint)
    return form.card(PATHS, _("Pages"), [field], domain=site.domain, intro=_("These pages are not counted."))
