"""A message about an alert that waits for a retry does not follow a newer one about the same alert."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import insert

from analytics.notify import deliveries
from analytics.storage import schema
from tests.support.channels import added_channel, added_delivery, added_notification
from tests.support.couriers import Invented
from tests.support.factories import NOW, added_site
from tests.support.receiver import Receiver, answer, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def test_after_resolved_no_firing_is_sent(database, receiver):
    added_site(database)
    alert = {"site_id": 1, "rule_id": 5, "severity": "error", "title": "Busy", "metric": "visitors"}
    alert |= {"fired_at": NOW, "told_at": NOW, "resolved_at": NOW + 100}
    with database.transaction() as connection:
        number = connection.execute(insert(schema.alerts).values(alert)).inserted_primary_key[0]
    channel = added_channel(database, f"{receiver.url}/hook")
    receiver.replies = [answer(500, "down"), answer(500, "down"), answer(200, "ok")]
    firing = added_notification(database, type="alert.firing", alert_id=number)
    added_delivery(database, channel, firing)
    invented = Invented(database)
    assert invented.pass_until(NOW + 100) == [0, 5]
    over = added_notification(database, type="alert.resolved", alert_id=number)
    added_delivery(database, channel, over, NOW + 101)
    invented.pass_until(NOW + 600)
    log = [(one.state, one.answer) for one in deliveries.of_site(database, 1)][::-1]
    assert log == [("dropped", "a newer message about its alert goes in its place"), ("sent", "ok")]
    assert [b"alert.resolved" in one.body for one in receiver.received] == [False, False, True]
