"""The page of all sites: what its callback tells to whom, searched, sorted and turned."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace

import pytest
from doorway import CHEAP, Browser
from test_who_may_what import CALLS, body_of, served

from analytics import accounts, sites
from analytics.config import Config
from app import create_app
from collector.service import Service
from layouts.all_sites import ROWS
from tests.factories import stored_outcome

PASSWORD = "correct horse"
DOMAINS = [f"site-{number:02}.example" for number in range(ROWS + 3)]


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """53 sites; people on three of them; an owner of all, a viewer of two, and somebody who sees none."""
    patch = pytest.MonkeyPatch()
    patch.setattr(accounts, "HASHER", CHEAP)
    service = Service(Config(data_dir=tmp_path_factory.mktemp("data")))
    now = int(time.time())
    ids = [sites.add(service.database, domain, now=now).id for domain in DOMAINS]
    sites.change(service.database, DOMAINS[7], name="The Shop")
    service.renew()
    for at, people in ((4, 3), (9, 5), (52, 1)):
        service.hub.publish([stored_outcome(n, at=now, site_id=ids[at]) for n in range(people)])
    app = create_app(service)
    app.server.test_client_class = Browser
    browsers = {}
    for who, role, on in (("owner", "owner", []), ("viewer", "viewer", ids[3:5]), ("guest", "viewer", ids[:1])):
        email = f"{who}@example.com"
        accounts.add_person(service.database, email, role, PASSWORD, now=now, sites=on)
        browsers[who] = app.server.test_client()
        browsers[who].post("/sign-in", data={"email": email, "password": PASSWORD})
    yield SimpleNamespace(app=app, service=service, browsers=browsers)
    service.close()
    patch.undo()


def asked(house, who: str = "owner", data: object = None) -> tuple[dict, str]:
    """The list and the sum as that person's browser gets them."""
    output, callback = served(house)["sites-list.data-part"]
    answer = house.browsers[who].post(CALLS, json=body_of(callback, output, data=data))
    assert answer.status_code == 200, answer.text
    told = answer.json["response"]
    return json.loads(told["sites-list"]["data-part"]), told["sites-total"]["children"]


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
    part, total = asked(house, "guest", {"words": DOMAINS[9]})
    assert (domains(part), total) == ([], "1 site · 0 people active in the last 60 s")


@pytest.mark.parametrize(
    ("words", "found"), [("SITE-4", DOMAINS[40:50]), (" the shop ", [DOMAINS[7]]), ("nowhere", []), ("%", [])]
)
def test_the_search_goes_over_the_domains_and_names_of_all(house, words, found):
    assert domains(asked(house, data={"words": words, "sort": "domain"})[0]) == found


def test_the_order_can_be_turned_round(house):
    assert domains(asked(house, data={"sort": "domain"})[0]) == DOMAINS[:ROWS]
    assert domains(asked(house, data={"sort": "domain", "backwards": True})[0]) == DOMAINS[: -ROWS - 1 : -1]
    assert domains(asked(house, data={"sort": "active", "backwards": True})[0])[0] == DOMAINS[0]


@pytest.mark.parametrize(("page", "shown"), [(2, DOMAINS[ROWS:]), (99, DOMAINS[ROWS:])])
def test_the_pages_go_on_to_the_last(house, page, shown):
    assert domains(asked(house, data={"sort": "domain", "page": page})[0]) == shown


@pytest.mark.parametrize(
    "data",
    [
        7,
        [],
        "x",
        {"words": 7, "sort": [], "page": "2", "backwards": 1},
        {"sort": "password", "page": -1},
        {"page": 10**30, "words": {"a": 1}},
        {"page": True, "sort": "__class__"},
    ],
)
def test_what_the_script_would_not_send_counts_as_not_sent(house, data):
    assert domains(asked(house, data=data)[0])[0] == DOMAINS[9]


def test_a_site_that_is_removed_is_gone_with_the_next_tick(house):
    added = sites.add(house.service.database, "gone.example", now=1)
    house.service.renew()
    house.service.hub.publish([stored_outcome(1, at=int(time.time()), site_id=added.id)])
    assert domains(asked(house, data={"words": "gone"})[0]) == ["gone.example"]
    sites.remove(house.service.database, "gone.example")
    house.service.renew()
    part, total = asked(house, data={"words": "gone"})
    assert (domains(part), total) == ([], "53 sites · 9 people active in the last 60 s")


def test_several_sites_begin_with_all_one_with_itself(house):
    output, callback = served(house)["root.children"]
    for who, begins in (("owner", "all-sites"), ("viewer", "all-sites"), ("guest", "first-visit")):
        drawn = house.browsers[who].post(CALLS, json=body_of(callback, output, pathname="/"))
        assert f'"id": "{begins}"' in json.dumps(drawn.json), who


def test_the_switcher_lists_the_busiest_twenty_and_leads_to_all(house):
    output, callback = served(house)["root.children"]
    answer = house.browsers["owner"].post(CALLS, json=body_of(callback, output, pathname=f"/live/{DOMAINS[51]}"))
    drawn = json.dumps(answer.json)
    listed = [domain for domain in DOMAINS if f'"/live/{domain}"' in drawn]
    assert len(listed) == 21
    assert {DOMAINS[4], DOMAINS[9], DOMAINS[51], DOMAINS[52]} <= set(listed)
    assert "All 53 sites" in drawn
