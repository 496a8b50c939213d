"""Quiet nights and digests, written out: every state of an alert, every message that is held, and every mail, in order.

The mails are those that a real mail server has got; times are by the clock of Berlin.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from analytics.access import accounts
from analytics.base.mail_server import MailServer, MailTls
from analytics.notify import deliveries, quiet_hours_store
from analytics.notify.channel import NotificationChannel
from analytics.notify.events import ArrivedEvent, notify
from analytics.notify.kinds.event import EventArrives
from analytics.notify.outbound.outside import Outside
from analytics.notify.rule import Notify, Priority, Rule
from analytics.notify.telling import add_of_alert
from analytics.storage import schema
from analytics.storage.database import Database
from tests.support.alerts import Watch, line
from tests.support.channels import added_channel
from tests.support.couriers import Invented
from tests.support.factories import NOW, added_site, feed_item, rows
from tests.support.mailbox import Mailbox, mail_server

BERLIN = ZoneInfo("Europe/Berlin")
MANY, FEW = 40, [3] * 7  # the second recovers: for half a minute there are few


def clock(at: int) -> str:
    return datetime.fromtimestamp(at, BERLIN).strftime("%a %H:%M:%S %Z")


class Night:
    """Ada's mails, with an alert and signups at the moments that a test says; `seen` is what has happened."""

    def __init__(self, database: Database, watch: Watch, mailbox: Mailbox, port: int, channel: NotificationChannel):
        mail = MailServer("127.0.0.1", port, "", "", "stats@example.com", MailTls.OFF)
        self.database, self.watch, self.mailbox = database, watch, mailbox
        self.invented = Invented(database, Outside((), mail, ssl.create_default_context()))
        self.channel = channel
        self.seen: list[str] = []
        self._steps = self._mails = self._last_delivery = 0
        watch.add = add_of_alert

    def at(self, text: str, *, second_time: bool = False) -> Night:
        """Passes until then; the second time where clocks show it twice."""
        wall = datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=int(second_time))
        end = int(wall.timestamp())
        while (due := self.invented._next()) is not None and due <= end:
            self.invented.pass_until(due)
            self._note_mails()
        self.invented.pass_until(end)
        return self

    def see(self, *counts: int) -> Night:
        """So many people are there, at each of these readings from now on."""
        self.watch.now = self.invented.now
        self.watch.see(*counts)
        for at, step in rows(self.database, schema.alert_steps, "at", "step")[self._steps :]:
            self.seen.append(f"{clock(at)}: {step}")
            self._steps += 1
        return self._note_held()

    def signups(self, many: int = 1, priority: Priority = Priority.MEDIUM, name: str = "Signup") -> Night:
        """So many events now, which are one notification."""
        now = self.invented.now
        said = Notify(priority, title=name, channels=(self.channel.id,), group_s=300)
        rule = Rule(50 + ord(name[0]), 1, name, EventArrives(name), said)
        item = feed_item(now << 21, type="event", name=name, timestamp=now)
        with self.database.transaction() as connection:
            notify(connection, lambda _: [rule], lambda _: "example.com", [ArrivedEvent(1, item, "")] * many, now)
        return self._note_held()

    def _note_held(self) -> Night:
        titles = dict(rows(self.database, schema.notifications, "id", "title"))
        for one in deliveries.of_site(self.database, 1)[::-1]:
            if one.id > self._last_delivery and one.notification_id is not None:
                self.seen.append(f"  {one.state} until {clock(one.next_at)}: {titles[one.notification_id]}")
            self._last_delivery = max(self._last_delivery, one.id)
        return self

    def _note_mails(self) -> None:
        for _, _, mail in self.mailbox.accepted[self._mails :]:
            text = mail.get_body(("plain",)).get_content()
            self.seen.append(f"{clock(self.invented.now)}: mail: {mail['Subject'].removeprefix('[example.com] ')}")
            self.seen += [f"  {each}" for each in text.splitlines() if each.startswith("20")]
            self._mails += 1


