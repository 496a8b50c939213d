"""The HTML document in which Dash starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dash import Dash

from analytics.base import words
from analytics.base.words import _
from layouts import joined
from layouts.components.address import at

ASSETS = Path(__file__).parents[1] / "assets"

INDEX = """<!DOCTYPE html>
<html lang="en">
<head>
{%metas%}
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<title>{%title%}</title>
<link rel="icon" href="BASE_PATH/assets/shapes/mark.svg">
<script src="BASE_PATH/assets/lib/theme.js"></script>
{%css%}
<link rel="preload" as="fetch" crossorigin href="BASE_PATH/_dash-layout">
<link rel="preload" as="fetch" crossorigin href="BASE_PATH/_dash-dependencies">
</head>
<body>
{%app_entry%}
<footer>{%config%}{%scripts%}{%renderer%}</footer>
</body>
</html>"""


class TranslatedDash(Dash):
    """Dash, with a document in the reader's language: its words come before all other scripts, our files joined."""

    def interpolate_index(self, **parts: Any) -> str:  # type: ignore[override]
        """The document, for each request."""
        parts["metas"] += _script_of_words()
        parts["css"] += f'<link rel="stylesheet" href="{joined.address(joined.STYLES)}">'
        parts["scripts"] += f'<script src="{joined.address(joined.SCRIPTS)}"></script>'
        parts["app_entry"] = parts["app_entry"].replace("Loading...", _("Loading…"))
        document: str = super().interpolate_index(**parts)  # type: ignore[no-untyped-call]
        return document.replace('lang="en"', f'lang="{words.html_tag()}"', 1)


def _script_of_words() -> str:
    """The element that loads the words of scripts in the reader's language; English needs none."""
    if words.spoken() == words.ENGLISH:
        return ""
    path = f"words/{words.spoken()}.js"
    version = int((ASSETS / path).stat().st_mtime)
    return "\n" + f'<script src="{at(f"/assets/{path}")}?m={version}"></script>'
