"""The frame around every page: skip link, header, the page's slot, footer, sheet of shortcuts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from analytics.base import language
from analytics.base.idn import to_letters
from analytics.base.words import _
from layouts import notices, shortcuts
from layouts.components import confirm, figures
from layouts.components.address import at
from layouts.components.markup import aria, data, icon, sentence
from layouts.components.site import demo_badge


class SiteLink(NamedTuple):
    """One line of the site switcher; `demo`: its traffic is made up.

    `name` is the site's own, or its domain in letters. `active` is None where it is not known.
    """

    domain: str
    name: str
    href: str
    active: int | None
    demo: bool = False


class Link(NamedTuple):
    """A link to a page, in the header's tabs or in the list of settings. `key` names a tab in every language."""

    label: str
    href: str
    icon: str = ""
    is_current: bool = False
    key: str = ""


def shell(
    page: Component,
    *,
    title: str,
    version: str,
    sites: Sequence[SiteLink] = (),
    more: Sequence[Link] = (),
    current: str = "",
    tabs: Sequence[Link] = (),
    email: str | None = None,
    menu: Sequence[Link] = (),
    window_s: int = 60,
    bell: notices.BellState = notices.NOTHING_NEW,
) -> html.Div:
    """The whole body of the document around `page`. `data-language` is the language of its figures, for scripts.

    `title` is that of the browser's tab. `current` is the domain of the site on show, empty for none; `tabs` are its
    pages. `more` ends the list of sites. `email` is the person signed in; None (a public dashboard) leaves the account
    menu out, and `menu` are further entries of it. `bell` says what its number is and where its stream begins.
    """
    return html.Div(
        [
            html.A(_("Skip to the content"), href="#page", className="ff-skip"),
            header(site_menu(sites, more, current, window_s), tabs, account_menu(email, menu), bell),
            html.Div(page, id="page", tabIndex=-1, disable_n_clicks=True),
            footer(version),
            shortcuts.sheet(),
            confirm.dialog(),
            notices.centre(),
        ],
        className="ff-shell has-tabs" if len(tabs) > 1 else "ff-shell",
        **data(language=language.written_in(), page_title=title, shortcuts=shortcuts.pressed()),
    )


def header(
    switcher: Component | None, tabs: Sequence[Link], account: Component | None, bell: notices.BellState
) -> html.Header:
    """Brand, site switcher, tabs, status of the stream, bell, theme, account."""
    end = [status(), notices.bell(bell), theme_toggle(), html.Div(account, id="account")]
    inner = [
        brand(),
        html.Div(switcher, id="site-menu"),
        html.Nav([_tab(link) for link in tabs], id="tabs", className="ff-tabs", **aria(label=_("Pages"))),
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
    here = next((site for site in sites if site.domain == current), None)
    shown = here.name if here else _("All sites") if len(sites) > 1 else _("Choose a site")
    label = [
        html.Span(_("Site:") + " ", className="ff-vh"),
        _glyph(shown),
        html.Bdi(shown, className="ff-trunc"),
        *([demo_badge()] if here and here.demo else []),
        icon("updown", 14),
    ]
    window = html.Div(_("Active in the last {window}", window=figures.window(window_s)), className="dropdown-header")
    ways = [_item([icon(link.icon), link.label], link.href) for link in more]
    end = [dbc.DropdownMenuItem(divider=True), *ways] if ways else []
    lines = [_site_line(site, site is here) for site in sites]
    return _menu([window, *lines, *end], label, toggle_class_name="ff-site")


def status() -> html.Span:
    """The state of the stream. The stream's script shows and writes it."""
    dot = html.Span(className="ff-dot", **aria(hidden="true"))
    text = html.Span(_("Connecting…"), id="status-text")
    return html.Span([dot, text], id="status", className="ff-status is-connecting", role="status", hidden=True)


def theme_toggle() -> html.Button:
    """The button that switches between light and dark."""
    label: dict[str, Any] = {"aria-label": _("Switch between light and dark")}
    return html.Button(icon("theme"), id="theme", type="button", className="ff-icon", **label)


def account_menu(email: str | None, menu: Sequence[Link]) -> Component | None:
    """The person's e-mail, further pages, and signing out: children of `#account`. None on a public dashboard."""
    if email is None:
        return None
    avatar = html.Span(email[:1].upper(), className="ff-avatar", **aria(hidden="true"))
    label = [html.Span(_("Your account"), className="ff-vh"), avatar]
    who = html.Div(html.Bdi(email, className="ff-trunc"), className="dropdown-header", title=email)
    links = [_item(link.label, link.href) for link in menu]
    keys = dbc.DropdownMenuItem(
        [_("Keyboard shortcuts"), html.Span(shortcuts.key("?"), className="ff-num")], id="account-shortcuts"
    )
    out = html.Form(dbc.DropdownMenuItem(_("Sign out")), action=at("/sign-out"), method="POST")
    inner = [who, dbc.DropdownMenuItem(divider=True), *links, keys, out]
    return _menu(inner, label, toggle_class_name="ff-icon", align_end=True)


def footer(version: str) -> html.Footer:
    """Version, promise, and the button that shows the shortcuts."""
    keys = html.Span(shortcuts.opener(sentence(_("{key} shortcuts"), key=shortcuts.key("?"))), className="ff-end")
    return html.Footer(
        [html.Span(f"Footfall {version}"), html.Span(_("No cookies, no IP addresses on disk")), keys],
        className="ff-foot",
    )


def _tab(link: Link) -> html.A:
    marked: dict[str, Any] = {"aria-current": "page"} if link.is_current else {}
    return html.A([icon(link.icon), link.label], href=link.href, **marked, **data(tab=link.key))


def _menu(inner: Sequence[Component], label: Sequence[Component], **options: Any) -> Component:
    menu: Component = dbc.DropdownMenu(list(inner), label=list(label), color="link", caret=False, **options)
    return menu


def _item(inner: Any, href: str, *, is_current: bool = False) -> dbc.DropdownMenuItem:
    """A link of a menu. Not `active`: that would say aria-selected, which links have not."""
    look = "is-current" if is_current else ""
    return dbc.DropdownMenuItem(inner, href=href, external_link=True, class_name=look)


def _site_line(site: SiteLink, is_current: bool) -> dbc.DropdownMenuItem:
    domain = to_letters(site.domain)
    words = [html.Bdi(site.name), *([html.Bdi(domain, className="ff-window")] if site.name != domain else [])]
    parts: list[Any] = [_glyph(site.name), html.Span(words, className="ff-trunc")]
    if site.demo:
        parts.append(demo_badge())
    if is_current:
        parts.append(html.Span(_("on show"), className="ff-vh"))
    if site.active is not None:
        parts.append(html.Span(figures.count(site.active), className="ff-num"))
    return _item(parts, site.href, is_current=is_current)


def _glyph(name: str) -> html.Span:
    """A picture of the name. CSS draws its letter: as text it would be read and copied as part of the name."""
    return html.Span(className="ff-glyph", **aria(hidden="true"), **data(letter=name[:1].upper()))
