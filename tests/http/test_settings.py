"""What the settings pages change, asked for as browsers ask, over the whole application on both databases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from house import PASSWORD, House, open_house

from analytics.access import accounts, api_keys, invitations, members
from analytics.sites import store
from analytics.storage import schema
from callbacks import table
from callbacks.forms import LOOK_ONLY

SITE, OTHER = "shop.example", "blog.example"


@pytest.fixture
def house(config) -> Iterator[House]:
    with open_house(config) as house:
        for domain in (SITE, OTHER):
            house.add_site(domain)
        yield house


@pytest.fixture
def owner(house):
    return house.join("owner@example.com", "owner")


def number(house, domain=SITE):
    return store.find(house.service.database, domain).id


def role(house, email, domain=SITE):
    return members.find(house.service.database, email).role_on(number(house, domain))


# ── general ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_general_settings_are_saved_and_what_is_wrong_is_told_by_field(house, owner):
    given = {
        "name": "Shop",
        "timezone": "Asia/Tokyo",
        "week_start": "sunday",
        "identity": "browser",
        "retention_days": "3",
        "overview_period": "28d:today",
    }
    assert house.send(owner, "general", SITE, **given) == {}
    saved = house.service.sites.get(SITE)  # what the collector goes by, at once
    assert (saved.name, saved.timezone, saved.week_start) == ("Shop", "Asia/Tokyo", 6)
    assert (saved.identity, saved.retention_days, saved.overview_period) == ("browser", 3, "28d:today")
    wrong = house.send(owner, "general", SITE, **given | {"timezone": "Mars", "retention_days": "-1", "name": "Other"})
    assert wrong["wrong"] == {
        "timezone": "'Mars' is no time zone; give one like Europe/Berlin or UTC",
        "retention_days": "give whole days from 1 to 3,650, or nothing",
    }
    assert house.service.sites.get(SITE) == saved


def test_a_form_changes_nothing_that_it_does_not_show(house, owner):
    before = house.service.sites.get(SITE)
    assert house.send(owner, "general", SITE, domain="evil.example", hosts="evil.example", demo="on") == {}
    assert house.service.sites.get(SITE) == before


def test_a_site_goes_after_its_name_was_typed(house, owner):
    refused = house.send(owner, "delete-site", SITE, typed=OTHER)
    assert refused["wrong"] == {"typed": "that is another name"}
    assert house.send(owner, "delete-site", SITE, typed=SITE)["go"] == "/"
    assert [site.domain for site in house.service.sites.all()] == [OTHER]
    assert "Page not found" in house.drawn(owner, f"/live/{SITE}")


NUL = {"number": 1, "fields": {"name": "a\x00b"}}  # PostgreSQL takes it in no text


@pytest.mark.parametrize(
    "data", [None, 1, [], {}, {"number": 1}, {"number": 1, "fields": {"name": 1}}, {"number": "1"}, NUL]
)
def test_what_no_form_sends_is_400(house, owner, data):
    answer = house.call(owner, "general-answer.data-answer", **{"data": data, "data-site": SITE})
    assert answer.status_code == 400


# ── people ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_person_invited_to_one_site_sees_that_site_alone(house, owner):
    answer = house.send(owner, "invite", SITE, role="viewer", email="ann@example.com", expires="7d")
    link = answer["once"]["invite-link"]
    assert link.startswith("http://localhost/invitation?token=")
    ann = house.app.server.test_client()
    given = {"token": link.partition("=")[2], "email": "ann@example.com", "password": PASSWORD}
    assert ann.post("/invitation", data=given).location == f"/live/{SITE}"
    shown = house.drawn(ann, "/")
    assert SITE in shown
    assert OTHER not in shown
    assert "Page not found" in house.drawn(ann, f"/live/{OTHER}")
    assert ann.get(f"/api/live?site={OTHER}").status_code == 404
    assert ann.get(f"/api/live?site={SITE}").status_code == 200


def test_an_owner_of_a_site_changes_and_removes_people_of_it_and_of_no_other(house):
    boss = house.join("boss@example.com", "owner", [number(house)])
    house.join("ann@example.com", "viewer", [number(house), number(house, OTHER)])
    house.join("eve@example.com", "viewer", [number(house, OTHER)])
    ann, eve = (str(members.find(house.service.database, f"{name}@example.com").id) for name in ("ann", "eve"))
    assert house.send(boss, "person-role", SITE, key=ann, role="admin") == {"message": "ann@example.com is changed"}
    assert (role(house, "ann@example.com"), role(house, "ann@example.com", OTHER)) == ("admin", "viewer")
    gone = {"wrong": {}, "message": "that person is not here any more; reload the page"}
    assert house.send(boss, "person-role", SITE, key=eve, role="viewer") == gone
    assert house.send(boss, "person-remove", SITE, key=eve) == gone
    assert house.send(boss, "person-remove", SITE, key=ann) == {"message": "ann@example.com is removed"}
    assert (role(house, "ann@example.com"), role(house, "ann@example.com", OTHER)) == ("member", "viewer")


def test_everybody_is_changed_by_owners_of_every_site(house, owner):
    house.join("ann@example.com", "viewer")
    ann, own = (str(members.find(house.service.database, f"{name}@example.com").id) for name in ("ann", "owner"))
    assert "ann@example.com" in house.drawn(owner, "/people")
    house.send(owner, "person-role", "", key=ann, role="member")
    assert role(house, "ann@example.com") == "member"
    answer = house.send(owner, "person-remove", "", key=own)
    assert answer["message"].startswith("owner@example.com is the last owner of every site")
    house.send(owner, "person-remove", "", key=ann)
    assert [person.email for person in accounts.people(house.service.database)] == ["owner@example.com"]


def test_an_invitation_is_listed_and_can_be_revoked(house, owner):
    house.send(owner, "invite", SITE, role="admin", email="ann@example.com", expires="1d")
    (made,) = invitations.pending(house.service.database, number(house), now=0)
    assert "ann@example.com" in house.drawn(owner, f"/settings/{SITE}/people")
    assert "ann@example.com" not in house.drawn(owner, f"/settings/{OTHER}/people")
    house.send(owner, "invitation-revoke", OTHER, key=str(made.id))
    assert invitations.pending(house.service.database, number(house), now=0) == [made]
    assert house.send(owner, "invitation-revoke", SITE, key=str(made.id)) == {"message": "The invitation is revoked"}
    assert invitations.pending(house.service.database, number(house), now=0) == []


def test_an_invitation_that_cannot_be_is_told_by_field(house, owner):
    assert "no duration" in house.send(owner, "invite", SITE, role="viewer", expires="forever")["message"]
    wrong = house.send(owner, "invite", SITE, role="king", email="x", expires="1d")["wrong"]
    assert wrong.keys() == {"role", "email"}


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_key_is_told_once_opens_its_site_and_is_removed(house):
    admin = house.join("admin@example.com", "admin", [number(house)])
    answer = house.send(admin, "key", SITE, name="panel", scope="stats")
    bearer = {"Authorization": f"Bearer {answer['once']['new-key']}"}
    client = house.app.server.test_client()
    asked = [client.get(f"/api/live?site={domain}", headers=bearer).status_code for domain in (SITE, OTHER)]
    assert asked == [200, 404]
    page = house.drawn(admin, f"/settings/{SITE}/keys")
    assert "panel" in page
    assert answer["once"]["new-key"] not in page
    (key,) = api_keys.all_keys(house.service.database)
    assert house.send(admin, "key-remove", SITE, key=str(key.id)) == {"message": "panel is removed"}
    assert client.get(f"/api/live?site={SITE}", headers=bearer).status_code == 401
    assert house.send(admin, "key", SITE, name="", scope="root")["wrong"].keys() == {"name", "scope"}


def test_a_key_of_another_site_is_not_here_and_one_of_every_site_is_its_owners(house, owner):
    database = house.service.database
    admin = house.join("admin@example.com", "admin", [number(house)])
    api_keys.add(database, "other", "stats", number(house, OTHER), now=1)
    api_keys.add(database, "all", "stats", None, now=1)
    other, of_all = api_keys.all_keys(database)
    page = house.drawn(admin, f"/settings/{SITE}/keys")
    assert ('"other"' in page, '"all"' in page, "Every site" in page) == (False, True, True)
    gone = house.send(admin, "key-remove", SITE, key=str(other.id))
    assert gone["message"] == "that key is not here any more; reload the page"
    data = {"number": 1, "fields": {"key": str(of_all.id)}}
    refused = house.call(admin, "key-remove-answer.data-answer", **{"data": data, "data-site": SITE})
    assert refused.status_code == 403
    assert api_keys.all_keys(database) == [other, of_all]
    house.send(owner, "key-remove", SITE, key=str(of_all.id))
    assert api_keys.all_keys(database) == [other]


# ── account ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_password_keeps_this_browser_and_signs_out_the_others(house, owner):
    other = house.sign_in("owner@example.com")
    wrong = house.send(owner, "password", "", old="not it, sorry", new="battery staple")
    assert wrong["wrong"] == {"old": "that is not your password"}
    assert other.get("/account").status_code == 200
    assert house.send(owner, "password", "", old=PASSWORD, new="battery staple")["message"] == "Changed"
    assert [browser.get("/_dash-layout").status_code for browser in (owner, other)] == [200, 401]
    house.sign_in("owner@example.com", "battery staple")


def test_guessing_the_old_password_comes_to_an_end(house, owner):
    answers = [house.send(owner, "password", "", old=f"guess number {n}", new="battery staple") for n in range(11)]
    assert [answer["wrong"] for answer in answers] == [{"old": "that is not your password"}] * 10 + [{}]
    assert answers[-1]["message"] == "Too many tries. Wait a few minutes, then try again."


def test_signing_out_elsewhere_and_everywhere(house, owner):
    other = house.sign_in("owner@example.com")
    assert "In 2 browsers" in house.drawn(owner, "/account")
    house.send(owner, "sign-out", "")
    assert [browser.get("/_dash-layout").status_code for browser in (owner, other)] == [200, 401]
    assert "In this browser alone" in house.drawn(owner, "/account")
    assert house.send(owner, "sign-out", "", value="everywhere")["go"] == "/sign-in"
    assert owner.get("/_dash-layout").status_code == 401


# ── a public dashboard ───────────────────────────────────────────────────────────────────────────────────────────────


def everything(house):
    """Every row of every table."""
    with house.service.database.read() as connection:
        return {table.name: connection.execute(table.select()).all() for table in schema.metadata.sorted_tables}


def test_on_a_public_dashboard_anybody_looks_at_everything_but_an_account(config):
    with open_house(replace(config, public=True)) as house:
        house.add_site(SITE)
        anybody = house.app.server.test_client()
        pages = [page.address.replace("<domain>", SITE) for page in table.PAGES]
        drawn = {path: house.drawn(anybody, path) for path in pages}
        assert [path for path in pages if "Not for your role" in drawn[path]] == []
        assert [path for path in pages if "Page not found" in drawn[path]] == ["/account"]
        assert not any("Sign out" in page for page in drawn.values())
        assert all(f'"data-tab":"{tab}"' in drawn[f"/live/{SITE}"] for tab in ("Traffic", "Settings"))
        assert anybody.get(f"/api/live?site={SITE}").status_code == 200


def test_on_a_public_dashboard_no_form_changes_anything(config):
    with open_house(replace(config, public=True)) as house:
        house.add_site(SITE)
        before = everything(house)
        anybody = house.app.server.test_client()
        forms = re.findall(r"([\w-]+)-answer\.data-answer", " ".join(house.app.callback_map))
        assert len(forms) > 15
        fields = {"name": "Mine", "domain": "mine.example", "typed": SITE, "email": "me@example.com", "role": "owner"}
        for form in forms:
            assert house.send(anybody, form, SITE, **fields)["message"] == LOOK_ONLY
        assert everything(house) == before
