"""The frame around every page: skip link, header, the page's slot, footer, sheet of shortcuts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from dash import html
from dash.development.base_component import Component

from analytics.base.idn import to_letters
from layouts import shortcuts
from layouts.components import figures
from layouts.components.address import at
from layouts.components.markup import aria, data, icon
from layouts.components.site import demo_badge


class SiteLink(NamedTuple):
    """One line of the site switcher. `active` is None where it is not known; `demo`: its traffic is made up."""

    domain: str
    href: str
    active: int | None
    demo: bool = False


class Link(NamedTuple):
    """A link to a page, in the header's tabs or in the list of settings."""

    label: str
    href: str
    icon: str = ""
    is_current: bool = False


def shell(
    page: Component,
    *,
    version: str,
    sites: Sequence[SiteLink] = (),
    more: Sequence[Link] = (),
    current: str = "",
    tabs: Sequence[Link] = (),
    email: str | None = None,
    menu: Sequence[Link] = (),
    window_s: int = 60,
) -> html.Div:
    """The whole body of the document around `page`. `data-language` is the language of its figures, for scripts.

    `current` is the domain of the site on show, empty for none; `tabs` are its pages. `more` ends the list of sites.
    `email` is the person signed in; None (a public dashboard) leaves the account menu out, and `menu` are further
    entries of it.
    """
    return html.Div(
        [
            html.A("Skip to the content", href="#page", className="ff-skip"),
            header(site_menu(sites, more, current, window_s), tabs, account_menu(email, menu)),
            html.Div(page, id="page", tabIndex=-1),
            footer(version),
            shortcuts.sheet(),
        ],
        className="ff-shell",
        **data(language=figures.written_in()),
    )


def header(switcher: Component | None, tabs: Sequence[Link], account: Component | None) -> html.Header:
    """Brand, site switcher, tabs, status of the stream, theme, account."""
    end = [status(), theme_toggle(), html.Div(account, id="account")]
    inner = [
        brand(),
        html.Div(switcher, id="site-menu"),
        html.Nav([_tab(link) for link in tabs], id="tabs", className="ff-tabs", **aria(label="Pages")),
        html.Div(end, className="ff-header-end"),
    ]
    return html.Header(html.Div(inner, className="ff-header-in"), className="ff-header")


def brand() -> html.A:
    """Mark and name, leading home."""
    mark = html.Img(src=at("/assets/shapes/mark.svg"), alt="", width=26, height=26)
    return html.A([mark, html.Span("Footfall")], href=at("/"), className="ff-brand", **aria(label="Footfall"))


def site_menu(sites: Sequence[SiteLink], more: Sequence[Link], current: str, window_s: int) -> Component | None:
    """The switcher: children of `#site-menu`. None without sites."""
    if not sites:
        return None
    shown = to_letters(current) or ("All sites" if len(sites) > 1 else "Choose a site")
    marks = [demo_badge() for site in sites if site.domain == current and site.demo]
    summary = html.Summary(
        [_glyph(shown), html.Bdi(shown, className="ff-trunc"), *marks, icon("updown", 14)],
        className="ff-site",
        **aria(label=f"Site: {shown}"),
    )
    window = html.Div(f"Active in the last {figures.window(window_s)}", className="ff-item ff-window")
    lines: list[Component] = [_site_line(site, site.domain == current) for site in sites]
    ways = [html.A([icon(link.icon), link.label], href=link.href) for link in more]
    end = [html.Hr(), *ways] if ways else []
    return html.Details([summary, html.Div([window, *lines, *end], className="ff-pop")], className="ff-menu")


def status() -> html.Span:
    """The state of the stream. The stream's script writes it; a page without a stream hides it."""
    dot = html.Span(className="ff-dot", **aria(hidden="true"))
    text = html.Span("Connecting…", id="status-text")
    return html.Span([dot, text], id="status", className="ff-status is-connecting", role="status")


def theme_toggle() -> html.Button:
    """The button that switches between light and dark."""
    label: dict[str, Any] = {"aria-label": "Switch between light and dark"}
    return html.Button(icon("theme"), id="theme", type="button", className="ff-icon", **label)


def account_menu(email: str | None, menu: Sequence[Link]) -> Component | None:
    """The person's e-mail, further pages, and signing out: children of `#account`. None on a public dashboard."""
    if email is None:
        return None
    avatar = html.Span(email[:1].upper(), className="ff-avatar", **aria(hidden="true"))
    summary = html.Summary(avatar, className="ff-icon", **aria(label="Your account"))
    who = html.Span(html.Bdi(email, className="ff-trunc"), className="ff-item ff-muted", title=email)
    out = html.Form(html.Button("Sign out", type="submit"), action=at("/sign-out"), method="POST")
    links = [html.A(link.label, href=link.href) for link in menu]
    keys = shortcuts.opener(["Keyboard shortcuts", html.Span(shortcuts.key("?"), className="ff-num")])
    pop = html.Div([who, html.Hr(), *links, keys, out], className="ff-pop ff-pop-end")
    return html.Details([summary, pop], className="ff-menu")


def footer(version: str) -> html.Footer:
    """Version, promise, and the button that shows the shortcuts."""
    keys = html.Span(shortcuts.opener([shortcuts.key("?"), " shortcuts"]), className="ff-end")
    return html.Footer(
        [html.Span(f"Footfall {version}"), html.Span("No cookies, no IP addresses on disk"), keys],
        className="ff-foot",
    )


def _tab(link: Link) -> html.A:
    marked: dict[str, Any] = {"aria-current": "page"} if link.is_current else {}
    return html.A([icon(link.icon), link.label], href=link.href, **marked, **data(tab=link.label))


def _site_line(site: SiteLink, is_current: bool) -> html.A:
    name = to_letters(site.domain)
    parts: list[Any] = [_glyph(name), html.Bdi(name, className="ff-trunc")]
    if site.demo:
        parts.append(demo_badge())
    if site.active is not None:
        parts.append(html.Span(figures.count(site.active), className="ff-num"))
    marked: dict[str, Any] = {"aria-current": "true"} if is_current else {}
    return html.A(parts, href=site.href, **marked)


def _glyph(domain: str) -> html.Span:
    """A picture of the name. CSS draws its letter: as text it would be read and copied as part of the name."""
    return html.Span(className="ff-glyph", **aria(hidden="true"), **data(letter=domain[:1].upper()))
