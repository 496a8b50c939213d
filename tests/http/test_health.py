"""The health routes, open to anybody, and what strangers learn of the rest: nothing."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(("path", "status"), [("/healthz", "up"), ("/readyz", "ready")])
def test_health_is_told_to_anybody(shared, path, status):
    answer = shared.request("GET", path)
    assert (answer.status, answer.json) == (200, {"status": status})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_head_will_do(shared, path):
    answer = shared.request("HEAD", path)
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_there_is_nothing_to_write(shared, path):
    answer = shared.request("POST", path, b"x")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    "path", ["/_dash-layout", "/_dash-dependencies", "/_reload-hash", "/api/live/metrics", "/anything"]
)
def test_everything_else_is_closed_to_strangers(shared, path):
    answer = shared.request("GET", path)
    assert answer.status == 401
    assert b"site-" not in answer.body


def test_answers_tell_no_version_and_no_framework(shared):
    for path in ("/healthz", "/sign-in", "/nowhere", "/js/footfall.js"):
        headers = " ".join(shared.request("GET", path).headers.values()).lower()
        assert not [word for word in ("werkzeug", "flask", "python", "dash/") if word in headers]
