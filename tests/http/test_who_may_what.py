"""Who may what: every page, callback and route, asked for by everybody there is; the table is in the output.

Pages, their callbacks and public doors come from their tables. A route needs its line in `ROUTES`, and a callback
that is not for those who may see its page one in `CALLBACKS_APART`: a test fails by name for what has none.
"""

from __future__ import annotations

import re

import flask
import pytest
from dash import Dash
from flask.testing import FlaskClient
from house import CALLS, first_output, open_house

from analytics.access import roles
from analytics.base.config import Config
from callbacks import table as pages
from callbacks.static_files import DASHS_PLOTLY
from collector.doors.door import ANYBODY, CARD_READERS, MANAGERS, PEOPLE, PROGRAMS, READERS, SENDERS, Collects
from collector.doors.table import DOORS
from layouts.figures import bundle

SITE, OTHER = "example.com", "other.example"
GIVEN = {
    "data-site": SITE,
    "data": {"number": 1, "fields": {"key": "999", "id": "999"}},  # no row has that number
    "search": "",
    "asked": {"by": "source", "text": "", "search": ""},
}
DIALOG = {"overview-rows.of": GIVEN | {"asked": ""}}  # its question is the address
HTML = {"Accept": "text/html"}

# Who asks: a client without a login; a person with a role on another site; on this site; on every site.
ASKERS = ("nobody", "another's viewer", "viewer", "admin", "owner", "every site's admin", "every site's owner")
YES, SIGN_IN, NOTHING, REFUSED = "yes", "sign in", "404", "403"

# What each kind of thing answers them.
OPEN = (YES,) * 7
SOMEBODY = (SIGN_IN, YES, YES, YES, YES, YES, YES)
VIEWERS = (SIGN_IN, NOTHING, YES, YES, YES, YES, YES)
ADMINS = (SIGN_IN, NOTHING, REFUSED, YES, YES, YES, YES)
OWNERS = (SIGN_IN, NOTHING, REFUSED, REFUSED, YES, REFUSED, YES)
ADMINS_OF_ALL = (SIGN_IN, NOTHING, NOTHING, NOTHING, NOTHING, YES, YES)
OWNERS_OF_ALL = (SIGN_IN, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, YES)
GONE = (NOTHING,) * 7
LED_TO_SIGN_IN = (SIGN_IN,) * 7  # open; without a password, and when it is over, that page is the answer
WITH_A_KEY = (SIGN_IN,) * 7  # a login does not open it
NEVER = (SIGN_IN, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING)

# What the role of a page's row in `callbacks/table.py` means for each asker.
ON_ITS_SITE = {roles.VIEWER: VIEWERS, roles.ADMIN: ADMINS, roles.OWNER: OWNERS}
ON_EVERY_SITE = {roles.MEMBER: SOMEBODY, roles.ADMIN: ADMINS_OF_ALL, roles.OWNER: OWNERS_OF_ALL}
PAGES = {
    page.address: (ON_ITS_SITE if pages.SITE in page.address else ON_EVERY_SITE)[page.role] for page in pages.PAGES
}

# A callback is for those who may see its page: by the first row of `callbacks/table.py` whose `register` adds it. The
# others, by the first output:
CALLBACKS_APART = {
    "root.children": SOMEBODY,  # of no page; which page it draws, `PAGES` says
    "note-answer.data-answer": ADMINS,  # viewers see notes, and write none
    "note-remove-answer.data-answer": ADMINS,
    "alert-acknowledge-answer.data-answer": ADMINS,  # viewers see alerts
    "alert-snooze-answer.data-answer": ADMINS,
    "one-acknowledge-answer.data-answer": ADMINS,
    "one-snooze-answer.data-answer": ADMINS,
    "alert-strip.children": SOMEBODY,  # of the sites that they see
    "watch-add-answer.data-answer": ADMINS_OF_ALL,  # a connection from this server; admins of the site see the states
    "delete-site-answer.data-answer": OWNERS,  # on a page of admins, who see no such card
}
# What an answer contains by role: tests/http/test_all_sites.py, tests/http/test_saved_segments.py.
FORMS_OF_ALL = ("person-role", "person-remove", "invite", "invitation-revoke")  # for "" instead of a domain

