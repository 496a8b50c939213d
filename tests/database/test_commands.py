"""The administrator's commands: what they change, and what they say."""

from __future__ import annotations

import re

import pytest

from analytics import commands
from analytics.access import accounts, api_keys, embeds, first_owner
from analytics.base.errors import InvalidInput
from analytics.sites import store
from analytics.storage import schema
from tests.support.factories import accepted, count, one_by_one

ADDRESS = "https://stats.example.com"


def run(database, name: str, /, **options) -> str:
    return commands.run(database, ADDRESS, name, options)


def add_site(database, domain: str = "example.com", **options) -> str:
    return run(database, "site add", **{"domain": domain, "name": "", "timezone": "UTC"} | options)


# ── sites ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_adding_a_site_prints_its_snippet(database):
    assert add_site(database, "https://Example.com/") == (
        "example.com is added. Put this into the head of its pages:\n\n"
        '<script defer src="https://stats.example.com/js/footfall.js" data-site="example.com"></script>'
    )


def test_sites_are_listed_in_columns(database):
    assert run(database, "site list") == "No site yet. `.venv/bin/python app.py site add DOMAIN` adds one."
    add_site(database, "example.org", name="The Shop", timezone="Asia/Kathmandu")
    add_site(database)
    first, second = (site.uuid for site in store.all_sites(database))
    assert run(database, "site list") == (
        "DOMAIN       NAME         TIME ZONE       IDENTITY  UUID\n"
        f"example.com  example.com  UTC             daily     {first}\n"
        f"example.org  The Shop     Asia/Kathmandu  daily     {second}"
    )


def test_a_site_is_changed(database):
    add_site(database)
    options = {"identity": "browser", "hosts": ["shop.example.net"], "name": None, "excluded_paths": ()}
    assert run(database, "site set", domain="example.com", **options) == "example.com is changed."
    changed = store.find(database, "example.com")
    assert (changed.identity, changed.hosts, changed.name) == ("browser", ("shop.example.net",), "example.com")


def test_changing_nothing_is_an_error(database):
    add_site(database)
    with pytest.raises(InvalidInput, match="nothing to change"):
        run(database, "site set", domain="example.com", hosts=(), name=None)


def test_removing_a_site_removes_all_of_its_data_and_nothing_else(database):
    add_site(database)
    add_site(database, "example.org")
    gone, stays = (store.find(database, domain).id for domain in ("example.com", "example.org"))
    one_by_one(database, accepted(site_id=gone), accepted(site_id=stays))
    assert run(database, "site remove", domain="example.com") == "example.com and all of its data are gone."
    tables = (schema.visits, schema.pageviews, schema.heartbeats, schema.outcomes)
    assert [count(database, table) for table in tables] == [1, 1, 1, 1]


@pytest.mark.parametrize(("added", "other"), [("example.com", "www.example.com"), ("www.example.com", "example.com")])
def test_a_site_is_found_under_its_other_name_but_removed_by_its_own_alone(database, added, other):
    add_site(database, added)
    assert run(database, "site set", domain=other, name="The Shop") == f"{added} is changed."
    with pytest.raises(InvalidInput, match=f"^there is no site {other}; is {added} meant\\?$"):
        run(database, "site remove", domain=other)
    assert store.find(database, other).name == "The Shop"


def test_a_site_that_is_not_there_is_named_with_those_that_are(database):
    add_site(database)
    for name, options in (
        ("site remove", {"domain": "example.org"}),
        ("site set", {"domain": "example.org", "name": "x"}),
        ("key add", {"name": "k", "scope": "stats", "site": "example.org"}),
        ("embed add", {"site": "example.org", "hosts": ["panel.example.com"], "expires": "30d"}),
    ):
        with pytest.raises(InvalidInput, match=r"there is no site example\.org; known: example\.com"):
            run(database, name, **options)


# ── people ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_generated_password_is_shown_once(database):
    message = run(database, "user add", email="Ann@example.com", role="admin", password=None)
    found = re.fullmatch(r"ann@example\.com is added as admin\. The password, shown this once: (\S{16})", message)
    assert found
    assert found.group(1) not in run(database, "user list")


