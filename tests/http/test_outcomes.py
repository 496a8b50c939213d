"""Where the traffic went: one of everything is sent, and the table has exactly what was answered."""

from __future__ import annotations

import json
import time
from collections import Counter

import pytest
from house import open_house

from analytics.live import outcome_store
from analytics.live.outcomes import RobotCount
from analytics.sites import host, store, unlisted_hosts
from analytics.storage.database import Database
from tests.support.serving import AGENT, event, heartbeat, leave, pageview, serving

SITE = "example.com"
OUTSIDE = {"X-Forwarded-For": "203.0.113.7"}
AWAY = {"X-Forwarded-For": "10.9.9.9"}
BOTS = {
    "Googlebot": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Headless Chrome": AGENT.replace("Chrome/", "HeadlessChrome/"),
    "Cypress": AGENT.replace("Chrome/", "Cypress/13.6.0 Chrome/"),
    "unnamed": "",
}
SENT = [  # what is sent, with which headers
    (pageview("page-0001", "/"), OUTSIDE),
    (pageview("page-0001", "/"), OUTSIDE),
    ([heartbeat("page-0001"), leave("page-0001"), event("event-01", "Signup")], OUTSIDE),
    (pageview("page-0002", "/"), OUTSIDE | {"DNT": "1"}),
    (pageview("page-0003", "/"), OUTSIDE | {"Sec-GPC": "1"}),
    *((pageview("page-0004", "/"), OUTSIDE | {"User-Agent": agent}) for agent in BOTS.values()),
    (pageview("page-0005", "/"), OUTSIDE | {"User-Agent": BOTS["Googlebot"]}),
    (pageview("page-0019", "/"), OUTSIDE | {"Sec-Purpose": "prefetch;prerender"}),
    (pageview("page-0006", "/"), OUTSIDE | {"X-Footfall-IP-Type": "dc_ip"}),
    (pageview("page-0007", "/", referrer="http://www.semalt.com/x"), OUTSIDE),
    (heartbeat("page-0007", url=f"https://{SITE}/"), OUTSIDE),
    (pageview("page-0008", "/"), AWAY),
    (pageview("page-0009", "/admin/users"), OUTSIDE),
    (pageview("page-0010", "/") | {"url": "https://staging.example.com/"}, OUTSIDE),
    (pageview("page-0011", "/") | {"url": "https://shop.test/"}, OUTSIDE),
    (pageview("page-0012", "/") | {"url": "https://shop.test/b"}, OUTSIDE),
    (pageview("page-0013", "/") | {"url": "https://copy.test/"}, OUTSIDE),
    (leave("page-gone"), OUTSIDE),
    (heartbeat("page-gone"), OUTSIDE),
    (pageview("page-0014", "/") | {"url": "ftp://example.com/"}, OUTSIDE),
    (pageview("page-0015", "/", scroll=101), OUTSIDE),
    ([pageview("page-0017", "/", title={}), heartbeat("page-0017", title=7)], OUTSIDE),
    (pageview("page-0018", "/", screen=0), OUTSIDE | {"DNT": "1"}),
    (pageview("page-0016", "/", site="nowhere.example"), OUTSIDE),
    (b"{", OUTSIDE),
    (b"[]", OUTSIDE),
    (b" " * 65_537, OUTSIDE),
    *((pageview("page-0001", "/"), {"X-Forwarded-For": "203.0.113.99"}) for _ in range(12)),
]
EXPECTED = {
    ("stored", ""): 6,
    ("duplicate", ""): 11,
    ("filtered", "bot"): 5,
    ("filtered", "datacenter"): 1,
    ("filtered", "excluded_address"): 1,
    ("filtered", "excluded_host"): 1,
    ("filtered", "excluded_path"): 1,
    ("filtered", "opted_out"): 3,
    ("filtered", "prefetch"): 1,
    ("filtered", "spam_referrer"): 2,
    ("filtered", "unknown_pageview"): 1,
    ("filtered", "unlisted_host"): 3,
    ("rejected", "bad_json"): 1,
    ("rejected", "empty"): 1,
    ("rejected", "http_413"): 1,
    ("rejected", "unknown_pageview"): 1,
    ("rejected", "unknown_site"): 1,
    ("rejected", "wrong_field"): 2,
    ("shed", "too_many_requests"): 2,
}

