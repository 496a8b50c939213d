"""What figures need from the server: plotly.js and the outlines of the world, compressed once and cached for good."""

from __future__ import annotations

import gzip

import brotli
import pytest

from callbacks.static_files import DASHS_PLOTLY
from layouts.components.address import set_base_path
from layouts.figures import bundle

YEAR = "public, max-age=31536000"


@pytest.fixture(autouse=True)
def no_base_path() -> None:
    """Addresses begin with no path: another test of this thread may have been below one."""
    set_base_path("")


@pytest.mark.parametrize("name", [bundle.SCRIPT, bundle.WORLD])
@pytest.mark.parametrize(
    ("accepted", "encoding", "unpacked"),
    [("gzip, deflate, br", "br", brotli.decompress), ("gzip", "gzip", gzip.decompress), ("", None, bytes)],
)
def test_the_bytes_are_those_that_were_built_and_are_cached_for_a_year(shared, name, accepted, encoding, unpacked):
    answer = shared.request("GET", bundle.address(name), headers={"Accept-Encoding": accepted} if accepted else {})
    names = ("content-encoding", "cache-control", "vary", "content-type")
    kind = "text/javascript; charset=utf-8" if name == bundle.SCRIPT else "application/json"
    assert (answer.status, *(answer.headers.get(header) for header in names)) == (
        200,
        encoding,
        YEAR,
        "Accept-Encoding",
        kind,
    )
    assert unpacked(answer.body) == bundle.packed(name, "")


@pytest.mark.parametrize(
    ("accepted", "encoding", "unpacked"),
    [("gzip, deflate, br", "br", brotli.decompress), ("gzip", "gzip", gzip.decompress), ("", None, bytes)],
)
def test_the_outlines_of_a_countrys_regions_are_cached_for_a_year(shared, accepted, encoding, unpacked):
    address = bundle.outlines_address("DE")
    answer = shared.request("GET", address, headers={"Accept-Encoding": accepted} if accepted else {})
    names = ("content-encoding", "cache-control", "vary", "content-type")
    assert (answer.status, *(answer.headers.get(header) for header in names)) == (
        200,
        encoding,
        YEAR,
        "Accept-Encoding",
        "application/json",
    )
    assert unpacked(answer.body) == bundle.unpacked_outlines("DE")


@pytest.mark.parametrize(
    "path",
    [
        f"{bundle.ROOT}0000000000000000/{bundle.SCRIPT}",
        f"{bundle.ROOT}0000000000000000/regions/DE.json",
        *(bundle.address(f"regions/{name}") for name in ("XX.json", "DE.json.br", "source.sha256", "..%2fDE.json")),
        bundle.address("LICENSE.md"),
        bundle.address("source.sha256"),
    ],
)
def test_other_versions_and_other_files_are_not_there(shared, path):
    assert shared.request("GET", path).status == 404


def test_dashs_own_plotly_js_is_ours_and_behind_the_login(shared):
    assert shared.request("GET", DASHS_PLOTLY).status in {302, 303, 401}
