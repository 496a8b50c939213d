"""axe on every page there is, as people see it: signed in, with data, light and dark, on a desk and on a phone.

The pages come from the table of pages itself, so that a new one is looked at without a word here.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from importlib.resources import files

import pytest
from reader import DESKTOP, PHONE, Reader, add_owner, add_site, come
from stream_server import until

from analytics.base.config import Config
from callbacks.table import PAGES
from callbacks.table import SITE as DOMAIN
from tests.support.serving import AGENT, SITE, Server, event, serving

OTHER, QUIET = "other.example", "quiet.example"
OVERVIEW = f"/overview/{SITE}?period=today"
FURTHER = (
    "places=country&filters=[[%22is%22,%22event%22,[%22Payment%22]]]",
    "details=page",
    "details=time",
    "metric=nothing",
    "details=nothing",
)
AXE = files("axe_core_python").joinpath("axe.min.js").read_text("utf-8")
LOOKS = list(itertools.product(("light", "dark"), (DESKTOP, PHONE)))

# The findings of axe that hinder a reader: (rule, where, what to do).
FINDINGS = """
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ["violations"]}).then(({violations}) => done(violations
  .filter(({impact}) => impact === "serious" || impact === "critical")
  .flatMap(({id, nodes}) => nodes.map((node) => `${id}: ${node.target.join(" ")}: ${node.failureSummary}`))), done);
"""

# What is operated with a finger or a pointer and smaller than so many px each way (links within a sentence aside).
SMALL = """
const least = arguments[0], inline = (n) => getComputedStyle(n).display === "inline";
const places = [...document.querySelectorAll("a[href], button, summary, select, input:not([type=hidden]), textarea")];
return places.filter((n) => n.checkVisibility({visibilityProperty: true, opacityProperty: true}) && !inline(n)
    && !n.matches(".ff-skip, .ff-place, [inert] *"))
  .map((n) => [n, n.getBoundingClientRect()]).filter(([, box]) => Math.min(box.width, box.height) < least - 0.5)
  .map(([n, box]) => `${Math.round(box.width)} × ${Math.round(box.height)}: ${n.outerHTML.slice(0, 120)}`);
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    with serving(Config(data_dir=tmp_path_factory.mktemp("data"))) as running:
        add_owner(running)
        for domain in (SITE, OTHER, QUIET):
            add_site(running, domain)
        furnish(running)
        yield running


def furnish(server: Server) -> None:
    """Something of everything that pages list."""
    server.tell("user add", email="viewer@example.com", role="viewer", password="correct horse battery", on=[SITE])
    for scope in ("stats", "ingest"):
        server.tell("key add", name=f"the {scope} key", scope=scope, site=SITE)
    server.tell("embed add", site=SITE, hosts=["panel.example.com"], expires="365d")
    for domain in (SITE, OTHER):
        come(server, domain, [f"bob of {domain}"], "/", timezone="Europe/Lisbon", referrer="https://www.google.com/")
        come(server, domain, [f"ann of {domain}"], "/plans", user_id="u-1", user_type="supplier", timezone="Asia/Tokyo")
    bought = event("payment-1", "Payment", "/plans", SITE, value=49.5, currency="EUR", description="Team, yearly")
    who = {"pageview": f"page-of-ann of {SITE}", "user_id": "u-1", "user_name": "Ann"}
    assert server.collect(bought | who, {"User-Agent": f"{AGENT} ann of {SITE}"}).status == 202


def findings(reader: Reader) -> dict[str, list[str]]:
    """What is wrong with the page that the reader is on, by look; empty when nothing is."""
    reader.run(AXE)
    found = {}
    for theme, size in LOOKS:
        with reader.sized(size):
            reader.run("document.documentElement.dataset.bsTheme = arguments[0]", theme)
            reader.run("document.getAnimations().forEach((one) => one.transitionProperty && one.finish())")
            wrong = reader.driver.execute_async_script(FINDINGS) + reader.run(SMALL, 36 if size == PHONE else 24)
            wrong += [f"reaches beyond the edge: {one}" for one in reader.too_wide()]
            found[f"{theme}, {size[0]} px"] = wrong
    return {look: wrong for look, wrong in found.items() if wrong}


# How many figures have their numbers and are not drawn by plotly.js; those of a hidden part wait until it is shown.
UNDRAWN = """return [...document.querySelectorAll(".ff-figure")].filter((n) => n.checkVisibility()
    && n.querySelector("[id$=-words]:not(:empty)") && !n.querySelector(".js-plotly-plot .main-svg")).length"""


def drawn(reader: Reader) -> None:
    """Waits until the page is drawn with its figures, with nothing still to come."""
    until(lambda: reader.texts("h1") and not reader.run("return document.querySelector('.ff-skel, ._dash-loading')"))
    until(lambda: reader.run(UNDRAWN) == 0)


def addresses() -> list[str]:
    """Of every page, on the site that has data; of some also where nobody has been, or with more on it."""
    more = [f"/live/{QUIET}", f"/live/{SITE}?wall=1", f"/overview/{QUIET}", *(f"{OVERVIEW}&{one}" for one in FURTHER)]
    return [page.address.replace(DOMAIN, SITE) for page in PAGES] + more


@pytest.mark.parametrize("address", addresses())
def test_axe_finds_nothing_serious_on_a_page(signed_in, address):
    signed_in.open(address)
    drawn(signed_in)
    assert findings(signed_in) == {}


