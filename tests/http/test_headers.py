"""The security headers of answers without Flask: the collector, the script, live state, streams, health, errors."""

from __future__ import annotations

import pytest
from house import open_house

from analytics.base.config import Config
from tests.support.serving import SITE, listening, serving

SEAL = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def seal_of(headers):
    return {name: headers.get(name) for name in SEAL}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/js/footfall.js", 200),
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 200),
        ("GET", "/api/live?site=example.com", 401),
        ("GET", "/api/live/stream?site=example.com", 401),
        ("GET", "/api/collect", 405),
        ("OPTIONS", "/api/collect", 204),
        ("POST", "/api/collect", 415),
    ],
)
def test_every_answer_beside_flask_carries_the_security_headers(shared, method, path, status):
    answer = shared.request(method, path)
    assert (answer.status, seal_of(answer.headers)) == (status, SEAL)


def test_headers_that_are_too_large_are_answered_with_them_too(shared):
    answer = shared.request("GET", "/healthz", headers={"X-Large": "x" * 17_000})
    assert (answer.status, seal_of(answer.headers)) == (431, SEAL)


def test_a_stream_carries_them(shared, site):
    key = shared.tell("key add", name="reader", scope="stats", site=site)
    with listening(shared, f"site={site}", {"Authorization": f"Bearer {key}"}) as listener:
        assert (listener.status, seal_of(listener.headers)) == (200, SEAL)


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
def test_over_https_every_answer_has_browsers_stay_there(config):
    """Also those that Flask gives, the bridge's, a stream, and what could not be read."""
    paths = ("/js/footfall.js", "/healthz", "/api/live?site=x.example", "/pixel.gif", "/embed/live?token=x", "/sign-in")
    with serving(config, FOOTFALL_BASE_URL="https://stats.example.com") as server:
        answers = [server.request("GET", path) for path in (*paths, "/assets/css/plain.css", "/nowhere")]
        answers += [server.collect(b"{"), server.request("OPTIONS", "/api/collect"), server.request("POST", "/sign-in")]
        answers.append(server.request("GET", "/healthz", headers={"X-Large": "x" * 17_000}))
        server.tell("site add", domain=SITE, name="", timezone="UTC")
        key = server.tell("key add", name="reader", scope="stats", site=SITE)
        with listening(server, f"site={SITE}", {"Authorization": f"Bearer {key}"}) as listener:
            streamed = listener.headers
    policies = [one.headers.get("strict-transport-security") for one in answers]
    assert [*policies, streamed.get("strict-transport-security")] == ["max-age=31536000"] * (len(answers) + 1)


def test_behind_another_wsgi_server_too(tmp_path):
    with open_house(Config(data_dir=tmp_path, base_url="https://stats.example.com")) as house:
        browser = house.app.server.test_client()
        answers = [browser.get(path) for path in ("/healthz", "/api/live?site=x.example", "/pixel.gif", "/sign-in")]
        answers.append(browser.post("/api/collect", data=b"{", content_type="text/plain"))
    assert [one.headers.getlist("Strict-Transport-Security") for one in answers] == [["max-age=31536000"]] * 5


def test_over_plain_http_nothing_says_so(shared):
    answers = [shared.request("GET", path) for path in ("/healthz", "/js/footfall.js", "/sign-in")]
    assert [one.headers.get("strict-transport-security") for one in answers] == [None] * 3


def test_they_keep_no_page_of_another_origin_from_the_script_and_the_collector(shared):
    script = shared.request("GET", "/js/footfall.js", headers={"Origin": "https://shop.example"})
    assert script.headers["access-control-allow-origin"] == "*"
    assert script.headers["cross-origin-resource-policy"] == "cross-origin"
    preflight = shared.request("OPTIONS", "/api/collect", headers={"Origin": "https://shop.example"})
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in preflight.headers
