"""Files that settings name, changed under a running server: it serves on, and goes on with the new file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.serving import SITE, Server, eventually, pageview, rows, serving
from tests.unit.test_place import write_mmdb

NETWORK = "81.2.69.0/24"


@pytest.fixture
def geo(tmp_path) -> Path:
    return write_mmdb(tmp_path / "geo.mmdb", NETWORK, {"country_code": "JP"})


@pytest.fixture
def server(config, geo, tmp_path):
    (tmp_path / "spam.txt").write_text("spam.example\n")
    files = {"FOOTFALL_GEOIP_DATABASE": str(geo), "FOOTFALL_SPAM_REFERRERS": str(tmp_path / "spam.txt")}
    with serving(config, FOOTFALL_TRUSTED_PROXIES="127.0.0.1", FOOTFALL_LOG_LEVEL="INFO", **files) as server:
        server.tell("site add", domain=SITE, name="", timezone="UTC")
        yield server


def country_of_visit(server: Server, number: int) -> str:
    """The country that the visit of a new address is stored with."""
    page = pageview(f"page-{number:04}", f"/{number}")
    assert server.collect(page, {"X-Forwarded-For": f"81.2.69.{number}"}).status == 202
    return str(rows(server.config, "SELECT country FROM visits ORDER BY id DESC LIMIT 1")[0][0])


def log_has(server: Server, text: str) -> Callable[[], bool]:
    return lambda: any(text in line for line in server.errors)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut_in_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def write_something_else(path: Path) -> None:
    path.write_bytes(b"<html>404 Not Found</html>")


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)  # nothing of it is the database's
@pytest.mark.parametrize("damage", [empty, cut_in_half, write_something_else, Path.unlink])
def test_a_geo_database_that_is_damaged_in_place_stops_nothing(server, geo, damage):
    assert country_of_visit(server, 1) == "JP"
    damage(geo)
    assert country_of_visit(server, 2) == "JP"
    eventually(log_has(server, f"FOOTFALL_GEOIP_DATABASE: {geo} cannot be read; the one before stays in use"))
    assert country_of_visit(server, 3) == "JP"
    write_mmdb(geo, NETWORK, {"country_code": "DE"})
    eventually(log_has(server, f"FOOTFALL_GEOIP_DATABASE: {geo} has changed and was read again"))
    assert country_of_visit(server, 4) == "DE"
    assert server.stop() == 0


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
def test_a_geo_database_that_is_renamed_in_is_read(server, geo):
    assert country_of_visit(server, 1) == "JP"
    write_mmdb(geo.with_name("new.mmdb"), NETWORK, {"country_code": "DE"}).rename(geo)
    eventually(log_has(server, f"FOOTFALL_GEOIP_DATABASE: {geo} has changed and was read again"))
    assert country_of_visit(server, 2) == "DE"


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
def test_a_list_of_spammers_that_is_written_anew_is_read(server, tmp_path):
    def answer(number: int) -> int:
        return server.collect(pageview(f"page-{number:04}", referrer="https://other.example/")).status

    assert answer(1) == 202
    (tmp_path / "spam.txt").write_text("other.example\n")
    eventually(log_has(server, f"FOOTFALL_SPAM_REFERRERS: {tmp_path / 'spam.txt'} has changed and was read again"))
    assert answer(2) == 200