# By address, with how it is asked for where that is not GET.
OUTLINES = "/assets/plotly/<version>/regions/<country>.json"
ROUTES = {
    "/sign-in": OPEN,
    "POST /sign-in": LED_TO_SIGN_IN,
    "POST /sign-out": LED_TO_SIGN_IN,
    "/setup": GONE,  # an account exists
    "POST /setup": GONE,
    "/invitation": GONE,  # without a token
    "POST /invitation": GONE,
    "/assets/<path:filename>": OPEN,
    "/assets/plotly/<version>/<name>": OPEN,
    "/assets/footfall.js": OPEN,
    "/assets/css/all.css": OPEN,
    OUTLINES: OPEN,
    "/api/docs": OPEN,
    "/<path:path>": NEVER,  # every address that is no page
    "/_dash-layout": SOMEBODY,
    "/_dash-dependencies": SOMEBODY,
    "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>": SOMEBODY,
    DASHS_PLOTLY: SOMEBODY,
    "/_reload-hash": SOMEBODY,
    "/_favicon.ico": SOMEBODY,
    "/overview/<domain>/<name>.csv": VIEWERS,
    "/concurrents/<domain>/minutes.csv": VIEWERS,
    "/live/<domain>/minutes.csv": VIEWERS,
    "/live/<domain>/places.csv": VIEWERS,
}
# Of the public doors, whose table says who is let in. A card's token opens it to anybody; these see its preview.
DOORS_FOR = {
    ANYBODY: OPEN,
    READERS: VIEWERS,
    PEOPLE: SOMEBODY,
    PROGRAMS: WITH_A_KEY,
    MANAGERS: WITH_A_KEY,
    SENDERS: WITH_A_KEY,
    CARD_READERS: VIEWERS,
}
OF_DOORS = {door.path: DOORS_FOR[door.credentials] for door in DOORS}
METHODS = {
    door.path: "OPTIONS" if isinstance(door, Collects) else "POST" for door in DOORS if "GET" not in door.methods
} | {door.path: "GET" for door in DOORS if "GET" in door.methods}
ELSEWHERE = {"/", f"POST {CALLS}"}  # the lines of these are each page's and each callback's


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """The whole application, and a signed-in browser for each asker."""
    with open_house(Config(data_dir=tmp_path_factory.mktemp("data"))) as house:
        site, other = (house.add_site(domain) for domain in (SITE, OTHER))
        house.browsers["nobody"] = house.app.server.test_client()
        for asker, on in zip(ASKERS[1:], ([other], [site], [site], [site], [], []), strict=True):
            email = re.sub(r"\W", "-", asker) + "@example.com"
            house.browsers[asker] = house.join(email, asker.split()[-1], on)
        yield house


@pytest.fixture(scope="module")
def by_page(house) -> dict[str, tuple[str, ...]]:
    """What the page of each callback means for each asker, by the callback's first output."""
    found: dict[str, tuple[str, ...]] = {}
    for page in pages.PAGES:
        alone = Dash("alone", server=flask.Flask("alone"))
        page.register(alone, house.service)
        for output in alone.callback_map:
            found.setdefault(first_output(output), PAGES[page.address])
    return {output: answers for output, answers in found.items() if output in house.served}


@pytest.fixture(scope="module")
def callbacks(by_page) -> dict[str, tuple[str, ...]]:
    return by_page | CALLBACKS_APART


def verdict(answer) -> str:
    """What an answer says to its client."""
    if answer.status_code == 302:
        return SIGN_IN if answer.location.startswith("/sign-in") else YES
    known = {401: SIGN_IN, 403: REFUSED, 404: NOTHING}
    assert answer.status_code in {200, 204, *known}, answer
    return known.get(answer.status_code, YES)


def seen(house, asker: str, address: str) -> str:
    """The result of opening a page: the gate's answer, then the page that is drawn."""
    path = address.replace("<domain>", SITE)
    browser = house.browsers[asker]
    at_gate = verdict(browser.get(path, headers=HTML))
    if at_gate != YES:
        return at_gate
    drawn = house.call(browser, "root.children", pathname=path).text
    return NOTHING if "Page not found" in drawn else REFUSED if "Not for your role" in drawn else YES


def called(house, asker: str, name: str) -> str:
    return verdict(house.call(house.browsers[asker], name, **DIALOG.get(name, GIVEN)))


