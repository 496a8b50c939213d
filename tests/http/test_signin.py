"""Signing in and out over HTTP."""

from __future__ import annotations

import ipaddress
import threading

import pytest
from doorway import CHEAP, NOW, PAGE, doorway
from house import open_house

from analytics.access import accounts, logins, passwords
from analytics.base.config import Config

EMAIL, PASSWORD = "ada@example.com", "correct horse"
RIGHT = {"email": EMAIL, "password": PASSWORD}
WRONG = {"email": EMAIL, "password": "wrong horse!"}


@pytest.fixture
def door(database, monkeypatch):
    monkeypatch.setattr(passwords, "HASHER", CHEAP)
    monkeypatch.setattr(passwords, "UNKNOWN_HASH", CHEAP.hash("nobody"))
    accounts.add_person(database, EMAIL, "owner", PASSWORD, now=NOW)
    return doorway(database)


def _from(address):
    return {"REMOTE_ADDR": address}


def test_the_page_is_a_form_that_works_without_scripts(door):
    answer = door.client().get("/sign-in?next=/live/example.com")
    assert answer.status_code == 200
    for part in (
        'action="/sign-in"',
        'name="email"',
        'name="password"',
        'value="/live/example.com"',
        ".venv/bin/python app.py user reset EMAIL",
    ):
        assert part in answer.text
    assert "<script>" not in answer.text
    assert "http:" not in answer.text.replace("http://www.w3.org", "")


def test_signing_in_opens_and_leads_where_somebody_wanted_to_go(door):
    client = door.client()
    answer = client.post("/sign-in", data=RIGHT | {"next": "/live/example.com?a=b"})
    assert (answer.status_code, answer.location) == (302, "/live/example.com?a=b")
    assert client.get("/live/example.com").status_code == 200
    again = client.get("/sign-in?next=/live/example.com")
    assert (again.status_code, again.location) == (302, "/live/example.com")


def test_a_login_ends_after_thirty_days(door):
    client = door.client()
    client.post("/sign-in", data=RIGHT)
    door.clock.now += 30 * 86_400
    assert client.get("/_dash-layout").status_code == 401


@pytest.mark.parametrize("given", [WRONG, {"email": "bob@example.com", "password": PASSWORD}, {"email": EMAIL}, {}])
def test_a_wrong_try_gets_one_answer_whatever_was_wrong(door, given):
    answer = door.client().post("/sign-in", data=given, headers=PAGE)
    assert answer.status_code == 401
    assert "That e-mail and password do not belong together." in answer.text
    assert "Set-Cookie" not in answer.headers


def test_what_somebody_typed_comes_back_as_text_and_the_password_does_not(door):
    hostile = '"><script>alert(1)</script>@example.com'
    answer = door.client().post("/sign-in", data={"email": hostile, "password": "marked horse", "next": '"><b>'})
    assert answer.status_code == 401
    assert "<script>alert" not in answer.text
    assert "&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;@example.com" in answer.text
    assert "marked horse" not in answer.text
    assert '"><b>' not in answer.text


@pytest.mark.parametrize("email", ["a\0b@example.com", "a" * 100_000 + "@b", "\u202e@b", "é@ü"])
def test_hostile_addresses_are_wrong_tries(door, email):
    assert door.client().post("/sign-in", data={"email": email, "password": PASSWORD}).status_code == 401


@pytest.mark.parametrize(
    "wanted",
    [
        *(
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https:evil.example",
            "https://evil.example",
        ),
        *(
            "%2f%2fevil.example",
            "/%2fevil.example",
            "/%5cevil.example",
            "/\t/evil.example",
            "/%09/evil.example",
        ),
        *("\t//evil.example", " //evil.example", "javascript:alert(1)", "evil.example", ""),
        *("/a\r\nSet-Cookie: x=1", "/%0d%0aSet-Cookie: x=1", "/sign-in", "/sign-out?x"),
    ],
)
def test_nobody_is_led_to_another_host(door, wanted):
    client = door.client()
    assert client.post("/sign-in", data=RIGHT | {"next": wanted}).location == "/"
    assert client.get("/sign-in", query_string={"next": wanted}).location == "/"


def test_the_cookie_on_http(door):
    (cookie,) = door.client().post("/sign-in", data=RIGHT).headers.getlist("Set-Cookie")
    name, *flags = cookie.split("; ")
    assert name.startswith("footfall_login=")
    assert {flag for flag in flags if not flag.startswith("Expires")} == {
        "HttpOnly",
        "Max-Age=2592000",
        "Path=/",
        "SameSite=Lax",
    }


def test_the_cookie_on_https(database, door):
    client = doorway(database, base_url="https://stats.example.com").client()
    answer = client.post("/sign-in", data=RIGHT, base_url="https://stats.example.com")
    (cookie,) = answer.headers.getlist("Set-Cookie")
    name, *flags = cookie.split("; ")
    assert name.startswith("__Host-footfall=")
    assert {flag for flag in flags if not flag.startswith("Expires")} == {
        "HttpOnly", "Max-Age=2592000", "Path=/", "SameSite=Lax", "Secure"}  # fmt: skip
    assert client.get("/", base_url="https://stats.example.com").status_code == 200


