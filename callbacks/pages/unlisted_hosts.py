"""Decisions about unlisted hosts, on whichever page they are made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from dash import Dash, Output

from analytics.access.roles import ADMIN
from analytics.base.errors import InvalidInput, message
from analytics.base.idn import to_letters
from analytics.base.words import N_, _
from analytics.sites import unlisted_hosts
from analytics.sites.site import Site
from analytics.storage.database import Database
from callbacks.forms import Fields, FormResult, on_send
from callbacks.gate.guard import authorized
from collector.service import Service
from layouts.components import hosts as unlisted
from layouts.settings import filters


class Decision(NamedTuple):
    """The change, the words at the list, and the words in the host's row with an Undo; "" for no row."""

    change: Callable[[Database, str, str], Site]
    message: str
    row: str


DECISIONS = {
    "include": Decision(unlisted_hosts.include, N_("Included"), N_("Its pages count from now on.")),
    "ignore": Decision(unlisted_hosts.ignore, N_("Ignored"), N_("It is an excluded host now.")),
    "reconsider": Decision(unlisted_hosts.reconsider, N_("Unlisted again"), ""),
}


def register(app: Dash, service: Service) -> None:
    """The callback of a decision, which redraws the list with an Undo."""

    def decide(domain: object, fields: Fields) -> FormResult:
        site = authorized(service, domain, ADMIN)
        decision = DECISIONS.get(fields.get("value", ""))
        if decision is None:
            raise InvalidInput(message("choose Include or Ignore"))
        host = fields.get("key", "")
        changed = decision.change(service.database, site.domain, host)
        decided = (host, _(decision.row)) if decision.row else ("", "")
        rows = unlisted.listed(unlisted_hosts.unlisted(service.database, changed), changed.timezone, decided)
        return FormResult({"message": _(decision.message), "fill": _lists(changed)}, (rows,))

    on_send(app, unlisted.HOST, decide, Output(unlisted.LIST, "children"), refresh=service.refresh_settings)


def _lists(site: Site) -> dict[str, str]:
    """The new contents of the fields of Filters, by their ids: saving the old contents would undo the decision."""
    entries: dict[str, Sequence[str]] = {"hosts": site.hosts, "excluded_hosts": site.excluded_hosts}
    return {f"{filters.HOSTS}-{name}": "\n".join(map(to_letters, lines)) for name, lines in entries.items()}
