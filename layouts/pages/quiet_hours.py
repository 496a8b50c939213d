"""The cards of the account page for quiet hours and digests, and for what they hold now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any, NamedTuple

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from analytics.base import language
from analytics.base.words import N_, _, pgettext
from analytics.notify.delivery import HeldMessage
from analytics.notify.quiet_hours import ALL_DAYS, Digest, QuietHours
from analytics.notify.rule import Priority
from layouts.components import figures, form, states
from layouts.components.markup import data, sentence
from layouts.components.table import table

FORM, NOW, HELD = "quiet", "quiet-now", "held-now"
ZONES = "zones"
WEEKDAYS = range(7)
THROUGH = (
    (Priority.HIGH, N_("Urgent ones")),
    (Priority.MEDIUM, N_("High and urgent ones")),
    (Priority.LOW, N_("All but low ones")),
    (Priority.URGENT, N_("None")),
)
"""What comes through, by the highest priority that is held."""
DIGESTS = (
    (Digest.OFF, N_("No: each message by itself")),
    (Digest.DAILY, N_("Once a day")),
    (Digest.WEEKLY, N_("Once a week")),
)


class HeldRow(NamedTuple):
    """A held message and the name of its site."""

    message: HeldMessage
    site: str


class HeldList(NamedTuple):
    """The held messages that are listed, the zone in which their times are shown, and whether there are more."""

    rows: Sequence[HeldRow]
    zone: tzinfo
    has_more: bool = False


def day_field(weekday: int) -> str:
    """The name of a weekday's field; 0 is Monday."""
    return f"day{weekday}"


def cards(
    hours: QuietHours | None,
    zones: Sequence[str],
    email: str,
    channels: Sequence[str],
    held: HeldList,
) -> list[Component]:
    """The form and what is held. `hours` is None for a person who has never set any; `channels` are the sites with a
    channel that leads to the person.
    """
    head = html.Header([html.H2(_("Held back now")), form.state(NOW)], className="ff-card-head")
    now = html.Section([head, html.Div(held_now(held), id=HELD), form.connection(NOW)], className="ff-card")
    return [_form(hours, zones, email, channels), now]


def _form(hours: QuietHours | None, zones: Sequence[str], email: str, channels: Sequence[str]) -> Component:
    chosen = hours or QuietHours(days=0)
    where = _where(email, channels)
    fields = [where, _quiet(chosen), _digest(chosen), _zone(hours, zones)]
    intro = _(
        "They hold the e-mails of notifications to you. On open pages toasts still appear and the bell counts; "
        "webhooks, Slack and other channels are not held."
    )
    return form.card(FORM, _("Quiet hours and digest"), fields, intro=intro)


def _where(email: str, channels: Sequence[str]) -> Component:
    """Which messages are concerned."""
    if not channels:
        said = _("No channel leads to {email} yet: an admin adds it under Settings, Channels.")
        return html.P(sentence(said, email=html.Bdi(email)), className="ff-soft")
    said = _("This is for the messages of {sites} to {email}.")
    named = html.Bdi(", ".join(channels))
    return html.P(sentence(said, sites=named, email=html.Bdi(email)), className="ff-soft")


def _quiet(chosen: QuietHours) -> Component:
    days = chosen.days or ALL_DAYS
    boxes = [
        dbc.Checkbox(
            id=f"{FORM}-{day_field(day)}", name=day_field(day), label=figures.weekday(day), value=bool(days >> day & 1)
        )
        for day in WEEKDAYS
    ]
    through = form.select(
        FORM, "up_to", _("What still comes through"), str(chosen.up_to), form.translated(_texts(THROUGH))
    )
    times = html.Div(
        [
            form.text(FORM, "begins", pgettext("time of day", "From"), clock(chosen.begins), kind="time"),
            form.text(FORM, "ends", pgettext("time of day", "Until"), clock(chosen.ends), kind="time"),
        ],
        className="ff-pair",
    )
    days_hint = _("A night is that of the day on which it begins.")
    details = [times, form.group(FORM, "days", pgettext("days", "On"), boxes, hint=days_hint), through]
    switch = form.switch(FORM, "on", _("Quiet hours"), bool(chosen.days))
    return html.Div([switch, html.Div(details, className="ff-calm-when")], className="ff-quiet")


def _digest(chosen: QuietHours) -> Component:
    hint = _("Messages are collected and come as one; urgent ones never wait for it.")
    often = form.select(FORM, "digest", _("Digest"), str(chosen.digest), form.translated(_texts(DIGESTS)), hint=hint)
    days = [(str(day), language.weekday(day, language.written_in(), whole=True)) for day in WEEKDAYS]
    on = form.select(FORM, "digest_day", pgettext("days", "On"), str(chosen.digest_day), days)
    at = form.text(FORM, "digest_at", _("At"), clock(chosen.digest_at), kind="time")
    when = html.Div([html.Div(on, className="ff-weekly"), at], className="ff-pair ff-calm-when")
    return html.Div([often, when], className="ff-digest")


def _zone(hours: QuietHours | None, zones: Sequence[str]) -> Component:
    """The zone; where none is saved, `assets/lib/form.js` writes that of the browser."""
    field = form.text(
        FORM,
        "timezone",
        _("Time zone"),
        hours.timezone if hours else "",
        hint=_("Yours, wherever the sites are. Type to search, like Berlin."),
        list=ZONES,
        autocomplete="off",
        maxlength=60,
    )
    options = html.Datalist([html.Option(value=zone) for zone in zones], id=ZONES)
    return html.Div([field, options], **data(own_zone=f"{FORM}-timezone"))


def _texts(choices: Sequence[tuple[str, str]]) -> form.Choices:
    return [(str(value), shown) for value, shown in choices]


def clock(minutes: int) -> str:
    """The time of the day of so many minutes after midnight, as fields of times have it: `07:30`."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def held_now(held: HeldList) -> list[Component]:
    """What is held and when it will be sent, or words where nothing is."""
    if not held.rows:
        hint = _("What quiet hours or a digest hold stands here, with the moment at which it will be sent.")
        return [states.nothing(_("Nothing is held back"), hint, "mail")]
    heads = (_("Message"), _("Site"), pgettext("messages held back", "Since"), _("Will be sent"))
    rows = [_row(one, held.zone) for one in held.rows]
    more = [html.P(_("And more."), className="ff-soft")] if held.has_more else []
    button = html.Button(_("Send it now"), type="submit", className="ff-btn")
    return [table(heads, rows), *more, form.form(NOW, [button], className="ff-send-now")]


def _row(one: HeldRow, zone: tzinfo) -> html.Tr:
    held = one.message
    title = [html.Bdi(held.title), *([f" ×{figures.count(held.events)}"] if held.events > 1 else [])]
    title += [html.Small(_("and {n} more", n=figures.count(held.more)), className="ff-soft")] if held.more else []
    cells: list[Any] = [title, html.Bdi(one.site), figures.moment(held.at, zone), figures.moment(held.due_at, zone)]
    return html.Tr([html.Td(cell) for cell in cells])
