"""Paths over HTTP: one row and letters for each page, and no digit of a session's id, by whichever door they come."""

from __future__ import annotations

import itertools
import json
from urllib.parse import quote

import pytest

from tests.support.logs import line
from tests.support.serving import AGENT, event, eventually, heartbeat, listening, pageview, rows

_numbers = itertools.count(1)
KEY = "0123456789abcdef0123456789ABCDEF"
CART = f"/shop/cart.jsp;jsessionid={KEY}"
TOLD = ("visits", "pageviews", "events", "heartbeats", "outcomes", "unlisted_hosts", "changes")


def new_id() -> str:
    return f"path-{next(_numbers):06}"


def view(shared, site: str, path: str, **fields) -> None:
    assert shared.collect(pageview(new_id(), path, site, **fields)).status == 202


def stored(shared, site: str, column: str = "path", table: str = "pageviews") -> list[str]:
    asked = f"SELECT t.{column} FROM {table} AS t JOIN sites ON sites.id = t.site_id WHERE sites.domain = '{site}'"
    return [value for (value,) in rows(shared.config, f"{asked} ORDER BY t.id")]


def counted(shared, site: str, *filters, dimension: str = "event:page"):
    """The rows of an answer of the statistics API by page: path and pageviews."""
    key = shared.tell("key add", name="reader", scope="stats", site=site)
    asked = {
        "site_id": site,
        "metrics": ["pageviews"],
        "date_range": "day",
        "dimensions": [dimension],
        "filters": list(filters),
    }
    answer = shared.request("POST", "/api/v2/query", json.dumps(asked), {"Authorization": f"Bearer {key}"}).json
    return [(*row["dimensions"], *row["metrics"]) for row in answer["results"]]


@pytest.mark.parametrize(
    ("spellings", "shown"),
    [
        (("/caf%C3%A9", "/caf%c3%a9", "/café"), "/café"),
        (("/%D8%B3%D9%84%D8%A7%D9%85", "/%d8%b3%d9%84%d8%a7%d9%85", "/سلام"), "/سلام"),
        (("/a%2fb", "/a%2Fb"), "/a%2Fb"),
    ],
)
def test_a_page_is_one_row_in_letters_however_its_address_was_encoded(shared, site, spellings, shown):
    for spelling in spellings:
        view(shared, site, spelling)
    assert set(stored(shared, site)) == {shown}
    assert eventually(lambda: counted(shared, site) == [(shown, len(spellings))])
    key = shared.tell("key add", name="reader", scope="stats", site=site)
    live = shared.request("GET", f"/api/live?site={site}", headers={"Authorization": f"Bearer {key}"}).json
    assert live["top_pages"] == [{"path": shown, "count": 1}]


def test_a_filter_takes_a_path_in_either_form(shared, site):
    view(shared, site, "/caf%C3%A9/men%C3%BC")
    view(shared, site, "/tee")
    assert eventually(lambda: len(counted(shared, site)) == 2)
    for one in (
        ["is", "event:page", ["/caf%c3%a9/menü"]],
        ["is", "event:page", ["/café/menü"]],
        ["contains", "event:page", ["caf%C3%A9"]],
        ["matches", "event:page", ["/caf%C3%A9/*"]],
        ["is_not", "event:page", ["/te%65"]],
    ):
        assert counted(shared, site, one) == [("/café/menü", 1)], one


@pytest.mark.parametrize("pattern", ["/سلام/**", "/%D8%B3%D9%84%D8%A7%D9%85/**", "/%d8%b3%d9%84%d8%a7%d9%85/*"])
@pytest.mark.parametrize("path", ["/سلام/a", "/%D8%B3%D9%84%D8%A7%D9%85/a"])
def test_an_excluded_path_is_met_in_either_form(shared, site, pattern, path):
    shared.tell("site set", domain=site, excluded_paths=[pattern])
    assert eventually(lambda: shared.collect(pageview(new_id(), path, site)).json == FILTERED)
    assert shared.collect(pageview(new_id(), "/other", site)).status == 202


FILTERED = {"stored": 0, "filtered": "excluded_path"}


def test_an_excluded_path_may_have_a_space(shared, site):
    shared.tell("site set", domain=site, excluded_paths=["/two%20words/*"])
    assert eventually(lambda: shared.collect(pageview(new_id(), "/two words/a", site)).json == FILTERED)
    assert shared.collect(pageview(new_id(), "/two/a", site)).status == 202


def test_no_digit_of_a_sessions_id_is_stored_or_shown_by_whichever_door_it_comes(shared, site, tmp_path):
    key = shared.tell("key add", name="reader", scope="stats", site=site)
    bearer = {"Authorization": f"Bearer {key}"}
    link = f"https://other.example{CART}"
    with listening(shared, f"site={site}", bearer) as stream:
        view(shared, site, CART, referrer=f"https://partner.example/x;sid={KEY}/y")
        sent = [
            heartbeat(new_id(), site, url=f"https://{site}/app{CART}"),
            event(new_id(), "Signup", f"/reset-{KEY}", site),
            event(new_id(), "Outbound Link: Click", "/", site, props={"url": f"{link}?q=1&PHPSESSID={KEY}"}),
            event(new_id(), "File Download", "/", site, props={"url": f"https://{site}/report-{KEY}.pdf"}),
            event(new_id(), "404", CART, site, props={"path": f"{CART}?token={KEY}"}),
        ]
        assert shared.collect(sent).json == {"stored": len(sent), "duplicate": 0}
        address = quote(f"https://{site}/letter;token={KEY}", safe="")
        shared.request("GET", f"/pixel.gif?site={site}&url={address}", headers={"User-Agent": AGENT})
        eventually(lambda: len(stream.of("new_event")) >= 6)
        shown = str(stream.of("new_event")) + str(stream.of("stats"))
    log = tmp_path / "access.log"
    log.write_text(line(0, path=CART, referrer=f"https://partner.example/{KEY}-x"))
    shared.command("import", "access-log", str(log), "--site", site)
    kept = str([rows(shared.config, f"SELECT * FROM {table}") for table in TOLD])
    for digits in (KEY, KEY[8:16]):
        assert digits not in kept
        assert digits not in shown
    assert sorted(set(stored(shared, site))) == ["/letter", "/shop/cart.jsp"]
    assert stored(shared, site, "path", "heartbeats").count("/app/shop/cart.jsp") == 1
    assert stored(shared, site, "path", "events") == ["/:redacted", "/", "/", "/shop/cart.jsp"]
    assert [json.loads(props) for props in stored(shared, site, "props", "events")] == [
        {},
        {"url": "https://other.example/shop/cart.jsp"},
        {"url": f"https://{site}/:redacted"},
        {"path": "/shop/cart.jsp"},
    ]
    assert "partner.example/x/y" in stored(shared, site, "referrer", "visits")
