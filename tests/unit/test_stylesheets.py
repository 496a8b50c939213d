"""The stylesheets have no rules of things that are gone."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = "layouts", "callbacks", "assets/components", "assets/lib", "assets/pages"
ICON = "ff-i-"


@cache
def sources() -> str:
    """All that makes elements of the dashboard."""
    found = (
        file for room in ROOMS for file in sorted((ROOT / room).rglob("*")) if file.suffix in {".py", ".js", ".html"}
    )
    return "\n".join(file.read_text("utf-8") for file in (*found, ROOT / "app.py"))


def selected() -> set[str]:
    """Our classes in the selectors of the stylesheets, without Bootstrap's file."""
    found: set[str] = set()
    for sheet in sorted((ROOT / "assets" / "css").glob("*.css")):
        if sheet.name != "bootstrap.css":
            rules = re.sub(r'/\*.*?\*/|url\("[^"]*"\)', "", sheet.read_text("utf-8"), flags=re.DOTALL)
            for selector in re.findall(r"([^{};]+)\{", rules):
                found.update(re.findall(r"\.(ff-[\w-]+)", selector))
    return found


def test_each_class_of_the_stylesheets_is_one_that_the_dashboard_has():
    words = set(re.findall(r"[\w-]+", sources()))
    assert sorted(name for name in selected() - words if not name.startswith(ICON)) == []


def test_each_pictogram_of_the_stylesheets_is_one_that_the_dashboard_shows():
    named = set(re.findall(r"[\"'`]([a-z]+)[\"'`]", sources())) | {"12", "14"}  # its sizes
    icons = {name.removeprefix(ICON) for name in selected() if name.startswith(ICON)}
    shown = {icon for icon in icons if icon in named or re.search(rf"\b{ICON}{icon}\b", sources())}
    assert sorted(icons - shown) == []


def test_each_shape_is_one_that_a_page_or_a_stylesheet_names():
    sheets = "\n".join(sheet.read_text("utf-8") for sheet in (ROOT / "assets" / "css").glob("*.css"))
    shapes = [file.name for file in sorted((ROOT / "assets" / "shapes").iterdir())]
    assert [name for name in shapes if f"shapes/{name}" not in sources() + sheets] == []
