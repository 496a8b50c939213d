"""The page of channels shows nobody what a channel's address has in secret."""

from __future__ import annotations

from datetime import UTC

import pytest
from test_layouts import text

from analytics.notify.channel import NO_LINKS, NotificationChannel
from analytics.notify.delivery import Delivery, DeliveryState
from layouts.settings import channels
from tests.support.factories import NOW


@pytest.mark.parametrize(
    ("kind", "address", "shown"),
    [
        ("slack", "https://hooks.slack.com/services/T0/B0/s3cret", "https://hooks.slack.com/…"),
        ("webhook", "https://hooks.example.com?key=s3cret", "https://hooks.example.com/…"),
        ("webhook", "https://ann:s3cret@hooks.example.com:8443/x", "https://hooks.example.com:8443/…"),
        ("apprise", "tgram://123456:s3cret/42", "tgram://…"),
        ("apprise", "pover://user@s3cret", "pover://…"),
        ("email", "ann@example.com", "ann@example.com"),
    ],
)
def test_an_address_is_shown_without_what_may_be_secret(kind, address, shown):
    said = "".join(
        map(text, channels.lists([NotificationChannel(1, 1, kind, "", address, "whsec_s3cret")], has_mail=True))
    )
    assert shown in said
    assert "s3cret" not in said


def test_the_log_says_what_came_back_and_when_a_message_is_tried_again():
    one = Delivery(1, 1, 1, 7, "msg_1", DeliveryState.WAITING, (), 3, NOW + 300, NOW, NOW, 500, "out of order", 0, 0)
    new = one._replace(attempts=0, last_at=None, status=None, answer="")
    (table,) = channels.logged([channels.LoggedDelivery(each, "Signup", "Ops") for each in (one, new)], UTC)
    tried, waiting = table.children[1].children
    assert text(tried.children[3]).startswith("Waiting|Attempt 4: ")
    assert text(tried.children[4]) == "500 · out of order"
    assert text(waiting.children[3]) == "Waiting"


def test_the_log_says_what_went_and_of_several_how_many():
    one = Delivery(1, 1, 1, 7, "msg_1", DeliveryState.SENT, (), 1, NOW, NOW, NOW, 200, "ok", 1, 0)
    alerts = one._replace(id=2, notification_id=None, covers=(4, 5, 6))
    flood, night = one._replace(state=DeliveryState.DROPPED, more=311), alerts._replace(more=1_312)
    said = (one, "Nobody for a day"), (alerts, ""), (one, ""), (flood, "Signup"), (night, "")
    log = [channels.LoggedDelivery(*each, "Ops") for each in said]
    (table,) = channels.logged(log, UTC)
    rows = table.children[1].children
    assert [text(row.children[1]) for row in rows] == [
        "Nobody for a day",
        "3 notifications",
        "Removed notification",
        "Signup and 311 more",
        "1,315 notifications",
    ]


@pytest.mark.parametrize(("has_links", "said"), [(True, 0), (False, 1)])
def test_the_page_says_when_messages_have_no_links(has_links, said):
    page = channels.ChannelsPage("example.com", [], [], UTC, has_mail=True, has_links=has_links)
    cards = channels.cards(page)
    assert "".join(map(text, cards)).count(NO_LINKS) == said
