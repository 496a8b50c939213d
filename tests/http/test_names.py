"""Sites and hosts whose names have letters beyond ASCII: accepted in both forms by every door, shown in letters."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from house import House, open_house

from analytics.base.config import Config
from tests.support.serving import AGENT, eventually, pageview, rows

_numbers = itertools.count(1)
LETTERS, ASCII = "müller.example", "xn--mller-kva.example"
FORMS = (LETTERS, ASCII, "MÜLLER.example", "mu\u0308ller.example")


@pytest.fixture(scope="module")
def idn(shared) -> str:
    """The site, added in letters."""
    said = shared.tell("site add", domain=LETTERS, name="", timezone="UTC")
    assert said.startswith(f"{LETTERS} is added.")
    assert f'data-site="{ASCII}"' in said, "the line fits into a page in any encoding"
    return LETTERS


def visit(shared, site: str, host: str, path: str = "/", referrer: str = "", agent: str = AGENT):
    number = next(_numbers)
    sent = pageview(f"name-{number:06}", path, site) | {"url": f"https://{host}{path}", "referrer": referrer}
    return shared.collect(sent, {"User-Agent": agent})


@pytest.mark.parametrize("site", FORMS)
@pytest.mark.parametrize("host", [LETTERS, ASCII, "shop.müller.example"])
def test_an_event_names_its_site_and_its_page_in_either_form(shared, idn, site, host):
    assert visit(shared, site, host).status == 202
    stored = rows(shared.config, "SELECT host FROM pageviews ORDER BY id")[-1]
    assert stored == (host.replace(LETTERS, ASCII),)


@pytest.mark.parametrize("site", [LETTERS, ASCII])
def test_the_picture_takes_either_form(shared, idn, site):
    url = quote(f"https://{LETTERS}/letter", safe="")
    answer = shared.request("GET", f"/pixel.gif?site={quote(site)}&url={url}", headers={"User-Agent": AGENT})
    assert answer.headers["x-footfall-outcome"] == "stored"


@pytest.mark.parametrize("site", FORMS)
def test_live_and_statistics_take_either_form(shared, idn, site):
    key = shared.tell("key add", name="reader", scope="stats", site=site)
    bearer = {"Authorization": f"Bearer {key}"}
    for route in ("/api/live?site=", "/api/v1/stats/realtime/visitors?site_id="):
        assert shared.request("GET", route + quote(site), headers=bearer).status == 200
    asked = {"site_id": site, "metrics": ["visitors"], "date_range": "day"}
    assert shared.request("POST", "/api/v2/query", json.dumps(asked), bearer).status == 200


def test_a_sharp_s_is_a_letter_of_its_own(shared):
    assert shared.tell("site add", domain="straße.example", name="", timezone="UTC").startswith("straße.example is")
    assert visit(shared, "straße.example", "xn--strae-oqa.example").json == {"stored": 1, "duplicate": 0}
    assert visit(shared, "strasse.example", "strasse.example").status == 404, "that is another name"
    listed = shared.tell("site list").splitlines()
    assert any(line.startswith("straße.example ") for line in listed)


def test_names_that_could_be_taken_for_others_are_listed_in_ascii(shared):
    shared.tell("site add", domain="аррӏе.example", name="", timezone="UTC")  # all of it Cyrillic
    listed = shared.tell("site list").splitlines()
    assert any(line.startswith("xn--80ak6aa92e.example ") for line in listed)


def test_commands_take_either_form_and_speak_in_letters(shared, idn):
    assert shared.tell("site set", domain=ASCII, hosts=["läden.example"]) == f"{LETTERS} is changed."
    assert visit(shared, LETTERS, "xn--lden-loa.example").status == 202
    shared.tell("site set", domain=LETTERS, excluded_hosts=["prüf.müller.example"])
    refused = visit(shared, LETTERS, "xn--prf-ioa.xn--mller-kva.example")
    assert refused.json == {"stored": 0, "filtered": "excluded_host"}
    line = shared.tell("embed add", site=LETTERS, hosts=["büro.example:3000"], expires="1d")
    assert 'title="Active now on m&#252;ller.example"' in line
    card = shared.request("GET", "/embed/" + line.split("/embed/")[1].split('"')[0])
    assert "https://xn--bro-hoa.example:3000" in card.headers["content-security-policy"]
    assert LETTERS in card.body.decode()
    listed = next(one for one in shared.tell("embed list").splitlines() if "büro" in one)
    assert listed.split()[1:3] == [LETTERS, "büro.example:3000"]


def test_a_source_is_shown_in_letters_and_asked_for_in_either_form(shared, idn):
    linked = "https://xn--bcher-kva.example/caf%c3%a9/a%20b"
    assert visit(shared, LETTERS, ASCII, "/linked", linked, f"{AGENT} Another/1").status == 202
    asked = {"site": LETTERS, "metrics": ["visitors"], "by": [], "period": "today", "limit": 10, "form": "table"}

    def queried(*filters: str, by: tuple[str, ...] = ()) -> str:
        return shared.tell("query", **asked | {"by": by}, filters=filters)

    for one in ("source=bücher.example", "source=xn--bcher-kva.example", "referrer=bücher.example/caf%C3%A9/a%20b"):
        assert eventually(lambda one=one: queried(one).split() == ["visitors", "1"])
    assert "bücher.example/café/a b" in queried("source=bücher.*", by=("referrer",))
    assert queried("hostname=müller.example").split() == queried("hostname=xn--mller-kva.example").split()


# ── pages ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Iterator[House]:
    config = Config(data_dir=tmp_path_factory.mktemp("data"), columnar=False, base_url="https://xn--zhler-gra.example")
    with open_house(config) as house:
        house.add_site(LETTERS)
        house.browsers["owner"] = house.join("owner@example.com", "owner")
        yield house


PAGES = ("live", "overview", "concurrents", "traffic", "settings/{}/general", "settings/{}/snippet", "settings/{}/keys")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("site", [LETTERS, ASCII, quote(LETTERS), quote(LETTERS).lower()])
def test_the_address_of_a_page_names_its_site_in_either_form(house, page, site):
    path = f"/{page.format(site)}" if "{}" in page else f"/{page}/{site}"
    drawn = json.loads(house.drawn(house.browsers["owner"], path))
    assert f'"{LETTERS}"' in json.dumps(drawn, ensure_ascii=False)
    assert f'"children": "{ASCII}"' not in json.dumps(drawn)


def test_hosts_are_typed_and_shown_in_letters(house):
    owner = house.browsers["owner"]
    assert house.send(owner, "filter-hosts", LETTERS, hosts="läden.example", excluded_hosts="аррӏе.example") == {}
    assert house.service.sites.get(ASCII).hosts == ("xn--lden-loa.example",)
    drawn = json.dumps(json.loads(house.drawn(owner, f"/settings/{LETTERS}/filters")), ensure_ascii=False)
    assert '"läden.example"' in drawn
    assert '"xn--80ak6aa92e.example"' in drawn


def test_the_installations_own_name_is_shown_in_letters(house):
    """As FOOTFALL_BASE_URL is kept: `test_config.py` has the forms in which it is given."""
    assert "zähler.example" in house.app.server.test_client().get("/sign-in").text
