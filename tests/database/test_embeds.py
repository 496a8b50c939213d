"""Embeds of the card, on SQLite and on PostgreSQL."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from analytics.access import embed as access_embed
from analytics.access import embeds
from analytics.base.errors import InvalidInput
from analytics.storage import schema

NOW = 1_800_000_000
DAY_S = 86_400


def test_an_embed_is_found_by_its_token_until_it_expires(database):
    embed, plain = embeds.add(database, 7, ["https://Panel.Example.com/admin", "localhost:3000"], DAY_S, now=NOW)
    assert embed == access_embed.Embed(embed.id, 7, ("panel.example.com", "localhost:3000"), NOW, NOW + DAY_S, None)
    ring = embeds.EmbedRing(database)
    assert ring.find(plain, NOW) == embed
    assert ring.find(plain, NOW + DAY_S - 1) == embed
    assert ring.find(plain, NOW + DAY_S) is None
    assert embeds.all_embeds(database) == [embed]


def test_a_revoked_embed_is_not_found_and_stays_in_the_list(database):
    embed, plain = embeds.add(database, 7, ["a.com"], DAY_S, now=NOW)
    other, other_plain = embeds.add(database, 7, ["a.com"], DAY_S, now=NOW)
    ring = embeds.EmbedRing(database)
    assert ring.find(plain, NOW) == embed
    ended = embeds.revoke(database, embed.id, now=NOW + 5)
    ring.refresh()
    assert ring.find(plain, NOW) is None
    assert ring.find(other_plain, NOW) == other
    assert embeds.all_embeds(database) == [ended, other]
    assert embeds.revoke(database, embed.id, now=NOW + 9).revoked_at == NOW + 5


def test_a_sites_embeds_are_its_own_and_only_they_are_revoked_for_it(database):
    first, _ = embeds.add(database, 7, ["a.com"], DAY_S, now=NOW)
    other, _ = embeds.add(database, 8, ["a.com"], DAY_S, now=NOW)
    second, _ = embeds.add(database, 7, ["b.com"], DAY_S, now=NOW)
    assert embeds.of_site(database, 7) == [first, second]
    with pytest.raises(InvalidInput, match=f"no embed {other.id}"):
        embeds.revoke(database, other.id, 7, now=NOW)
    ended = embeds.revoke(database, first.id, 7, now=NOW + 5)
    assert embeds.all_embeds(database) == [ended, other, second]


def test_an_embed_is_on_until_it_expires_or_is_revoked(database):
    embed, _ = embeds.add(database, 7, ["a.com"], DAY_S, now=NOW)
    assert [embed.state(NOW + at) for at in (0, DAY_S - 1, DAY_S)] == ["on", "on", "expired"]
    ended = embeds.revoke(database, embed.id, now=NOW + 5)
    assert [ended.state(NOW + at) for at in (6, DAY_S)] == ["off", "off"]


def test_every_wrong_field_is_named(database):
    with pytest.raises(InvalidInput) as refused:
        embeds.add(database, 7, ["a b"], 0, now=NOW)
    assert refused.value.fields == {
        "hosts": "'a b' is no host; give one like panel.example.com or localhost:3000",
        "expires": "an embed lives for at most 3650 days, and for a second at least",
    }


def test_only_the_token_as_it_was_shown_opens(database):
    _, plain = embeds.add(database, 7, ["a.com"], DAY_S, now=NOW)
    ring = embeds.EmbedRing(database)
    altered = plain[:-1] + ("A" if plain[-1] != "A" else "B")
    others = ["", altered, plain.upper(), plain + "=", "ff_" + plain[3:], "é", "fe_\ud800"]
    assert [ring.find(other, NOW) for other in others] == [None] * len(others)
    with database.read() as connection:
        assert plain not in str(connection.execute(select(schema.embeds)).all())


def test_revoking_what_is_not_there_says_so(database):
    with pytest.raises(InvalidInput, match="no embed 99"):
        embeds.revoke(database, 99, now=NOW)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("Panel.Example.com", "panel.example.com"),
        ("http://panel.example.com:8080/a?b#c", "panel.example.com:8080"),
        ("localhost:3000", "localhost:3000"),
        ("192.0.2.1", "192.0.2.1"),
        ("[::1]:3000", "[::1]:3000"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("https://straße.example:3000/x", "xn--strae-oqa.example:3000"),
        ("panel.example.com.", "panel.example.com"),
    ],
)
def test_hosts_are_stored_as_browsers_spell_them(text, host):
    assert embeds.normal_host(text) == host


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "*", "*.example.com", "a b.com", "a.com; script-src *", "a.com, b.com", "user@a.com"),
        *(
            "a.com:0",
            "a.com:65536",
            "a.com:x",
            "javascript:alert(1)",
            "'self'",
            "a..com",
            "a\0.com",
            "x" * 254,
        ),
        "ü" * 80 + ".com",
    ],
)
def test_what_is_no_host_is_refused(text):
    with pytest.raises(InvalidInput):
        embeds.normal_host(text)


@pytest.mark.parametrize(
    ("hosts", "expires_s"),
    [
        ([], DAY_S),
        (["a.com"] * 0, DAY_S),
        (["a.com"], 0),
        (["a.com"], 3651 * DAY_S),
        ([f"h{n}.com" for n in range(21)], DAY_S),
    ],
)
def test_an_embed_without_hosts_or_without_an_end_is_refused(database, hosts, expires_s):
    with pytest.raises(InvalidInput):
        embeds.add(database, 7, hosts, expires_s, now=NOW)
    assert embeds.all_embeds(database) == []
