"""`GET /healthz` and `GET /readyz`: whether the process runs, and whether it can store."""

from __future__ import annotations

import time

from analytics.activity.watch_state import health_of
from collector.api.context import DATABASE_AWAY, NO_STORE, Context
from collector.api.docs import Docs
from collector.http.messages import Request, Response, error, json_response

NOT_STORING = error(503, "not_storing", "the last commit failed; the log says why", (NO_STORE, ("Retry-After", "5")))
ENDING = error(503, "ending", "the server ends", (NO_STORE,))
STALE_S = 10.0  # normally the replica is about a second behind


def up(_: Context, __: Request) -> Response:
    """The process answers."""
    return json_response(200, {"status": "up"}, (NO_STORE,))


def ready(context: Context, _: Request) -> Response:
    """Whether events can be stored, by the state in memory: it queries nothing, so it never blocks."""
    if context.ending():
        return ENDING
    if not context.writer.alive:
        return error(503, "writer_stopped", "the writer has stopped", (NO_STORE,))
    if context.writer.stuck or context.database.availability.is_unavailable(time.monotonic()):
        return DATABASE_AWAY
    if context.writer.failing:
        return NOT_STORING
    if (behind_s := context.behind_s()) > STALE_S:
        return error(503, "replica_stale", f"the columnar replica is {behind_s:.0f} s behind", (NO_STORE,))
    return json_response(200, {"status": "ready", **_watches(context)}, (NO_STORE,))


def _watches(context: Context) -> dict[str, object]:
    """The watched tables together, where there are any. A database that is away elsewhere stops no collecting, so it is
    no reason for a 503.
    """
    found = health_of(context.watches(), context.now())
    if not found.watches:
        return {}
    figures = {"count": found.watches, "unwell": found.unwell, "behind_s": round(found.behind_s, 1)}
    return {"watches": figures | {"refused": found.refused}}


UP_DOCS = Docs("Health", "Whether it runs", "Asks nothing.", {"200": "Up."}, example={"status": "up"})
READY_DOCS = Docs(
    "Health",
    "Whether it can store",
    "From memory, without a query. 503 while events cannot be stored, and as soon as the server begins to end. Where "
    "tables are watched, `watches` says how many, how many are not followed as they should, how far behind, and how "
    "many changes were refused.",
    {"200": "Ready."},
    refusals=("503",),
    example={"status": "ready"},
)
