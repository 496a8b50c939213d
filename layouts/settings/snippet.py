"""The line to paste, and the wait for the site's own visit: parts of the first page and of Settings, Snippet."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from dash import html
from dash.development.base_component import Component

from analytics.base.idn import to_letters
from analytics.base.words import N_, _
from analytics.sites.site import Site
from layouts.components import figures, form
from layouts.components.markup import aria, data, icon, sentence
from layouts.components.site import stream_address

LINE = "snippet-line"
MAX_HOSTS = 3  # named among the reasons
RINGS = (("0s", 0.4), ("-1.2s", 0.7), ("-2.4s", 1))  # of the radar: start, and size where nothing moves

OPTIONS = (  # name, label, what it adds to the line, what it is for
    (
        "user",
        N_("Signed-in people"),
        ' data-user="ID"',
        N_("ID is your own id of whoever is signed in, empty for nobody."),
    ),
    ("hash", N_("Hash routing"), " data-hash", N_("For applications whose addresses go on after a #.")),
    ("missing", N_("Missing pages"), " data-404", N_("For the template of pages that are missing, and for no other.")),
)


class Doubts(NamedTuple):
    """Reasons why no visit may come.

    `policy` are the directives that a Content Security Policy needs. `filters` and `traffic` are the addresses of those
    pages, "" where this person may not open them; `hosts` are the hosts that wait for a decision; `excluded`: this
    person's address is excluded.
    """

    policy: str
    filters: str = ""
    traffic: str = ""
    hosts: Sequence[str] = ()
    excluded: bool = False


def picture_of(address: str, domain: str) -> str:
    """The line that counts a page without a script. By its policy browsers send another host the whole address."""
    source = f"{address}/pixel.gif?site={domain}"
    policy = 'referrerpolicy="no-referrer-when-downgrade"'
    return f'<noscript><img src="{source}" {policy} width="1" height="1" alt=""></noscript>'


def cards(site: Site, snippet: str, picture: str, doubts: Doubts, *, address: str, window_s: int) -> list[Component]:
    """Settings, Snippet: the line with its options, the check, the picture for pages without scripts, and what
    other trackers need to send their events to `address`.
    """
    head = html.H2(_("Paste this before </head>"))
    said = sentence(_("Into every page of {site}. It sets no cookie."), site=html.Bdi(to_letters(site.domain)))
    intro = html.P(said, className="ff-soft")
    switches = [form.switch("snippet", name, _(label), False, hint=_(hint)) for name, label, _adds, hint in OPTIONS]
    options = html.Form(switches, id="snippet", className="ff-options", **data(site=site.domain))
    paste = html.Section(
        html.Div([html.Header([head, intro]), html.Div(line(snippet), id=LINE), options], className="ff-form"),
        className="ff-card",
    )
    title = html.Header(html.H2(_("Check")))
    inner = [title, *wait(site.domain, _("Waiting for a visit…"), _("Somebody is here")), trouble(site.domain, doubts)]
    check = html.Section(html.Div(inner, className="ff-form"), className="ff-card", **listening(site, "stay"))
    return [paste, check, _without_scripts(site.domain, picture), _of_others(site, address, window_s)]


def _without_scripts(domain: str, picture: str) -> Component:
    head = html.H2(_("Without scripts"))
    intro = html.P(_("On pages without scripts this picture counts a pageview."), className="ff-soft")
    letter = sentence(
        _(
            "In e-mail, where no page shows it, name one: {url} after the domain. With neither url nor referrerpolicy "
            "browsers tell no path, and every page counts as /."
        ),
        url=html.Code(f"&url=https%3A%2F%2F{domain}%2Fletter"),
    )
    inner = [html.Header([head, intro]), line(picture), html.P(letter, className="ff-soft")]
    return html.Section(html.Div(inner, className="ff-form"), className="ff-card")


def _of_others(site: Site, address: str, window_s: int) -> Component:
    """The attributes that make other trackers' scripts send to us, and what presence means without heartbeats."""
    head = html.H2(_("From Plausible or Umami"))
    intro = html.P(_("Their script may stay on the pages. It only needs these attributes:"), className="ff-soft")
    lines = [
        line(f'data-domain="{site.domain}" data-api="{address}/api/event"'),
        line(f'data-website-id="{site.uuid or site.domain}" data-host-url="{address}"'),
    ]
    keep = sentence(
        _("Pages that have a website id of Umami's keep it: {command} on the command line makes it the site's."),
        command=html.Code(f"site set {site.domain} --uuid ID"),
    )
    presence = _(
        "These scripts send no heartbeats. Their visitors are active for {window} after a pageview, an event or an "
        "engagement, then gone, however long they read.",
        window=figures.window(window_s),
    )
    notes = [html.P(each, className="ff-soft") for each in (keep, presence)]
    inner = [html.Header([head, intro]), *lines, *notes]
    return html.Section(html.Div(inner, className="ff-form"), className="ff-card")


