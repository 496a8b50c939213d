"""The public routes beside Flask: the collector, the script, live state, the card, health. The same for every door."""

from __future__ import annotations

import gzip
import hashlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from analytics.access.api_keys import KeyRing
from analytics.access.embeds import EmbedRing
from analytics.base import language
from analytics.base.error_log import describe
from analytics.live.minutes import MinuteHistory
from analytics.query.stats import Ask
from analytics.sites.directory import Directory
from analytics.sites.site import Site
from analytics.storage.database import Database
from collector.api import statistics
from collector.api.statistics import Statistics
from collector.card import card
from collector.doors import openapi, pixel
from collector.doors.collect import CORS, Collector, preflight
from collector.http import negotiation
from collector.http.messages import (
    SEAL,
    Headers,
    Request,
    Response,
    error,
    json_response,
    routed,
    without_extra_slashes,
)
from collector.ingest.outcomes import Shed, named
from collector.live.hub import Hub, Subscription
from collector.store.writer import Writer
from collector.tracker.build import compressed

log = logging.getLogger("footfall.routes")

SCRIPT_PATH = "/js/footfall.js"
SCRIPT = Path(__file__).parents[1] / "tracker" / "footfall.min.js"
HEARTBEAT_MS = b"3e4"  # as terser writes the 30000 of the script's own constant
NO_STORE = ("Cache-Control", "no-store")
NO_SNIFF = ("X-Content-Type-Options", "nosniff")
EVENT_STREAM = (
    ("Content-Type", "text/event-stream; charset=utf-8"),
    ("Cache-Control", "no-store, no-transform"),  # whoever compresses it holds it back until a block is full
    NO_SNIFF,
    ("Content-Encoding", "identity"),  # Caddy 2.6 does not heed no-transform, but packs nothing twice
    ("X-Accel-Buffering", "no"),  # proxies pass it on as it comes
)
SIGN_IN = error(401, "sign_in", "sign in, or send a key", (NO_STORE,))
DATABASE_AWAY = error(503, "database_away", "the database does not answer", (NO_STORE, ("Retry-After", "5")))
NOT_STORING = error(503, "not_storing", "the last commit failed; the log says why", (NO_STORE, ("Retry-After", "5")))
BUSY = Shed("busy", "too many requests are under way; send it again", 2)  # before any of it was read
STALE_S = 10.0  # a replica that follows is about a second behind
FAILED = error(500, "failed", "something failed on the server; its log says what", (NO_STORE,))
MOST_STREAMS = 2_000
TOO_MANY_STREAMS = error(503, "too_many_streams", "too many streams are open", (NO_STORE, ("Retry-After", "30")))
NOTHING_HERE = error(404, "not_found", "there is nothing here for you", (NO_STORE,))

# answered without asking anything
QUICK = {"/api/collect", pixel.PATH, SCRIPT_PATH, "/healthz", "/readyz", card.FONT_PATH, openapi.PATH}

PATHS = QUICK | {"/api/live", "/api/live/stream", statistics.QUERY, statistics.REALTIME, "/embed/live"}
FETCHED = {SCRIPT_PATH, pixel.PATH}  # by pages of any origin
FRAMES = {"iframe", "frame", "object", "embed"}
SLOW = {statistics.QUERY}  # may count for seconds: in threads of their own

May = Callable[[], bool]
WhoReads = Callable[[Mapping[str, str]], Callable[[Site], bool] | None]


class Stream(NamedTuple):
    """An answer without an end; `allowed` is asked again while it lasts."""

    headers: Headers
    subscribe: Callable[[Callable[[], None]], Subscription]
    unsubscribe: Callable[[Subscription], None]
    allowed: May


Answer = Callable[[Request], Response | Stream]


def answered_by(answer: Answer, request: Request) -> Response | Stream:
    """The answer; 503 where the database does not give one. Never raises."""
    try:
        return answer(request)
    except SQLAlchemyError as away:
        log.error("%s: the database does not answer: %s", request.path, describe(away))
        return DATABASE_AWAY
    except Exception as failed:
        log.error("%s failed: %s", request.path, describe(failed))
        return FAILED


