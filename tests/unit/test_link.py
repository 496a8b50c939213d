"""Which links may be followed."""

from __future__ import annotations

import pytest

from analytics.base.link import followable


@pytest.mark.parametrize(
    "link",
    [
        "https://admin.example.com",
        "https://admin.example.com/bookings/7?tab=1#top",
        "http://127.0.0.1:8000/b/7",
        "/bookings/7",
        "/",
        "/a/..b/...",
        "/a?next=/../b",
        "https://example.com/%2F%2Fevil.example",
    ],
)
def test_a_link_to_http_https_or_a_path_may_be_followed(link):
    assert followable(link) == link


@pytest.mark.parametrize(
    "link",
    [
        "",
        "javascript:alert(1)",
        "JavaScript://example.com/%0aalert(1)",
        " javascript:alert(1)",
        "java\tscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "mailto:ann@example.com",
        "ftp://example.com/",
        "//evil.example/x",
        "/\\evil.example/x",
        "\\\\evil.example",
        "bookings/7",
        "https://",
        "https:///x",
        "https://[/",
        "https://ann@example.com/",
        "https://ann:secret@example.com/",
        "https://example.com/a b",
        "/a b",
        "/a\nb",
        "/a\u202eb",
        "/a/../b",
        "/a/%2e%2E/b",
        "/a/./b",
        "https://example.com/a/..",
        "https://example.com\\..\\b",
        "/" + "x" * 2_000,
    ],
)
def test_no_other_may(link):
    assert followable(link) == ""