def listening(site: Site, then: str) -> dict[str, Any]:
    """The attributes of the element in which `assets/pages/check.js` greets a visit. `then`: "live" or "stay"."""
    return {
        "id": "first-visit",
        "data-site": site.domain,
        "data-stream": stream_address(site.domain),
        "data-timezone": site.timezone,
        "data-then": then,
    }


def line(snippet: str) -> Component:
    """The line, and the button that copies it."""
    copy = html.Button(
        [icon("copy"), html.Span(_("Copy"))],
        type="button",
        className="ff-btn ff-btn-primary",
        **data(copy=snippet),
    )
    return html.Div([html.Pre(_coloured(snippet)), copy], className="ff-code")


def wait(domain: str, until: str, greeting: str) -> list[Component]:
    """The radar that turns until a visit comes, and the greeting of that visit."""
    radar = html.Div(
        [html.I(), *(html.I(style={"--dl": delay, "--still": still}) for delay, still in RINGS)],
        className="ff-radar",
        **aria(hidden="true"),
    )
    said = html.Div(
        [
            html.H3(until, className="ff-until"),
            html.H3(greeting, id="greeting", className="ff-greeting", hidden=True),
            html.P(id="greeting-what", className="ff-soft", hidden=True),
        ],
        role="status",
    )
    hint = sentence(
        _("Open {site} in another tab. It shows up here within a second."), site=html.Bdi(to_letters(domain))
    )
    notes = [html.P(id=one, className="ff-window", hidden=True) for one in ("waiting-since", "last-visit")]
    return [
        html.Div([radar, html.Div([said, html.P(hint, className="ff-soft ff-until"), *notes])], className="ff-wait")
    ]


def trouble(domain: str, doubts: Doubts) -> html.Details:
    """Reasons why nothing comes; the list opens by itself after a while."""
    attribute = html.Code(f'data-site="{domain}"')
    reasons = [
        html.Li(sentence(_("The line names another site: it has to say {attribute}."), attribute=attribute)),
        html.Li(_hosts(doubts)),
        html.Li(
            _(
                "The browser blocks the script. Try one without blockers; in its developer tools footfall.js has to "
                "come with status 200."
            )
        ),
        html.Li([_("The page's Content Security Policy forbids it. It has to allow:"), html.Pre(doubts.policy)]),
        html.Li(
            [
                _("The browser asks not to be counted (Do Not Track, Global Privacy Control)."),
                html.Strong(" " + _("This one does."), id="opted-out", hidden=True),
            ]
        ),
        html.Li(_excluded(doubts)),
    ]
    more = []
    if doubts.traffic:
        link = _link(_("Traffic"), doubts.traffic)
        more = [html.P(sentence(_("What became of every event says {traffic}."), traffic=link))]
    return html.Details(
        [html.Summary(_("Nothing comes?")), html.Ul(reasons), *more], id="trouble", className="ff-trouble ff-until"
    )


def _hosts(doubts: Doubts) -> list[Any]:
    if not doubts.hosts:
        return _decided([_("The page stands on a host that is not the site's")], doubts)
    words = _("The page stands on a host that is not the site's: pages of {hosts} wait to be included")
    return _decided(sentence(words, hosts=html.Bdi(", ".join(map(to_letters, doubts.hosts)))), doubts)


def _excluded(doubts: Doubts) -> list[Any]:
    own = html.Strong(_("Your own address is excluded"))
    return _decided([own if doubts.excluded else _("The address or the page is excluded")], doubts)


def _decided(reason: Sequence[Any], doubts: Doubts) -> list[Any]:
    """A reason with the page on which it is decided, if this person may open that."""
    if not doubts.filters:
        return sentence(_("{reason}."), reason=reason)
    return sentence(_("{reason} ({page})."), reason=reason, page=_link(_("Filters"), doubts.filters))


def _link(label: str, address: str) -> html.A:
    return html.A(label, href=address, className="ff-link")


def _coloured(snippet: str) -> list[Any]:
    """The snippet's words in order, broken only where a word is longer than a line; quoted strings are coloured."""
    words = [html.Span(_pieces(word), className="ff-word") for word in snippet.split(" ")]
    return [part for word in words for part in (word, " ")][:-1]


def _pieces(word: str) -> list[Any]:
    pieces = re.split(r'("[^"]*")', word)
    return [html.Span(piece, className="ff-str") if piece[:1] == '"' else piece for piece in pieces if piece]
