"""What the collector reads out of a page's address."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.ingest import page_url
from collector.ingest.page_url import PageUrl, bare_host, read, redact, split

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
KEY = "0123456789abcdef0123456789ABCDEF"


def path_of(url: str, keep_hash: bool = False) -> str | None:
    found = read(url, keep_hash)
    return found and found.path


def tags_of(query: str) -> dict[str, str]:
    found = read(f"https://example.com/?{query}")
    assert found is not None
    return dict(found.query)


def test_page_is_host_path_and_campaign_tags():
    url = "https://ann:secret@WWW.Example.com:8443/Blog/a%20b?utm_source=x&page=2&email=ann@example.com#top"
    assert read(url) == PageUrl("www.example.com", "/Blog/a b", {"utm_source": "x"})


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://example.com/", "example.com"),
        ("HTTPS://EXAMPLE.COM/", "example.com"),
        ("https://www.example.com/", "www.example.com"),
        ("https://example.com:8050/", "example.com"),
        ("https://example.com:/", "example.com"),
        ("https://example.com./", "example.com"),
        ("https://user@example.com/", "example.com"),
        ("https://user:pw@x@example.com/", "example.com"),
        ("https://user:80@example.com:80/", "example.com"),
        ("https://müller.example/", "xn--mller-kva.example"),
        ("https://MÜLLER.example/", "xn--mller-kva.example"),
        ("https://例え。jp/", "xn--r8jz45g.jp"),
        ("https://my_shop.example.com/", "my_shop.example.com"),
        ("http://localhost:4000/", "localhost"),
        ("http://127.0.0.1:8050/", "127.0.0.1"),
        ("http://[2001:DB8::1]:8050/", "[2001:db8::1]"),
        (
            "chrome-extension://liipgellkffekalgefpjolodblggkmjg/popup.html",
            "liipgellkffekalgefpjolodblggkmjg",
        ),
    ],
)
def test_host_is_lower_case_punycode_without_port_and_user(url, host):
    found = read(url)
    assert found is not None
    assert found.host == host


@pytest.mark.parametrize(
    ("host", "bare"),
    [
        ("www.example.com", "example.com"),
        ("example.com", "example.com"),
        ("www.com", "www.com"),
        ("www2.example.com", "www2.example.com"),
        ("shop.www.example.com", "shop.www.example.com"),
    ],
)
def test_bare_host_has_no_www(host, bare):
    assert bare_host(host) == bare


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://example.com", "/"),
        ("https://example.com?utm_source=x", "/"),
        ("https://example.com#top", "/"),
        ("https://example.com/path ", "/path"),
        ("  https://example.com/path\n", "/path"),
        ("https://example.com/path ?a=1", "/path"),
        ("https://example.com/pictures/index.html#foo", "/pictures/index.html"),
        ("https://example.com/a/", "/a/"),
        ("https://example.com/Caf%C3%A9%20menu", "/Café menu"),
        ("https://example.com/caf%c3%a9", "/café"),
        ("https://example.com/café", "/café"),
        ("https://example.com//a/../b;c=1", "//a/../b;c=1"),
    ],
)
def test_path_is_in_letters_without_query_fragment_and_outer_whitespace(url, path):
    assert path_of(url) == path


@pytest.mark.parametrize(
    ("fragment", "path"),
    [
        ("#page-a", "/#page-a"),
        ("#/settings/team", "/#/settings/team"),
        ("#!/settings", "/#!/settings"),
        ("#/settings?token=abc", "/#/settings"),
        ("#/item;id=5", "/#/item;id=5"),
        ("#", "/"),
        ("", "/"),
        ("#access_token=abc&token_type=bearer", "/"),
        (f"#/reset/{JWT}", "/#/reset/:redacted"),
        ("#/caf%C3%A9?page=2", "/#/café"),
        ("#/cart;jsessionid=1A2B", "/#/cart"),
    ],
)
def test_keep_hash_keeps_the_route_in_the_fragment_and_no_parameters(fragment, path):
    assert path_of(f"https://example.com/{fragment}", keep_hash=True) == path


def test_hash_is_dropped_where_the_site_does_not_route_by_it():
    assert path_of("https://example.com/#page-a") == "/"


@pytest.mark.parametrize(
    "url",
    [
        "",
        " ",
        "/path",
        "example.com/path",
        "//example.com/path",
        "https:///path",
        "https://",
        "https://?a=1",
        "https://@/",
        "https://.example.com/",
        "https://a..b/",
        "https://exa mple.com/",
        "https://exa\tmple.com/",
        "https://ex%61mple.com/",
        "https://<script>/",
        "https://example.com\\path",
        "https://evil.example\\@example.com/",
        "https://example.com:port/",
        "https://example.com:123456/",
        "http://[::1",
        "http://[zz]/",
        "http://::1/",
        "https://example.com/\x00",
        "https://example.com/a\nb",
        "https://example.com/?utm_source=\x00",
        "https://example.com/\ud800",
        "https://\udfff.example/",
        "https://example.com/#\ud800",
        "https://℀.example/",
        "https://ü" + "a" * 70 + ".example/",
        "https://" + "a" * 300 + ".example/",
        "https://example.com/" + "a" * 100_000,
        "https://example.com/?q=" + "a" * 5_000,
        "http\u017f://example.com/",
        "data:text/html,<p>hello",
        "javascript:alert(1)",
        "ftp://example.com/",
        "file:///home/ann/index.html",
        "about:blank",
        "blob:https://example.com/1",
    ],
)
def test_unreadable_address_is_no_page(url):
    assert read(url) is None
    assert read(url, keep_hash=True) is None


def test_path_of_2048_characters_is_the_longest():
    assert path_of("https://example.com/" + "a" * 2_047) == "/" + "a" * 2_047
    assert path_of("https://example.com/" + "a" * 2_048) is None
    assert path_of("https://example.com/" + "1" * 2_048) is None
    assert path_of("https://example.com" + "/a@b.c" * 300) is None


def test_longest_path_is_counted_in_letters_and_not_in_their_escapes():
    assert path_of("https://example.com/" + "%D8%B3" * 500) == "/" + "س" * 500


def test_hash_counts_toward_the_longest_path():
    assert read("https://example.com/" + "a" * 2_047 + "#b", keep_hash=True) is None


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/users/ann@example.com/orders", "/users/:redacted/orders"),
        ("/users/ann%40example.com", "/users/:redacted"),
        ("/users/ann%2540example.com", "/users/:redacted"),
        ("/a@b.c", "/:redacted"),
        ("/unsubscribe/mailto:ann@example.com;all", "/unsubscribe/:redacted"),
        (f"/reset/{JWT}", "/reset/:redacted"),
        ("/reset/eyJhbGciOiJIUzI1NiJ9", "/reset/:redacted"),
        (f"/reset/{KEY}", "/reset/:redacted"),
        (f"/{KEY}{KEY}/done/", "/:redacted/done/"),
        ("/reset/" + KEY[1:], "/reset/" + KEY[1:]),
        (f"/My-notes-{KEY}", "/:redacted"),
        ("/550e8400-e29b-41d4-a716-446655440000", "/550e8400-e29b-41d4-a716-446655440000"),
        ("/@ann/112233", "/@ann/112233"),
        ("/@ann@social.example", "/@ann@social.example"),
        ("/npm/lodash@4.17.21/lodash.js", "/npm/lodash@4.17.21/lodash.js"),
        ("/heyJude", "/heyJude"),
        ("/" + "a" * 40, "/" + "a" * 40),
    ],
)
def test_path_part_that_is_an_email_jwt_or_long_hex_key_is_redacted(path, kept):
    assert redact(path) == kept
    assert path_of(f"https://example.com{path}") == kept


def test_only_campaign_keys_survive_in_the_query():
    allowed = {key: f"v{number}" for number, key in enumerate(page_url.TAGS)}
    query = "&".join(f"{key}={value}" for key, value in allowed.items())
    assert tags_of(f"token=t&{query}&session=s&xutm_source=no&utm_sources=no&UTM_TERM=no") == allowed


@pytest.mark.parametrize(
    ("query", "tags"),
    [
        ("utm_source=%25balle%25", {"utm_source": "%balle%"}),
        ("utm_source=%22summer%22+'sale'", {"utm_source": "\"summer\" 'sale'"}),
        ("utm_source=Gr%C3%BC%C3%9Fe", {"utm_source": "Grüße"}),
        ("utm_source=first&utm_source=second", {"utm_source": "first"}),
        ("utm_source=&utm_source=second", {"utm_source": "second"}),
        ("utm_source=a=b", {"utm_source": "a=b"}),
        ("utm_source=%20a%20", {"utm_source": "a"}),
        ("utm_source=a%00%0Ab", {"utm_source": "ab"}),
        ("utm_source=%FF", {"utm_source": "\ufffd"}),
        ("utm_source=%ED%A0%80", {"utm_source": "\ufffd\ufffd\ufffd"}),
        ("utm_source=%zz", {"utm_source": "%zz"}),
        ("utm_source=" + "a" * 300, {"utm_source": "a" * 200}),
        ("utm_content=ann%40example.com", {"utm_content": ":redacted"}),
        (f"utm_term={JWT}", {"utm_term": ":redacted"}),
        ("utm_source=n&amp;utm_medium=email", {"utm_source": "n", "utm_medium": "email"}),
        ("amp;utm_source=n&amp;amp;utm_medium=e", {"utm_source": "n", "utm_medium": "e"}),
        ("a=1&AMP;ref=n&amp;x=2&amp%3Bgclid=g", {"ref": "n", "gclid": "g"}),
        ("utm_source=n&amp;utm_medium=&utm_medium=e", {"utm_source": "n", "utm_medium": "e"}),
        ("utm_source=n;utm_medium=e;x=1", {"utm_source": "n", "utm_medium": "e;x=1"}),
        ("utm_source=n;amp;utm_medium=e", {"utm_source": "n", "utm_medium": "e"}),
        ("x=1;utm_source=n", {"utm_source": "n"}),
        ("utm_campaign=a;b&utm_term=c;", {"utm_campaign": "a;b", "utm_term": "c;"}),
        ("utm_campaign=amp;b&xamp;utm_term=c&amputm_medium=e", {"utm_campaign": "amp;b", "utm_term": "c"}),
        ("utm_source", {}),
        ("utm_source=", {}),
        ("utm_source=%20", {}),
        ("&&=&;", {}),
    ],
)
def test_tag_is_the_first_value_decoded_once_and_bounded(query, tags):
    assert tags_of(query) == tags


def test_page_is_shared_and_cannot_be_changed():
    found = read("https://example.com/?utm_source=x")
    assert found is read("https://example.com/?utm_source=x")
    with pytest.raises(TypeError):
        found.query["utm_source"] = "y"  # type: ignore[index, union-attr]


def test_cache_is_bounded_and_holds_no_long_address():
    before = page_url.read_cached.cache_info()
    read("https://example.com/" + "a" * 1_000)
    assert page_url.read_cached.cache_info() == before
    assert before.maxsize is not None


@pytest.mark.parametrize(
    "url",
    [
        "https://" + "@" * 4_000,
        "https://" + "a." * 2_000,
        "https://" + "a" * 4_000,
        "https://example.com/" + "%40" * 680,
        "https://example.com/" + "a@" * 1_000,
        "https://example.com/" + "%25" * 680,
        "https://example.com/" + "eyJ" * 680,
        "https://example.com/" + "f" * 31 + ("g" + "f" * 31) * 60,
        "https://example.com/" + ";token" * 680,
        "https://example.com/;" + "token" * 800,
        "https://example.com/" + "%" * 4_000,
        "https://example.com/" + "%FF" * 1_300,
        "https://example.com/?" + "utm_source=&" * 330,
        "https://example.com/?" + "&" * 4_000,
        "https://example.com/?" + "&amp;" * 800,
        "https://example.com/?utm_source=" + ";" * 4_000,
        "https://example.com/?utm_source=" + ";amp;" * 800,
        "https://example.com/?" + "amp;" * 1_000,
    ],
)
def test_no_address_takes_long_to_read(url):
    started = time.process_time()
    read(url)
    assert time.process_time() - started < 0.05


anything = st.text(st.characters(exclude_categories=()), max_size=60)
pieces = st.lists(
    st.sampled_from(
        [
            "https://",
            "http://",
            "a.b",
            "/",
            "?",
            "#",
            "&",
            "=",
            "@",
            ":",
            "%40",
            "%",
            "utm_source",
            "\\",
            "[::1]",
        ]
    )
    | anything,
    max_size=12,
).map("".join)


@settings(max_examples=150, deadline=None)
@given(url=anything | pieces | pieces.map("https://a.example/".__add__), keep_hash=st.booleans())
def test_any_text_is_a_storable_page_or_none(url, keep_hash):
    found = read(url, keep_hash)
    if found is None:
        return
    assert re.fullmatch(r"[a-z0-9._-]{1,253}|\[[0-9a-f:.]+\]", found.host)
    assert found.path.startswith("/")
    assert len(found.path) <= page_url.MAX_PATH
    assert set(found.query) <= set(page_url.TAGS)
    for text in (found.path, *found.query.values()):
        assert not re.search(r"[\x00-\x1f\x7f]", text)
        assert text.encode().decode() == text
    assert all(0 < len(value) <= page_url.MAX_TAG for value in found.query.values())


def test_split_gives_the_raw_query_and_fragment():
    assert split("https://example.com?a=1#b") == ("https", "example.com", "/", "a=1", "b")
