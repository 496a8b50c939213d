"""Visitors' addresses and user agents are in no file that the server wrote, nor in what it printed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics.base.config import Config
from tests.support.serving import SITE, event, heartbeat, leave, pageview, received, rows, serving

ADDRESS, NETWORK = "198.18.77.123", "198.18.77."
OTHER_ADDRESS, OTHER_NETWORK = "2001:db8:7f3a:91::77", "2001:db8:7f3a"
AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Marked-7f3a91"
)
MARKS = (NETWORK, OTHER_NETWORK, "Marked-7f3a91", "KHTML, like Gecko")


def written(config: Config) -> Iterator[tuple[str, bytes]]:
    """Every file of the installation and, with PostgreSQL, of its server."""
    folders = [config.data_dir]
    if not config.embedded:
        folders.append(Path(rows(config, "SHOW data_directory")[0][0]))
    for folder in folders:
        for file in folder.rglob("*"):
            if file.is_file():
                yield str(file), file.read_bytes()


def marked_requests(server):
    """200 events from marked visitors, good ones and wrong ones, and requests to everything else."""
    for address in (ADDRESS, OTHER_ADDRESS):
        headers = {"X-Forwarded-For": address, "User-Agent": AGENT, "X-Real-IP": address}
        for number in range(25):
            page = f"{address[:4]}-page-{number}"
            server.collect(pageview(page, f"/{number}"), headers)
            server.collect([heartbeat(page), event(f"{page}-e", "Sign-up"), leave(page)], headers)
        _wrong_requests(server, headers, address)
        _other_requests(server, headers)


def _wrong_requests(server, headers, address):
    claims = {"ip": address, "user_agent": AGENT}
    speaking = {"Authorization": "Bearer " + server.tell("key add", name="k", scope="ingest", site=SITE)}
    personal = f'"ip":"{address}","user_agent":"{AGENT}"'.encode()
    for body, more in (
        (pageview("claimed-1", **claims), {}),
        (pageview("spoken-" + address[:4], **claims), speaking),
        (pageview("spoken-3", **claims, time=1), speaking),
        (pageview("spoken-4", ip=address + "/24"), speaking),
        (pageview("short", **claims), {}),
        (pageview("page-type") | {"type": AGENT}, {}),
        (pageview("page-site", site=AGENT), {}),
        (b"{" + personal, {}),
        (b'{"site":"example.com",' + personal + b"}", {}),
        (b"\xff" + personal, {}),
        (b"[" * 50 + personal, {}),
        (personal * 1000, {}),
        (b"{}", {"Content-Type": AGENT}),
        (b"{}", {"Content-Encoding": AGENT}),
        (pageview("page-dnt"), {"DNT": "1"}),
        (pageview("page-bot"), {"User-Agent": AGENT + " Googlebot/2.1"}),
    ):
        assert server.collect(body, headers | more).status < 500
    with server.connect() as connection:
        connection.sendall(
            f"POST /api/collect HTTP/1.1\r\nUser-Agent: {AGENT}\r\nX-Forwarded-For {address}\r\n\r\n".encode()
        )
        received(connection)


def _other_requests(server, headers):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    call = {"Content-Type": "application/json"}
    for method, path, body, more in (
        ("GET", "/nowhere", b"", {"Accept": "text/html"}),
        ("POST", "/sign-in", b"email=ada@example.com&password=wrong", form),
        ("POST", "/setup", b"token=x", form),
        ("POST", "/_dash-update-component", b"[]", call),
        ("GET", f"/api/live?site={SITE}", b"", {}),
        ("GET", "/embed/live?token=x", b"", {}),
        ("GET", "/js/footfall.js", b"", {}),
        ("GET", f"/pixel.gif?site={SITE}&url=https://{SITE}/", b"", {}),
        ("GET", "/%ff%00", b"", {}),
    ):
        assert server.request(method, path, body, headers | more).status < 500


def _tried(server):
    """A pageview on trial: the owner types an address and an agent; the verdict."""
    fields = {"url": f"https://{SITE}/", "address": ADDRESS, "user_agent": AGENT + " Googlebot/2.1"}
    call = {
        "output": "..trial-answer.data-answer...trial-result.children..",
        "outputs": [
            {"id": "trial-answer", "property": "data-answer"},
            {"id": "trial-result", "property": "children"},
        ],
        "inputs": [{"id": "trial-sent", "property": "data", "value": {"number": 1, "fields": fields}}],
        "state": [{"id": "trial-answer", "property": "data-site", "value": SITE}],
        "changedPropIds": ["trial-sent.data"],
    }
    cookie = server.sign_in("ada@example.com", "correct horse battery")
    headers = {"Content-Type": "application/json", "Cookie": cookie, "Origin": server.url}
    answer = server.request("POST", "/_dash-update-component", json.dumps(call), headers)
    assert (answer.status, "It would be left out" in answer.body.decode()) == (200, True), answer


@pytest.mark.parametrize("end", ["SIGTERM", "kill -9"])
def test_no_address_and_no_user_agent_is_on_disk_or_in_the_log(config, end):
    with serving(config, FOOTFALL_TRUSTED_PROXIES="127.0.0.1", FOOTFALL_LOG_LEVEL="DEBUG") as server:
        server.tell("site add", domain=SITE, name="", timezone="UTC")
        server.tell("user add", email="ada@example.com", role="owner", password="correct horse battery")
        marked_requests(server)
        _tried(server)
        assert rows(config, "SELECT COUNT(*) FROM pageviews WHERE page_id LIKE '%-page-%'") == [(50,)]
        assert rows(config, "SELECT browser FROM visits GROUP BY browser") == [("Chrome",)]
        if end == "SIGTERM":
            server.stop()
        else:
            server.kill()
        assert server.process.stdout
        printed = "\n".join([*server.lines, server.process.stdout.read()])
    files = dict(written(config)) | {"stdout": printed.encode(), "stderr": "".join(server.errors).encode()}
    found = [(name, mark) for name, text in files.items() for mark in MARKS if mark.encode() in text]
    assert found == []
    assert any(
        SITE.encode() in text for name, text in files.items() if "std" not in name
    )  # we looked in the right place
