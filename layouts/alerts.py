"""The strip of open alerts, on the Live page and above the list of sites."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

from dash import dcc, html
from dash.development.base_component import Component

from analytics.base.words import N_, _, ngettext
from analytics.notify.alert import Alert
from analytics.notify.difference import Difference, change, label
from analytics.sites.site import Site
from layouts.components import figures
from layouts.components.address import at
from layouts.components.markup import aria, data, icon

STRIP, TICK, AGE = "alert-strip", "alert-tick", "alert-age"
TICK_MS = 30_000  # ages, and what no notification says: acknowledged, snoozed, over while it was snoozed
MAX_SHOWN = 3
SEVERITIES = {"info": N_("Info"), "warning": N_("Warning"), "error": N_("Error"), "critical": N_("Critical")}


class ShownAlert(NamedTuple):
    """An alert, its site, and its age in seconds."""

    alert: Alert
    site: Site
    age_s: int


def address(domain: str) -> str:
    """The page of a site's alerts."""
    return at(f"/alerts/{quote(domain)}")


def address_of(domain: str, alert_id: int) -> str:
    """The page of one alert of a site."""
    return f"{address(domain)}/alert?id={alert_id}"


def strip(domain: str = "") -> Component:
    """The place of the strip: of the open alerts of that site, by default of every site that its reader may see."""
    return html.Div(id=STRIP, role="status", disable_n_clicks=True, **data(site=domain))


def tick(name: str = TICK, every_ms: int = TICK_MS) -> Component:
    """What draws open alerts again and again; its page names it in `data-ticks`."""
    return dcc.Interval(id=name, interval=every_ms)


def lines(alerts: Sequence[ShownAlert]) -> list[Component]:
    """A line for each open alert, the newest first; nothing without any."""
    shown = [_line(one) for one in alerts[:MAX_SHOWN]]
    more = len(alerts) - len(shown)
    if more > 0:
        said = ngettext("{n} more alert", "{n} more alerts", more, n=figures.count(more))
        shown.append(html.A(said, href=address(alerts[MAX_SHOWN].site.domain), className="ff-link"))
    return shown


def _line(one: ShownAlert) -> Component:
    alert = one.alert
    age = html.Span(age_of(one), id={AGE: str(alert.id)}, **aria(live="off"))
    marks = [badge(alert.severity), html.B(html.Bdi(alert.title)), html.Small([html.Bdi(one.site.name), age])]
    marks += [html.Small(difference(each), className="ff-alert-why") for each in alert.why[:1]]
    if alert.acknowledged_at is not None:
        marks.append(html.Small(_("acknowledged by {name}", name=alert.acknowledged_by)))
    if _is_snoozed(one):
        marks.append(html.Small(_("snoozed")))
    way = html.A(_("Look"), href=address_of(one.site.domain, alert.id), className="ff-link")
    look = "is-bad" if alert.severity in ("error", "critical") else "is-warn"
    return html.Div([icon("alert"), *marks, way], className=f"ff-alert ff-alert-line {look}")


def _is_snoozed(one: ShownAlert) -> bool:
    until = one.alert.snoozed_until
    return until is not None and until > one.alert.fired_at + one.age_s


def age_of(one: ShownAlert) -> str:
    """For how long it has been so."""
    since = _("for {time}", time=figures.duration(one.age_s, is_short=True))
    return f" · {since}"


def unchanging(alerts: Sequence[ShownAlert]) -> str:
    """What of the strip makes another one, which is announced to those who hear the page: all but the ages."""
    first = alerts[:MAX_SHOWN]
    shown = [(one.alert.id, one.alert.title, one.alert.acknowledged_by, _is_snoozed(one)) for one in first]
    return repr((len(alerts), shown))


def badge(severity: str) -> Component:
    """The severity in a word."""
    look = "is-bad" if severity in ("error", "critical") else "is-warn"
    return html.Span(_(SEVERITIES[severity]), className=f"ff-badge {look}")


def difference(one: Difference) -> list[Component | str]:
    """What makes the difference: `Source: newsletter 0 → 9`."""
    return [html.Bdi(label(one)), f" {change(one)}"]
