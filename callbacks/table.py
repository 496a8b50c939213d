"""The one table of pages: each with its address, role, layout and callbacks. Menus and tabs are made from it."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from analytics.access.roles import ADMIN, MEMBER, OWNER, VIEWER
from analytics.base.words import N_, _, translated
from analytics.sites.site import Site
from callbacks import bell
from callbacks.gate.guard import NotEnough, NotYours, authorized, authorized_everywhere, current_person, visible
from callbacks.page_context import PageContext
from callbacks.pages import (
    account,
    add_site,
    alert,
    alerts,
    all_sites,
    concurrents,
    demo_traffic,
    live,
    overview,
    traffic,
)
from callbacks.settings import activity, cards, channels, database, filters, general, keys, people, rules, snippet
from collector.http.messages import routed
from collector.service import Service
from layouts import notices, shell
from layouts.components import figures, states
from layouts.components.address import at
from layouts.components.markup import as_json, data
from layouts.pages.traffic import UNASSIGNED
from layouts.settings import frame as settings
from layouts.shell import Link, SiteLink

SITE = "<domain>"  # stands for a site's domain in an address
LIVE = f"/live/{SITE}"
CONCURRENTS = f"/concurrents/{SITE}"
OVERVIEW = f"/overview/{SITE}"
TRAFFIC = f"/traffic/{SITE}"
ALERTS = f"/alerts/{SITE}"
SETTINGS = f"/settings/{SITE}"
ALL_SITES = N_("All sites")


class Page(NamedTuple):
    """One page. `role` is the role that it requires: on the site that the address names, else on every site
    (`MEMBER`: any role anywhere).

    `layout` makes the page; below `SETTINGS` its list of cards, around which the settings frame goes. `register` adds
    its callbacks and routes; several pages may share one. `label` is its entry in a tab, a list or a menu; without one
    no link leads there. `in_menu`: it stands in the account menu. `title` names it in the browser's tab, where that is
    not the label.
    """

    address: str
    role: str
    layout: Callable[[PageContext], Any]
    register: Callable[[Dash, Service], None]
    label: str = ""
    in_menu: bool = False
    title: str = ""


PAGES = (
    Page("/", MEMBER, all_sites.page, all_sites.register, title=ALL_SITES),  # who sees one site is led to it: `home`
    Page("/sites", MEMBER, all_sites.page, all_sites.register, title=ALL_SITES),
    Page("/sites/add", ADMIN, add_site.page, add_site.register, title=N_("Add a site")),
    Page(LIVE, VIEWER, live.page, live.register, N_("Live")),
    Page(OVERVIEW, VIEWER, overview.page_of, overview.register, N_("Overview")),
    Page(CONCURRENTS, VIEWER, concurrents.page, concurrents.register, N_("Concurrents")),
    Page(ALERTS, VIEWER, alerts.page, alerts.register, N_("Alerts")),
    Page(f"{ALERTS}/alert", VIEWER, alert.page, alert.register, title=N_("Alert")),  # messages lead there
    Page(TRAFFIC, ADMIN, traffic.page, traffic.register, N_("Traffic")),
    Page(f"{SETTINGS}/general", ADMIN, general.cards, general.register, N_("General")),
    Page(f"{SETTINGS}/filters", ADMIN, filters.cards, filters.register, N_("Filters")),
    Page(f"{SETTINGS}/snippet", ADMIN, snippet.cards, snippet.register, N_("Snippet")),
    Page(f"{SETTINGS}/activity", ADMIN, activity.cards, activity.register, N_("Activity")),
    Page(f"{SETTINGS}/database", ADMIN, database.cards, database.register, N_("Database")),
    Page(f"{SETTINGS}/people", OWNER, people.cards, people.register, N_("People")),
    Page(f"{SETTINGS}/cards", ADMIN, cards.cards, cards.register, N_("Cards")),
    Page(f"{SETTINGS}/rules", ADMIN, rules.cards, rules.register, N_("Rules")),
    Page(f"{SETTINGS}/channels", ADMIN, channels.cards, channels.register, N_("Channels")),
    Page(f"{SETTINGS}/keys", ADMIN, keys.cards, keys.register, N_("API keys")),
    Page("/people", OWNER, people.everybody, people.register, N_("People"), in_menu=True),
    Page(UNASSIGNED, OWNER, traffic.unassigned, traffic.register, N_("Events without a site"), in_menu=True),
    Page("/demo", ADMIN, demo_traffic.page, demo_traffic.register, N_("Demo traffic"), in_menu=True),
    Page(notices.ALL, MEMBER, bell.page, bell.register, N_("Notifications"), in_menu=True),
    Page("/account", MEMBER, account.page, account.register, N_("Account"), in_menu=True),
)

ADDRESSES = tuple(page.address for page in PAGES)

# The header's tabs in their order: label, icon, address. Each leads to the first page below its address that this
# person may see.
TABS = (
    (N_("Live"), "activity", LIVE),
    (N_("Overview"), "chart", OVERVIEW),
    (N_("Concurrents"), "users", CONCURRENTS),
    (N_("Alerts"), "bell", ALERTS),
    (N_("Traffic"), "filter", TRAFFIC),
    (N_("Settings"), "settings", SETTINGS),
)

MAX_SWITCHED = 20  # sites in the header's switcher


def is_page(path: str) -> bool:
    """Whether the address is a page's, which Dash may answer."""
    return _found(path) is not None


