"""`GET /js/footfall.js`: small, cacheable, and the same script in every encoding."""

from __future__ import annotations

import gzip
from pathlib import Path

import brotli
import pytest

PATH = "/js/footfall.js"
SCRIPT = Path(__file__).parents[2] / "collector" / "tracker" / "footfall.min.js"
UNPACK = {"br": brotli.decompress, "gzip": gzip.decompress}


def get(server, **headers):
    return server.request("GET", PATH, headers={name.replace("_", "-"): value for name, value in headers.items()})


def test_it_is_the_committed_script_in_every_encoding(shared):
    plain = get(shared)
    packed = {encoding: get(shared, Accept_Encoding=encoding) for encoding in UNPACK}
    assert plain.body == SCRIPT.read_bytes()
    assert "content-encoding" not in plain.headers
    assert {encoding: answer.headers["content-encoding"] for encoding, answer in packed.items()} == {
        "br": "br",
        "gzip": "gzip",
    }
    assert {encoding: UNPACK[encoding](answer.body) for encoding, answer in packed.items()} == dict.fromkeys(
        UNPACK, plain.body
    )


def test_under_brotli_which_browsers_prefer_it_has_at_most_2350_bytes(shared):
    answer = get(shared, Accept_Encoding="gzip, deflate, br, zstd")
    assert answer.headers["content-encoding"] == "br"
    assert len(answer.body) <= 2350


def test_any_page_may_load_it_and_keep_it(shared):
    answer = get(shared, Accept_Encoding="br")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers


def test_who_has_it_already_is_told_so(shared):
    etag = get(shared).headers["etag"]
    again = get(shared, If_None_Match=etag, Accept_Encoding="br")
    changed = get(shared, If_None_Match='"another"')
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", etag)
    assert changed.status == 200


@pytest.mark.parametrize(
    "held", ["{}", "W/{}", '"older", {}', '"older",W/{} , "oldest"', "*", "w/{}", '{}, "older"'], ids=lambda held: held
)
def test_a_cache_may_hold_it_as_weak_in_a_list_or_at_all(shared, held):
    answer = get(shared, If_None_Match=held.format(get(shared).headers["etag"]))
    assert (answer.status, answer.body) == (304, b"")


@pytest.mark.parametrize("held", ['"another"', 'W/"another"', '"*"', "W/", '"', ","])
def test_what_a_cache_holds_otherwise_is_sent_anew(shared, held):
    assert get(shared, If_None_Match=held).status == 200


@pytest.mark.parametrize(
    ("accepted", "sent"),
    [
        ("br;q=0", None),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0.000,gzip;q=0.0", None),
        ("br; q=0 , *", "gzip"),
        ("gzip;q=1.0, br;q=0.9", "gzip"),
        ("gzip;q=0.5, br;q=0.5", "br"),
        ("*", "br"),
        ("*;q=0", None),
        ("*;q=0, gzip", "gzip"),
        ("identity", None),
        ("identity;q=1, br;q=0.1", None),
        ("GZIP", "gzip"),
        ("abr, xgzip", None),
        ("br;q=x", None),
        (", ,", None),
    ],
)
@pytest.mark.parametrize("path", [PATH, "/assets/css/plain.css"])
def test_an_encoding_is_sent_as_it_is_wished_for(shared, path, accepted, sent):
    """Flask-Compress, which serves the second, would send Brotli to who says `br;q=0`."""
    answer = shared.request("GET", path, headers={"Accept-Encoding": accepted})
    assert (answer.status, answer.headers.get("content-encoding")) == (200, sent)
    plain = shared.request("GET", path)
    assert UNPACK.get(sent, bytes)(answer.body) == plain.body


def test_a_head_tells_the_same_without_the_script(shared):
    answer = shared.request("HEAD", PATH, headers={"Accept-Encoding": "br"})
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["etag"] == get(shared).headers["etag"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_there_is_nothing_to_write(shared, method):
    answer = shared.request(method, PATH)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
