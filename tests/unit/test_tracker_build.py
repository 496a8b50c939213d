"""The script that visitors get is the one whose source is in the tree, and it is small."""

from __future__ import annotations

import re

import pytest

from collector.doors.script import script_beating
from collector.tracker import build


@pytest.fixture(scope="module")
def built() -> bytes:
    return build.BUILT.read_bytes()


def test_the_built_script_belongs_to_the_source_beside_it():
    assert build.SIDECAR.read_text().strip() == build.source_digest(), "run collector/tracker/build.py"


def test_the_script_takes_at_most_2350_bytes_under_brotli(built):
    assert 1_000 < build.size_on_the_wire(built) <= 2_350


def test_the_script_says_its_interval_once_so_that_the_server_can_set_another():
    assert script_beating(30) == build.BUILT.read_bytes()
    assert script_beating(5) == build.BUILT.read_bytes().replace(b"3e4", b"5e3")
    # The promise is that of the interval that is set unless the operator sets another: digits compress by chance.
    assert max(build.size_on_the_wire(script_beating(beat_s)) for beat_s in (1, 10, 15, 60, 99, 257, 300)) <= 2_355


def test_the_script_names_no_host_and_carries_no_comment(built):
    assert re.findall(rb"https?:|//|/[*]", built) == []


def test_the_script_is_ascii_so_that_no_charset_of_a_page_can_spoil_it(built):
    assert built.isascii()