class Nights:
    """Begins nights: with these fields of Ada's quiet hours, at a moment from which on the invented time runs."""

    def __init__(self, database: Database, watching: Any, mailbox: Mailbox, port: int) -> None:
        self.database, self.watching, self.mailbox, self.port = database, watching, mailbox, port

    def begin(self, text: str, **fields: Any) -> Night:
        added_site(self.database, timezone="Europe/Berlin")
        ada = accounts.add_person(self.database, "ada@example.com", "owner", "correct horse battery", now=NOW)
        quiet_hours_store.save(self.database, ada.id, {"timezone": "Europe/Berlin"} | fields)
        channel = added_channel(self.database, "ada@example.com", "email")
        watch = self.watching(line(channels=(channel.id,), priority=Priority.HIGH))
        night = Night(self.database, watch, self.mailbox, self.port, channel)
        night.invented.now = int(datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp())
        return night


@pytest.fixture
def nights(database, watching) -> Iterator[Nights]:
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        yield Nights(database, watching, mailbox, port)


# ── quiet hours ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_night_over_midnight(nights):
    night = nights.begin("2026-12-01 21:50")
    night.see(MANY).at("2026-12-01 22:30").signups(3)
    night.at("2026-12-01 23:10").signups(1, Priority.URGENT, "Payment")
    night.at("2026-12-02 01:50").see(45).at("2026-12-02 03:00").see(*FEW)
    night.at("2026-12-02 04:00").see(41).at("2026-12-02 06:59:59")
    night.at("2026-12-02 07:30").see(*FEW).at("2026-12-03 12:00")
    assert night.seen == [
        "Tue 21:50:00 CET: firing",
        "  grouped until Tue 21:50:30 CET: 40 people on example.com",
        "Tue 21:50:30 CET: mail: 40 people on example.com",
        "  held until Wed 07:00:00 CET: Signup",
        "  waiting until Tue 23:10:00 CET: Payment",
        "Tue 23:10:00 CET: mail: Payment",
        "Wed 01:50:00 CET: repeated",
        "  held until Wed 07:00:00 CET: Still firing after 4 h: 45 people on example.com",
        "Wed 03:00:00 CET: recovering",
        "Wed 03:00:30 CET: recovered",
        "  held until Wed 07:00:00 CET: Resolved: 40 people on example.com",
        "Wed 04:00:00 CET: firing",
        "  held until Wed 07:00:00 CET: 41 people on example.com",
        "Wed 07:00:00 CET: mail: 4 notifications since 2026-12-01 22:30 CET",
        "  2026-12-02 01:50 CET: Still firing after 4 h: 45 people on example.com; 45; resolved 2026-12-02 03:00 CET",
        "  2026-12-02 04:00 CET: 41 people on example.com; 41; still firing",
        "  2026-12-01 22:30 CET: Signup; 3 events",
        "Wed 07:30:00 CET: recovering",
        "Wed 07:30:30 CET: recovered",
        "  grouped until Wed 07:31:00 CET: Resolved: 41 people on example.com",
        "Wed 07:31:00 CET: mail: Resolved: 41 people on example.com",
    ]


def test_the_night_in_which_clocks_are_put_forward(nights):
    night = nights.begin("2027-03-27 22:00")
    night.see(MANY).at("2027-03-28 01:59").see(*FEW).at("2027-03-28 03:00").signups(2)
    night.at("2027-03-28 06:59:59").signups(1, name="Booking").at("2027-03-28 12:00")
    assert night.seen == [
        "Sat 22:00:00 CET: firing",
        "  held until Sun 07:00:00 CEST: 40 people on example.com",
        "Sun 01:59:00 CET: recovering",
        "Sun 01:59:30 CET: recovered",
        "  held until Sun 07:00:00 CEST: Resolved: 40 people on example.com",
        "  held until Sun 07:00:00 CEST: Signup",
        "  waiting until Sun 07:00:29 CEST: Booking",
        "Sun 07:00:00 CEST: mail: 3 notifications since 2027-03-27 22:00 CET",
        "  2027-03-27 22:00 CET: 40 people on example.com; 40; resolved 2027-03-28 01:59 CET",
        "  2027-03-28 03:00 CEST: Signup; 2 events",
        "Sun 07:00:29 CEST: mail: Booking",
    ]


