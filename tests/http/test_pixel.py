"""`GET /pixel.gif`: always a picture; the outcome is in a header and in the counters."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from tests.support.serving import AGENT, eventually, rows

ROBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def load(server, headers=None, method="GET", **parameters):
    """The answer to a page (or a mail program) that loads the picture; its outcome."""
    query = urlencode(parameters)
    return server.request(method, f"/pixel.gif?{query}", headers={"User-Agent": AGENT} | (headers or {}))


def outcome(answer):
    assert (answer.status, len(answer.body), answer.body[:6]) == (200, 43, b"GIF89a")
    assert {
        "content-type": "image/gif",
        "cache-control": "no-store",
        "cross-origin-resource-policy": "cross-origin",
        "access-control-allow-origin": "*",
        "x-content-type-options": "nosniff",
        "content-length": "43",
    }.items() <= answer.headers.items()
    assert "set-cookie" not in answer.headers
    return answer.headers["x-footfall-outcome"]


def of_site(server, columns, table, site):
    return rows(
        server.config,
        f"SELECT {columns} FROM {table} AS t JOIN sites ON sites.id = t.site_id "
        f"WHERE sites.domain = '{site}' ORDER BY t.id",
    )


def test_a_pageview_is_stored_before_the_picture_comes(shared, site):
    url = f"https://{site}/letter?utm_source=may&x=1"
    assert outcome(load(shared, site=site, url=url, referrer="https://www.google.com/", title="May")) == "stored"
    assert of_site(shared, "host, path, title", "pageviews", site) == [(site, "/letter", "May")]
    assert of_site(shared, "source, referrer, browser, pageviews", "visits", site) == [
        ("may", "google.com", "Chrome", 1)
    ]


def test_each_time_it_is_loaded_is_a_pageview_of_one_visit(shared, site):
    assert [outcome(load(shared, site=site, url=f"https://{site}/")) for _ in range(3)] == ["stored"] * 3
    assert of_site(shared, "pageviews", "visits", site) == [(3,)]


def test_without_url_the_page_that_shows_it_counts(shared, site):
    shown_on = {"Referer": f"https://{site}/blog"}
    assert outcome(load(shared, shown_on, site=site)) == "stored"
    assert outcome(load(shared, shown_on, site=site, url=f"https://{site}/said")) == "stored"
    assert [path for (path,) in of_site(shared, "path", "pageviews", site)] == ["/blog", "/said"]


def test_a_title_that_is_too_long_is_cut(shared, site):
    assert outcome(load(shared, site=site, url=f"https://{site}/", title="x" * 301)) == "stored"
    assert of_site(shared, "title", "pageviews", site) == [("x" * 300,)]


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"User-Agent": ROBOT}, "bot"),
        ({"DNT": "1"}, "opted_out"),
        ({"Sec-GPC": "1"}, "opted_out"),
        ({"Sec-Purpose": "prefetch;prerender"}, "prefetch"),
        ({"Sec-Purpose": "prefetch"}, "prefetch"),
        ({"Purpose": "prefetch"}, "prefetch"),
        ({"X-Moz": "prefetch"}, "prefetch"),
        ({"X-Purpose": "preview"}, "prefetch"),
    ],
)
def test_who_is_left_out_gets_the_picture_too(shared, site, headers, reason):
    assert outcome(load(shared, headers, site=site, url=f"https://{site}/")) == f"filtered; reason={reason}"
    assert of_site(shared, "t.id", "pageviews", site) == []


def test_what_is_wrong_is_told_in_the_header(shared, site):
    page = f"https://{site}/"
    answers = {
        "no site": load(shared, url=page),
        "unknown": load(shared, site="nowhere.example", url=page),
        "no url": load(shared, site=site),
        "no page": load(shared, site=site, url="javascript:alert(1)"),
        "elsewhere": load(shared, site=site, url="https://evil.example/"),
    }
    assert {name: outcome(answer) for name, answer in answers.items()} == {
        "no site": "rejected; reason=missing_field",
        "unknown": "rejected; reason=unknown_site",
        "no url": "rejected; reason=missing_field",
        "no page": "rejected; reason=wrong_field",
        "elsewhere": "filtered; reason=unlisted_host",
    }


@pytest.mark.parametrize(
    "query",
    ["site=%00&url=%00", "site=%ff%fe&url=%ff", "&&&", "site", "site=a&site=b&url=c", "%", "site=" + "x" * 4_000],
)
def test_whatever_is_asked_the_answer_is_a_picture(shared, query):
    answer = shared.request("GET", f"/pixel.gif?{query}", headers={"User-Agent": AGENT, "Content-Encoding": "gzip"})
    assert outcome(answer).startswith("rejected; reason=")


def test_a_head_counts_nothing_and_nothing_else_is_taken(shared, site):
    head = load(shared, method="HEAD", site=site, url=f"https://{site}/")
    assert (head.status, head.body, head.headers["content-type"]) == (200, b"", "image/gif")
    post = load(shared, method="POST", site=site, url=f"https://{site}/")
    assert (post.status, post.headers["allow"]) == (405, "GET, HEAD")
    assert of_site(shared, "t.id", "pageviews", site) == []


def test_it_is_counted_like_any_other_event(shared, site):
    load(shared, site=site, url=f"https://{site}/")
    load(shared, {"User-Agent": ROBOT}, site=site, url=f"https://{site}/")
    counted = "SELECT outcome, reason, count FROM outcomes JOIN sites ON sites.id = site_id WHERE domain = '{}'"
    assert eventually(lambda: len(found := sorted(rows(shared.config, counted.format(site)))) == 2 and found) == [
        ("filtered", "bot", 1),
        ("stored", "", 1),
    ]