OF_NO_SITE = {("rejected", reason) for reason in ("bad_json", "empty", "http_413", "unknown_site")}


def outcomes_of(answer) -> Counter[tuple[str, str]]:
    """The outcomes that an answer speaks of."""
    body = answer.json
    found: Counter[tuple[str, str]] = Counter()
    for outcome in ("stored", "duplicate"):
        found[outcome, ""] += body.get(outcome, 0)
    if isinstance(body.get("filtered"), str):
        found["filtered", body["filtered"]] += 1
    for reason, many in body.get("reasons", {}).items():
        found["filtered", reason] += many
    kind = "shed" if answer.status in (429, 503) else "rejected"
    for one in body.get("rejected", [body] if "error" in body else []):
        code = "http_413" if one["error"]["code"] == "too_large" else one["error"]["code"]
        found[kind, code] += 1
    return +found


@pytest.fixture
def answered(config) -> tuple[Counter[tuple[str, str]], int]:
    """What all the answers speak of together, and the moment when the first was asked for."""
    with serving(config, FOOTFALL_TRUSTED_PROXIES="127.0.0.1", FOOTFALL_COLLECT_RATE="10") as server:
        server.tell("site add", domain=SITE, name="", timezone="UTC")
        server.tell(
            "site set",
            domain=SITE,
            excluded_addresses=["10.0.0.0/8"],
            excluded_paths=["/admin/**"],
            excluded_hosts=["staging.example.com"],
        )
        begun = int(time.time())
        together: Counter[tuple[str, str]] = Counter()
        for body, headers in SENT:
            together += outcomes_of(server.collect(body, headers))
        assert server.stop() == 0
    return together, begun


def test_every_event_has_one_outcome_and_the_counters_balance(config, answered):
    together, begun = answered
    database = Database(config)
    try:
        site = store.find(database, SITE)
        since, until = begun // 3600 * 3600, int(time.time()) + 3600
        whole = [outcome_store.read(database, site_id, since, until) for site_id in (site.id, 0)]
        table = {(outcome, reason): many for traffic in whole for outcome, reason, many in traffic.totals()}
        unlisted = [(one.host, one.events) for one in unlisted_hosts.unlisted(database, site)]
    finally:
        database.close()
    assert table == dict(together) == EXPECTED
    assert {row[:2] for row in whole[1].totals()} == OF_NO_SITE
    assert (whole[0].dropped, whole[1].dropped) == ([("title", 2), ("screen", 1)], [])
    assert whole[0].robots == [
        RobotCount("Googlebot", 2),
        *(RobotCount(name, 1) for name in ("Cypress", "Headless Chrome", "unnamed")),
    ]
    assert unlisted == [("shop.test", 2), ("copy.test", 1)]


# ── what names no site ───────────────────────────────────────────────────────────────────────────────────────────────


NAMES = ("Müller.example", "nowhere.example", "nowhere.example", "<b>")


@pytest.fixture
def house(config):
    with open_house(config) as house:
        house.add_site(SITE)
        yield house


def send(house, *bodies) -> None:
    """Events from a browser; at the end they are counted."""
    browser = house.app.server.test_client()
    for body in bodies:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        browser.post("/api/collect", data=sent, headers={"Content-Type": "text/plain", "User-Agent": AGENT})
    assert house.service.writer.settle(10)


