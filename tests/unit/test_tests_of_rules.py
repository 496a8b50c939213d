"""The test of a rule that goes to its channels: it says that it is one, and each channel has its answer."""

from __future__ import annotations

import json

from analytics.notify.channel import NotificationChannel
from analytics.notify.kinds.event import EventArrives
from analytics.notify.outbound.answer import ChannelAnswer
from analytics.notify.outbound.sending import TriedChannel, send_rule_test
from analytics.notify.rule import Notify, Priority, Rule
from analytics.notify.template import NotificationText
from analytics.sites.site import Site
from tests.support.channels import outside
from tests.support.factories import NOW
from tests.support.receiver import answer, receiving

RULE = Rule(7, 1, "Orders", EventArrives("order"), Notify(Priority.URGENT, title="{value}"))
SAID = NotificationText("Order of 120 EUR", "From Ann", "https://shop.example/orders", "Look")
SITE = Site(1, "example.com", "The shop", "UTC")
SECRET = "whsec_" + "A" * 32
NOTICE = "This is a test of the rule “Orders”. Nothing has happened."


def webhook(number: int, url: str, **fields) -> NotificationChannel:
    return NotificationChannel(number, 1, "webhook", f"hook {number}", url, SECRET, **fields)


def test_a_test_of_a_rule_says_that_it_is_one_and_each_channel_answers():
    with receiving() as works, receiving() as fails:
        fails.replies.append(answer(500))
        channels = [webhook(1, works.url), webhook(2, fails.url), webhook(3, works.url, disabled_at=NOW)]
        found = send_rule_test(RULE, SAID, channels, SITE, outside(), NOW)
        (received,) = works.received
    assert [(one.channel.id, one.answer.sent, one.answer.status) for one in found] == [
        (1, True, 200),
        (2, False, 500),
        (3, False, None),
    ]
    assert found[2] == TriedChannel(channels[2], ChannelAnswer(False, None, "the channel is off"))
    body = json.loads(received.body)
    assert body["type"] == "notification.created"
    data = body["data"]
    assert (data["title"], data["message"]) == ("Test: Order of 120 EUR", f"From Ann\n{NOTICE}")
    assert (data["rule"], data["priority"], data["link"]) == (7, "urgent", "https://shop.example/orders")
