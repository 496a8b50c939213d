"""The card for other admin panels: its line, its page, who may frame it, and its end."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from html import unescape

import pytest

from tests.support.serving import SITE, eventually, pageview

CARD = "/embed/live?token="


def number_of(server):
    """The id of the newest card."""
    return int(server.tell("embed list").splitlines()[-1].split()[0])


@pytest.fixture
def line(one_server):
    """The line to paste, as the command line prints it for two hosts."""
    return one_server.tell(
        "embed add", site=SITE, hosts=["https://Panel.Example.com/admin", "localhost:3000"], expires="365d"
    )


@pytest.fixture
def token(line):
    return line.partition("token=")[2].partition('"')[0]


def test_embed_add_prints_one_iframe_line_with_the_servers_address(one_server):
    printed = one_server.command("embed", "add", "--site", SITE, "--host", "panel.example.com", "other.example.com")
    assert re.fullmatch(
        rf'<iframe src="{one_server.url}/embed/live\?token=fe_[\w-]{{32}}" title="Active now on example\.com" '
        r'width="360" height="260" style="border:0;color-scheme:light" loading="lazy"></iframe>',
        printed,
    )
    path = unescape(printed.split('"')[1]).removeprefix(one_server.url)
    policy = one_server.request("GET", path).headers["content-security-policy"]
    hosts = "https://panel.example.com http://panel.example.com https://other.example.com http://other.example.com"
    assert f"frame-ancestors {hosts};" in policy


def test_the_card_may_be_framed_by_exactly_the_listed_hosts(one_server, token):
    answer = one_server.request("GET", CARD + token)
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    hosts = "https://panel.example.com http://panel.example.com https://localhost:3000 http://localhost:3000"
    assert policy["frame-ancestors"] == hosts
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "x-frame-options" not in answer.headers


def test_the_card_neither_sets_nor_wants_a_cookie_and_is_kept_by_nobody(one_server, token):
    answer = one_server.request("GET", CARD + token)
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert not {"set-cookie", "access-control-allow-origin"} & answer.headers.keys()


def test_the_card_weighs_at_most_40_kb_with_everything_that_it_loads(one_server, token):
    page = one_server.request("GET", CARD + token).body
    loaded = set(re.findall(r"""(?:src|href)=["']?([^"'\s>]+)|url\(["']?([^)"']+)""", page.decode()))
    addresses = {first or second for first, second in loaded} - {""}
    assert addresses
    answers = [one_server.request("GET", address) for address in addresses if not address.startswith("data:")]
    assert {answer.status for answer in answers} == {200}
    assert len(page) + sum(len(answer.body) for answer in answers) <= 40_000


def test_the_card_asks_no_other_host(one_server, token):
    page = one_server.request("GET", CARD + token).body.decode()
    hosts = set(re.findall(r"(?:https?:)?//([a-z0-9-]+\.[a-z0-9.-]+)", page))
    assert hosts <= {"www.w3.org"}  # a namespace of SVG


def test_the_cards_numbers_are_there_without_its_script_and_its_token_reads_them_on(one_server, token):
    one_server.collect(pageview("card-page", "/<b>hot</b>", user_id="ada"))
    page = one_server.request("GET", CARD + token).body.decode()
    live = one_server.request("GET", f"/api/live?token={token}").json
    assert (live["active_sessions"], live["authenticated_users"]) == (1, 1)
    assert re.search(r'id="?active"?[^>]*>1<', page)
    assert "/&lt;b&gt;hot&lt;/b&gt;" in page
    assert "<b>hot" not in page


@pytest.mark.parametrize(
    ("theme", "attribute"), [("dark", "dark"), ("light", "light"), ("", None), ('"><script>', None)]
)
def test_light_or_dark_is_asked_for_or_left_to_the_reader(one_server, token, theme, attribute):
    page = one_server.request("GET", f"{CARD}{token}&theme={theme}").body.decode()
    found = re.search(r'<html[^>]*data-bs-theme="([^"]*)"', page)
    assert (found and found[1]) == attribute
    assert '"><script>' not in page