def called_for_all(house, asker: str, name: str) -> str:
    given = GIVEN | {"data-site": ""}
    return verdict(house.call(house.browsers[asker], f"{name}-answer.data-answer", **given))


def called_for_none(house, asker: str, name: str) -> str:
    return verdict(house.call(house.browsers[asker], name, **GIVEN | {"data-site": ""}))


SUITE = "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>"
EXAMPLES = {
    "/assets/<path:filename>": "/assets/shapes/mark.svg",
    "/assets/plotly/<version>/<name>": bundle.address(bundle.SCRIPT),
    OUTLINES: bundle.outlines_address("DE"),
    "/<path:path>": "/nowhere",
    SUITE: "/_dash-component-suites/dash/dcc/dash_core_components.js",
    "/overview/<domain>/<name>.csv": f"/overview/{SITE}/source.csv",
    "/concurrents/<domain>/minutes.csv": f"/concurrents/{SITE}/minutes.csv",
    "/live/<domain>/minutes.csv": f"/live/{SITE}/minutes.csv",
    "/live/<domain>/places.csv": f"/live/{SITE}/places.csv",
    "/api/live": f"/api/live?site={SITE}",
    "/api/live/metrics": f"/api/live/metrics?site={SITE}",
    "/embed/live": f"/embed/live?site={SITE}",
    "/api/live/stream": f"/api/live/stream?site={SITE}",
}


def asked(house, asker: str, route: str) -> str:
    method, _, address = route.rpartition(" ")
    browser = house.browsers[asker]
    if address == "/sign-out":
        browser = house.app.server.test_client()  # the client stays signed in
    method = method or METHODS.get(address, "GET")
    away = {"REMOTE_ADDR": "203.0.113.9"}  # this machine may read `/metrics`
    opened = FlaskClient.open(browser, EXAMPLES.get(address, address), method=method, environ_overrides=away)
    with opened as answer:  # a stream has no end
        return verdict(answer)


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────────


def answers(house, names, ask) -> dict[str, tuple[str, ...]]:
    return {name: tuple(ask(house, asker, name) for asker in ASKERS) for name in names}


def table(title: str, found: dict[str, tuple[str, ...]]) -> str:
    width = max(map(len, found)) + 2
    lines = [f"{title:<{width}}" + "".join(f"{asker:<20}" for asker in ASKERS)]
    lines += [f"{name:<{width}}" + "".join(f"{one:<20}" for one in answers) for name, answers in found.items()]
    return "\n" + "\n".join(line.rstrip() for line in lines)


@pytest.mark.parametrize(
    ("title", "intended", "ask"),
    [
        ("PAGE", PAGES, seen),
        ("FORM OF EVERY SITE", dict.fromkeys(FORMS_OF_ALL, OWNERS_OF_ALL), called_for_all),
        ("CALLBACK OF NO SITE", {"traffic-period.choices": OWNERS_OF_ALL}, called_for_none),
        ("ROUTE", ROUTES, asked),
        ("DOOR", OF_DOORS, asked),
    ],
)
def test_everybody_gets_what_is_intended(house, capsys, title, intended, ask):
    found = answers(house, intended, ask)
    with capsys.disabled():
        print(table(title, found))
    assert found == intended


def test_a_callback_is_for_those_who_may_see_its_page(house, callbacks, capsys):
    found = answers(house, callbacks, called)
    with capsys.disabled():
        print(table("CALLBACK", found))
    assert found == callbacks


def test_nothing_is_without_an_intention(house, by_page, callbacks):
    rules = house.app.server.url_map.iter_rules()
    addresses = {
        f"{method} {rule.rule}".removeprefix("GET ") for rule in rules for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert len(PAGES) == len(pages.PAGES)
    assert house.served.keys() == callbacks.keys()
    assert [name for name, apart in CALLBACKS_APART.items() if by_page.get(name) == apart] == [], "no exceptions"
    assert addresses == ROUTES.keys() | ELSEWHERE
    assert house.routes.paths == OF_DOORS.keys()


def test_a_call_of_what_runs_in_the_browser_alone_is_refused(house):
    browser = house.browsers["every site's owner"]
    alone = [output for output, callback in house.app.callback_map.items() if "callback" not in callback]
    assert alone
    assert {browser.post(CALLS, json=house.body(output)).status_code for output in alone} == {400}
