"""The pages of sites: all of them, adding one, filters, and the snippet."""

from __future__ import annotations

import ipaddress
import json

import pytest
from test_layouts import SNIPPET, Site, nodes, one, props, text

from analytics.live.today_counts import TodayCounts
from analytics.sites.host import UnlistedHost
from layouts.components import hosts, trend
from layouts.footfall_components.site_list import SitePage
from layouts.pages import add_site, all_sites
from layouts.pages.all_sites import ListedSite, ListPage
from layouts.settings import filters, snippet

ROW = ListedSite(
    "example.com", "example.com", "/live/example.com", 1_280, TodayCounts(5_012, 6_100, 19_000), 4_400, (1,), False
)

# ── all sites ────────────────────────────────────────────────────────────────────────────────────


def part(*rows: ListedSite, **fields: object) -> SitePage:
    given = {"found": len(rows), "known": len(rows), "page": 1, "sort": "-active"} | fields
    return all_sites.list_page(ListPage(rows, **given), 60)


def test_a_row_has_its_figures_each_with_its_window():
    (row,) = part(ROW._replace(trend=(None, 0, 2)))["rows"]
    assert row == {
        "domain": "example.com",
        "name": "",
        "href": "/live/example.com",
        "badge": "",
        "cells": [
            ("1,280", "last 60 s"),
            ("5,012", "People today"),
            ("6,100", "Visits today"),
            ("19,000", "Pageviews today"),
            ("4,400", "People yesterday"),
        ],
        "trend": (
            "polygon(33.33% 100%,33.33% 100%,66.67% 99.84%,100% 0%,100% 100%)",
            "Between 0 and 1,280, now 1,280",
        ),
    }


def test_a_site_with_a_name_of_its_own_and_made_up_traffic_says_so():
    (row,) = part(ROW._replace(name="Our shop", demo=True))["rows"]
    assert (row["name"], row["badge"]) == ("Our shop", "Demo")


def test_what_is_not_counted_yet_is_no_nought():
    (row,) = part(ROW._replace(today=None, yesterday=None))["rows"]
    assert [cell for cell, _ in row["cells"]] == ["1,280", "–", "–", "–", "–"]


def test_more_people_than_are_told_apart_are_at_least_so_many():
    (row,) = part(ROW._replace(today=TodayCounts(2_000_000, 3, 4, at_least=True)))["rows"]
    assert row["cells"][1][0] == "2,000,000+"


@pytest.mark.parametrize(
    ("fields", "words", "to"),
    [
        ({"found": 1, "known": 1}, "1–1 of 1", [0, 0]),
        ({"found": 1_000, "known": 1_000}, "1–1 of 1,000", [0, 2]),
        ({"found": 1_000, "known": 1_000, "page": 2}, "51–51 of 1,000", [1, 3]),
        ({"found": 101, "known": 2_000, "page": 3}, "101–101 of 101 found, of 2,000", [2, 0]),
    ],
)
def test_the_list_says_which_sites_these_are_of_how_many(fields, words, to):
    row = part(ROW, **fields)
    assert (row["words"], row["to"]) == (words, to)


def test_figures_begin_with_the_most_and_names_with_a():
    first = [column["sort"] for column in one(all_sites.page(60, part(ROW), "", may_add=False), id="sites")["columns"]]
    assert first == ["domain", "-active", "", "-people", "-visits", "-pageviews", ""]
    assert all_sites.SORTS == ("domain", "active", "people", "visits", "pageviews")
    assert part(ROW, sort="-domain")["sort"] == "-domain"


def test_every_column_of_all_sites_has_its_window():
    page = all_sites.page(60, part(ROW), "3 sites", may_add=True)
    shown = one(page, id="sites")
    assert [(column["label"], column["window"]) for column in shown["columns"]] == [
        ("Site", ""),
        ("Active now", "last 60 s"),
        ("Trend", "last 30 min"),
        ("People", "today"),
        ("Visits", "today"),
        ("Pageviews", "today"),
        ("People", "yesterday, UTC"),
    ]
    assert (shown["total"], shown["page"]) == ("3 sites", json.loads(json.dumps(part(ROW))))
    assert [node["props"]["href"] for node in nodes(page) if "href" in node["props"]] == ["/sites/add"]


def test_who_may_not_add_a_site_sees_no_way_to():
    assert "Add site" not in text(all_sites.page(60, part(ROW), "", may_add=False))


@pytest.mark.parametrize(
    ("values", "shape", "words"),
    [
        ((0, 0), "polygon(0% 100%,0% 100%,100% 100%,100% 100%)", "Between 0 and 0, now 0"),
        ((1, 2), "polygon(0% 100%,0% 75%,100% 50%,100% 100%)", "Between 1 and 2, now 2"),
        ((8, None, 2), "polygon(0% 100%,0% 0%,100% 75%,100% 100%)", "Between 2 and 8, now 2"),
        ((5,), "polygon(0% 100%,0% 0%,0% 100%)", "Between 5 and 5, now 5"),
    ],
)
def test_a_trend_is_a_shape_and_words(values, shape, words):
    assert trend.line(values) == (shape, words)