def test_all_that_is_no_valid_token_gets_one_answer(one_server, token):
    one_server.tell("user add", email="ada@example.com", role="owner", password="correct horse battery")
    altered = token[:-1] + ("A" if token[-1] != "A" else "B")
    wrong = {
        "none": "",
        "altered": altered,
        "cut": token[:-1],
        "longer": token + "A",
        "another case": token.swapcase(),
        "a key": one_server.tell("key add", name="k", scope="admin", site=None),
        "a login": one_server.sign_in("ada@example.com", "correct horse battery").partition("=")[2],
        "a token that signs itself": "eyJhbGciOiJub25lIn0.eyJzaXRlIjoxfQ.",
        "nonsense": "%00%ff%ed%a0%80",
        "long": "fe_" + "x" * 5000,
    }
    answers = {what: one_server.request("GET", CARD + text) for what, text in wrong.items()}
    missing = one_server.request("GET", "/embed/live")
    assert {what: answer.status for what, answer in answers.items()} == dict.fromkeys(wrong, 404)
    assert {answer.body for answer in answers.values()} == {missing.body}
    assert re.search(r"<main[^>]*><p[^>]*>This card is switched off</p></main>", missing.body.decode())
    assert b"example.com" not in missing.body
    assert missing.headers["referrer-policy"] == "no-referrer"
    kinds = {(answer.headers["content-type"], answer.headers["content-security-policy"]) for answer in answers.values()}
    ((kind, policy),) = kinds
    assert kind == "text/html; charset=utf-8"
    assert "frame-ancestors *;" in policy  # there is nothing in it that anybody may not see
    assert policy.startswith("default-src 'none'; ")
    assert (missing.headers["x-content-type-options"], missing.headers["cache-control"]) == ("nosniff", "no-store")


def framed(server, path: str, referrer: str, purpose: str = "iframe"):
    return server.request("GET", path, headers={"Referer": referrer, "Sec-Fetch-Dest": purpose})


@pytest.mark.parametrize(
    ("referrer", "purpose", "status"),
    [
        ("https://panel.example.com/", "iframe", 200),
        ("https://PANEL.example.com/admin?x=https://evil.example/", "iframe", 200),
        ("http://localhost:3000/", "iframe", 200),
        ("http://localhost:3001/", "iframe", 404),
        ("https://evil.example/", "iframe", 404),
        ("https://panel.example.com.evil.example/", "iframe", 404),
        ("https://evil.example/panel.example.com", "frame", 404),
        ("https://evil.example/", "document", 200),  # a link to it: nothing frames it
        ("", "iframe", 200),  # the server does not know the framing site: the policy decides
    ],
)
def test_on_a_host_that_is_not_listed_it_is_switched_off(one_server, token, referrer, purpose, status):
    answer = framed(one_server, CARD + token, referrer, purpose)
    assert answer.status == status
    if status == 404:
        assert answer.body == one_server.request("GET", "/embed/live").body


def test_a_card_may_live_for_minutes(one_server):
    printed = one_server.command("embed", "add", "--site", SITE, "--host", "panel.example.com", "--expires", "30m")
    token = printed.partition("token=")[2].partition('"')[0]
    assert one_server.request("GET", CARD + token).status == 200


def test_a_card_that_is_off_keeps_the_theme_that_was_asked_for(one_server):
    page = one_server.request("GET", "/embed/live?token=fe_gone&theme=dark").body.decode()
    assert '<html lang="en" data-bs-theme="dark">' in page


def test_an_expired_token_gets_the_same_answer(one_server, token):
    assert one_server.request("GET", CARD + token).status == 200
    with closing(sqlite3.connect(one_server.config.data_dir / "footfall.db", timeout=10)) as connection, connection:
        connection.execute(f"UPDATE embeds SET expires_at = 1 WHERE id = {number_of(one_server)}")
    answer = eventually(lambda: (gone := one_server.request("GET", CARD + token)).status == 404 and gone)
    assert answer.body == one_server.request("GET", "/embed/live").body
    assert one_server.tell("embed list").splitlines()[-1].endswith("expired")


def test_a_revoked_card_is_gone_within_a_second_and_for_good(one_server, token):
    other = (
        one_server.tell("embed add", site=SITE, hosts=["panel.example"], expires="1h").split("token=")[1].split('"')[0]
    )
    number = number_of(one_server) - 1
    assert one_server.command("embed", "revoke", str(number)) == f"Card {number} is off."
    for path in (CARD + token, f"/api/live?token={token}", f"/api/live/stream?token={token}"):
        eventually(lambda path=path: one_server.request("GET", path).status == 404, within=1)
    assert one_server.request("GET", CARD + token).body == one_server.request("GET", "/embed/live").body
    assert one_server.request("GET", CARD + other).status == 200