class Reader(NamedTuple):
    """A site that somebody may read, and whether they still may."""

    site: Site
    allowed: May


class Routes:
    """Finds what answers a request; None leaves it to Flask.

    `ask` answers questions about the past; `who_reads` tells by the headers which sites somebody signed in may read,
    None for a stranger; `clock` gives epoch seconds, `behind_s` how old the replica's answers are; the script that is
    served beats every `beat_s` seconds; `seal` is what every answer carries; `base_path` is where people find us;
    `public` says that nobody has to sign in.
    """

    def __init__(
        self,
        collector: Collector,
        writer: Writer,
        hub: Hub,
        history: MinuteHistory,
        sites: Directory,
        keys: KeyRing,
        embeds: EmbedRing,
        database: Database,
        ask: Ask,
        who_reads: WhoReads,
        clock: Callable[[], float],
        behind_s: Callable[[], float],
        beat_s: int = 30,
        seal: Headers = SEAL,
        base_path: str = "",
        public: bool = False,
    ) -> None:
        self.seal = seal
        self.base_path = base_path
        self.public = public
        self.collector = collector
        self._writer = writer
        self._hub = hub
        self._history = history
        self._sites = sites
        self._keys = keys
        self._embeds = embeds
        self._database = database
        self._who_reads = who_reads
        self._clock = clock
        self._behind_s = behind_s
        programs = Statistics(sites, keys, hub, ask, history, clock)
        self._by_path: dict[str, tuple[tuple[str, ...], Answer]] = {
            "/api/collect": (("OPTIONS",), lambda request: preflight(request, "POST")),
            SCRIPT_PATH: (("GET", "HEAD"), script(beat_s)),
            pixel.PATH: (("GET", "HEAD"), lambda _: pixel.BLANK),  # a GET is collected before it comes here
            "/api/live": (("GET",), self._live),
            "/api/live/stream": (("GET",), self._stream),
            openapi.PATH: (("GET",), partial(openapi.answer, base_path)),
            statistics.QUERY: (("POST",), programs.query),
            statistics.REALTIME: (("GET",), programs.realtime),
            "/embed/live": (("GET",), self._card),
            card.FONT_PATH: (("GET",), card_font),
            "/healthz": (("GET", "HEAD"), lambda _: json_response(200, {"status": "up"}, (NO_STORE,))),
            "/readyz": (("GET", "HEAD"), lambda _: self._ready()),
        }

    @property
    def paths(self) -> frozenset[str]:
        """Every address that is answered here."""
        return frozenset(self._by_path)

    def find(self, request: Request) -> Answer | None:
        """What answers the request; 405 where only the method is wrong."""
        if request.path not in self._by_path:
            return None
        methods, answer = self._by_path[request.path]
        if request.method in methods:
            return answer
        if request.method == "OPTIONS" and request.path in FETCHED:
            return lambda request: preflight(request, "GET, HEAD")
        allow = ", ".join((*methods, "POST") if request.path == "/api/collect" else methods)
        refused = error(405, "wrong_method", f"this route takes {allow}", (("Allow", allow), *CORS[:1]))
        return lambda _: refused

    def canonical(self, path: str) -> str:
        """The path by which routes are found: below the base path, and of a route here without slashes too many."""
        below = routed(path, self.base_path)
        if below in self._by_path:
            return below
        plain = routed(without_extra_slashes(path), self.base_path)
        return plain if plain in self._by_path else below

    def is_signed_in(self, headers: Mapping[str, str]) -> bool:
        """Whether somebody who is signed in sends them. Raises where the database does not tell. Not for the loop."""
        return self._who_reads(headers) is not None

    def shows_key(self, headers: Mapping[str, str]) -> bool:
        """Whether they carry a key that there is."""
        scheme, _, plain = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self._keys.find(plain.strip()) is not None

    def not_collected(self, response: Response) -> Response:
        """The answer to a collector request whose body could not be read; counted, and readable by the page."""
        fate = named(BUSY) if response.status == BUSY.status else ("rejected", f"http_{response.status}")
        self._writer.count(0, int(self._clock()), *fate)
        return response._replace(headers=(*response.headers, *CORS))

    # ── live ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _reader(self, request: Request) -> Reader | Response:
        """Who may read: a card's token, a `stats` key, or somebody signed in (contract §4)."""
        site = self._sites.get(request.parameter("site"))
        if token := request.parameter("token"):
            return self._by_token(token, site) if site or not request.parameter("site") else NOTHING_HERE
        authorization = request.headers.get("authorization", "")
        if authorization.startswith("Bearer "):
            return self._by_key(authorization.removeprefix("Bearer ").strip(), site)
        return self._by_login(request.headers, site)

    def _by_login(self, headers: Mapping[str, str], site: Site | None) -> Reader | Response:
        reads = self._who_reads(headers)
        if reads is None:
            return SIGN_IN
        if site is None or not reads(site):
            return NOTHING_HERE
        return Reader(site, lambda: self._still_reads(headers, site))

    def _still_reads(self, headers: Mapping[str, str], site: Site) -> bool:
        reads = self._who_reads(headers)
        return reads is not None and reads(site) and self._sites.numbered(site.id) is not None

    def _by_token(self, token: str, site: Site | None) -> Reader | Response:
        embed = self._embeds.find(token, int(self._clock()))
        if embed is None or (site is not None and site.id != embed.site_id):
            return NOTHING_HERE
        own = site or self._sites.numbered(embed.site_id)
        if own is None:
            return NOTHING_HERE
        return Reader(own, lambda: self._embeds.find(token, int(self._clock())) is not None)

    def _by_key(self, plain: str, site: Site | None) -> Reader | Response:
        key = self._keys.find(plain)
        if key is None or key.scope == "ingest":
            return SIGN_IN
        if site is None or not key.opens("stats", site.id):
            return NOTHING_HERE
        return Reader(site, lambda: self._keys.find(plain) is not None and self._sites.numbered(site.id) is not None)

    def _live(self, request: Request) -> Response:
        reader = self._reader(request)
        if isinstance(reader, Response):
            return reader
        return json_response(200, self._hub.stats(reader.site.id), (NO_STORE,))

    def _stream(self, request: Request) -> Response | Stream:
        reader = self._reader(request)
        if isinstance(reader, Response):
            return reader
        if self._hub.streams >= MOST_STREAMS:
            return TOO_MANY_STREAMS
        last_id = request.headers.get("last-event-id") or request.parameter("last_event_id")
        return Stream(
            EVENT_STREAM,
            lambda wake: self._hub.subscribe(reader.site.id, wake, last_id),
            self._hub.unsubscribe,
            reader.allowed,
        )

    # ── the card ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _card(self, request: Request) -> Response:
        """The card: for a token, on the pages of its hosts; else a page that says no more than that there is none."""
        token = request.parameter("token")
        if not token and request.parameter("site"):
            return self._preview(request)
        reader = self._by_token(token, None)
        embed = self._embeds.find(token, int(self._clock()))
        if isinstance(reader, Response) or embed is None or _is_framed_beside(embed.hosts, request.headers):
            off = card.render_off(request.parameter("theme"), self.base_path)
            return _page(request, 404, off, card.off_policy(self.base_path))
        return self._drawn(request, reader.site, token, card.content_security_policy(embed.hosts, self.base_path))

    def _preview(self, request: Request) -> Response:
        """The card for somebody signed in, on our own pages: its login opens the stream, and no token leaves for it."""
        reader = self._by_login(request.headers, self._sites.get(request.parameter("site")))
        if isinstance(reader, Response):
            return reader
        return self._drawn(request, reader.site, "", card.preview_policy(self.base_path))

    def _drawn(self, request: Request, site: Site, token: str, policy: str) -> Response:
        concurrency = self._history.read(site, int(self._clock()))
        page = card.render(
            site.shown_domain,
            self._hub.stats(site.id),
            concurrency.points,
            token=token,
            theme=request.parameter("theme"),
            zone=site.timezone,
            hour_ago=concurrency.hour_ago,
            tag=language.asked_for(request.headers.get("accept-language", "")),
            demo=site.demo,
            base_path=self.base_path,
        )
        return _page(request, 200, page, policy)

    # ── health ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _ready(self) -> Response:
        """Whether events can be stored, as far as it is known: nothing is asked, so nothing is waited for."""
        if not self._writer.alive:
            return error(503, "writer_stopped", "the writer has stopped", (NO_STORE,))
        if self._writer.stuck or self._database.availability.is_unavailable(time.monotonic()):
            return DATABASE_AWAY
        if self._writer.failing:
            return NOT_STORING
        if (behind_s := self._behind_s()) > STALE_S:
            return error(503, "replica_stale", f"the columnar replica is {behind_s:.0f} s behind", (NO_STORE,))
        return json_response(200, {"status": "ready"}, (NO_STORE,))


