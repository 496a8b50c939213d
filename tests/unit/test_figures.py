"""Figures: the files that draw them belong to the tree, their look is the stylesheet's, and text stays text."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import brotli
import pytest
from plotly.graph_objects import Figure
from plotly.offline import get_plotlyjs_version

from layouts.figures import build, bundle, template
from layouts.figures.text import plain

CSS = Path(__file__).parents[2] / "assets" / "css"


# ───────── the bundle ─────────


def test_the_built_files_belong_to_the_script_that_builds_them():
    assert build.SIDECAR.read_text().strip() == build.source_digest(), "run make plotly"


def test_plotly_js_is_the_version_that_the_python_package_describes():
    assert get_plotlyjs_version() == build.VERSION
    assert bundle.packed(bundle.SCRIPT, "").startswith(f"/* plotly.js {build.VERSION}, ".encode())
    assert (build.BUILT / build.LICENCE).read_text().startswith("MIT License")


@pytest.mark.parametrize("name", [bundle.SCRIPT, bundle.WORLD])
def test_the_compressed_files_are_those_of_the_plain_one(name):
    content = bundle.packed(name, "")
    assert brotli.decompress(bundle.packed(name, "br")) == content
    assert gzip.decompress(bundle.packed(name, "gzip")) == content


@pytest.mark.parametrize(("name", "most"), [(bundle.SCRIPT, 390_000), (bundle.WORLD, 45_000)])
def test_the_files_are_small_under_brotli(name, most):
    assert len(bundle.packed(name, "br")) <= most


def test_the_script_needs_no_code_from_strings():
    assert re.search(rb"\beval\(|new Function\b", bundle.packed(bundle.SCRIPT, "")) is None


def test_the_world_has_land_and_countries_alone_and_all_its_arcs():
    world = json.loads(bundle.packed(bundle.WORLD, ""))
    assert set(world["objects"]) == {"land", "countries"}
    used = {arc for layer in world["objects"].values() for arc in build._arcs(layer)}
    assert used == set(range(len(world["arcs"])))
    assert min(len(arc) for arc in world["arcs"]) >= 2


# ───────── the template ─────────


def tokens(theme: str) -> dict[str, str]:
    """The colours of a theme in the stylesheets."""
    found: dict[str, str] = {}
    for sheet in sorted(CSS.glob("*.css")):
        for selector, rules in re.findall(r"([^{}]+)\{([^{}]*)\}", sheet.read_text()):
            if f"[data-bs-theme={theme}]" in selector or selector.strip().split("\n")[-1] == ":root":
                found |= dict(re.findall(r"--([\w-]+):(#[0-9a-f]+)", rules))
    return found


@pytest.mark.parametrize(("theme", "colours"), [("light", template.LIGHT), ("dark", template.DARK)])
def test_the_colours_are_those_of_the_stylesheet(theme, colours):
    known = tokens(theme)
    assert {token: known.get(token) for token in colours} == colours


def test_each_light_colour_has_one_dark_colour():
    pairs = {(template.LIGHT[token], template.DARK[token]) for token in template.LIGHT}
    assert len(pairs) == len(set(template.LIGHT.values()))


def test_the_land_is_that_of_the_map_of_the_sign_in_page():
    assert f'fill="{template.LAND}"' in (CSS.parent / "shapes" / "world.svg").read_text()[:200]


def test_the_template_is_one_that_plotly_knows():
    layout = Figure({"layout": template.layout()}).layout
    assert layout.template.layout.font.size == 11
    assert (layout.template.layout.yaxis.rangemode, layout.separators) == ("tozero", ".,")


# ───────── text ─────────


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("<b>bold</b>", "&lt;b&gt;bold&lt;/b&gt;"),
        ('<a href="javascript:alert(1)">x</a>', '&lt;a href="javascript:alert(1)"&gt;x&lt;/a&gt;'),
        ("a<br>b", "a&lt;br&gt;b"),
        ("&lt;b&gt; &amp; &#60;", "&amp;lt;b&amp;gt; &amp;amp; &amp;#60;"),
        ("two\nlines\tand  more", "two lines and more"),
        ("gpj.\u202eexe", "gpj.exe"),
        ("nul\x00 and \ud800", "nul and "),
        ("Zürich 東京", "Zürich 東京"),
    ],
)
def test_text_from_outside_stays_text(given, shown):
    assert plain(given) == shown
