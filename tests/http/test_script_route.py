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


def test_under_brotli_which_browsers_prefer_it_has_at_most_2200_bytes(shared):
    answer = get(shared, Accept_Encoding="gzip, deflate, br, zstd")
    assert answer.headers["content-encoding"] == "br"
    assert len(answer.body) <= 2200


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


def test_a_head_tells_the_same_without_the_script(shared):
    answer = shared.request("HEAD", PATH, headers={"Accept-Encoding": "br"})
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["etag"] == get(shared).headers["etag"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_there_is_nothing_to_write(shared, method):
    answer = shared.request(method, PATH)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
