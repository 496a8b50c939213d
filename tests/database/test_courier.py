"""The courier with a real receiver: what is sent when, for each way in which a receiver can answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event, insert, update
from standardwebhooks.webhooks import Webhook

from analytics.notify import channel_health, deliveries, new_deliveries, retry
from analytics.notify.courier import OF_SITE, Courier
from analytics.notify.delivery import Delivery
from analytics.notify.new_deliveries import NewDelivery
from analytics.notify.outbound.answer import ChannelAnswer
from analytics.notify.outbound.webhook import new_secret
from analytics.notify.rendering import DashboardLinks, Subject
from analytics.sites import store as sites
from analytics.storage import schema
from analytics.storage.database import Database
from tests.support.channels import added_channel, added_delivery, added_notification, channel_now, outside
from tests.support.couriers import Invented
from tests.support.factories import NOW, added_site, rows
from tests.support.receiver import Receiver, answer, raw, receiving, silent
from tests.support.serving import eventually

DAY = 86_400
SCHEDULE = [0, 5, 305, 2_105, 9_305, 27_305, 63_305, 113_705, 185_705, 272_105]  # s after the first attempt
DOWN = [answer(500, "down")] * 20


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture(autouse=True)
def site(database):
    return added_site(database, timezone="Europe/Berlin")


def log_of(database: Database) -> list[tuple[object, ...]]:
    """State, attempts, status and answer of each delivery, oldest first."""
    return [(one.state, one.attempts, one.status, one.answer) for one in deliveries.of_site(database, 1)][::-1]


def added(database: Database, receiver: Receiver, **fields) -> Delivery:
    return added_delivery(
        database, added_channel(database, f"{receiver.url}/hook", **fields), added_notification(database)
    )


def test_a_200_is_sent_once(database, receiver):
    added(database, receiver)
    assert Invented(database).pass_until(NOW + 5 * DAY) == [0]
    assert log_of(database) == [("sent", 1, 200, "ok")]
    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    ("reply", "status", "said"),
    [
        (answer(500, "down"), 500, "down"),
        (answer(404, "no such hook"), 404, "no such hook"),
        (answer(301, "there", Location="http://127.0.0.1:1/"), 301, "redirects are not followed"),
        (answer(429, "slow down"), 429, "slow down"),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"), 200, "the answer ended early"),
        (raw(b"SSH-2.0-OpenSSH\r\n"), None, "what was answered is no HTTP (BadStatusLine)"),
    ],
    ids=["500", "404", "301", "429", "lies", "no HTTP"],
)
def test_a_failure_is_tried_by_the_schedule_and_then_given_up(database, receiver, reply, status, said):
    one = added(database, receiver)
    receiver.replies = [reply] * 20
    assert Invented(database).pass_until(NOW + 30 * DAY) == SCHEDULE
    assert log_of(database) == [("failed", 10, status, said)]
    assert {request.headers["webhook-id"] for request in receiver.received} == {one.message_id}
    assert [int(request.headers["webhook-timestamp"]) - NOW for request in receiver.received] == SCHEDULE


def test_a_receiver_that_comes_back_gets_it_at_the_next_attempt(database, receiver):
    added(database, receiver)
    receiver.replies = [answer(500), answer(503), answer(200, "thanks")]
    assert Invented(database).pass_until(NOW + DAY) == [0, 5, 305]
    assert log_of(database) == [("sent", 3, 200, "thanks")]


def test_a_redirect_leads_nowhere(database, receiver):
    with receiving() as inside:
        added(database, receiver)
        receiver.replies = [answer(302, "", Location=f"{inside.url}/secret")] * 3
        Invented(database).pass_until(NOW + 300)
        assert inside.connections == 0


def test_retry_after_is_honoured_and_bounded(database, receiver):
    added(database, receiver)
    receiver.replies = [answer(429, "", Retry_After="90"), answer(503, "", Retry_After="99999999"), answer(200)]
    assert Invented(database).pass_until(NOW + 3 * DAY) == [0, 90, 90 + DAY]


def test_a_receiver_that_wants_to_be_left_alone_gets_nothing_else_meanwhile(database, receiver):
    channel = added_channel(database, receiver.url)
    for due_at in (NOW, NOW + 1, NOW + 2):
        added_delivery(database, channel, added_notification(database), due_at)
    receiver.replies = [answer(429, "", Retry_After="90")]
    assert Invented(database).pass_until(NOW + DAY) == [0, 90, 90, 90]


def test_410_disables_the_channel_with_a_notice_and_drops_what_waits(database, receiver):
    channel = added_channel(database, receiver.url, name="Ops")
    first, second = (added_delivery(database, channel, added_notification(database), NOW + n) for n in (0, 60))
    receiver.replies = [answer(410, "moved away")]
    assert Invented(database).pass_until(NOW + 30 * DAY) == [0]
    assert log_of(database) == [
        ("failed", 1, 410, "moved away"),
        ("dropped", 0, None, "the channel is disabled: its receiver says that it is gone"),
    ]
    disabled = channel_now(database, channel)
    assert (disabled.disabled_at, disabled.disabled_why) == (NOW, "its receiver says that it is gone")
    notice = "rule_id", "priority", "audience", "title", "message", "link"
    assert rows(database, schema.notifications, *notice)[2:] == [
        (
            None,
            "high",
            "admins",
            "The channel Ops is disabled",
            "Its receiver says that it is gone. Nothing is sent to it until it is switched on again.",
            f"/settings/example.com/channels#channel-{channel.id}",
        )
    ]
    again = added_delivery(database, channel, added_notification(database))
    Invented(database).pass_until(NOW + 1)
    assert log_of(database)[-1] == ("dropped", 1, None, "its channel is disabled or removed")
    assert len(receiver.received) == 1
    assert {first.id, second.id, again.id} == {one.id for one in deliveries.of_site(database, 1)}


def test_a_channel_at_which_everything_fails_for_five_days_is_disabled(database, receiver):
    channel = added_channel(database, receiver.url)
    receiver.replies = DOWN * 10
    for day in range(8):
        added_delivery(database, channel, added_notification(database), NOW + day * DAY)
    moments = Invented(database).pass_until(NOW + 30 * DAY)
    assert max(moments) == 5 * DAY
    assert channel_now(database, channel).disabled_why == "every attempt has failed for 5 days"
    assert {state for state, *_ in log_of(database)} == {"failed", "dropped"}


def test_one_success_in_between_keeps_the_channel(database):
    channel = added_channel(database, "https://hooks.example.com")
    for day, is_sent in enumerate([False] * 4 + [True] + [False] * 6):
        assert channel_now(database, channel).disabled_at is None
        with database.transaction() as connection:
            said = ChannelAnswer(is_sent, 200 if is_sent else 500, "")
            channel_health.record(connection, channel_now(database, channel), said, NOW + day * DAY)
    disabled = channel_now(database, channel)
    assert (disabled.failing_since, disabled.disabled_at) == (NOW + 5 * DAY, NOW + 10 * DAY)


def test_the_signature_is_verified_by_the_standard_s_own_library(database, receiver):
    secret = new_secret()
    channel, number = added_channel(database, receiver.url, secret=secret), added_notification(database)
    now = int(datetime.now(UTC).timestamp())  # the library accepts no other time
    added_delivery(database, channel, number, now)
    courier = Courier(database, outside(), clock=lambda: now)
    courier.deliver_due(now)
    courier.settle(30)
    (received,) = receiver.received
    assert Webhook(secret).verify(received.body, received.headers) == {
        "type": "notification.created",
        "timestamp": "2027-01-15T08:00:00Z",
        "data": {
            "id": str(number),
            "site": "example.com",
            "rule": None,
            "priority": "medium",
            "title": "A title",
            "message": "",
            "value": None,
            "count": 1,
        },
    }
    with pytest.raises(Exception, match="No matching signature found"):
        Webhook(new_secret()).verify(received.body, received.headers)


def test_a_name_that_leads_inwards_by_now_is_refused_when_used(database, receiver):
    """As a name that was public when its channel was saved: `resolve` is what it leads to now."""
    channel = added_channel(database, f"http://hooks.example.com:{receiver.port}/")
    added_delivery(database, channel, added_notification(database))
    settings = outside(allowed=(), resolve=lambda host, port: ["93.184.216.34", "127.0.0.1"])
    assert Invented(database, settings).pass_until(NOW + 30 * DAY) == [0]
    assert log_of(database) == [
        (
            "failed",
            1,
            None,
            "blocked_address: hooks.example.com leads to an address that is not public; FOOTFALL_ALLOWED_TARGETS may "
            "allow it",
        )
    ]
    assert receiver.connections == 0


def test_the_connection_goes_to_the_address_that_was_checked(database, receiver):
    """The name leads to the receiver when it is checked and elsewhere when it is looked up once more."""
    answers = iter([["127.0.0.1"], ["10.0.0.1"], ["10.0.0.1"]])
    channel = added_channel(database, f"http://hooks.example.com:{receiver.port}/")
    added_delivery(database, channel, added_notification(database))
    Invented(database, outside(resolve=lambda host, port: next(answers))).pass_until(NOW)
    assert log_of(database) == [("sent", 1, 200, "ok")]
    assert receiver.received[0].headers["host"] == f"hooks.example.com:{receiver.port}"


def test_a_host_that_is_unknown_for_a_while_is_tried_again(database, receiver):
    answers = iter([[], [], ["127.0.0.1"]])
    channel = added_channel(database, f"http://hooks.example.com:{receiver.port}/")
    added_delivery(database, channel, added_notification(database))
    invented = Invented(database, outside(resolve=lambda host, port: next(answers)))
    assert invented.pass_until(NOW + DAY) == [0, 5, 305]
    assert log_of(database) == [("sent", 3, 200, "ok")]


def test_the_message_has_the_count_of_the_moment_at_which_it_is_sent(database, receiver):
    number = added_notification(database, count=2)
    channel = added_channel(database, receiver.url)
    added_delivery(database, channel, number, NOW + 30)
    table = schema.notifications
    with database.transaction() as connection:
        connection.execute(update(table).where(table.c.id == number).values(count=17, last_at=NOW + 20))
    Invented(database).pass_until(NOW + 30)
    assert b'"count":17' in receiver.received[0].body
    assert b'"timestamp":"2027-01-15T08:00:20Z"' in receiver.received[0].body
    assert deliveries.of_site(database, 1)[0].sent_count == 17


def test_a_catch_up_says_what_was_held_back_and_what_became_of_it(database, receiver):
    fired = {
        "site_id": 1,
        "rule_id": 1,
        "severity": "error",
        "title": "T",
        "metric": "m",
        "fired_at": NOW,
        "told_at": NOW,
    }
    alerts = ({**fired, "resolved_at": NOW + 600}, {**fired, "resolved_at": None})
    with database.transaction() as connection:
        adding = insert(schema.alerts).returning(schema.alerts.c.id)
        over, still = (connection.execute(adding.values(one)).scalar_one() for one in alerts)
    covers = [
        added_notification(database, title="Payment", value=120.5, currency="EUR", priority="low"),
        added_notification(database, title="Down", alert_id=over, value=3.0, type="alert.firing", priority="high"),
        added_notification(database, title="Up", alert_id=over, type="alert.resolved", at=NOW + 600),
        added_notification(database, title="Slow", alert_id=still, value=9.0, type="alert.firing", last_at=NOW + 900),
    ]
    channel = added_channel(database, receiver.url, kind="slack")
    added_delivery(database, channel, None, covers=covers)
    Invented(database).pass_until(NOW)
    body = receiver.received[0].body.decode()
    assert "4 notifications since 2027-01-15 09:00 CET" in body
    assert (
        r"2027-01-15 09:00 CET: Down; 3; resolved 2027-01-15 09:10 CET\n"
        r"2027-01-15 09:00 CET: Slow; 9; still firing\n"
        r"2027-01-15 09:00 CET: Payment; 120.5 EUR"
    ) in body
    assert "example.com · Priority: high · Events: 4 · 2027-01-15 09:15 CET" in body
    assert deliveries.of_site(database, 1)[0].sent_count == 4


def test_the_links_are_those_of_the_caller(database, receiver):
    def links_of(subject: Subject) -> DashboardLinks:
        assert subject == Subject("example.com", number, None)
        return DashboardLinks("https://stats.example.com/notifications")

    number = added_notification(database)
    added_delivery(database, added_channel(database, receiver.url), number)
    Invented(database, links_of=links_of).pass_until(NOW)
    assert b'"link":"https://stats.example.com/notifications"' in receiver.received[0].body


@pytest.mark.parametrize(
    ("link", "base_url", "sent"),
    [
        (
            "/settings/example.com/snippet",
            "https://example.net/stats",
            "https://example.net/stats/settings/example.com/snippet",
        ),
        ("https://shop.example/orders/7", "https://example.net/stats", "https://shop.example/orders/7"),
        ("https://shop.example/orders/7", "", "https://shop.example/orders/7"),
        ("/settings/example.com/snippet", "", None),
    ],
)
def test_the_path_of_a_rule_leads_to_the_dashboard_from_outside_too(database, receiver, link, base_url, sent):
    number = added_notification(database, link=link, link_label="Snippet")
    added_delivery(database, added_channel(database, receiver.url), number)
    Invented(database, links_of=lambda _: DashboardLinks(base_url=base_url)).pass_until(NOW)
    assert json.loads(receiver.received[0].body)["data"].get("link") == sent


def test_what_is_about_nothing_any_more_is_dropped(database, receiver):
    channel = added_channel(database, receiver.url)
    added_delivery(database, channel, 999)
    added_delivery(database, channel, None)
    added_delivery(database, channel._replace(id=999), added_notification(database))
    Invented(database).pass_until(NOW)
    assert log_of(database) == [
        ("dropped", 1, None, "its notification is not there any more"),
        ("dropped", 1, None, "its notification is not there any more"),
        ("dropped", 1, None, "its channel is disabled or removed"),
    ]
    assert receiver.connections == 0


def test_slack_gets_one_message_a_second(database, receiver):
    channel = added_channel(database, receiver.url, kind="slack")
    for _ in range(4):
        added_delivery(database, channel, added_notification(database))
    assert Invented(database).pass_until(NOW + 60) == [0, 1, 2, 3]


def test_a_webhook_gets_sixty_messages_a_minute_and_in_the_end_all(database, receiver):
    channel = added_channel(database, receiver.url)
    for _ in range(65):
        added_delivery(database, channel, added_notification(database))
    assert Invented(database).pass_until(NOW + 300) == [*[0] * 60, *[60] * 5]
    assert rows(database, schema.deliveries, "state", "attempts") == [("sent", 1)] * 65


def test_an_urgent_message_goes_past_a_flood(database, receiver):
    """The channel has had what its pace allows, and as many as may be wait."""
    channel = added_channel(database, receiver.url, kind="slack")
    some = [NewDelivery(1, channel.id, added_notification(database), NOW)] * new_deliveries.MAX_WAITING
    with database.transaction() as connection:
        new_deliveries.add_all(connection, some, NOW)
    courier = Invented(database).courier
    assert begun(courier) == 1
    added_delivery(database, channel, added_notification(database, title="Alarm"), can_wait=False)
    assert begun(courier) == 1
    assert "Alarm" in receiver.received[-1].body.decode()
    assert begun(courier) == 0


def begun(courier: Courier) -> int:
    """How many attempts are made now."""
    many = courier.deliver_due(NOW)
    courier.settle(30)
    return many


@pytest.mark.parametrize(("kind", "state"), [("discord", "failed"), ("slack", "waiting"), ("webhook", "waiting")])
def test_a_404_of_discord_means_that_its_webhook_was_deleted(database, receiver, kind, state):
    channel = added_channel(database, receiver.url, kind=kind)
    added_delivery(database, channel, added_notification(database))
    receiver.replies = [answer(404, "unknown webhook")]
    Invented(database).pass_until(NOW)
    assert log_of(database) == [(state, 1, 404, "unknown webhook")]
    assert (channel_now(database, channel).disabled_at is not None) is (kind == "discord")


def test_a_receiver_that_hangs_keeps_no_other_waiting(database, receiver):
    with receiving() as hanging:
        hanging.replies = [silent(hanging)]
        slow = added_channel(database, hanging.url)
        for _ in range(3):
            added_delivery(database, slow, added_notification(database), NOW - 60)
        channel = added_channel(database, receiver.url)
        for _ in range(5):
            added_delivery(database, channel, added_notification(database))
        courier = Courier(database, outside(), clock=lambda: NOW)
        courier.start()
        eventually(lambda: len(receiver.received) == 5, within=10)
        assert len(hanging.received) == 1, "one at a time for each channel"
        courier.stop(0.1)
    assert [one for one in log_of(database) if one[0] == "sent"] == [("sent", 1, 200, "ok")] * 5


def test_at_most_so_many_are_sent_at_the_same_time(database):
    with receiving() as hanging:
        hanging.replies = [silent(hanging)] * 5
        for number in range(5):
            added_delivery(database, added_channel(database, f"{hanging.url}/{number}"), added_notification(database))
        courier = Courier(database, outside(), clock=lambda: NOW, workers=3)
        assert [courier.deliver_due(NOW), courier.deliver_due(NOW)] == [3, 0]
        eventually(lambda: hanging.connections == 3, within=10)
        courier.stop(0)
    states = [one.claimed_until > NOW for one in deliveries.of_site(database, 1)]
    assert states.count(True) == 3


def test_receivers_of_one_site_that_hang_leave_workers_to_other_sites(database, receiver):
    added_site(database, "other.example.com")
    with receiving() as hanging:
        hanging.replies = [silent(hanging)] * 20
        for number in range(12):
            slow = added_channel(database, f"{hanging.url}/{number}")
            for _ in range(30):
                added_delivery(database, slow, added_notification(database), NOW - 60)
        other = added_channel(database, receiver.url, site_id=2)
        added_delivery(database, other, added_notification(database, site_id=2))
        courier = Courier(database, outside(), clock=lambda: NOW)
        courier.start()
        eventually(lambda: len(receiver.received) == 1, within=10)
        assert len(hanging.received) == OF_SITE
        courier.stop(0.1)


def test_what_is_added_is_sent_at_once_after_wake(database, receiver):
    courier = Courier(database, outside(), clock=lambda: NOW)
    courier.start()
    added(database, receiver)
    courier.wake()
    eventually(lambda: log_of(database) == [("sent", 1, 200, "ok")], within=10)
    courier.stop()
    assert not [one for one in threading.enumerate() if one.name.startswith("footfall-courier")]


def test_an_idle_courier_asks_the_database_twice(database):
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    for engine in {database.reading, database.writing}:
        event.listen(engine, "before_cursor_execute", note)
    Invented(database).courier.deliver_due(NOW)
    for engine in {database.reading, database.writing}:
        event.remove(engine, "before_cursor_execute", note)
    assert [one.split()[0] for one in asked if "deliveries" in one] == ["SELECT", "SELECT"]


def test_a_courier_survives_a_database_that_is_away(database, receiver):
    courier = Courier(database, outside(), clock=lambda: NOW)
    began, database.availability.probe_began = database.availability.probe_began, 0.0
    courier.start()
    courier.wake()
    eventually(lambda: not courier._woken.is_set(), within=10)
    database.availability.probe_began = began
    added(database, receiver)
    courier.wake()
    eventually(lambda: log_of(database) == [("sent", 1, 200, "ok")], within=10)
    courier.stop()


def test_a_removed_site_leaves_nothing_to_send(database, receiver):
    added(database, receiver)
    sites.remove(database, "example.com")
    assert Invented(database).courier.deliver_due(NOW) == 0
    assert len(SCHEDULE) == retry.MAX_ATTEMPTS
