"""From an address to a place, on the bundled database and on small ones in the shapes that others use."""

from __future__ import annotations

import ipaddress
import struct
import threading
from pathlib import Path
from typing import Any

import maxminddb
import pytest

from collector.ingest.geo import NOWHERE, Place, open_places

GERMANY = Place("DE", "", "", 51.1, 10.4)
JAPAN = Place("JP", "", "", 36.0, 138.6)


@pytest.fixture(scope="module")
def bundled(tmp_path_factory):
    places = open_places(None, tmp_path_factory.mktemp("cache"))
    yield places
    places.close()


# --- A database of a few networks, written by the format's description (MaxMind DB 2.0) ---


def _head(kind: int, size: int) -> bytes:
    small, more = (size, b"") if size < 29 else (29, bytes([size - 29]))
    return (bytes([kind << 5 | small]) if kind < 8 else bytes([small, kind - 7])) + more


def _encoded(value: Any) -> bytes:
    match value:
        case str():
            return _head(2, len(value.encode())) + value.encode()
        case float():
            return _head(3, 8) + struct.pack(">d", value)
        case int():
            return _head(5, 2) + struct.pack(">H", value)
        case dict():
            return _head(7, len(value)) + b"".join(_encoded(k) + _encoded(v) for k, v in value.items())
        case bytes():
            return value
        case _:
            return _head(11, len(value)) + b"".join(map(_encoded, value))


def _tree(networks: dict[str, int]) -> list[list[int | None]]:
    """Nodes of two ends each: None, the number of a node, or minus one minus the offset of a record."""
    nodes: list[list[int | None]] = [[None, None]]
    for network, offset in networks.items():
        net, node = ipaddress.IPv4Network(network), 0
        *way, last = (int(net.network_address) >> (31 - depth) & 1 for depth in range(net.prefixlen))
        for bit in way:
            if nodes[node][bit] is None:
                nodes[node][bit] = len(nodes)
                nodes.append([None, None])
            node = nodes[node][bit] or 0
        nodes[node][last] = -1 - offset
    return nodes


def write_mmdb(path: Path, network: str, record: Any) -> Path:
    nodes = _tree({network: 0})
    count = len(nodes)
    ends = (count if end is None else end if end >= 0 else count + 16 - 1 - end for node in nodes for end in node)
    about = {
        "node_count": _head(6, 4) + struct.pack(">I", count),
        "record_size": 24,
        "ip_version": 4,
        "database_type": "test",
        "languages": ["en"],
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": _head(9, 8) + struct.pack(">Q", 1),
        "description": {},
    }
    tree = b"".join(end.to_bytes(3, "big") for end in ends)
    path.write_bytes(tree + bytes(16) + _encoded(record) + b"\xab\xcd\xefMaxMind.com" + _encoded(about))
    return path


def find_one(tmp_path, record: Any, timezone: str = "") -> Place:
    """The place of an address whose network has this record."""
    places = open_places(write_mmdb(tmp_path / "own.mmdb", "81.2.69.0/24", record), tmp_path)
    try:
        return places.find("81.2.69.142", timezone)
    finally:
        places.close()


# --- The bundled database ---


@pytest.mark.parametrize("address", ["130.149.7.201", "2a01:4f8::1", "::ffff:130.149.7.201", "::FFFF:8295:7c9"])
def test_a_german_address_is_in_germany_in_every_spelling(bundled, address):
    assert bundled.find(address) == GERMANY


PRIVATE = (
    *(
        "10.0.0.1",
        "172.16.0.1",
        "172.31.9.9",
        "192.168.1.20",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.1.1",
        "0.0.0.0",
    ),
    *("::1", "::", "fd00::1", "fe80::1", "fe80::1%eth0", "::ffff:192.168.1.20", "203.0.113.7", "2001:db8::1"),
)
UNREADABLE = (
    *(
        "",
        "unknown",
        "130.149.7.201 ",
        "130.149.7",
        "2190804937",
        "1.2.3.4.5",
        "999.1.1.1",
        "::ffff:",
        "::ffff:1",
    ),
    *("a" * 10_000, ":" * 10_000, "\0", "130.149.7.201\0", "\ud800", "１.２.３.４"),
)


@pytest.mark.parametrize("address", [*PRIVATE, *UNREADABLE])
def test_an_address_that_says_nothing_leaves_it_to_the_time_zone(bundled, address):
    assert bundled.find(address) == NOWHERE
    assert bundled.find(address, "Mars/Olympus") == NOWHERE
    assert bundled.find(address, "Asia/Tokyo") == JAPAN


def test_an_address_is_believed_before_the_time_zone(bundled):
    assert bundled.find("130.149.7.201", "Asia/Tokyo") == GERMANY


def test_it_is_unpacked_once_and_an_upgrade_removes_the_older_one(tmp_path):
    cache = tmp_path / "not" / "there" / "yet"
    open_places(None, cache).close()
    (first,) = cache.iterdir()
    born = first.stat().st_mtime_ns
    open_places(None, cache).close()
    assert [(file, file.stat().st_mtime_ns) for file in cache.iterdir()] == [(first, born)]
    first.rename(cache / "country-0123456789abcdef.mmdb")
    (cache / "country-notes.txt").write_text("mine")
    open_places(None, cache).close()
    assert {file.name for file in cache.iterdir()} == {"country-notes.txt", first.name}


