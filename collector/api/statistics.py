"""Statistics for programs. Keys, rate limit and errors are as in Plausible's API."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from analytics.access.api_keys import Key, KeyRing
from analytics.base.errors import InvalidInput
from analytics.live.minutes import StillCounting
from analytics.query.backend import Backend
from analytics.sites.directory import Directory
from analytics.sites.site import Site
from collector.api import plausible_query
from collector.http.messages import Request, Response, bearer_token, json_response
from collector.ingest.event import read_json
from collector.ingest.outcomes import Rejected
from collector.ingest.rate import Rate
from collector.live.hub import Hub

QUERY = "/api/v2/query"
REALTIME = "/api/v1/stats/realtime/visitors"
REQUESTS_PER_MINUTE = 600  # of one key
MAX_PARALLEL = 10  # queries of one key that are being answered or wait
MAX_NAMED = 20  # sites in an error message
NO_STORE = ("Cache-Control", "no-store")


def plausible_error(status: int, why: str, *headers: tuple[str, str]) -> Response:
    """An error in Plausible's shape."""
    return json_response(status, {"error": why}, (NO_STORE, *headers))


NO_KEY = plausible_error(401, "Missing API key. Please use a valid API key as a Bearer Token.")
WRONG_KEY = plausible_error(
    401,
    "Invalid API key or site ID. Please make sure you're using a valid API key with access to the site you've "
    "requested.",
)
NO_SITE = plausible_error(400, "Missing site ID. Please provide the required site_id parameter with your request.")
TOO_MANY_AT_ONCE = plausible_error(
    429,
    f"Too many API requests. At most {MAX_PARALLEL} of one API key are answered at once.",
    ("Retry-After", "1"),
)


class Statistics:
    """Answers programs that have a `stats` key. Memory: a counter for each key."""

    def __init__(self, sites: Directory, keys: KeyRing, hub: Hub, backend: Backend, clock: Callable[[], float]) -> None:
        self._sites = sites
        self._keys = keys
        self._hub = hub
        self._backend = backend
        self._clock = clock
        self._rate = Rate(REQUESTS_PER_MINUTE)

    def query(self, request: Request) -> Response:
        """`POST /api/v2/query`."""
        key = self._key(request)
        if isinstance(key, Response):
            return key
        body = read_json(request.body)
        if isinstance(body, Rejected):
            return plausible_error(400, f"Unable to read the body: {body.message}")
        if not isinstance(body, dict):
            return plausible_error(400, "#: Expected an object")
        site = self._site(key, body.get("site_id"))
        return site if isinstance(site, Response) else self._answer(site, body)

    def _answer(self, site: Site, body: dict[str, Any]) -> Response:
        try:
            question = plausible_query.read(body, site, int(self._clock()), self._backend)
            return json_response(200, plausible_query.answer_json(question, self._backend), (NO_STORE,))
        except InvalidInput as wrong:
            return plausible_error(400, str(wrong))
        except StillCounting as wait:
            return plausible_error(503, str(wait), ("Retry-After", "1"))

    def realtime(self, request: Request) -> Response:
        """`GET /api/v1/stats/realtime/visitors`: the number of people with a beat in the last five minutes."""
        key = self._key(request)
        if isinstance(key, Response):
            return key
        site = self._site(key, request.parameter("site_id"))
        return site if isinstance(site, Response) else json_response(200, self._hub.recent_people(site.id), (NO_STORE,))

    def _key(self, request: Request) -> Key | Response:
        """The key in the request, or why it may not query now."""
        plain = bearer_token(request.headers)
        if not plain:
            return NO_KEY
        key = self._keys.find(plain)
        if key is None or not key.opens("stats", key.site_id):
            return WRONG_KEY
        if wait := self._rate.wait(key.id, "", time.monotonic()):
            why = f"Too many API requests. Your API key is limited to {REQUESTS_PER_MINUTE} requests per minute."
            return plausible_error(429, why, ("Retry-After", str(wait)))
        return key

    def _site(self, key: Key, domain: object) -> Site | Response:
        """The site of that domain, or the error. For the key of one site, the error does not reveal other sites."""
        if domain in (None, ""):
            return NO_SITE
        if not isinstance(domain, str):
            return plausible_error(400, "#/site_id: Expected the domain of a site")
        site = self._sites.get(domain)
        if site is not None and key.opens("stats", site.id):
            return site
        if key.site_id is not None:
            return WRONG_KEY
        domains = [one.domain for one in self._sites.all()]
        more = f" and {len(domains) - MAX_NAMED} more" if len(domains) > MAX_NAMED else ""
        listed = ", ".join(domains[:MAX_NAMED]) + more
        return plausible_error(400, f'#/site_id: Invalid site "{domain[:100]}"; known: {listed or "none yet"}')
