"""Settings, Channels: where notifications go besides the dashboard, and the log of what was sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from dash import dcc, html
from dash.development.base_component import Component

from analytics.base.words import N_, _, ngettext
from analytics.notify.channel import NO_LINKS, ChannelKind, NotificationChannel
from analytics.notify.delivery import Delivery, DeliveryState
from layouts.components import figures, form, states
from layouts.components.address import at
from layouts.components.table import table

ADD, TEST, SWITCH, REMOVE, AGAIN = "channel", "channel-test", "channel-switch", "channel-remove", "delivery-again"
CHANGE, ROTATE = "channel-change", "channel-rotate"
LIST, LOG, SECRET, ROTATED = "channels", "deliveries", "new-channel-secret", "rotated-secret"

KINDS = (
    (ChannelKind.EMAIL.value, N_("E-mail")),
    (ChannelKind.WEBHOOK.value, N_("Webhook")),
    (ChannelKind.SLACK.value, N_("Slack")),
    (ChannelKind.DISCORD.value, N_("Discord")),
    (ChannelKind.APPRISE.value, N_("Another, by its Apprise address")),
)
STATES = {
    DeliveryState.WAITING: N_("Waiting"),
    DeliveryState.SENT: N_("Sent"),
    DeliveryState.FAILED: N_("Failed"),
    DeliveryState.GROUPED: N_("Waiting for other alerts"),
    DeliveryState.HELD: N_("Held back by quiet hours"),
    DeliveryState.COVERED: N_("Sent with others"),
    DeliveryState.DROPPED: N_("Dropped"),
}
LOOKS = {DeliveryState.SENT: "is-ok", DeliveryState.FAILED: "is-bad", DeliveryState.DROPPED: "is-bad"}


class LoggedDelivery(NamedTuple):
    """A delivery, the title of its notification ("" where there is none), and the name of its channel."""

    delivery: Delivery
    title: str
    channel: str


class ChannelsPage(NamedTuple):
    """What the section shows. `has_mail`: there is a server for e-mail; `has_links`: messages lead to the dashboard.
    `changed` is the channel to change, if any. `log` is None for those who may not read it.
    """

    domain: str
    channels: Sequence[NotificationChannel]
    log: Sequence[LoggedDelivery] | None
    zone: tzinfo
    has_mail: bool
    has_links: bool
    changed: NotificationChannel | None = None


def cards(page: ChannelsPage) -> list[Component]:
    """The form that changes a channel where one is to be changed, the list, the form that adds one, and the log."""
    rows = (TEST, ROTATE, SWITCH, REMOVE)
    head = html.Header([html.H2(_("Channels")), *map(form.state, rows)], className="ff-card-head")
    warnings = [] if page.has_links else [states.warning(_(NO_LINKS))]
    table_of_all = html.Div(lists(page.channels, has_mail=page.has_mail), id=LIST)
    ways = [form.connection(name, page.domain) for name in rows]
    whole = html.Section([head, *warnings, form.shown_once(ROTATED), table_of_all, *ways], className="ff-card")
    first = [_change(page.domain, page.changed)] if page.changed else []
    last = [] if page.log is None else [_log(page.domain, page.log, page.zone)]
    return [*first, whole, _add(page.domain), *last]


def no_mail_server() -> str:
    """Why no e-mail is sent."""
    return _("There is no mail server: FOOTFALL_SMTP_URL is empty.")


def lists(channels: Sequence[NotificationChannel], *, has_mail: bool) -> list[Component]:
    """The table, or words where there is no channel."""
    if not channels:
        hint = _("A channel takes notifications outside: e-mail, a webhook, Slack, Discord.")
        return [states.nothing(_("No channel yet"), hint, "mail")]
    heads = (_("Channel"), _("Kind"), _("State"), "")
    return [table(heads, [_row(one, has_mail=has_mail) for one in channels])]


def _row(one: NotificationChannel, *, has_mail: bool) -> html.Tr:
    name = html.Div([html.B(html.Bdi(one.shown_name)), html.Small(html.Bdi(_shown_address(one)))], className="ff-stack")
    kind = _(dict(KINDS)[one.kind])
    cells: list[Any] = [name, kind, _state(one, has_mail=has_mail), html.Div(_ways(one), className="ff-row-ways")]
    return html.Tr([html.Td(cell) for cell in cells], id=f"channel-{one.id}", className="ff-channel")


def _state(one: NotificationChannel, *, has_mail: bool) -> Component:
    if one.disabled_at is not None:
        off = _("Off: {why}", why=one.disabled_why) if one.disabled_why else _("Off")
        return html.Span(off, className="ff-badge is-bad")
    if one.kind == ChannelKind.EMAIL and not has_mail:
        badge = html.Span(_("Sends nothing"), className="ff-badge is-bad")
        return html.Div([badge, html.Small(no_mail_server())], className="ff-stack")
    return html.Span(_("On"), className="ff-badge is-ok")


def _ways(one: NotificationChannel) -> list[Component]:
    is_on, key, of = one.disabled_at is None, str(one.id), html.Span(one.shown_name, className="ff-vh")
    lost = _("Remove {channel}? What waits for it is dropped.", channel=one.shown_name)
    return [
        form.form(TEST, [html.Button(_("Send a test"), type="submit", className="ff-btn")], key=key),
        html.A([_("Edit"), " ", of], href=f"?channel={key}", className="ff-btn"),
        *([_rotate(one)] if one.kind == ChannelKind.WEBHOOK else []),
        form.form(
            SWITCH,
            [html.Button(_("Switch off") if is_on else _("Switch on"), type="submit", className="ff-btn")],
            key=key,
        ),
        form.form(REMOVE, [form.confirm_button(_("Remove"), lost)], key=key),
    ]


def _rotate(one: NotificationChannel) -> Component:
    asked = _(
        "A new secret for {channel}? Messages are signed with it, and with the one of now until the next new one.",
        channel=one.shown_name,
    )
    return form.form(ROTATE, [form.confirm_button(_("New secret"), asked)], key=str(one.id))


def _shown_address(one: NotificationChannel) -> str:
    """The address without what may be secret: of a URL the host and its port alone, of one of apprise not even these,
    which may be a token.
    """
    scheme, separator, _ = one.address.partition("://")
    host = "" if one.kind == ChannelKind.APPRISE else f"{urlsplit(one.address).netloc.rpartition('@')[2]}/"
    return f"{scheme}{separator}{host}…" if separator else one.address


def _change(domain: str, one: NotificationChannel) -> Component:
    fields = [
        dcc.Input(id=f"{CHANGE}-id", name="id", type="hidden", value=str(one.id)),
        form.text(CHANGE, "name", _("Name"), one.name, autocomplete="off"),
        form.text(
            CHANGE,
            "to",
            _("Address"),
            hint=_("Empty: it stays {address}.", address=_shown_address(one)),
            autocomplete="off",
        ),
    ]
    title = _("Change {channel}", channel=one.shown_name)
    back = html.A(_("Back to all channels"), href=at(f"/settings/{domain}/channels"), className="ff-link ff-rule-back")
    return html.Div([back, form.card(CHANGE, title, fields, domain=domain)], className="ff-rule-draft")


def _add(domain: str) -> Component:
    fields = [
        form.select(ADD, "kind", _("Kind"), KINDS[0][0], form.translated(KINDS)),
        form.text(
            ADD,
            "to",
            _("Address"),
            hint=_("An e-mail address, or the address of the webhook."),
            autocomplete="off",
        ),
        form.text(ADD, "name", _("Name"), autocomplete="off"),
    ]
    intro = _("Each rule chooses its channels. A webhook is signed; its secret is shown once.")
    return form.card(ADD, _("Add a channel"), fields, domain=domain, intro=intro, save=_("Add channel"), once=SECRET)


def _log(domain: str, log: Sequence[LoggedDelivery], zone: tzinfo) -> Component:
    head = html.Header([html.H2(_("Deliveries")), form.state(AGAIN)], className="ff-card-head")
    return html.Section(
        [head, html.Div(logged(log, zone), id=LOG), form.connection(AGAIN, domain)], className="ff-card"
    )


def logged(log: Sequence[LoggedDelivery], zone: tzinfo) -> list[Component]:
    """The newest deliveries with their answers, or words where there is none."""
    if not log:
        return [states.nothing(_("Nothing has been sent yet"), _("Each message stands here with its answer."), "out")]
    heads = (_("When"), _("Message"), _("Channel"), _("State"), _("Answer"), "")
    return [table(heads, [_logged(one, zone) for one in log])]


def _said(one: LoggedDelivery) -> str:
    """The title, with how many more are only counted; of a message of several how many there are."""
    more = one.delivery.more
    if covered := len(one.delivery.covers):
        return ngettext("{n} notification", "{n} notifications", covered + more, n=figures.count(covered + more))
    title = one.title or _("Removed notification")
    return _("{title} and {n} more", title=title, n=figures.count(more)) if more else title


def _logged(one: LoggedDelivery, zone: tzinfo) -> html.Tr:
    sent = one.delivery
    at = sent.last_at or sent.created_at
    state = html.Span(_(STATES[sent.state]), className=f"ff-badge {LOOKS.get(sent.state, '')}".strip())
    answer = " · ".join(part for part in (str(sent.status or ""), sent.answer) if part)
    again = [html.Button(_("Send again"), type="submit", className="ff-btn")]
    cells: list[Any] = [
        figures.moment(at, zone),
        html.Bdi(_said(one)),
        html.Bdi(one.channel),
        html.Div([state, *_next_attempt(sent, zone)], className="ff-stack"),
        html.Bdi(answer, className="ff-trunc", title=answer) if answer else None,
        form.form(AGAIN, again, key=str(sent.id))
        if sent.state in (DeliveryState.FAILED, DeliveryState.DROPPED)
        else None,
    ]
    return html.Tr([html.Td(cell) for cell in cells], id=f"delivery-{sent.id}", className="ff-delivery")


def _next_attempt(sent: Delivery, zone: tzinfo) -> list[Component]:
    """Of a message that is tried again: which attempt comes, and when."""
    if sent.state != DeliveryState.WAITING or not sent.attempts:
        return []
    which = figures.count(sent.attempts + 1)
    return [html.Small(_("Attempt {n}: {time}", n=which, time=figures.moment(sent.next_at, zone)))]
