"""A delivery survives `kill -9` in the middle of its attempt: it is sent again, with the same id; others are not."""

from __future__ import annotations

import subprocess
import sys

from analytics.base.config import Config
from analytics.notify import deliveries
from analytics.notify.courier import Courier
from analytics.storage.database import Database
from tests.support.channels import added_channel, added_delivery, added_notification, outside
from tests.support.factories import NOW, added_site
from tests.support.receiver import receiving, silent
from tests.support.serving import eventually

SENDING = """
import sys
from pathlib import Path
from analytics.base.config import Config
from analytics.notify import deliveries
from analytics.notify.courier import Courier
from analytics.storage.database import Database
from tests.support.channels import outside
from tests.support.factories import NOW
from tests.support.serving import eventually

database = Database(Config(data_dir=Path(sys.argv[1]), database_url=sys.argv[2]))
courier = Courier(database, outside(), clock=lambda: NOW)
assert courier.deliver_due(NOW) == 2
eventually(lambda: "sent" in [one.state for one in deliveries.of_site(database, 1)])
print("one is sent", flush=True)
courier.settle(60)
"""


def test_a_delivery_survives_a_kill_in_the_middle_of_its_attempt(config: Config):
    with receiving() as hanging, receiving() as answering:
        hanging.replies = [silent(hanging)]
        database = Database(config)
        added_site(database)
        number = added_notification(database)
        lost, sent = (
            added_delivery(database, added_channel(database, one.url), number) for one in (hanging, answering)
        )
        database.close()  # SQLite's file is for one process

        command = [sys.executable, "-c", SENDING, str(config.data_dir), config.database_url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sending:
            assert sending.stdout is not None
            assert sending.stdout.readline() == "one is sent\n"
            eventually(lambda: hanging.received)
            sending.kill()

        database = Database(config)
        courier = Courier(database, outside(), clock=lambda: NOW + deliveries.LEASE_S)
        assert courier.deliver_due(NOW + deliveries.LEASE_S - 1) == 0
        assert courier.deliver_due(NOW + deliveries.LEASE_S) == 1
        courier.settle(30)
        courier.stop()
        log = [(one.id, one.state, one.attempts, one.status) for one in deliveries.of_site(database, 1)]
        assert log == [(sent.id, "sent", 1, 200), (lost.id, "sent", 2, 200)]
        assert [one.headers["webhook-id"] for one in hanging.received] == [lost.message_id] * 2
        assert len(answering.received) == 1
        database.close()
