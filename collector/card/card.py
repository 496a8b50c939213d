"""The card for an iframe in another admin panel: one page and its font, at most 40 kB together."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from analytics.base import language, words
from analytics.base.words import N_, _

FONT_PATH = "/embed/card.woff2"
THEMES = ("light", "dark")
HOUR_S = 3600

_HERE = Path(__file__).parent
_SCRIPTS = (
    _HERE.parents[1] / "assets" / "lib" / "language.js",
    _HERE.parents[1] / "assets" / "lib" / "stream.js",
    _HERE.parents[1] / "assets" / "lib" / "spark.js",
    _HERE / "card.js",
)
# The texts of those scripts.
_SAID = (
    N_("Active people per minute: nothing known yet"),
    N_("Active people per minute over the last {minutes} minutes: from {first} to {last}"),
    N_("{change} vs 1 h ago"),
    N_("{n} an hour ago"),
    N_("{age} ago, not connected"),
    N_("{n} s"),
    N_("{n} min"),
    N_("This card is switched off"),
)
_HOST = re.compile(r"(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:]+\])(?::[0-9]{1,5})?", re.IGNORECASE)


def render(
    site: str,
    live: Mapping[str, Any],
    points: Iterable[tuple[int, int]],
    *,
    token: str,
    theme: str,
    zone: str,
    hour_ago: int | None = None,
    tag: str = language.DEFAULT,
    demo: bool = False,
    base_path: str = "",
    link: str = "",
) -> bytes:
    """The page for `GET /embed/live`, UTF-8, which shows its numbers before any script runs.

    `live` is the answer of `/api/live`. `points` are (epoch s, people), one per minute, oldest first. The line shows
    the last 30 minutes; the change within one hour needs a point of that time, so pass 61 minutes, or pass `hour_ago`,
    which is valid only until the card is a minute old. `theme` is "light" or "dark"; with any other value the reader's
    system decides. `zone` is the IANA name for the clock, `tag` the language of words, numbers and clock; `demo` marks
    the numbers as simulated. Without a `token`, the stream uses the reader's login. `base_path` is the path of the
    server's routes. `link` is the address to which the site's name leads, in a new tab; "" for none.
    """
    as_of = int(live["as_of"])
    first = [[as_of - HOUR_S, hour_ago]] if hour_ago is not None else []
    data = {
        "stream": f"{base_path}/api/live/stream?" + urlencode({"site": site} | ({"token": token} if token else {})),
        "live": dict(live),
        "points": first + [list(point) for point in points],
        "zone": zone,
    }
    with language.writing_in(tag):
        if words.spoken() != words.ENGLISH:
            data["words"] = {text: _(text) for text in _SAID}
        texts = {name: escape(text) for name, text in _texts(site, int(live["window_s"])).items()}
        demo_mark = f' <span class="ff-demo">{texts["demo_word"]}</span>' if demo else ""
    page = _template("card.html").substitute(
        **texts,
        theme=_theme(theme),
        language=tag,
        demo=demo_mark,
        site=escape(site),
        where=_where(site, link),
        style=_style(base_path),
        active=language.count(live["active_sessions"], tag),
        signed_in=language.count(live["authenticated_users"], tag),
        anonymous=language.count(live["anonymous_sessions"], tag),
        pages="".join(_row(page["path"], language.count(page["count"], tag)) for page in live["top_pages"]),
        at=language.time_of_day(datetime.fromtimestamp(as_of, ZoneInfo(zone)), tag, seconds=True),
        given=_json(data),
        script=_script(),
    )
    return page.encode("utf-8", "replace")


def render_off(theme: str, base_path: str = "", tag: str = language.DEFAULT) -> bytes:
    """The page that replaces a card that does not exist or may not be shown here; the same for every reason."""
    with language.writing_in(tag):
        texts = {"html_tag": words.html_tag(), "off": escape(_("This card is switched off"))}
    return _template("off.html").substitute(texts, theme=_theme(theme), style=_style(base_path)).encode()


def _texts(site: str, window_s: int) -> dict[str, str]:
    """The words of the page by their names in card.html, in the reader's language."""
    window = _window(window_s)
    return {
        "html_tag": words.html_tag(),
        "demo_word": _("Demo"),
        "title": _("Active now"),
        "active_on": _("Active on {site}", site=site),
        "signed_in_word": _("Signed in"),
        "anonymous_word": _("Anonymous"),
        "active_pages": _("Active pages"),
        "seen": _("seen in the last {window}", window=window),
        "last": _("last {window}", window=window),
    }


@cache
def font() -> bytes:
    """The content of `FONT_PATH`, `font/woff2`: Latin letters, digits and arrows of Inter."""
    return (_HERE / "inter-card.woff2").read_bytes()


def content_security_policy(hosts: Sequence[str], base_path: str = "") -> str:
    """The policy for the card's page: allows its own style and script, by hash, and frames on these hosts only.

    A host is a name or an address with an optional port; ValueError for other texts. Without hosts, allows no frame.
    """
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise ValueError(f"not a host: {host!r}")
    return _policy(" ".join(f"https://{host} http://{host}" for host in hosts) or "'none'", base_path)


def off_policy(base_path: str = "") -> str:
    """The policy for the page of `render_off`: any page may frame it, because it contains no data."""
    return _policy("*", base_path)


def preview_policy(base_path: str = "") -> str:
    """The policy for the preview of a card: only the dashboard may frame it."""
    return _policy("'self'", base_path)


def _policy(ancestors: str, base_path: str) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_digest(_script())}'",
            f"style-src '{_digest(_style(base_path))}'",
            "font-src 'self'",
            "connect-src 'self'",
            "img-src data:",
            f"frame-ancestors {ancestors}",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _theme(name: str) -> str:
    return f' data-bs-theme="{name}"' if name in THEMES else ""


@cache
def _template(name: str) -> Template:
    return Template((_HERE / name).read_text("utf-8"))


@cache
def _style(base_path: str) -> str:
    bare = re.sub(r"/\*.*?\*/\n?", "", (_HERE / "card.css").read_text("utf-8"))
    return bare.replace("\n", "").replace(FONT_PATH, base_path + FONT_PATH)


@cache
def _script() -> str:
    return "\n".join(_bare(path.read_text("utf-8")) for path in _SCRIPTS)


def _bare(script: str) -> str:
    """The script without comments and indentation; line breaks stay."""
    lines = (line.partition("  // ")[0].strip() for line in script.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _row(path: str, people: str) -> str:
    name = escape(path)
    return f'<li><span dir="auto" title="{name}">{name}</span><b>{people}</b></li>'


def _where(site: str, link: str) -> str:
    name = f"<bdi>{escape(site)}</bdi>"
    return f'<a href="{escape(link)}" target="_blank" rel="noopener">{name}</a>' if link else name


def _window(seconds: int) -> str:
    if seconds >= 120 and seconds % 60 == 0:
        return _("{n} min", n=seconds // 60)
    return _("{n} s", n=seconds)


def _json(value: object) -> str:
    """JSON that is safe inside a script element: it cannot end the element."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
