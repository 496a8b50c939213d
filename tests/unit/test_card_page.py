"""The card's page as bytes, and the header that guards it."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import pytest

from collector.card import card

AT = 1_795_181_528  # 14:32:08 in Berlin
LIVE = {
    "active_sessions": 1280,
    "authenticated_users": 340,
    "anonymous_sessions": 940,
    "top_pages": [{"path": "/", "count": 1031}, {"path": "/blog/", "count": 22}],
    "window_s": 60,
    "as_of": AT,
}


def page(site: str = "example.com", live: dict = LIVE, points: object = (), **more: object) -> str:
    options = {"token": "t0ken", "theme": "", "zone": "Europe/Berlin"} | more
    return card.render(site, live, points, **options).decode()


def given(html: str) -> dict:
    return json.loads(re.search(r'<script type="application/json" id="given">(.*?)</script>', html)[1])


def test_the_first_paint_has_the_numbers_the_pages_the_window_and_the_clock():
    html = page()
    shown = dict(re.findall(r'id="(active|signed-in|anonymous|at)">([^<]*)<', html))
    assert shown == {"active": "1,280", "signed-in": "340", "anonymous": "940", "at": "14:32:08"}
    assert re.findall(r'<li><span dir="auto" title="(.*?)">(.*?)</span><b>(.*?)</b></li>', html) == [
        ("/", "/", "1,031"),
        ("/blog/", "/blog/", "22"),
    ]
    assert '<span class="ff-wide">seen in the last 60 s</span><span class="ff-narrow">last 60 s</span>' in html


def test_the_script_is_given_the_stream_the_figures_the_points_and_the_zone():
    points = [(AT - 128, 7), (AT - 68, 8)]
    assert given(page("a&b.example", points=points, token="x/y+z", hour_ago=110)) == {
        "stream": "/api/live/stream?site=a%26b.example&token=x%2Fy%2Bz",
        "live": LIVE,
        "points": [[AT - 3600, 110], [AT - 128, 7], [AT - 68, 8]],
        "zone": "Europe/Berlin",
    }


@pytest.mark.parametrize(
    ("theme", "opening"),
    [
        ("dark", '<html lang="en" data-bs-theme="dark">'),
        ("light", '<html lang="en" data-bs-theme="light">'),
        ("", '<html lang="en">'),
        ('"><script>', '<html lang="en">'),
    ],
)
def test_a_theme_is_light_dark_or_the_readers_own(theme, opening):
    assert opening in page(theme=theme)


def test_hostile_names_stay_text():
    evil = "</script><svg onload=window.__x=1>\"'&\u2028"
    html = page(evil, LIVE | {"top_pages": [{"path": evil, "count": 1}]}, token=evil)
    assert "<svg" not in html
    assert html.count("</script>") == 2
    assert given(html)["live"]["top_pages"] == [{"path": evil, "count": 1}]


def test_text_that_is_no_unicode_is_still_a_page():
    lone = LIVE | {"top_pages": [{"path": "/\ud800", "count": 1}]}
    assert 'title="/?"' in page(live=lone)


def test_page_and_font_together_weigh_at_most_40_kilobytes():
    pages = [{"path": f"/{n}" + "a" * 120, "count": 10_000} for n in range(5)]
    points = [(AT - 60 * n, 10_000) for n in range(61)]
    whole = len(page(live=LIVE | {"top_pages": pages}, points=points, token="t" * 200).encode()) + len(card.font())
    assert whole <= 40_000
    assert card.font().startswith(b"wOF2")


def test_the_policy_names_exactly_the_listed_hosts_and_the_pages_own_style_and_script():
    html = page()

    def digest(element: str) -> str:
        inside = re.search(rf"<{element}>(.*?)</{element}>", html, re.DOTALL)[1]
        return base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()

    assert card.content_security_policy(["panel.example.com", "localhost:3000"]) == (
        f"default-src 'none'; script-src 'sha256-{digest('script')}'; style-src 'sha256-{digest('style')}'; "
        "font-src 'self'; connect-src 'self'; img-src data:; "
        "frame-ancestors https://panel.example.com http://panel.example.com https://localhost:3000 "
        "http://localhost:3000; base-uri 'none'; form-action 'none'"
    )


def test_a_card_of_no_hosts_is_framed_by_nobody():
    assert "; frame-ancestors 'none'; " in card.content_security_policy([])


@pytest.mark.parametrize(
    "host", ["", "*", "*.example.com", "a b", "a;script-src *", "a\nb", "https://a", "a/b", "'self'"]
)
def test_what_is_no_host_raises(host):
    with pytest.raises(ValueError, match="not a host"):
        card.content_security_policy([host])


def test_the_page_names_no_other_host():
    assert re.findall(r"(?:https?:)?//[a-z][^\s\"')]*", page()) == ["http://www.w3.org/2000/svg"]


def test_a_card_in_german_of_made_up_numbers():
    html = page(tag="de-DE", demo=True)
    shown = dict(re.findall(r'id="(active|signed-in|anonymous|at)">([^<]*)<', html))
    assert shown == {"active": "1.280", "signed-in": "340", "anonymous": "940", "at": "14:32:08"}
    assert 'data-language="de-DE"' in html
    assert 'Jetzt aktiv <span class="ff-demo">Demo</span></h1>' in html
    assert given(html)["words"]["{n} an hour ago"] == "{n} vor einer Stunde"
    assert "ff-demo" not in re.sub(r"<style>.*?</style>", "", page(), flags=re.DOTALL)


def test_without_a_token_the_stream_is_asked_for_with_the_readers_login():
    assert given(page(token=""))["stream"] == "/api/live/stream?site=example.com"


def test_the_preview_is_framed_by_our_own_pages_alone():
    policy = card.content_security_policy([])
    assert card.preview_policy() == policy.replace("frame-ancestors 'none'", "frame-ancestors 'self'")