REWIND = """
const slider = document.getElementById("rewind-slider");
slider.value = slider.min;
slider.dispatchEvent(new Event("input", {bubbles: true}));
"""


def test_axe_finds_nothing_serious_on_a_rewound_page(signed_in):
    signed_in.open(f"/live/{SITE}")
    drawn(signed_in)
    until(lambda: signed_in.run("return document.getElementById('rewind-slider')"))
    signed_in.run(REWIND)
    until(lambda: (signed_in.text("status-text") or "").startswith("Rewound"))
    assert findings(signed_in) == {}


@pytest.mark.parametrize("menu", ["#site-menu button", "#account button", ".ff-foot [data-opens]"])
def test_axe_finds_nothing_serious_in_an_open_menu_and_the_sheet(signed_in, menu):
    signed_in.open(f"/live/{SITE}")
    drawn(signed_in)
    signed_in.click(menu)
    assert findings(signed_in) == {}


@pytest.mark.parametrize("menu", ["filter", "segments", "compare", "period"])
def test_axe_finds_nothing_serious_in_the_menus_of_the_overview(signed_in, menu):
    signed_in.open(f"{OVERVIEW}&{FURTHER[0]}")
    drawn(signed_in)
    signed_in.click(f"[data-key={menu}]")
    assert findings(signed_in) == {}


@pytest.mark.parametrize("address", [f"/live/{SITE}?", f"{OVERVIEW}&"])
def test_axe_finds_nothing_serious_in_a_form_with_suggestions(signed_in, address):
    signed_in.open(f"{address}filters=[[%22is%22,%22country%22,[%22PT%22,%22JP%22]]]")
    drawn(signed_in)
    until(lambda: signed_in.texts(".ff-filters button"))
    signed_in.click(".ff-filters button")
    until(lambda: signed_in.texts(".ff-values [aria-busy=false] > [role=option]"))
    assert signed_in.texts(".ff-values .ff-filter") == ["Portugal", "Japan"]
    assert findings(signed_in) == {}


@pytest.mark.parametrize("address", ["/live/nothing.example", f"/settings/{SITE}/nothing", "/nothing/at/all"])
def test_axe_finds_nothing_serious_on_a_page_that_is_not_there(signed_in, address):
    signed_in.open(address)
    drawn(signed_in)
    assert findings(signed_in) == {}


def test_axe_and_the_ruler_do_look(signed_in):
    signed_in.open(f"/live/{SITE}")
    drawn(signed_in)
    signed_in.run("document.getElementById('refresh').outerHTML = '<button style=\"padding:0\"></button>'")
    found = findings(signed_in)
    assert set(found) == {f"{theme}, {size[0]} px" for theme, size in LOOKS}
    assert all([one.split(":")[0].split()[0] for one in wrong][:1] == ["button-name"] for wrong in found.values())
    assert all(len(wrong) > 1 for wrong in found.values())


# ───────── the pages without Dash ─────────


@pytest.fixture
def stranger(anonymous) -> Iterator[Reader]:
    kept = anonymous.driver.get_cookies()
    anonymous.driver.delete_all_cookies()
    yield anonymous
    anonymous.driver.delete_all_cookies()
    for cookie in kept:
        anonymous.driver.add_cookie(cookie)


def test_axe_finds_nothing_serious_at_the_door(stranger, server):
    stranger.open("/sign-in")
    assert findings(stranger) == {}
    for element in ("email", "password"):
        stranger.type(element, "nobody@example.com")
    stranger.click("button[type=submit]")
    until(lambda: stranger.texts("[role=alert]"))
    assert findings(stranger) == {}


def test_axe_finds_nothing_serious_on_the_page_of_the_api(stranger):
    stranger.open("/api/docs")
    assert stranger.texts("h1") == ["API"]
    assert findings(stranger) == {}


def test_axe_finds_nothing_serious_on_an_invitation_and_on_one_that_is_over(stranger, server):
    message = server.tell("user invite", email="new@example.com", role="viewer", on=SITE, expires="7d")
    stranger.open("/invitation" + message.split("/invitation")[1].split()[0])
    assert stranger.texts("h1") == ["You are invited"]
    assert findings(stranger) == {}
    stranger.open("/invitation?token=over")
    assert findings(stranger) == {}


def test_axe_finds_nothing_serious_while_a_new_house_is_set_up(anonymous, tmp_path):
    with serving(Config(data_dir=tmp_path / "data")) as bare:
        newcomer = Reader(anonymous.driver, bare)
        newcomer.open("/setup" + next(line for line in bare.lines if "/setup" in line).split("/setup")[1])
        assert newcomer.texts("h1") == ["Set up Footfall"]
        assert findings(newcomer) == {}
        newcomer.open("/sign-in")
        assert findings(newcomer) == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_the_card(signed_in, server, theme):
    line = server.tell("embed add", site=SITE, hosts=["127.0.0.1"], expires="1d")
    with signed_in.sized((360, 260)):
        signed_in.open(f"/embed/live?token={line.split('token=')[1].split(chr(34))[0]}&theme={theme}")
        until(lambda: signed_in.run("return document.getElementById('active')"))
        signed_in.run(AXE)
        assert signed_in.driver.execute_async_script(FINDINGS) == []