def way_on(service: Service, path: str) -> str:
    """The page to which an address leads that is only the beginning of a page's, or ends in a slash; "" for none.

    `/settings/example.com` leads to its first settings page. `/overview` leads to that of the only site that this
    person may see, else to the page of all sites.
    """
    bare = path.rstrip("/")
    if bare != path and is_page(bare):
        return bare
    whole = [page for page in PAGES if page.address.startswith(f"/{bare.strip('/').partition('/')[0]}/{SITE}")]
    if not bare or not whole:
        return ""
    if bare.count("/") == 1:
        sites = _real(visible(service))
        return whole[0].address.replace(SITE, sites[0].domain) if len(sites) == 1 else "/sites"
    first = f"{bare}{whole[0].address.partition(SITE)[2]}"
    return first if is_page(first) and bare.count("/") == 2 else ""


def frame() -> Component:
    """The first layout for Dash: the address, and the place for its page, with what stands there if it does not come.
    Reads nothing.
    """
    return html.Div(
        [
            dcc.Location(id="url"),
            html.Div(id="root", disable_n_clicks=True, **data(failed=as_json(states.not_loaded()))),
        ]
    )


def register(app: Dash, service: Service, version: str) -> None:
    """Adds the callback that draws the page of an address, and the callbacks and routes of every page."""
    for register_page in dict.fromkeys(page.register for page in PAGES):
        register_page(app, service)

    @app.callback(
        Output("root", "children"),
        Input("url", "pathname"),
        State("url", "search"),
        running=[
            (Output("root", "aria-busy"), "true", "false")
        ],  # by it assets/lib/shell.js notices that the page failed
    )
    def show(pathname: object, search: object) -> Component:
        path = routed(pathname, service.config.base_path) if isinstance(pathname, str) else "/"
        page, title, site, tabs = _page_at(service, home(service) if path == "/" else path, search)
        return shell.shell(
            page,
            title=" · ".join([title, *([site.name] if site else []), app.title]),
            version=version,
            sites=_switcher(service, site),
            more=_more(service),
            current=site.domain if site else "",
            tabs=tabs,
            email=current_person().email or None,
            menu=_menu(),
            window_s=service.config.active_window_s,
            bell=bell.state(service),
        )


def home(service: Service) -> str:
    """The path that `/` shows: the Live page of the only site that this person may see (the demo aside), else `/`."""
    real = _real(visible(service))
    return _path(real[0], LIVE) if len(real) == 1 else "/"