def test_quiet_hours_whose_end_the_clocks_skip(nights):
    night = nights.begin("2027-03-27 23:00", ends="02:30")
    night.see(MANY).at("2027-03-28 01:58").signups().at("2027-03-28 03:00").see(*FEW).at("2027-03-28 12:00")
    assert night.seen == [
        "Sat 23:00:00 CET: firing",
        "  held until Sun 03:00:00 CEST: 40 people on example.com",
        "  held until Sun 03:00:00 CEST: Signup",
        "Sun 03:00:00 CEST: mail: 2 notifications since 2027-03-27 23:00 CET",
        "  2027-03-27 23:00 CET: 40 people on example.com; 40; still firing",
        "  2027-03-28 01:58 CET: Signup",
        "Sun 03:00:00 CEST: recovering",
        "Sun 03:00:30 CEST: recovered",
        "  grouped until Sun 03:05:00 CEST: Resolved: 40 people on example.com",
        "Sun 03:05:00 CEST: mail: Resolved: 40 people on example.com",
    ]


def test_the_night_in_which_clocks_are_put_back(nights):
    night = nights.begin("2027-10-30 22:00", ends="02:30")
    night.see(MANY).at("2027-10-31 02:15").signups()
    night.at("2027-10-31 02:45").see(*FEW)
    night.at("2027-10-31 02:15", second_time=True).signups(2, name="Booking")
    night.at("2027-10-31 02:30", second_time=True).signups(1, name="Payment").at("2027-10-31 12:00")
    assert night.seen == [
        "Sat 22:00:00 CEST: firing",
        "  held until Sun 02:30:00 CET: 40 people on example.com",
        "  held until Sun 02:30:00 CET: Signup",
        "Sun 02:45:00 CEST: recovering",
        "Sun 02:45:30 CEST: recovered",
        "  held until Sun 02:30:00 CET: Resolved: 40 people on example.com",
        "  held until Sun 02:30:00 CET: Booking",
        "Sun 02:30:00 CET: mail: 4 notifications since 2027-10-30 22:00 CEST",
        "  2027-10-30 22:00 CEST: 40 people on example.com; 40; resolved 2027-10-31 02:45 CEST",
        "  2027-10-31 02:15 CEST: Signup",
        "  2027-10-31 02:15 CET: Booking; 2 events",
        "  waiting until Sun 02:30:30 CET: Payment",
        "Sun 02:30:30 CET: mail: Payment",
    ]


def test_a_group_that_grows_after_its_catch_up_is_followed_by_its_final_count(nights):
    night = nights.begin("2026-12-02 06:58")
    night.signups(2).at("2026-12-02 07:01").signups(3).at("2026-12-02 12:00")
    assert night.seen == [
        "  held until Wed 07:00:00 CET: Signup",
        "Wed 07:00:00 CET: mail: Signup, and 1 more",
        "  waiting until Wed 07:05:00 CET: Signup",
        "Wed 07:05:00 CET: mail: Signup, and 4 more",
    ]
    assert [count for (count,) in rows(night.database, schema.deliveries, "sent_count")] == [2, 5]


def test_one_of_several_in_a_catch_up_that_grows_is_followed_by_its_final_count(nights):
    night = nights.begin("2026-12-02 06:58")
    night.signups(2).signups(1, name="Booking").at("2026-12-02 07:01").signups(3).at("2026-12-02 12:00")
    assert night.seen == [
        "  held until Wed 07:00:00 CET: Signup",
        "  held until Wed 07:00:00 CET: Booking",
        "Wed 07:00:00 CET: mail: 2 notifications since 2026-12-02 06:58 CET",
        "  2026-12-02 06:58 CET: Signup; 2 events",
        "  2026-12-02 06:58 CET: Booking",
        "  waiting until Wed 07:05:00 CET: Signup",
        "Wed 07:05:00 CET: mail: Signup, and 4 more",
    ]
    states = rows(night.database, schema.deliveries, "state", "sent_count")
    assert states == [("covered", 2), ("covered", 1), ("sent", 2), ("sent", 5)]