def _is_framed_beside(hosts: Sequence[str], headers: Mapping[str, str]) -> bool:
    """Whether a page of none of these hosts frames what is asked for, as far as the browser tells.

    Where it does not tell, the policy of the card keeps it out; then the frame shows the browser's own grey page.
    """
    if headers.get("sec-fetch-dest") not in FRAMES or not (referrer := headers.get("referer", "")):
        return False
    return referrer.partition("://")[2].partition("/")[0].lower() not in hosts


def _page(request: Request, status: int, page: bytes, policy: str) -> Response:
    headers = [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Security-Policy", policy),
        ("Referrer-Policy", "no-referrer"),
        ("Vary", "Accept-Encoding, Accept-Language"),
        NO_STORE,
        NO_SNIFF,
    ]
    if negotiation.encoding(request.headers.get("accept-encoding", ""), ("gzip",)):
        page = gzip.compress(page, 6)
        headers.append(("Content-Encoding", "gzip"))
    return Response(status, tuple(headers), page)


def script_beating(beat_s: int) -> bytes:
    """The built script with its heartbeat at that interval."""
    built = SCRIPT.read_bytes()
    assert built.count(HEARTBEAT_MS) == 1, "the built script says its interval in another way; see HEARTBEAT_MS"
    return built if beat_s == 30 else built.replace(HEARTBEAT_MS, b"%de3" % beat_s)


