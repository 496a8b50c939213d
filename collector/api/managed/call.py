"""A call of the management API, and what can be done with a kind of things."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from analytics.access.api_keys import Key
from analytics.base.errors import InvalidInput, message
from analytics.base.ids import MAX_ID
from analytics.notify.json_fields import FieldReader, whole
from analytics.notify.snooze import MAX_HOURS
from analytics.sites.site import Site
from collector.api.context import Context
from collector.http.messages import Request

MAX_LISTED, USUAL_LISTED = 1_000, 100
OF_THE_SERVER = (
    "id",
    "site",
    "shipped",
    "wrong",
    "created_at",
    "changed_at",
    "disabled_at",
    "disabled_why",
    "snoozed_until",
)
"""Fields that answers have and a change ignores, so that what was read can be sent back."""


class UnknownItem(InvalidInput):
    """The site has nothing of that id."""


class Call(NamedTuple):
    """One authorised call. `number` is the id in the path, 0 without; `body` the JSON that was sent, None without."""

    context: Context
    request: Request
    site: Site
    key: Key
    number: int = 0
    body: Any = None

    def page(self) -> tuple[int | None, int]:
        """Before which id a list goes on, and how many it has at most."""
        before = self.request.parameter("before")
        limit = self.request.parameter("limit") or str(USUAL_LISTED)
        return (_whole("before", before, MAX_ID) if before else None), _whole("limit", limit, MAX_LISTED)


Handler = Callable[[Call], Any]


class ManagedKind(NamedTuple):
    """What can be done with one kind of things; None for what cannot.

    Each returns what is answered as JSON. `actions` are posted to `…/ID/ACTION`.
    """

    listed: Handler
    found: Handler | None = None
    added: Handler | None = None
    changed: Handler | None = None
    removed: Handler | None = None
    actions: Mapping[str, Handler] = {}


def writable(body: Any) -> Any:
    """What was sent to change something, without the fields that are the server's."""
    return {name: body[name] for name in body if name not in OF_THE_SERVER} if isinstance(body, dict) else body


def snooze_hours(body: Any) -> int:
    """For how many hours `{"hours": N}` snoozes; 0 ends a snooze."""
    reading = FieldReader("body")
    fields = reading.fields_of("", body, ("hours",), ())
    hours: int = reading.field(fields, "hours", partial(whole, 0, MAX_HOURS), 0)
    reading.check()
    return hours


def _whole(name: str, text: str, most: int) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 10 or not 1 <= int(text) <= most:
        wrong = message("a whole number from {least} to {most}", least=1, most=most)
        raise InvalidInput(f"{name}: {wrong}", {name: wrong})
    return int(text)
