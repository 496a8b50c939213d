"""Channels: where notifications go."""

from __future__ import annotations

import click

from analytics.base.program import command
from analytics.commands.command import SITE, Command, CommandContext, domains, id_argument, option, site_of
from analytics.notify import channel_json, channels
from analytics.notify.channel import NO_LINKS, ChannelKind, NotificationChannel
from analytics.notify.outbound import sending
from analytics.notify.outbound.outside import Outside
from analytics.reports.formats import columns
from analytics.sites import store

NOT_SENT = "Not sent: "


def channel_add(
    context: CommandContext, site: str, kind: str, to: str, secret: str | None = None, name: str = ""
) -> str:
    """Adds a channel; the secret of a webhook is shown, and that messages have no links."""
    given = {"kind": kind, "to": to, "name": name} | ({"secret": secret} if secret else {})
    found = store.find(context.database, site)
    read = channel_json.read(given)
    channel = channels.add(context.database, found.id, read, check=_check_to(context), now=context.now)
    signed = f" It signs with {channel.secret}" if channel.secret else ""
    return _with_links(context, f"Channel {channel.id}, {channel.shown_name}, is added.{signed}")


def _with_links(context: CommandContext, said: str) -> str:
    """The text; a second line says so if messages have no links."""
    return said if _outside(context).base_url else f"{said}\n{NO_LINKS}"


def _outside(context: CommandContext) -> Outside:
    assert context.outside is not None
    return context.outside()


def _check_to(context: CommandContext) -> channels.CheckTo:
    return lambda kind, to: sending.checked_to(kind, to, _outside(context))


def channel_list(context: CommandContext) -> str:
    """Every channel, one a line."""
    by_id = domains(context)
    rows = [
        (str(one.id), by_id.get(one.site_id, "-"), one.kind, one.name or "-", one.address, _channel_state(one))
        for one in channels.all_channels(context.database)
    ]
    names = "ID", "SITE", "KIND", "NAME", "TO", "STATE"
    none = f"No channel yet. {command('channel add --site DOMAIN --kind KIND --to ADDRESS')} adds one."
    return columns(names, rows) or none


def _channel_state(channel: NotificationChannel) -> str:
    return "on" if channel.disabled_at is None else f"off: {channel.disabled_why}"


def channel_test(context: CommandContext, channel_id: int) -> str:
    """Sends a test to the channel now, also to one that is off, and says what was answered."""
    channel = channels.get(context.database, channel_id)
    site = site_of(context, channel.site_id)
    answer = sending.send_test(channel, site, _outside(context), now=context.now)
    status = f"{answer.status} " if answer.status is not None else ""
    return _with_links(context, f"{'Sent: ' if answer.sent else NOT_SENT}{status}{answer.text}".rstrip(": "))


def channel_remove(context: CommandContext, channel_id: int) -> str:
    """Removes the channel with that id."""
    return f"The channel {channels.remove(context.database, channel_id).shown_name} is removed."


COMMANDS: tuple[Command, ...] = (
    Command(
        "channel add",
        channel_add,
        (
            SITE,
            option("--kind", required=True, type=click.Choice([str(one) for one in ChannelKind])),
            option("--to", required=True, metavar="ADDRESS", help="A URL, an e-mail address, or what apprise takes."),
            option("--secret", metavar="whsec_...", help="To sign a webhook with. [default: a new one]"),
            option("--name", default="", help="How pages call it."),
        ),
        "Add a channel, to which the rules that name it send notifications. The secret of a webhook is printed.",
    ),
    Command("channel list", channel_list, help="List the channels."),
    Command(
        "channel test",
        channel_test,
        (id_argument("channel_id"),),
        "Send a test to a channel and print what was answered; exit 1 if it was not sent.",
        failed=lambda text: text.startswith(NOT_SENT.rstrip(": ")),
    ),
    Command(
        "channel remove",
        channel_remove,
        (id_argument("channel_id"),),
        "Remove a channel; rules name it no longer.",
    ),
)