def test_a_cards_token_opens_nothing_but_the_card_and_its_figures(one_server, token):
    bearer = {"Authorization": f"Bearer {token}", "Cookie": f"footfall_login={token}"}
    for path in ("/_dash-layout", "/_dash-dependencies", "/api/anything"):
        assert one_server.request("GET", f"{path}?token={token}", headers=bearer).status == 401
    page = one_server.request("GET", f"/live/{SITE}?token={token}", headers=bearer | {"Accept": "text/html"})
    assert (page.status, page.headers["location"][:8]) == (302, "/sign-in")


def test_the_card_of_a_site_that_was_removed_is_gone(one_server):
    one_server.tell("site add", domain="gone.example", name="", timezone="UTC")
    token = one_server.tell("embed add", site="gone.example", hosts=["panel.example"], expires="1h").split("token=")[1]
    token = token.split('"')[0]
    assert one_server.request("GET", CARD + token).status == 200
    one_server.tell("site remove", domain="gone.example")
    assert one_server.request("GET", CARD + token).body == one_server.request("GET", "/embed/live").body


def test_other_pages_are_framed_by_nobody(one_server):
    for path in ("/sign-in", "/", "/nowhere"):
        answer = one_server.request("GET", path, headers={"Accept": "text/html"})
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


# ── the preview ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def viewer(one_server):
    """The `Cookie` header of a person who may read the site."""
    one_server.tell("user add", email="viewer@example.com", role="viewer", password="correct horse battery", on=[SITE])
    return {"Cookie": one_server.sign_in("viewer@example.com", "correct horse battery")}


def test_whoever_reads_the_site_sees_its_card_framed_by_our_own_pages_alone(one_server, viewer, token):
    preview = one_server.request("GET", f"/embed/live?site={SITE}&theme=dark", headers=viewer)
    assert preview.status == 200
    assert "frame-ancestors 'self';" in preview.headers["content-security-policy"]
    assert 'data-bs-theme="dark"' in preview.body.decode()
    given = json.loads(re.search(r'id="given">(.*?)</script>', preview.body.decode())[1])
    assert given["stream"] == f"/api/live/stream?site={SITE}"  # no token leaves the server for it
    shipped = one_server.request("GET", CARD + token).headers["content-security-policy"]
    rest = re.compile(r"frame-ancestors [^;]*")
    assert rest.sub("", shipped) == rest.sub("", preview.headers["content-security-policy"])
    assert "'self'" not in rest.search(shipped)[0]


def test_the_preview_takes_the_login_and_the_right_to_read(one_server, viewer):
    one_server.tell("site add", domain="other.example", name="", timezone="UTC")
    key = one_server.tell("key add", name="k", scope="stats", site=None)
    asked = [
        (f"/embed/live?site={SITE}", {}),
        (f"/embed/live?site={SITE}", {"Authorization": f"Bearer {key}"}),
        ("/embed/live?site=other.example", viewer),
        ("/embed/live?site=nowhere.example", viewer),
        (f"/embed/live?site={SITE}&token=fe_wrong", viewer),
        ("/embed/live", viewer),
    ]
    assert [one_server.request("GET", path, headers=headers).status for path, headers in asked] == [
        401,
        401,
        *[404] * 4,
    ]


# ── its language ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("asked", "tag", "clock"),
    [
        ("de-DE,de;q=0.9", "de-DE", r"\d\d:\d\d:\d\d"),
        ("en-US", "en-US", r"\d{1,2}:\d\d:\d\d\xa0[AP]M"),
        ("", "en-GB", r"\d\d:\d\d:\d\d"),
    ],
)
def test_the_card_is_written_in_the_language_of_whoever_reads_it(one_server, token, asked, tag, clock):
    answer = one_server.request("GET", CARD + token, headers={"Accept-Language": asked})
    page = answer.body.decode()
    assert f'data-language="{tag}"' in page
    assert re.search(rf'id="at">{clock}<', page)
    assert answer.headers["vary"] == "Accept-Encoding, Accept-Language"
