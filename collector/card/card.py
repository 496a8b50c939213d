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

from analytics.base import language

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
    system decides. `zone` is the IANA name for the clock, `tag` the language of the numbers and the clock; `demo` marks
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
    page = _template("card.html").substitute(
        theme=_theme(theme),
        language=tag,
        demo=' <span class="ff-demo">Demo</span>' if demo else "",
        site=escape(site),
        where=_where(site, link),
        style=_style(base_path),
        active=language.count(live["active_sessions"], tag),
        signed_in=language.count(live["authenticated_users"], tag),
        anonymous=language.count(live["anonymous_sessions"], tag),
        pages="".join(_row(page["path"], language.count(page["count"], tag)) for page in live["top_pages"]),
        window=_window(int(live["window_s"])),
        at=language.time_of_day(datetime.fromtimestamp(as_of, ZoneInfo(zone)), tag, seconds=True),
        given=_json(data),
        script=_script(),
    )
    return page.encode("utf-8", "replace")


def render_off(theme: str, base_path: str = "") -> bytes:
    """The page that replaces a card that does not exist or may not be shown here; the same for every reason."""
    return _template("off.html").substitute(theme=_theme(theme), style=_style(base_path)).encode()


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
    return (_HERE / "card.css").read_text("utf-8").replace(FONT_PATH, base_path + FONT_PATH)


@cache
def _script() -> str:
    return "\n".join(_bare(path.read_text("utf-8")) for path in _SCRIPTS)


def _bare(script: str) -> str:
    """The script without comment lines and indentation; line breaks stay."""
    lines = (line.strip() for line in script.splitlines())
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
    return f"{seconds // 60} min" if seconds >= 120 and seconds % 60 == 0 else f"{seconds} s"


def _json(value: object) -> str:
    """JSON that is safe inside a script element: it cannot end the element."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