# ── digests ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_daily_digest(nights):
    night = nights.begin("2026-12-01 09:00", digest="daily", digest_at="08:00")
    night.see(MANY).at("2026-12-01 13:00").see(45).at("2026-12-01 15:00").signups(4)
    night.at("2026-12-01 16:00").signups(1, Priority.URGENT, "Payment")
    night.at("2026-12-01 23:00").see(*FEW).at("2026-12-02 07:59:45").signups(1, name="Booking")
    night.at("2026-12-02 12:00").at("2026-12-04 12:00")
    assert night.seen == [
        "Tue 09:00:00 CET: firing",
        "  held until Wed 08:00:00 CET: 40 people on example.com",
        "Tue 13:00:00 CET: repeated",
        "  held until Wed 08:00:00 CET: Still firing after 4 h: 45 people on example.com",
        "  held until Wed 08:00:00 CET: Signup",
        "  waiting until Tue 16:00:00 CET: Payment",
        "Tue 16:00:00 CET: mail: Payment",
        "Tue 23:00:00 CET: recovering",
        "Tue 23:00:30 CET: recovered",
        "  held until Wed 08:00:00 CET: Resolved: 40 people on example.com",
        "  held until Thu 08:00:00 CET: Booking",
        "Wed 08:00:00 CET: mail: 4 notifications since 2026-12-01 09:00 CET",
        "  2026-12-01 09:00 CET: 40 people on example.com; 40; resolved 2026-12-01 23:00 CET",
        "  2026-12-01 15:00 CET: Signup; 4 events",
        "Thu 08:00:00 CET: mail: Booking",
    ]


def test_a_weekly_digest(nights):
    night = nights.begin("2026-12-01 12:00", days=[], digest="weekly", digest_at="09:00", digest_day=0)
    night.signups(2).at("2026-12-05 23:00").see(MANY).at("2026-12-07 08:00").signups(1, name="Booking")
    night.at("2026-12-07 09:00").signups(1, name="Cancellation").at("2026-12-20 12:00")
    assert night.seen == [
        "  held until Mon 09:00:00 CET: Signup",
        "Sat 23:00:00 CET: firing",
        "  held until Mon 09:00:00 CET: 40 people on example.com",
        "  held until Mon 09:00:00 CET: Booking",
        "Mon 09:00:00 CET: mail: 3 notifications since 2026-12-01 12:00 CET",
        "  2026-12-05 23:00 CET: 40 people on example.com; 40; still firing",
        "  2026-12-01 12:00 CET: Signup; 2 events",
        "  2026-12-07 08:00 CET: Booking",
        "  held until Mon 09:00:00 CET: Cancellation",
        "Mon 09:00:00 CET: mail: Cancellation",
    ]


def test_a_daily_digest_at_a_time_that_clocks_skip_or_show_twice(nights):
    night = nights.begin("2027-03-27 12:00", days=[], digest="daily", digest_at="02:30")
    night.signups(1, name="Before").at("2027-03-28 03:00").signups(1, name="At").at("2027-03-29 12:00")
    night.at("2027-10-30 12:00").signups(1, name="Signup").at("2027-10-31 02:15").signups(1, name="Early")
    night.at("2027-10-31 02:45").signups(1, name="Late").at("2027-10-31 02:15", second_time=True)
    night.signups(1, name="Twice").at("2027-11-01 12:00")
    assert night.seen == [
        "  held until Sun 03:00:00 CEST: Before",
        "Sun 03:00:00 CEST: mail: Before",
        "  held until Mon 02:30:00 CEST: At",
        "Mon 02:30:00 CEST: mail: At",
        "  held until Sun 02:30:00 CEST: Signup",
        "  held until Sun 02:30:00 CEST: Early",
        "Sun 02:30:00 CEST: mail: 2 notifications since 2027-10-30 12:00 CEST",
        "  2027-10-30 12:00 CEST: Signup",
        "  2027-10-31 02:15 CEST: Early",
        "  held until Mon 02:30:00 CET: Late",
        "  held until Mon 02:30:00 CET: Twice",
        "Mon 02:30:00 CET: mail: 2 notifications since 2027-10-31 02:45 CEST",
        "  2027-10-31 02:45 CEST: Late",
        "  2027-10-31 02:15 CET: Twice",
    ]