def test_the_reader_in_c_is_used():
    assert maxminddb.extension is not None


def test_many_threads_may_ask_at_once(bundled):
    answers: list[Place] = []

    def ask() -> None:
        answers.extend({bundled.find("130.149.7.201") for _ in range(2_000)})

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [GERMANY] * 4


# --- Databases of others ---


def test_a_city_in_the_shape_of_maxmind(tmp_path):
    record = {
        "country": {"iso_code": "GB", "names": {"en": "United Kingdom"}},
        "subdivisions": [
            {"iso_code": "ENG", "names": {"en": "England"}},
            {"names": {"en": "West Berkshire"}},
        ],
        "city": {"names": {"de": "Boxford", "en": "Boxford"}},
        "location": {"latitude": 51.75, "longitude": -1.25},
    }
    assert find_one(tmp_path, record) == Place("GB", "England", "Boxford", 51.75, -1.25)


def test_a_city_in_the_flat_shape(tmp_path):
    record = {
        "country_code": "JP",
        "state1": "Ōsaka",
        "city": "Sakai",
        "latitude": 34.58,
        "longitude": 135.47,
    }
    assert find_one(tmp_path, record) == Place("JP", "Ōsaka", "Sakai", 34.58, 135.47)


def test_positions_may_be_text(tmp_path):
    record = {"country_code": "JP", "city": "Sakai", "latitude": "34.58", "longitude": "135.47"}
    assert find_one(tmp_path, record) == Place("JP", "", "Sakai", 34.58, 135.47)


@pytest.mark.parametrize(
    "record",
    [
        {"country_code": "JP"},
        {"country_code": "JP", "latitude": 34.58},
        {"country_code": "JP", "latitude": 134.58, "longitude": 135.47},
        {"country_code": "JP", "latitude": float("nan"), "longitude": 135.47},
        {"country_code": "JP", "latitude": "", "longitude": "", "city": 7, "state1": []},
        {"country": {"iso_code": "JP"}},
        {"country": {"iso_code": "JP"}, "subdivisions": [], "city": "Sakai", "location": {}},
        {
            "country": {"iso_code": "JP"},
            "subdivisions": {"names": 1},
            "city": {"names": ["en"]},
            "location": 3,
        },
    ],
)
def test_where_only_the_country_is_sure_its_middle_is_the_position(tmp_path, record):
    assert find_one(tmp_path, record) == JAPAN


@pytest.mark.parametrize(
    "record",
    [{"country_code": code, "city": "Nowhere"} for code in ("ZZ", "XX", "T1", "", "jp", "Japan", 7)]
    + [
        {"country": {"iso_code": "ZZ"}},
        {"country": "JP"},
        {"city": {"names": {"en": "Sakai"}}},
        {},
        [],
        "JP",
        7,
    ],
)
def test_a_code_outside_iso_3166_is_no_country(tmp_path, record):
    assert find_one(tmp_path, record) == NOWHERE
    assert find_one(tmp_path, record, "Asia/Tokyo") == JAPAN


def test_a_v6_address_in_a_v4_database_is_unknown(tmp_path):
    places = open_places(write_mmdb(tmp_path / "own.mmdb", "81.2.69.0/24", {"country_code": "JP"}), tmp_path)
    assert places.find("2001:db8::1") == NOWHERE
    assert places.find("::ffff:81.2.69.142") == JAPAN
    places.close()
    assert places.find("81.2.69.142") == NOWHERE


# --- A file that its owner changes while it is in use ---


def test_a_database_that_is_emptied_in_place_answers_as_before(tmp_path):
    path = write_mmdb(tmp_path / "own.mmdb", "81.2.69.0/24", {"country_code": "JP"})
    places = open_places(path, tmp_path / "cache")
    path.write_bytes(b"")
    assert places.find("81.2.69.142") == JAPAN
    with pytest.raises(ValueError, match=r"cannot be read as an \.mmdb geo database"):
        places.reload()
    assert places.find("81.2.69.142") == JAPAN
    write_mmdb(path, "81.2.69.0/24", {"country_code": "DE"})
    places.reload()
    assert places.find("81.2.69.142") == GERMANY
    places.close()


def test_no_copy_of_it_is_left_behind(tmp_path):
    path = write_mmdb(tmp_path / "own.mmdb", "81.2.69.0/24", {"country_code": "JP"})
    places = open_places(path, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
    places.close()


# --- A path that is wrong ---


def test_a_missing_database_is_said_in_one_line(tmp_path):
    path = tmp_path / "city.mmdb"
    with pytest.raises(ValueError, match=r"geo database") as error:
        open_places(path, tmp_path)
    assert str(error.value) == f"there is no geo database at {path}"


@pytest.mark.parametrize("content", [b"", b"ip,country\n1.1.1.1,AU\n", b"\0" * 5_000, b"\xab\xcd\xefMaxMind.com", None])
def test_what_is_no_database_is_said_in_one_line(tmp_path, content):
    path = tmp_path / "city.mmdb"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(ValueError, match=r"geo database") as error:
        open_places(path, tmp_path)
    assert str(error.value) == f"{path} cannot be read as an .mmdb geo database"