def test_signing_out_ends_the_login_on_the_server(door):
    client = door.client()
    client.post("/sign-in", data=RIGHT)
    token = client.get_cookie("footfall_login").value
    answer = client.post("/sign-out")
    assert (answer.status_code, answer.location) == (302, "/sign-in")
    assert client.get_cookie("footfall_login") is None
    client.set_cookie("footfall_login", token)
    assert client.get("/_dash-layout").status_code == 401


def test_a_strangers_sign_out_leads_to_the_form(door):
    assert door.client().post("/sign-out").location == "/sign-in"


def test_a_new_login_ends_the_one_that_the_browser_brought(database, door):
    client = door.client()
    client.post("/sign-in", data=RIGHT)
    before = client.get_cookie("footfall_login").value
    client.post("/sign-in", data=RIGHT)
    after = client.get_cookie("footfall_login").value
    assert before != after
    assert logins.signed_in(database, before, now=NOW) is None
    assert logins.signed_in(database, after, now=NOW).email == EMAIL


def test_a_cookie_set_beforehand_is_never_the_login(database, door):
    client = door.client()
    client.set_cookie("footfall_login", "A" * 43)
    client.post("/sign-in", data=RIGHT)
    assert logins.signed_in(database, "A" * 43, now=NOW) is None
    assert client.get("/").status_code == 200


def test_the_eleventh_wrong_try_in_five_minutes_waits_even_with_the_right_password(door):
    client = door.client()
    assert [client.post("/sign-in", data=WRONG).status_code for _ in range(10)] == [401] * 10
    answer = client.post("/sign-in", data=RIGHT)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "300")
    door.clock.now += 300
    assert client.post("/sign-in", data=RIGHT).status_code == 302


def test_an_unknown_account_is_slowed_like_a_known_one(door):
    nobody = {"email": "nobody@example.com", "password": "x"}
    statuses = [door.client().post("/sign-in", data=nobody).status_code for _ in range(11)]
    assert statuses == [401] * 10 + [429]


def test_guessing_from_many_addresses_slows_the_account_but_not_where_its_owner_was_before(door):
    home = _from("198.51.100.7")
    assert door.client().post("/sign-in", data=RIGHT, environ_base=home).status_code == 302
    guesses = [
        door.client().post("/sign-in", data=WRONG, environ_base=_from(f"203.0.113.{n}")).status_code for n in range(32)
    ]
    assert guesses == [401] * 30 + [429] * 2
    assert door.client().post("/sign-in", data=RIGHT, environ_base=_from("203.0.113.99")).status_code == 429
    assert door.client().post("/sign-in", data=RIGHT, environ_base=home).status_code == 302


def test_a_password_reset_helps_at_once(database, door):
    client = door.client()
    for _ in range(11):
        client.post("/sign-in", data=WRONG)
    logins.reset_password(database, EMAIL, "another horse", now=NOW)
    assert client.post("/sign-in", data={"email": EMAIL, "password": "another horse"}).status_code == 302


def test_one_network_of_ipv6_is_one_visitor(door):
    statuses = [
        door.client().post("/sign-in", data=WRONG, environ_base=_from(f"2001:db8::{n:x}")).status_code
        for n in range(1, 12)
    ]
    assert statuses == [401] * 10 + [429]


def test_a_made_up_address_in_a_header_is_no_way_around_the_limit(tmp_path):
    with open_house(Config(data_dir=tmp_path)) as house:
        accounts.add_person(house.service.database, EMAIL, "owner", "correct horse", now=NOW)
        browser = house.app.server.test_client()
        statuses = [
            browser.post("/sign-in", data=WRONG, headers={"X-Forwarded-For": f"203.0.113.{n}"}).status_code
            for n in range(11)
        ]
    assert statuses == [401] * 10 + [429]


def test_behind_a_trusted_proxy_each_address_has_tries_of_its_own(tmp_path):
    trusted = (ipaddress.ip_network("127.0.0.1"),)
    with open_house(Config(data_dir=tmp_path, trusted_proxies=trusted)) as house:
        accounts.add_person(house.service.database, EMAIL, "owner", "correct horse", now=NOW)
        browser = house.app.server.test_client()

        def status(hops: str) -> int:
            return browser.post("/sign-in", data=WRONG, headers={"X-Forwarded-For": hops}).status_code

        first = [status(f"198.51.100.{n}, 203.0.113.1") for n in range(11)]  # the client itself wrote the left one
        second = status("198.51.100.1, 203.0.113.2")
    assert (first, second) == ([401] * 10 + [429], 401)


def test_trying_one_password_on_many_accounts_is_slowed_too(door):
    statuses = [
        door.client().post("/sign-in", data={"email": f"a{n}@example.com", "password": "x"}).status_code
        for n in range(101)
    ]
    assert statuses == [401] * 100 + [429]


def test_more_passwords_at_once_than_memory_allows_are_told_to_come_back(door, monkeypatch):
    full = threading.BoundedSemaphore(1)
    full.acquire()
    monkeypatch.setattr(passwords, "_queue", full)
    answer = door.client().post("/sign-in", data=RIGHT)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")


def test_before_anybody_has_an_account_the_page_says_where_to_begin(database):
    page = doorway(database).client().get("/sign-in").text
    assert "Open the set-up link that the server printed" in page
    assert "<code>.venv/bin/python app.py setup-link</code> prints it again" in page
