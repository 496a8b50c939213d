"""The security headers of what answers beside Flask: the collector, the script, live state, streams, health, errors."""

from __future__ import annotations

import pytest

from tests.serving import listening

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
        ("GET", "/embed/live?token=nonsense", 404),
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


def test_they_keep_no_page_of_another_origin_from_the_script_and_the_collector(shared):
    script = shared.request("GET", "/js/footfall.js", headers={"Origin": "https://shop.example"})
    assert script.headers["access-control-allow-origin"] == "*"
    assert script.headers["cross-origin-resource-policy"] == "cross-origin"
    preflight = shared.request("OPTIONS", "/api/collect", headers={"Origin": "https://shop.example"})
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in preflight.headers