def test_the_whole_is_summed_up():
    assert all_sites.total(1, 1, 60) == "1 site · 1 person active in the last 60 s"
    assert all_sites.total(1_000, 100_000, 300) == "1,000 sites · 100,000 people active in the last 5 min"


# ── adding one ───────────────────────────────────────────────────────────────────────────────────


def test_a_new_site_has_a_domain_a_name_and_one_of_the_zones():
    page = add_site.page(("UTC", "Europe/Berlin"))
    fields = [node["props"]["name"] for node in nodes(page) if node["props"].get("name")]
    assert fields == ["domain", "name", "timezone"]
    assert one(page, name="timezone")["list"] == "zones"
    assert [node["props"]["value"] for node in nodes(page) if node["type"] == "Option"] == ["UTC", "Europe/Berlin"]


# ── filters ──────────────────────────────────────────────────────────────────────────────────────


class Filtered(Site):
    hosts = ("shop.example.net",)
    excluded_hosts = ("staging.example.com",)
    excluded_addresses = (ipaddress.ip_network("10.0.0.0/8"),)
    excluded_paths = ("/admin/**", "/x")


def test_filters_show_what_is_set_one_a_line():
    cards = filters.cards(Filtered(), None, "203.0.113.7")
    areas = {node["props"]["name"]: node["props"]["value"] for node in nodes(cards) if node["type"] == "Textarea"}
    assert areas == {
        "hosts": "shop.example.net",
        "excluded_hosts": "staging.example.com",
        "excluded_addresses": "10.0.0.0/8",
        "excluded_paths": "/admin/**\n/x",
    }
    assert one(cards, **{"data-add": "203.0.113.7"})["data-to"] == one(cards, name="excluded_addresses")["id"]
    assert "Unlisted hosts" not in text(cards)


def test_unlisted_hosts_stand_before_what_is_set():
    waiting = hosts.card(Filtered(), [UnlistedHost("shop.example.net", 1_204, 1_795_181_528)])
    cards = filters.cards(Filtered(), waiting, "203.0.113.7")
    assert text(cards[0]).startswith(
        "Unlisted hosts|so far|Host|Events|Last|shop.example.net|1,204|20 Nov 2026|, 14:32|"
    )
    (form,) = [node["props"] for node in nodes(cards[0]) if node["type"] == "Form"]
    assert (form["id"], form["data-key"]) == ("host-shop:example:net", "shop.example.net")
    assert [button["data-value"] for button in props(cards[0], type="submit")] == ["include", "ignore"]


# ── the snippet ──────────────────────────────────────────────────────────────────────────────────

POLICY = "script-src https://stats.example.com; connect-src https://stats.example.com"


def test_the_snippet_page_has_the_line_its_options_the_check_and_the_picture():
    picture = snippet.picture_of("https://stats.example.com", "example.com")
    where = {"address": "https://stats.example.com", "window_s": 60}
    cards = snippet.cards(Site(), SNIPPET, picture, snippet.Doubts(POLICY), **where)
    assert [button["data-copy"] for button in props(cards, className="ff-btn ff-btn-primary")] == [
        SNIPPET,
        picture,
        'data-domain="example.com" data-api="https://stats.example.com/api/event"',
        f'data-website-id="{Site().uuid}" data-host-url="https://stats.example.com"',
    ]
    assert "Their visitors are active for 60 s after a pageview" in text(cards[3])
    assert picture == (
        '<noscript><img src="https://stats.example.com/pixel.gif?site=example.com" '
        'referrerpolicy="no-referrer-when-downgrade" width="1" height="1" alt=""></noscript>'
    )
    assert text(cards[2]).count("url=https%3A%2F%2Fexample.com%2Fletter") == 1
    switches = [node["props"]["label"] for node in nodes(cards) if node["type"] == "Switch"]
    assert switches == ["Signed-in people", "Hash routing", "Missing pages"]
    check = one(cards, id="first-visit")
    assert (check["data-then"], check["data-timezone"]) == ("stay", "Europe/Berlin")
    assert one(cards, children=POLICY)


@pytest.mark.parametrize(
    ("doubts", "said"),
    [
        (snippet.Doubts(POLICY), "The page stands on a host that is not the site's."),
        (
            snippet.Doubts(POLICY, "/f", hosts=["a.example", "b.example"]),
            "|a.example, b.example| wait to be included (|",
        ),
        (snippet.Doubts(POLICY, "/f", excluded=True), "|Your own address is excluded|"),
        (snippet.Doubts(POLICY, traffic="/t"), "|What became of every event says |Traffic|."),
    ],
)
def test_the_check_names_what_may_be_the_matter(doubts, said):
    trouble = snippet.trouble("example.com", doubts)
    assert said in text(trouble)
    links = {node["props"]["href"] for node in nodes(trouble) if "href" in node["props"]}
    assert links == {address for address in (doubts.filters, doubts.traffic) if address}