def test_a_chosen_password_is_not_shown(database):
    message = run(database, "user add", email="ann@example.com", role="owner", password="correct horse battery")
    assert message == "ann@example.com is added as owner."
    assert run(database, "user reset", email="ann@example.com", password="another horse battery") == (
        "ann@example.com has to sign in again."
    )


def test_people_are_listed(database):
    assert run(database, "user list") == (
        "Nobody yet. `.venv/bin/python app.py setup-link` prints the link with which the first person begins, "
        "`.venv/bin/python app.py user add EMAIL --role owner` adds somebody."
    )
    run(database, "user add", email="ann@example.com", role="owner", password="correct horse battery")
    assert run(database, "user list") == "E-MAIL           ROLE\nann@example.com  owner"
    assert [person.email for person in accounts.people(database)] == ["ann@example.com"]


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_key_is_printed_alone_and_works_until_it_is_removed(database):
    add_site(database)
    key = run(database, "key add", name="panel", scope="ingest", site="example.com")
    found = api_keys.KeyRing(database).find(key)
    assert found is not None
    assert (found.scope, found.site_id) == ("ingest", store.find(database, "example.com").id)
    assert run(database, "key forget", key=key) == "The key is gone."
    assert api_keys.KeyRing(database).find(key) is None


# ── cards ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_adding_a_card_prints_the_line_to_paste(database):
    add_site(database)
    line = run(database, "embed add", site="example.com", hosts=["panel.example.com"], expires="30d")
    assert re.fullmatch(
        r'<iframe src="https://stats\.example\.com/embed/live\?token=[\w.-]{20,}" title="Active now on example\.com" '
        r'width="360" height="260" style="border:0;color-scheme:light" loading="lazy"></iframe>',
        line,
    )


def test_a_small_card_that_leads_to_the_dashboard(database):
    add_site(database)
    options = {"site": "example.com", "hosts": ["panel.example.com"], "expires": "30d", "small": True, "link": True}
    line = run(database, "embed add", **options)
    assert re.search(r'\?token=[\w.-]{20,}&amp;link=1" .* width="260" height="72" ', line)


def test_cards_are_listed_with_their_fate(database):
    assert (
        run(database, "embed list")
        == "No card yet. `.venv/bin/python app.py embed add --site DOMAIN --host HOST` adds one."
    )
    add_site(database)
    for hosts in (["panel.example.com", "admin.example.com"], ["other.example.com"]):
        run(database, "embed add", site="example.com", hosts=hosts, expires="365d")
    first, second = sorted(embed.id for embed in embeds.all_embeds(database))
    assert run(database, "embed revoke", embed_id=first) == f"Card {first} is off."
    head, *lines = run(database, "embed list").splitlines()
    assert head.split() == ["ID", "SITE", "HOSTS", "EXPIRES", "STATE"]
    listed = sorted([line.split()[0], line.split()[-1]] for line in lines)
    assert listed == [[str(first), "off"], [str(second), "on"]]


@pytest.mark.parametrize(
    ("text", "seconds"), [("30m", 1800), ("1h", 3600), ("12h", 43_200), ("30d", 2_592_000), ("4w", 2_419_200)]
)
def test_durations_are_read(text, seconds):
    assert commands.seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "d", "0d", "-1d", "1.5d", "30", "30s", "30M", "99999d", "30 d"])
def test_what_is_no_duration_is_an_error(text):
    with pytest.raises(InvalidInput, match="is no duration; give one like 30m, 12h, 30d or 4w"):
        commands.seconds(text)


def test_the_set_up_link_is_printed_until_somebody_has_an_account(database):
    context = {"secret": b"k" * 48}
    link = commands.run(database, "https://stats.example.com", "setup-link", {}, **context)
    assert link == f"https://stats.example.com/setup?token={first_owner.setup_token(b'k' * 48)}"
    assert commands.run(database, "https://stats.example.com", "setup-link", {}, **context) == link
    accounts.add_person(database, "ann@example.com", "viewer", "correct horse battery", now=1)
    with pytest.raises(
        InvalidInput, match=r"somebody has an account already.* app\.py user reset EMAIL` gives a new pass"
    ):
        commands.run(database, "https://stats.example.com", "setup-link", {}, **context)