def script(beat_s: int) -> Answer:
    """What answers with the site script, beating every so many seconds; an unchanged one is not sent again."""
    plain = script_beating(beat_s)
    etag = f'"{hashlib.sha256(plain).hexdigest()[:16]}"'
    forms = {"br": compressed(plain), "gzip": gzip.compress(plain, 9), "": plain}
    return lambda request: _script(request, etag, forms)


def _script(request: Request, etag: str, forms: Mapping[str, bytes]) -> Response:
    encoding = negotiation.encoding(request.headers.get("accept-encoding", ""), ("br", "gzip"))
    headers = [
        ("Content-Type", "text/javascript; charset=utf-8"),
        ("Cache-Control", "public, max-age=3600"),
        ("ETag", etag),
        ("Vary", "Accept-Encoding"),
        ("Access-Control-Allow-Origin", "*"),
        ("Cross-Origin-Resource-Policy", "cross-origin"),
        NO_SNIFF,
    ]
    if negotiation.has_already(request.headers.get("if-none-match", ""), etag):
        return Response(304, tuple(headers), b"")
    if encoding:
        headers.append(("Content-Encoding", encoding))
    return Response(200, tuple(headers), b"" if request.method == "HEAD" else forms[encoding])


def card_font(_: Request) -> Response:
    """The font of the card."""
    headers = (("Content-Type", "font/woff2"), ("Cache-Control", "public, max-age=31536000, immutable"), NO_SNIFF)
    return Response(200, headers, card.font())


def live_state(hub: Hub, site: Site) -> dict[str, Any]:
    """What the Live page's fallback polls: the figures and the newest rows of the feed."""
    return {"stats": hub.stats(site.id), "events": msgspec.to_builtins(hub.recent_items(site.id))}