def _real(known: list[Site]) -> list[Site]:
    """The sites without the demo, unless that is the only one."""
    return [site for site in known if not site.demo] or known


def _switcher(service: Service, current: Site | None) -> list[SiteLink]:
    """The busiest sites and the current one, by domain: a thousand in every page would be too many to load."""
    active = service.hub.active_by_site()
    listed = heapq.nlargest(MAX_SWITCHED, visible(service), key=lambda site: active.get(site.id, 0))
    listed += [current] if current and current not in listed else []
    listed.sort(key=lambda site: site.domain)
    return [SiteLink(site.domain, site.name, href(site), active.get(site.id, 0), site.demo) for site in listed]


def _more(service: Service) -> list[Link]:
    """The last entries of the switcher."""
    many, links = len(visible(service)), []
    if many > 1:
        links.append(Link(_("All {n} sites", n=figures.count(many)), at("/sites"), "globe"))
    if current_person().may_everywhere(ADMIN):
        links.append(Link(_("Add site"), at("/sites/add"), "plus"))
    return links


def href(site: Site, address: str = LIVE) -> str:
    """The address of a site's page."""
    return at(_path(site, address))


def _path(site: Site, address: str) -> str:
    return address.replace(SITE, quote(site.domain))


def _page_at(service: Service, path: str, search: object) -> tuple[Component, str, Site | None, list[Link]]:
    """The page of an address, or a text that says why there is none; its title; its site; the tabs of that site."""
    found = _found(path)
    if found is None:
        return states.not_found(), _(states.NOT_FOUND), None, []
    page, domain = found
    title = _(page.title or page.label)
    if page.address.startswith(SETTINGS):
        title = _("Settings, {section}", section=title)
    try:
        site = _authorized(service, page, domain)
        shown = _laid_out(page, PageContext(service, site, search))
    except NotYours:
        return states.not_found(), _(states.NOT_FOUND), None, []
    except NotEnough as refused:
        site, shown, title = (
            authorized(service, domain),
            states.not_allowed(translated(str(refused.description))),
            _(states.NOT_ALLOWED),
        )
    return shown, title, site, _tabs(site, page) if site else []


def _authorized(service: Service, page: Page, domain: str) -> Site | None:
    if SITE in page.address:
        return authorized(service, domain, page.role)
    authorized_everywhere(page.role)
    return None


def _laid_out(page: Page, context: PageContext) -> Component:
    if context.named is None or not page.address.startswith(SETTINGS):
        alone: Component = page.layout(context)
        return alone
    sections = _links(context.site, SETTINGS, page)
    return settings.frame(context.site, sections, page.layout(context))


def _tabs(site: Site, current: Page) -> list[Link]:
    tabs = []
    for label, icon, below in TABS:
        if links := _links(site, below, current):
            tabs.append(Link(_(label), links[0].href, icon, current.address.startswith(below), key=label))
    return tabs


def _menu() -> list[Link]:
    person = current_person()
    return [
        Link(_(page.label), at(page.address))
        for page in PAGES
        if page.in_menu and (page.role == MEMBER or person.may_everywhere(page.role))
    ]


def _links(site: Site, below: str, current: Page) -> list[Link]:
    """The pages of a site below an address that this person may see, in the order of the table."""
    person = current_person()
    return [
        Link(_(page.label), href(site, page.address), "", page is current)
        for page in PAGES
        if page.label and page.address.startswith(below) and person.may(page.role, site.id)
    ]


def _found(path: str) -> tuple[Page, str] | None:
    """The page of an address, and the domain that it names, "" for none."""
    parts = path.split("/")
    for page in PAGES:
        wanted = page.address.split("/")
        if len(wanted) == len(parts) and all(w == p or (w == SITE and p) for w, p in zip(wanted, parts, strict=True)):
            return page, unquote(parts[wanted.index(SITE)]) if SITE in wanted else ""
    return None
