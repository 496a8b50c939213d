"""`send`: a message to a channel of any kind; `send_test`: a test of one. `checked_to` checks an address to save."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from analytics.access.accounts import normal_email
from analytics.base.error_log import describe
from analytics.base.errors import InvalidInput, message
from analytics.notify.channel import ChannelKind, NotificationChannel
from analytics.notify.notification import CREATED
from analytics.notify.outbound import apprise, discord, email, slack, webhook
from analytics.notify.outbound.address import check_address
from analytics.notify.outbound.answer import ChannelAnswer, failure
from analytics.notify.outbound.message import OutboundMessage, new_message_id
from analytics.notify.outbound.outside import Outside
from analytics.notify.rule import Rule
from analytics.notify.template import NotificationText
from analytics.sites.site import Site

log = logging.getLogger("footfall.channels")

Send = Callable[[NotificationChannel, OutboundMessage, Outside, int], ChannelAnswer]

SENDERS: Mapping[str, Send] = {
    ChannelKind.WEBHOOK: webhook.send,
    ChannelKind.SLACK: slack.send,
    ChannelKind.DISCORD: discord.send,
    ChannelKind.EMAIL: email.send,
    ChannelKind.APPRISE: apprise.send,
}

MAX_TESTS = 2
"""How many tests may be under way: each holds a thread that answers programs or pages, up to half a minute."""

OTHER_TESTS = "other tests are under way; try again in a few seconds"
_tests = threading.BoundedSemaphore(MAX_TESTS)

MAX_CHANNELS = 8  # at once, of the test of a rule
TEST_MARK = "Test:"
TEST_TITLE = "A test from Footfall"
TEST_TEXT = "If you read this, the channel works. Notifications of the rules that use it will come here."


def send(channel: NotificationChannel, message: OutboundMessage, outside: Outside, now: int) -> ChannelAnswer:
    """Sends the message once and returns what came of it, at most some 30 s later. Raises nothing."""
    try:
        return SENDERS[channel.kind](channel, message, outside, now)
    except Exception as failed:  # a format that a message breaks must not stop the others
        log.warning("a message to a %s channel was not sent: %s", channel.kind, describe(failed))
        return failure(f"it could not be sent ({type(failed).__name__})")


def send_test(channel: NotificationChannel, site: Site, outside: Outside, *, now: int) -> ChannelAnswer:
    """Sends a test to the channel of a site at once, without the outbox, and returns what came of it, as `send`.

    While `MAX_TESTS` are under way, or when the site's channels have had too many, nothing is sent.
    """
    message = OutboundMessage(
        message_id=new_message_id(),
        type=CREATED,
        site=site.domain,
        title=TEST_TITLE,
        at=now,
        text=TEST_TEXT,
        priority="low",
        timezone=site.timezone,
    )
    if not _tests.acquire(blocking=False):
        return failure(OTHER_TESTS)
    try:
        return _send_paced(channel, message, outside, now)
    finally:
        _tests.release()


def _send_paced(channel: NotificationChannel, message: OutboundMessage, outside: Outside, now: int) -> ChannelAnswer:
    """As `send`, as far as the site may have another test."""
    wait_s = outside.tests.take(str(channel.site_id), now)
    return failure(f"this site has had many tests; wait {wait_s} s") if wait_s else send(channel, message, outside, now)


class TriedChannel(NamedTuple):
    """A channel that got a test of a rule, and what came of it."""

    channel: NotificationChannel
    answer: ChannelAnswer


def send_rule_test(
    rule: Rule, text: NotificationText, channels: Sequence[NotificationChannel], site: Site, outside: Outside, now: int
) -> list[TriedChannel]:
    """Sends what a rule would say to these channels at once, marked as a test; returns what came of it, in their order.

    Several channels at a time, so it takes about as long as the slowest of them. One that is off gets nothing.
    """
    message = _test_of_rule(rule, text, site, now)
    if not _tests.acquire(blocking=False):
        return [TriedChannel(channel, failure(OTHER_TESTS)) for channel in channels]
    try:
        with ThreadPoolExecutor(MAX_CHANNELS, "rule-test") as threads:
            answers = threads.map(lambda one: _tested(one, message, outside, now), channels)
            return [TriedChannel(*one) for one in zip(channels, answers, strict=True)]
    finally:
        _tests.release()


def _tested(channel: NotificationChannel, message: OutboundMessage, outside: Outside, now: int) -> ChannelAnswer:
    if channel.disabled_at is not None:
        return failure("the channel is off")
    return _send_paced(channel, message._replace(message_id=new_message_id()), outside, now)


def _test_of_rule(rule: Rule, text: NotificationText, site: Site, now: int) -> OutboundMessage:
    notice = f"This is a test of the rule “{rule.name}”. Nothing has happened."
    return OutboundMessage(
        message_id=new_message_id(),
        type=CREATED,
        site=site.domain,
        title=f"{TEST_MARK} {text.title}",
        at=now,
        text="\n".join(part for part in (text.message, notice) if part),
        rule=rule.id,
        priority=rule.notify.priority,
        link=text.link,
        link_label=text.link_label,
        timezone=site.timezone,
    )


def checked_to(kind: str, to: str, outside: Outside) -> str:
    """The address of a channel of that kind, as it is stored; `InvalidInput` if there is no such kind or address.

    It looks up the host of a URL, which may take seconds.
    """
    if kind not in SENDERS:
        kinds = ", ".join(SENDERS)
        raise InvalidInput(message("kind: there is no {kind}; there are {kinds}", kind=repr(kind[:20]), kinds=kinds))
    if kind == ChannelKind.EMAIL:
        return normal_email(to)
    if kind == ChannelKind.APPRISE:
        return apprise.check(to.strip(), outside)
    check_address(to.strip(), outside.allowed, outside.resolve)
    return to.strip()
