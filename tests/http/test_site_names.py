"""Wherever the outside names a site: with or without `www.`, in upper or lower case."""

from __future__ import annotations

import itertools
import json
from urllib.parse import urlencode

import pytest
from house import open_house

from analytics.base.config import Config
from collector.api import statistics
from collector.doors import pixel
from tests.support.serving import AGENT, pageview, rows

_numbers = itertools.count(60_000_000)
STORED = (202, {"stored": 1, "duplicate": 0})


@pytest.fixture(params=["", "www."], ids=["bare", "www"])
def added(request, shared) -> str:
    """The domain of a new site, added with `www.` or without."""
    domain = f"{request.param}named-{next(_numbers)}.example"
    shared.tell("site add", domain=domain, name="", timezone="UTC")
    return domain


def names(domain):
    """What it may be called."""
    bare = domain.removeprefix("www.")
    return (bare, f"www.{bare}", f"WWW.{bare}", bare.upper())


def pageviews(server, domain):
    asked = f"SELECT COUNT(*) FROM pageviews t JOIN sites ON sites.id = t.site_id WHERE domain = '{domain}'"
    return rows(server.config, asked)[0][0]


def test_the_collector_and_the_pixel_find_it(shared, added):
    url = f"https://{added}/"
    for name in names(added):
        answer = shared.collect(pageview(f"page-{next(_numbers)}", site=name) | {"url": url})
        assert (answer.status, answer.json) == STORED
        picture = shared.request(
            "GET", f"{pixel.PATH}?{urlencode({'site': name, 'url': url})}", headers={"User-Agent": AGENT}
        )
        assert picture.headers["x-footfall-outcome"] == "stored"
    assert pageviews(shared, added) == 8


def test_a_key_of_the_site_is_one_under_both_names(shared, added):
    ingest = {"Authorization": "Bearer " + shared.tell("key add", name="i", scope="ingest", site=added)}
    stats = {"Authorization": "Bearer " + shared.tell("key add", name="s", scope="stats", site=added)}
    for name in names(added):
        one = pageview(f"page-{next(_numbers)}", site=name) | {"url": f"https://{added}/", "ip": "203.0.113.7"}
        assert shared.collect(one, ingest).status == 202
        live = shared.request("GET", f"/api/live?site={name}", headers=stats)
        assert (live.status, live.json["active_sessions"]) == (200, 1)
        asked = json.dumps({"site_id": name, "metrics": ["pageviews"], "date_range": "day"}).encode()
        assert shared.request("POST", statistics.QUERY, asked, stats).status == 200
        now = shared.request("GET", f"/api/v1/stats/realtime/visitors?site_id={name}", headers=stats)
        assert (now.status, now.json) == (200, 1)


def test_where_both_are_added_each_is_itself(shared, added):
    bare = added.removeprefix("www.")
    (missing,) = {bare, f"www.{bare}"} - {added}
    shared.tell("site add", domain=missing, name="", timezone="UTC")
    for name in (bare, f"www.{bare}"):
        assert shared.collect(pageview(f"page-{next(_numbers)}", site=name) | {"url": f"https://{bare}/"}).status == 202
    assert (pageviews(shared, bare), pageviews(shared, f"www.{bare}")) == (1, 1)


def test_another_subdomain_is_no_name_of_it(shared, added):
    bare = added.removeprefix("www.")
    for name in (f"shop.{bare}", f"ww.{bare}", f"www{bare}", f"www..{bare}"):
        assert shared.collect(pageview(f"page-{next(_numbers)}", site=name)).status == 404


@pytest.mark.parametrize("domain", ["example.com", "www.example.com"])
def test_the_pages_of_a_dashboard_open_under_both_names(tmp_path, domain):
    with open_house(Config(data_dir=tmp_path)) as house:
        house.add_site(domain)
        owner = house.join("owner@example.com", "owner")
        for name in ("example.com", "www.example.com"):
            for path in (f"/live/{name}", f"/overview/{name}", f"/traffic/{name}", f"/settings/{name}/general"):
                drawn = house.drawn(owner, path)
                assert "Page not found" not in drawn
                assert f'"data-site": "{domain}"' in drawn or f'"data-site":"{domain}"' in drawn, path
            top = house.call(owner, "overview-wrong.children", **{"data-site": name, "search": ""})
            assert top.status_code == 200
