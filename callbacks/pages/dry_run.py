"""Traffic: the form of the dry run."""

from __future__ import annotations

import time
from typing import Any

from dash import Dash, Output

from analytics.access.roles import ADMIN
from analytics.base.idn import in_letters, to_letters
from analytics.base.words import _
from analytics.reports import lists
from callbacks.forms import Fields, FormResult, on_send
from callbacks.gate.guard import authorized
from collector.ingest.dry_run import DryRun, SamplePageview, dry_run
from collector.service import Service
from layouts.pages import dry_run as page


def register(app: Dash, service: Service) -> None:
    """Shows each step's verdict; stores nothing of what was typed."""

    def run(domain: object, fields: Fields) -> FormResult:
        site = authorized(service, domain, ADMIN)
        texts: dict[str, Any] = {
            name: fields.get(name, "").strip() for name in ("url", "referrer", "user_agent", "address")
        }
        switches: dict[str, Any] = {name: fields.get(name) == "on" for name in ("opted_out", "datacenter")}
        tried = dry_run(service.kit, site, SamplePageview(**texts, **switches), time.time_ns() // 1_000_000)
        steps = [page.StepVerdict(*verdict) for verdict in tried.verdicts]
        shown = page.result(steps, _facts(tried), stored=tried.stored)
        return FormResult({"message": page.verdict(tried.stored)}, (shown,))

    on_send(app, page.FORM, run, Output(page.RESULT, "children"))


def _facts(tried: DryRun) -> list[tuple[str, str]]:
    """What would be stored, by the names that people read."""
    made = tried.origin
    return [
        (_("Page"), to_letters(tried.host) + tried.path),
        (_("Source"), in_letters(made.source) or (_("Direct") if tried.host else "")),
        (_("Channel"), made.channel and lists.shown_value("channel", made.channel)),
        (_("Referrer"), in_letters(made.referrer)),
        (_("Campaign"), made.utm_campaign),
        (_("Country"), page.country(made.country)),
        (_("City"), made.city),
        (_("Browser"), f"{made.browser} {made.browser_version}".strip()),
        (_("System"), f"{made.os} {made.os_version}".strip()),
        (_("Device"), made.device and lists.shown_value("device", made.device)),
    ]
