"""The page of all sites: what its callback tells to whom, searched, sorted and turned."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from house import House, open_house

from analytics.base.config import Config
from analytics.sites import store
from layouts.pages.all_sites import ROWS
from tests.support.factories import stored_outcome

DOMAINS = [f"site-{number:02}.example" for number in range(ROWS + 3)]


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Iterator[House]:
    """53 sites; people on three of them; an owner of all, a viewer of two, and a guest of one."""
    with open_house(Config(data_dir=tmp_path_factory.mktemp("data"))) as house:
        ids = [house.add_site(domain) for domain in DOMAINS]
        store.change(house.service.database, house.service.sites.get(DOMAINS[7]), name="The Shop")
        house.service.refresh()
        now = int(time.time())
        for at, people in ((4, 3), (9, 5), (52, 1)):
            house.service.hub.publish([stored_outcome(n, at=now, site_id=ids[at]) for n in range(people)])
        for who, role, on in (("owner", "owner", []), ("viewer", "viewer", ids[3:5]), ("guest", "viewer", ids[:1])):
            house.browsers[who] = house.join(f"{who}@example.com", role, on)
        yield house


def shown(house, who: str = "owner", search: object = "") -> dict:
    """The list's props as that person's browser gets them for an address."""
    answer = house.call(house.browsers[who], "sites.page", search=search)
    assert answer.status_code == 200, answer.text
    return answer.json["response"]["sites"]


def asked(house, who: str = "owner", **given: object) -> tuple[dict, str]:
    """The list and the sum for an address with these parameters, in which nothing is wrong."""
    found = shown(house, who, f"?{urlencode(given)}")
    assert found["wrong"] is None
    return found["page"], found["total"]


def drawn(house, who: str, path: str) -> str:
    """The page of an address, as JSON of a known form."""
    return json.dumps(json.loads(house.drawn(house.browsers[who], path)))


def domains(part: dict) -> list[str]:
    return [row["domain"] for row in part["rows"]]


def test_the_busiest_come_first_and_the_others_by_name(house):
    part, total = asked(house)
    rest = [domain for domain in DOMAINS if domain not in (DOMAINS[9], DOMAINS[4], DOMAINS[52])]
    assert domains(part) == [DOMAINS[9], DOMAINS[4], DOMAINS[52], *rest][:ROWS]
    assert [row["cells"][0][0] for row in part["rows"][:4]] == ["5", "3", "1", "0"]
    assert part["words"] == "1–50 of 53"
    assert total == "53 sites · 9 people active in the last 60 s"


def test_everybody_sees_their_own_sites_and_sums_of_them_alone(house):
    part, total = asked(house, "viewer")
    assert (domains(part), total) == ([DOMAINS[4], DOMAINS[3]], "2 sites · 3 people active in the last 60 s")
    part, total = asked(house, "guest", search=DOMAINS[9])
    assert (domains(part), total) == ([], "1 site · 0 people active in the last 60 s")


@pytest.mark.parametrize(
    ("words", "found"), [("SITE-4", DOMAINS[40:50]), (" the shop ", [DOMAINS[7]]), ("nowhere", []), ("%", [])]
)
def test_the_search_goes_over_the_domains_and_names_of_all(house, words, found):
    assert domains(asked(house, search=words, sort="domain")[0]) == found


def test_the_order_can_be_turned_round(house):
    assert domains(asked(house, sort="domain")[0]) == DOMAINS[:ROWS]
    assert domains(asked(house, sort="-domain")[0]) == DOMAINS[: -ROWS - 1 : -1]
    for sort, first in (("active", DOMAINS[0]), ("-active", DOMAINS[9])):
        part, _total = asked(house, sort=sort)
        assert (domains(part)[0], part["sort"]) == (first, sort)


@pytest.mark.parametrize(("page", "shown"), [(2, DOMAINS[ROWS:]), (99, DOMAINS[ROWS:])])
def test_the_pages_go_on_to_the_last(house, page, shown):
    assert domains(asked(house, sort="domain", page=page)[0]) == shown


@pytest.mark.parametrize(
    "search", [None, 7, [], {}, "", "?search=&sort=&page=", "?words=shop", f"?search={' ' * 10_000}"]
)
def test_an_address_without_search_order_and_page_shows_the_first_page(house, search):
    found = shown(house, search=search)
    assert (domains(found["page"])[0], found["page"]["words"], found["wrong"]) == (DOMAINS[9], "1–50 of 53", None)


@pytest.mark.parametrize(
    ("search", "first", "said", "change"),
    [
        ("sort=password", DOMAINS[9], "Sort 'password': domain, active, people, visits, pageviews", "sort=&page="),
        (
            "sort=--domain&page=2",
            DOMAINS[9],
            "Sort '-domain': domain, active, people, visits, pageviews",
            "sort=&page=",
        ),
        ("sort=domain&page=0", DOMAINS[0], "Page '0' is no whole number from 1 on", "page="),
        ("sort=domain&page=2.5", DOMAINS[0], "Page '2.5' is no whole number from 1 on", "page="),
        ("page=" + "9" * 5_000, DOMAINS[9], f"Page '{'9' * 40}' is no whole number from 1 on", "page="),
        ("page=<b>", DOMAINS[9], "Page '<b>' is no whole number from 1 on", "page="),
    ],
)
def test_what_makes_no_sense_is_left_out_and_a_line_says_so(house, search, first, said, change):
    found = shown(house, search=f"?{search}")
    assert domains(found["page"])[0] == first
    line = {"said": f"A part of this address is left out. {said}.", "way": "Remove it", "change": change}
    assert found["wrong"] == line


def test_the_page_comes_with_the_list_of_its_address(house):
    given = {"pathname": "/sites", "search": "?sort=-domain&page=2"}
    drawn = house.call(house.browsers["owner"], "root.children", **given).text
    assert [domain for domain in DOMAINS if f'"domain":"{domain}"' in drawn] == DOMAINS[:3]


def test_a_site_that_is_removed_is_gone_with_the_next_tick(house):
    added = store.add(house.service.database, "gone.example", now=1)
    house.service.refresh()
    house.service.hub.publish([stored_outcome(1, at=int(time.time()), site_id=added.id)])
    assert domains(asked(house, search="gone")[0]) == ["gone.example"]
    store.remove(house.service.database, "gone.example")
    house.service.refresh()
    part, total = asked(house, search="gone")
    assert (domains(part), total) == ([], "53 sites · 9 people active in the last 60 s")


def test_several_sites_begin_with_all_one_with_itself(house):
    for who, begins in (("owner", "sites"), ("viewer", "sites"), ("guest", "first-visit")):
        assert f'"id": "{begins}"' in drawn(house, who, "/"), who


def test_the_switcher_lists_the_busiest_twenty_and_leads_to_all(house):
    page = drawn(house, "owner", f"/live/{DOMAINS[51]}")
    listed = [domain for domain in DOMAINS if f'"/live/{domain}"' in page]
    assert len(listed) == 21
    assert {DOMAINS[4], DOMAINS[9], DOMAINS[51], DOMAINS[52]} <= set(listed)
    assert "All 53 sites" in page
    assert "All 2 sites" in drawn(house, "viewer", f"/live/{DOMAINS[4]}")
