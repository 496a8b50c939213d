"""The vendored Bootstrap: the version that the components are made for, and every colour one of ours."""

from __future__ import annotations

import re
from pathlib import Path

import dash_bootstrap_components as dbc

ASSETS = Path(__file__).parents[2] / "assets"
BOOTSTRAP = (ASSETS / "css" / "bootstrap.css").read_text()
OURS = (ASSETS / "css" / "footfall.css").read_text()


def used(prefix: str) -> set[str]:
    """The variables that Bootstrap's rules read without giving another value for a missing one."""
    return set(re.findall(rf"var\((--{prefix}[a-z0-9-]+)\)", BOOTSTRAP))


def declared(css: str) -> set[str]:
    return set(re.findall(r"(--[a-z0-9-]+):", css))


def test_bootstrap_is_the_version_that_the_components_are_made_for():
    wanted = re.search(r"bootstrap@([\d.]+)/", dbc.themes.BOOTSTRAP)
    assert wanted
    assert f"Bootstrap {wanted[1]}, MIT" in BOOTSTRAP
    assert "MIT License" in (ASSETS / "LICENSE-bootstrap.txt").read_text()


def test_every_variable_that_bootstrap_reads_is_declared_by_it_or_by_our_stylesheet():
    assert used("bs-") - declared(BOOTSTRAP) == set()
    assert used("") - declared(BOOTSTRAP) - declared(OURS) == set()


def test_bootstrap_asks_no_other_host():
    assert set(re.findall(r"(?:url\(|@import )[\"']?(\w+:)", BOOTSTRAP)) == {"data:"}