def test_what_names_no_site_has_a_page_for_owners_of_every_site(house):
    strange = [pageview(f"page-{n:04}", "/", site=name) for n, name in enumerate(NAMES)]
    send(house, *strange, b"{", pageview("page-2001", "/", scroll=101))
    owner = house.join("owner@example.com", "owner")
    drawn = house.drawn(owner, "/traffic")
    assert [text for text in ("5 received", "Unknown site", "No JSON", "Wrong field") if text in drawn] == [
        *("5 received", "Unknown site", "No JSON")
    ]
    names = [(one.host, one.events) for one in unlisted_hosts.unknown_sites(house.service.database)]
    assert names == [("nowhere.example", 2), ("xn--mller-kva.example", 1)]
    assert all(name in drawn for name, _ in names)
    of_site = house.drawn(owner, f"/traffic/{SITE}")
    assert "Beside these, 5 named no site of this server" in of_site
    assert '"/traffic"' in json.dumps(json.loads(of_site))  # as it was sent, slashes are escaped
    assert "1 received" in of_site


def test_others_see_neither_the_page_nor_how_many_they_were(house):
    send(house, pageview("page-1000", "/", site="nowhere.example"), b"{")
    site_id = house.service.sites.get(SITE).id
    for email, role, on in (("admin@example.com", "admin", ()), ("owner@example.com", "owner", [site_id])):
        browser = house.join(email, role, on)
        page = house.drawn(browser, "/traffic")
        assert "Page not found" in page
        assert "nowhere.example" not in page
        of_site = house.drawn(browser, f"/traffic/{SITE}")
        assert "named no site" not in of_site
        assert "Events without a site" not in of_site


def test_only_a_hundred_names_that_are_no_site_s_are_kept(house):
    pages = [pageview(f"page-{n:04}", "/", site=f"s{n}.example") for n in range(150)]
    send(house, pages[:75], pages[75:])
    names = unlisted_hosts.unknown_sites(house.service.database)
    assert (len(names), sum(one.events for one in names)) == (101, 150)
    assert names[0] == (host.OTHER, 50, names[0].last_at)


def test_without_such_events_the_page_says_so(house):
    drawn = house.drawn(house.join("owner@example.com", "owner"), "/traffic")
    assert "Whatever came named a site of this server." in drawn
    assert "No other site" in drawn


# ── the period in the address ────────────────────────────────────────────────────────────────────────────────────────


def redrawn(house, browser, search: object, domain: str = SITE) -> dict:
    """What the page of that address gets, by the id of the part."""
    answer = house.call(browser, "traffic-period.choices", **{"search": search, "data-site": domain})
    assert answer.status_code == 200, answer.text
    return answer.json["response"]


def chosen(parts: dict) -> list[tuple[str, str]]:
    """The name and the change of the period that is pressed."""
    return [(one["key"], one["change"]) for one in parts["traffic-period"]["choices"] if one["chosen"]]


@pytest.mark.parametrize(
    ("search", "name", "window"),
    [
        ("", "24h", "last 24 hours"),
        ("?period=24h", "24h", "last 24 hours"),
        ("?period=7d", "7d", "last 7 days"),
        ("?other=1&period=24h&period=7d&period=", "7d", "last 7 days"),
        (None, "24h", "last 24 hours"),
        (["?period=7d"], "24h", "last 24 hours"),
    ],
)
def test_the_address_has_the_period(house, search, name, window):
    owner = house.join("owner@example.com", "owner")
    for domain in (SITE, ""):
        parts = redrawn(house, owner, search, domain)
        assert [one for one, _change in chosen(parts)] == [name]
        assert f'"{window}, by the hour"' in json.dumps(parts["traffic-bars"])
        assert parts["traffic-wrong"]["children"] is None
        drawn = house.call(owner, "root.children", pathname=f"/traffic/{domain}".rstrip("/"), search=search).text
        assert f"{window}, by the hour" in drawn, "the page comes with the period of its address"


@pytest.mark.parametrize("wrong", ["168", "30d", "<b>", "x" * 10_000])
def test_a_period_that_is_none_is_the_default_and_a_line_says_so(house, wrong):
    parts = redrawn(house, house.join("owner@example.com", "owner"), f"?period={wrong}")
    assert chosen(parts) == [("24h", "period=")]
    said = json.dumps(parts["traffic-wrong"])
    assert f"A part of this address is left out. Period {wrong[:40]!r}: 24h, 7d." in said
    assert '"change": "period="' in said
    assert len(said) < 2_000
