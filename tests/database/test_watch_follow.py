"""Following watched tables: each committed change becomes one event, in order; gauges are equal to a plain count."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial

import psycopg
import pytest

from analytics.activity import gauge, gauges, watches
from analytics.activity.change import ChangeEvent, RowChange, event_of
from analytics.activity.follow import Deliver, Delivered, Follower, pass_on
from analytics.activity.outbox import Outbox
from analytics.activity.source import SourceRefused
from analytics.activity.watch import Watch, WatchDefinition
from analytics.base.addresses import network
from analytics.storage import schema
from tests.support.factories import NOW, added_site, rows
from tests.support.host import Host, over_tcp, watch_of
from tests.support.serving import eventually

ADD = "INSERT INTO bookings (guest, status, amount) VALUES (%s, %s, %s)"
bookings = partial(watch_of, "bookings", title="{guest}")


class Received:
    """Takes events as the collector does: each id once. `refused` and `later` say what else to answer."""

    def __init__(self) -> None:
        self.events: dict[str, ChangeEvent] = {}
        self.lost: list[str] = []
        self.batches: list[list[str]] = []
        self.later = self.refused = ""

    def __call__(self, events: Sequence[ChangeEvent]) -> list[Delivered]:
        self.batches.append([one.description for one in events])
        return [self._take(one) for one in events]

    def note_refused(self, changes: Sequence[RowChange]) -> None:
        self.lost += [one.operation for one in changes]

    def _take(self, one: ChangeEvent) -> Delivered:
        if one.description == self.later:
            return Delivered.LATER
        if one.description == self.refused:
            return Delivered.REFUSED
        known = one.id in self.events
        self.events.setdefault(one.id, one)
        return Delivered.DUPLICATE if known else Delivered.STORED

    @property
    def descriptions(self) -> list[str]:
        return [one.description for one in self.events.values()]


@contextmanager
def watching(database, host: Host, definition: WatchDefinition, kept: Sequence[str] = ()) -> Iterator[Watch]:
    """A watch that is added for the length of a block."""
    site = added_site(database)
    added = watches.add(database, site, host.url, definition, tuple(map(gauge.parse, kept)), now=NOW)
    yield added
    watches.remove(database, added.id)


@contextmanager
def following(
    database, host: Host, deliver: Deliver, clock=time.time, *, url="", allowed=None
) -> Iterator[threading.Thread]:
    """Follows all watches in a thread, for the length of a block."""
    stop = threading.Event()
    wanted = lambda: watches.enabled(database)  # noqa: E731
    follower = Follower(database, url or host.url, wanted, deliver, stop.wait, clock, allowed)
    thread = threading.Thread(target=follower.run)
    thread.start()
    try:
        yield thread
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


def delivered_once(host: Host, watch: Watch, received: Received, limit: int = 500) -> bool:
    with closing(Outbox(host.url)) as outbox:
        return pass_on(outbox, {watch.key: watch}, received, received.note_refused, limit)


@pytest.mark.parametrize(
    ("filters", "on", "found"),
    [
        ((), ("insert", "update", "delete"), ["Ada", "Bob", "Cid", "Dan", "Ada", "Bob", "Cid", "Ada"]),
        (("status=eq.pending",), ("insert", "update", "delete"), ["Ada", "Dan"]),
        (("status=neq.draft", "amount=gte.10"), ("insert",), ["Ada", "Cid"]),
        (("amount=gt.5", "amount=lt.20"), ("insert",), ["Ada"]),
        (("amount=lte.5",), ("insert",), ["Bob", "Dan"]),
        (("status=in.(paid,draft)",), ("insert",), ["Bob", "Cid"]),
        (("secret=is.null",), ("insert",), ["Bob", "Cid", "Dan"]),
        (("secret=is.not.null",), ("insert",), ["Ada"]),
        (("status=changed.pending.paid",), ("update",), ["Ada"]),
        (("status=changed.*.paid",), ("update",), ["Ada", "Bob"]),
        (("status=changed",), ("update",), ["Ada", "Bob"]),
        (("status=eq.paid",), ("delete",), ["Ada"]),
    ],
)
def test_a_filter_lets_only_wanted_changes_into_the_outbox(database, host, filters, on, found):
    received = Received()
    with watching(database, host, bookings(*filters, on=on)) as watch:
        with host.connect() as connection:
            connection.execute("INSERT INTO bookings (guest, amount, secret) VALUES ('Ada', 10, 's3cret')")
            for row in (("Bob", "draft", 5), ("Cid", "paid", 20), ("Dan", "pending", 1)):
                connection.execute(ADD, row)
            connection.execute("UPDATE bookings SET status = 'paid' WHERE guest = 'Ada'")
            connection.execute("UPDATE bookings SET status = 'paid' WHERE guest = 'Bob'")
            connection.execute("UPDATE bookings SET amount = 21 WHERE guest = 'Cid'")
            connection.execute("DELETE FROM bookings WHERE guest = 'Ada'")
        assert len(host.outbox()) == len(found)
        delivered_once(host, watch, received)
        assert host.outbox() == []
    assert received.descriptions == found


def test_a_change_carries_what_was_asked_for(database, host):
    definition = bookings(
        columns=("id", "amount"),
        on=("update",),
        event="Paid",
        title="{guest}: {old.status} → {status}",
        link="https://shop.example.com/{id}",
        value="amount",
        currency="EUR",
        user_id="id",
        user_name="guest",
    )
    received = Received()
    with watching(database, host, definition) as watch:
        host.run(ADD, "Ada", "pending", 99.5)
        host.run("UPDATE bookings SET status = 'paid'")
        delivered_once(host, watch, received)
    (one,) = received.events.values()
    assert one._replace(id="", at_ms=0) == ChangeEvent(
        id="",
        site_id=1,
        at_ms=0,
        name="Paid",
        description="Ada: pending → paid",
        value=99.5,
        currency="EUR",
        user_id="1",
        user_name="Ada",
        props={"row_link": "https://shop.example.com/1", "id": 1, "amount": 99.5},
    )
    assert abs(one.at_ms / 1000 - time.time()) < 60


def test_a_transaction_that_commits_late_is_not_missed_and_holds_back_what_came_after_it(database, host):
    received = Received()
    with watching(database, host, bookings()) as watch, host.connect() as late, host.connect() as undone:
        late.execute(ADD, ("early", "paid", 1))
        undone.execute(ADD, ("undone", "paid", 1))
        host.run(ADD, "later", "paid", 1)
        delivered_once(host, watch, received)
        assert received.descriptions == []
        undone.rollback()
        late.commit()
        delivered_once(host, watch, received)
    assert received.descriptions == ["early", "later"]


def test_transactions_are_not_split_unless_they_are_larger_than_a_batch(database, host):
    received = Received()
    with watching(database, host, bookings()) as watch:
        for many, name in ((2, "a"), (2, "b"), (7, "c"), (1, "d")):
            with host.connect() as connection:
                for number in range(many):
                    connection.execute(ADD, (f"{name}{number}", "paid", 1))
        while delivered_once(host, watch, received, limit=3) or host.outbox():
            pass
    assert received.batches == [["a0", "a1"], ["b0", "b1"], ["c0", "c1", "c2"], ["c3", "c4", "c5"], ["c6", "d0"]]


def test_a_row_goes_only_when_its_event_is_stored_or_can_never_be(database, host):
    received = Received()
    received.later, received.refused = "Bob", "Cid"
    with watching(database, host, bookings()) as watch:
        for guest in ("Ada", "Bob", "Cid"):
            host.run(ADD, guest, "paid", 1)
        assert not delivered_once(host, watch, received)
        assert [new["guest"] for _, _, new in host.outbox()] == ["Bob"]
        received.later = ""
        delivered_once(host, watch, received)
        assert host.outbox() == []
    assert received.descriptions == ["Ada", "Bob"]
    assert received.lost == ["insert"]


def test_changes_that_cannot_become_events_are_counted_in_their_watch(database, host):
    received = Received()
    received.refused = "Cid"
    with watching(database, host, bookings("status=eq.paid", on=("insert",))) as watch:
        other = watches.add(database, added_site(database, "other.example"), host.url, bookings(), now=NOW)
        for guest in ("Ada", "Cid", "Cid"):
            host.run(ADD, guest, "paid", 1)
        with following(database, host, received, lambda: NOW):
            eventually(lambda: watches.find(database, watch.id).refused == 2)
        host.run("ALTER TABLE bookings RENAME status TO state")
        host.run("INSERT INTO bookings (guest) VALUES ('Dan')")
        with following(database, host, received, lambda: NOW + 60):
            eventually(lambda: watches.find(database, watch.id).refused == 3)
        assert watches.find(database, watch.id).refused_at == NOW + 60
        assert (one := watches.find(database, other.id)).refused == 2
        assert one.refused_at == NOW
        watches.remove(database, other.id)
    assert received.descriptions == ["Ada", "Ada", "Dan"]


def test_a_change_that_is_delivered_again_has_the_same_id(database, host):
    received = Received()
    with watching(database, host, bookings()) as watch:
        host.run(ADD, "Ada", "paid", 1)
        with closing(Outbox(host.url)) as outbox:
            for _ in range(2):  # a kill between delivering and forgetting
                found = outbox.read([watch.key], 10)
                received([event_of(watch, one) for one in found])
            outbox.forget(found)
    assert received.descriptions == ["Ada"]
    assert received.batches == [["Ada"], ["Ada"]]


def test_a_watch_that_is_removed_and_added_again_does_not_repeat_ids(database, host):
    received = Received()
    site = added_site(database)
    for _ in range(2):
        added = watches.add(database, site, host.url, bookings(), now=NOW)
        host.run(ADD, "Ada", "paid", 1)
        delivered_once(host, added, received)
        watches.remove(database, added.id)
    assert received.descriptions == ["Ada", "Ada"]


def test_rows_that_came_from_another_server_are_read_too(database, host):
    received = Received()
    with watching(database, host, bookings()) as watch:
        host.run(ADD, "Ada", "paid", 1)
        host.run("UPDATE footfall.outbox SET xid = '1152921504606846976'")  # 2^60, as after a dump of a busy server
        delivered_once(host, watch, received)
        assert received.descriptions == []
        with closing(Outbox(host.url)) as outbox:
            assert outbox.adopt() == 1
            assert outbox.adopt() == 0
        delivered_once(host, watch, received)
    assert received.descriptions == ["Ada"]


def test_two_processes_do_not_follow_the_same_watch(database, host):
    with (
        watching(database, host, bookings()) as watch,
        closing(Outbox(host.url)) as one,
        closing(Outbox(host.url)) as other,
    ):
        assert one.claim([watch.key]) == {watch.key}
        assert other.claim([watch.key]) == set()
        one.close()
        eventually(lambda: other.claim([watch.key]) == {watch.key})


def test_the_age_of_the_oldest_unread_change_is_noted(database, host):
    received = Received()
    with watching(database, host, bookings()) as watch, host.connect() as late:
        late.execute(ADD, ("early", "paid", 1))
        host.run(ADD, "Ada", "paid", 1)
        host.run("UPDATE footfall.outbox SET at = now() - interval '90 s'")
        with following(database, host, received, lambda: NOW):
            eventually(lambda: (watches.find(database, watch.id).behind_s or 0) >= 90)
            assert watches.find(database, watch.id).read_at == NOW
            late.rollback()
            eventually(lambda: received.descriptions == ["Ada"])
            eventually(lambda: watches.find(database, watch.id).behind_s == 0)


def test_how_much_is_unread_and_how_large_the_outbox_is_are_noted(database, host):
    received = Received()
    received.later = "Ada"
    with watching(database, host, bookings()) as watch:
        host.run(ADD, "Ada", "paid", 1)
        host.run(ADD, "Bob", "paid", 1)
        with following(database, host, received, lambda: NOW):
            noted = eventually(lambda: (one := watches.find(database, watch.id)).read_at and one)
        host_bytes = host.run("SELECT pg_total_relation_size('footfall.outbox')")[0][0]
    assert (noted.unread, noted.missed) == (1, 0)  # Bob was delivered before the first look
    assert noted.outbox_bytes == host_bytes


def test_an_outbox_that_nobody_reads_ends_and_the_application_goes_on(database, host):
    """What came too late is lost, counted and said; gauges are right again; then nothing is lost any more."""
    received = Received()
    with watching(database, host, bookings(on=("insert",)), ("All: count",)) as watch:
        with closing(Outbox(host.url)) as outbox:
            gauges.keep(database, outbox.connection, [watch], NOW)
        host.run("SELECT setval('footfall.room', 6)")
        for guest in ("Ada", "Bob", "Cid", "Dan", "Eve"):
            host.run(ADD, guest, "paid", 1)
        assert host.run("SELECT count(*) FROM bookings") == [(5,)]
        assert [new["guest"] for _, _, new in host.outbox()] == ["Ada", "Bob"]  # with their steps there are no more
        with following(database, host, received, lambda: NOW + 1):
            noted = eventually(lambda: (one := watches.find(database, watch.id)).missed and one)
            eventually(lambda: values(database) == [5])
            host.run(ADD, "Fay", "paid", 1)
            eventually(lambda: received.descriptions == ["Ada", "Bob", "Fay"])
            eventually(lambda: values(database) == [6])
    assert noted.missed_at == NOW + 1
    assert 3 <= noted.missed <= 9  # of three changes, each an event and a step of the gauge


def test_room_is_made_for_as_many_rows_as_the_limit_leaves(database, host):
    with watching(database, host, bookings(on=("insert",))) as watch, closing(Outbox(host.url)) as outbox:
        for guest in ("Ada", "Bob", "Cid"):
            host.run(ADD, guest, "paid", 1)
        assert outbox.make_room(2)
        host.run(ADD, "Dan", "paid", 1)
        assert outbox.size().missed > 0
        outbox.forget(outbox.read([watch.key], 2))
        assert outbox.make_room(2)
        assert not outbox.make_room(2)
        host.run(ADD, "Eve", "paid", 1)
        host.run(ADD, "Fay", "paid", 1)
        assert [new["guest"] for _, _, new in host.outbox()] == ["Cid", "Eve"]


def test_a_column_may_be_called_like_a_variable_of_a_trigger(database, host):
    received = Received()
    for name in ("number", "steps", "old_row"):
        host.run(f"ALTER TABLE bookings ADD COLUMN {name} numeric DEFAULT 2")
    kept = ("Numbers: sum(number)", "Steps: sum(steps)")
    with watching(database, host, bookings(columns=("number", "steps", "old_row")), kept) as watch:
        host.run(ADD, "Ada", "paid", 1)
        host.run("UPDATE bookings SET number = 3, steps = 4")
        delivered_once(host, watch, received)
        with closing(Outbox(host.url)) as outbox:
            gauges.keep(database, outbox.connection, [watch], NOW)
    assert [one.props for one in received.events.values()] == [
        {"number": 2, "steps": 2, "old_row": 2},
        {"number": 3, "steps": 4, "old_row": 2},
    ]


def test_a_guarded_source_is_followed_only_where_it_is_allowed_to_be(database, host):
    """Also where its name leads elsewhere since it was added."""
    received, site = Received(), added_site(database)
    with over_tcp(host) as url:
        here = [network("127.0.0.0/8")]
        watch = watches.add(database, site, url, bookings(), allowed=here, now=NOW)
        assert watch.guarded
        with following(database, host, received, url=url, allowed=()):
            line = eventually(lambda: watches.find(database, watch.id).wrong)
            assert line.startswith("127.0.0.1 leads to an address that is not public; ")
        host.run(ADD, "Ada", "paid", 1)
        with following(database, host, received, url=url, allowed=here):
            eventually(lambda: received.descriptions == ["Ada"])
        with pytest.raises(SourceRefused, match="not public"):
            watches.remove(database, watch.id)
        watches.remove(database, watch.id, allowed=here)


def test_what_hinders_following_is_noted_until_it_follows_again(database, host):
    received = Received()
    name = host.run("SELECT current_database()")[0][0]
    with (
        watching(database, host, bookings()) as watch,
        psycopg.connect(host.url.replace(name, "postgres"), autocommit=True) as other,
        following(database, host, received),
    ):
        eventually(lambda: watches.find(database, watch.id).behind_s == 0)
        other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        wrong = eventually(
            lambda: (found := watches.find(database, watch.id).wrong) and "not currently accept" in found and found
        )
        assert wrong.startswith("cannot connect to ")
        other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        host.run(ADD, "Ada", "paid", 1)
        eventually(lambda: received.descriptions == ["Ada"], within=30)
        eventually(lambda: watches.find(database, watch.id).wrong == "")


def test_a_notice_wakes_the_follower(database, host):
    received = Received()
    with watching(database, host, bookings()) as watch, following(database, host, received):
        eventually(lambda: watches.find(database, watch.id).behind_s == 0)
        waits = []
        for number in range(20):
            host.run(ADD, f"guest {number}", "paid", 1)
            begun = time.monotonic()
            eventually(lambda number=number: len(received.events) == number + 1)
            waits.append(time.monotonic() - begun)
    assert sorted(waits)[10] < 0.2, waits  # polling alone would take 0.25 s at the median


# ── gauges ───────────────────────────────────────────────────────────────────────────────────────────────────────────

GAUGES = (
    "All: count",
    "Pending: count where status=eq.pending",
    "Revenue: sum(amount) where status=eq.paid in EUR",
    "New: count last 1h of created_at",
)


def values(database) -> list[float | None]:
    return [one.value for one in gauges.of_site(database, 1)]


def counted(host: Host) -> list[float]:
    row = host.run(
        "SELECT count(*), count(*) FILTER (WHERE status = 'pending'), "
        "coalesce(sum(amount) FILTER (WHERE status = 'paid'), 0), "
        "count(*) FILTER (WHERE created_at > now() - interval '1 hour') FROM bookings"
    )[0]
    return [float(value) for value in row]


def test_gauges_are_seeded_and_kept_by_changes(database, host):
    host.run(ADD, "Old", "paid", 100)
    host.run("UPDATE bookings SET created_at = now() - interval '2 hours'")
    with watching(database, host, bookings(on=()), GAUGES) as watch, closing(Outbox(host.url)) as outbox:
        gauges.keep(database, outbox.connection, [watch], NOW)
        assert values(database) == [1, 0, 100, 0]
        host.run(
            "INSERT INTO bookings (guest, status, amount) SELECT 'g' || n, 'pending', n FROM generate_series(1, 9) n"
        )
        host.run("UPDATE bookings SET status = 'paid' WHERE guest IN ('g1', 'g2')")
        host.run("UPDATE bookings SET amount = 50 WHERE guest = 'g1'")
        host.run("DELETE FROM bookings WHERE guest IN ('Old', 'g9')")
        gauges.keep(database, outbox.connection, [watch], NOW + 1)
        assert values(database) == [8, 6, 52, 0]  # the window is counted once a minute
        gauges.keep(database, outbox.connection, [watch], NOW + 61)
        assert values(database) == counted(host) == [8, 6, 52, 8]
        assert host.run("SELECT count(*) FROM footfall.outbox") == [(0,)]
        assert {one.notice for one in gauges.of_site(database, 1)} == {""}


def test_a_gauge_counts_what_was_under_way_when_it_was_seeded(database, host):
    with watching(database, host, bookings(on=()), GAUGES[:3]) as watch, closing(Outbox(host.url)) as outbox:
        with host.connect() as late:
            late.execute(ADD, ("late", "paid", 5))
            host.run(ADD, "Ada", "pending", 1)
            gauges.keep(database, outbox.connection, [watch], NOW)
            assert values(database) == [1, 1, 0]
            host.run(ADD, "Bob", "pending", 1)
            gauges.keep(database, outbox.connection, [watch], NOW + 3600)  # compares, with one transaction still open
            assert values(database) == [2, 2, 0]
        gauges.keep(database, outbox.connection, [watch], NOW + 3601)
        assert values(database) == [3, 2, 5]
        gauges.keep(database, outbox.connection, [watch], NOW + 7300)
        assert values(database) == [3, 2, 5]
        assert {one.notice for one in gauges.of_site(database, 1)} == {""}


def test_steps_that_were_added_before_a_kill_are_not_added_again(database, host):
    with watching(database, host, bookings(on=()), GAUGES[:1]) as watch, closing(Outbox(host.url)) as outbox:
        gauges.keep(database, outbox.connection, [watch], NOW)
        host.run(ADD, "Ada", "pending", 1)
        host.run("CREATE TABLE kept AS SELECT * FROM footfall.outbox")
        gauges.keep(database, outbox.connection, [watch], NOW + 1)
        host.run("INSERT INTO footfall.outbox SELECT * FROM kept")  # as if it had not come to pruning
        gauges.keep(database, outbox.connection, [watch], NOW + 2)
        assert values(database) == [1]
        assert host.run("SELECT count(*) FROM footfall.outbox") == [(0,)]


def test_rows_that_python_cannot_read_become_events_and_hold_nothing_up(database, host):
    host.run("ALTER TABLE bookings ADD extra jsonb")
    received = Received()
    received.later = received.refused = "nobody"
    with watching(database, host, bookings(on=("insert",), columns=("extra",), value="id")) as watch:
        for guest, extra in (
            ("deep", "[" * 3_000 + "]" * 3_000),
            ("less deep", "[" * 101 + "]" * 101),
            ("nested", '{"a": [1]}'),
            ("long", f"[1{'0' * 5_000}]"),
            ("infinite", "1e400"),
        ):
            host.run("INSERT INTO bookings (guest, extra) VALUES (%s, %s)", guest, extra)
        delivered_once(host, watch, received)
        assert host.run("SELECT count(*) FROM footfall.outbox") == [(0,)]
    assert [(one.description, one.props) for one in received.events.values()] == [
        ("", {"extra": None}),
        ("less deep", {"extra": None}),
        ("nested", {"extra": {"a": [1]}}),
        ("long", {"extra": ["1" + "0" * 5_000]}),
        ("infinite", {"extra": "1" + "0" * 400}),
    ]


@pytest.mark.parametrize(
    ("kind", "amount", "notice"),
    [
        ("double precision", "1e300", "corrected from 5 to 2e+300"),
        ("double precision", "1.7e308", "cannot be counted: value out of range: overflow"),
        ("double precision", "NaN", "cannot be counted: a row has no finite number"),
        ("double precision", "-Infinity", "cannot be counted: a row has no finite number"),
        ("numeric", "NaN", "cannot be counted: a row has no finite number"),
        ("numeric", "9" * 100_000, "cannot be counted: a row has no finite number"),
        ("numeric", "9" * 131_072, "cannot be counted: value overflows numeric format"),
        ("numeric", "1e-400", ""),
    ],
    ids=lambda value: value[:30],
)
def test_numbers_that_no_gauge_can_add_up_refuse_no_write_and_hold_nothing_up(database, host, kind, amount, notice):
    host.run(f"ALTER TABLE bookings ALTER amount TYPE {kind}")
    received = Received()
    inserts = bookings(on=("insert",), columns=("amount",), value="amount")
    with watching(database, host, inserts, GAUGES[2:3]) as watch, closing(Outbox(host.url)) as outbox:
        gauges.keep(database, outbox.connection, [watch], NOW)
        both = "INSERT INTO bookings (guest, status, amount) VALUES ('Bob', 'paid', {0}), ('Cid', 'paid', {0})"
        host.run(both.format(f"'{amount}'"))
        host.run(ADD, "Ada", "paid", 5)
        gauges.keep(database, outbox.connection, [watch], NOW + 1)
        assert values(database) == [5]
        gauges.keep(database, outbox.connection, [watch], NOW + 3600)
        assert [one.notice for one in gauges.of_site(database, 1)] == [notice]
        host.run("UPDATE bookings SET status = 'draft' WHERE guest = 'Bob'")
        host.run("DELETE FROM bookings WHERE guest <> 'Ada'")
        gauges.keep(database, outbox.connection, [watch], NOW + 7200)
        assert values(database) == [5]
        delivered_once(host, watch, received)
        assert host.run("SELECT count(*) FROM footfall.outbox") == [(0,)]
    assert received.descriptions == ["Bob", "Cid", "Ada"]


def test_a_gauge_that_was_never_counted_leaves_the_room_of_changes_free(database, host):
    host.run("ALTER TABLE bookings ALTER amount TYPE double precision")
    host.run(ADD, "Ada", "paid", "NaN")
    with watching(database, host, bookings(on=()), GAUGES[2:3]) as watch, closing(Outbox(host.url)) as outbox:
        gauges.keep(database, outbox.connection, [watch], NOW)
        host.run(ADD, "Bob", "paid", 5)
        gauges.keep(database, outbox.connection, [watch], NOW + 1)
        assert host.run("SELECT count(*) FROM footfall.outbox") == [(0,)]
        host.run("DELETE FROM bookings WHERE guest = 'Ada'")
        gauges.keep(database, outbox.connection, [watch], NOW + 3600)
        host.run(ADD, "Cid", "paid", 2)
        gauges.keep(database, outbox.connection, [watch], NOW + 3601)
        assert values(database) == [7]


def test_a_column_that_is_gone_takes_no_other_gauge_along(database, host):
    with watching(database, host, bookings(on=()), GAUGES[:3]) as watch, closing(Outbox(host.url)) as outbox:
        gauges.keep(database, outbox.connection, [watch], NOW)
        host.run("ALTER TABLE bookings RENAME status TO state")
        host.run("INSERT INTO bookings (guest, state, amount) VALUES ('Ada', 'paid', 5)")
        gauges.keep(database, outbox.connection, [watch], NOW + 1)
        assert values(database) == [1, 0, 0]


def test_a_column_that_holds_no_numbers_any_more_refuses_no_write(database, host):
    received = Received()
    with watching(database, host, bookings(on=("insert",)), GAUGES[:3]) as watch, closing(Outbox(host.url)) as outbox:
        gauges.keep(database, outbox.connection, [watch], NOW)
        host.run("ALTER TABLE bookings ALTER amount TYPE text")
        host.run("ALTER TYPE booking_status RENAME VALUE 'pending' TO 'open'")
        host.run(ADD, "Ada", "paid", "5")
        gauges.keep(database, outbox.connection, [watch], NOW + 3600)
        notices = [one.notice for one in gauges.of_site(database, 1)]
        delivered_once(host, watch, received)
        assert values(database) == [1, 0, 0]
    assert received.descriptions == ["Ada"]
    assert notices == [
        "",
        'cannot be counted: invalid input value for enum booking_status: "pending"',
        "cannot be counted: function sum(text) does not exist",
    ]


def test_a_gauge_that_is_wrong_is_corrected_with_a_notice(database, host):
    with watching(database, host, bookings(on=()), GAUGES[:3]) as watch, closing(Outbox(host.url)) as outbox:
        host.run(ADD, "Ada", "pending", 1)
        gauges.keep(database, outbox.connection, [watch], NOW)
        host.run("TRUNCATE bookings")  # no trigger counts its rows
        gauges.keep(database, outbox.connection, [watch], NOW + 3599)
        assert values(database) == [1, 1, 0]
        gauges.keep(database, outbox.connection, [watch], NOW + 3600)
        assert values(database) == [0, 0, 0]
        notices = [one.notice for one in gauges.of_site(database, 1)]
        assert notices == ["corrected from 1 to 0", "corrected from 1 to 0", ""]


def test_a_column_that_was_renamed_or_dropped_hinders_neither_the_application_nor_other_events(database, host):
    received = Received()
    definition = bookings(columns=("id", "secret", "amount"), title="{guest}")
    with watching(database, host, definition, GAUGES[:3]) as watch, closing(Outbox(host.url)) as outbox:
        with host.connect() as application:  # its session knows the functions as they were
            application.execute(ADD, ("Ada", "paid", 1))
            application.commit()
            gauges.keep(database, outbox.connection, [watch], NOW)
            host.run("ALTER TABLE bookings RENAME COLUMN amount TO price")
            host.run("ALTER TABLE bookings DROP COLUMN secret")
            application.execute("INSERT INTO bookings (guest) VALUES ('Bob')")
            application.execute("UPDATE bookings SET price = 2 WHERE guest = 'Ada'")
            application.execute("DELETE FROM bookings WHERE guest = 'Bob'")
            application.commit()
        delivered_once(host, watch, received)
        gauges.keep(database, outbox.connection, [watch], NOW + 3600)
        notices = [one.notice for one in gauges.of_site(database, 1)]
        assert notices[2] == 'cannot be counted: column "amount" does not exist'
    props = [one.props for one in received.events.values()]
    assert props == [
        {"id": 1, "secret": None, "amount": 1},
        {"id": 2, "secret": None, "amount": None},
        {"id": 1, "secret": None, "amount": None},
        {"id": 2, "secret": None, "amount": None},
    ]


@pytest.mark.parametrize(
    "change",
    ["ALTER amount TYPE float8", "ALTER status TYPE text USING status::text", "ALTER id TYPE int"],
)
def test_a_column_with_another_type_hinders_neither_the_application_nor_its_events(database, host, change):
    """Also in sessions that planned the triggers' functions before."""
    received = Received()
    definition = bookings("status=eq.paid", "amount=gt.10", columns=("id", "status", "amount"), on=("insert", "update"))
    with watching(database, host, definition) as watch, host.connect() as application:
        application.execute(ADD, ("Ada", "paid", 20))
        application.commit()
        host.run(f"ALTER TABLE bookings {change}")
        for row in (("Bob", "paid", 30), ("Cid", "paid", 5), ("Dan", "draft", 40)):
            application.execute(ADD, row)
        application.execute("UPDATE bookings SET status = 'paid' WHERE guest = 'Dan'")
        application.commit()
        host.run(ADD, "Eve", "paid", 50)
        delivered_once(host, watch, received)
        assert host.outbox() == []
    props = {one.description: one.props for one in received.events.values()}
    assert props == {
        "Ada": {"id": 1, "status": "paid", "amount": 20},
        "Bob": {"id": 2, "status": "paid", "amount": 30},
        "Dan": {"id": 4, "status": "paid", "amount": 40},
        "Eve": {"id": 5, "status": "paid", "amount": 50},
    }


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE bookings DROP COLUMN status",
        "ALTER TABLE bookings RENAME COLUMN status TO state",
        "ALTER TABLE bookings ALTER status DROP DEFAULT, ALTER status TYPE int USING 7",
    ],
)
def test_an_application_may_change_the_column_of_a_filter_and_its_changes_do_not_become_events(database, host, change):
    """No value leaves the database, since nobody knows whether the change is wanted."""
    received = Received()
    definition = bookings("status=eq.paid", "amount=gt.10", columns=("id", "amount"))
    with watching(database, host, definition) as watch, host.connect() as application:
        application.execute(ADD, ("Ada", "paid", 20))
        application.commit()
        host.run("ALTER TABLE bookings ALTER status DROP NOT NULL")
        host.run(change)
        application.execute("INSERT INTO bookings (guest, amount) VALUES ('Bob', 30)")
        application.execute("UPDATE bookings SET amount = 40 WHERE guest = 'Bob'")
        application.execute("DELETE FROM bookings WHERE guest = 'Bob'")
        application.commit()
        assert host.outbox() == [
            ("insert", None, {"id": 1, "guest": "Ada", "amount": 20}),
            *[("unclear", None, None)] * 3,
        ]
        delivered_once(host, watch, received)
        assert host.outbox() == []
    assert received.descriptions == ["Ada"]
    assert received.lost == ["unclear"] * 3


# ── all at once ──────────────────────────────────────────────────────────────────────────────────────────────────────


class Writers:
    """Applications that write bookings in overlapping transactions: some long, some rolled back."""

    def __init__(self, host: Host, transactions: int, writers: int = 4) -> None:
        self.committed: list[str] = []  # appending to a list is atomic
        self._threads = [
            threading.Thread(target=self._write, args=(host, number, transactions // writers))
            for number in range(writers)
        ]
        for thread in self._threads:
            thread.start()

    def _write(self, host: Host, number: int, transactions: int) -> None:
        chance = random.Random(number)
        with host.connect() as connection:
            for transaction in range(transactions):
                wanted = self._transaction(connection, f"{number}-{transaction}", chance)
                if chance.random() < 0.1:
                    connection.rollback()
                else:
                    connection.commit()
                    self.committed += wanted

    def _transaction(self, connection: psycopg.Connection, name: str, chance: random.Random) -> list[str]:
        wanted = []
        for part in range(chance.randint(1, 4)):
            guest = f"{name}-{part}"
            connection.execute(ADD, (guest, "pending", chance.randint(1, 1000)))
            wanted.append(f"insert {guest}")
            if chance.random() < 0.5:
                connection.execute("UPDATE bookings SET status = 'paid' WHERE guest = %s", [guest])
                wanted.append(f"update {guest}")
            elif chance.random() < 0.2:
                connection.execute("DELETE FROM bookings WHERE guest = %s", [guest])
                wanted.append(f"delete {guest}")
        if chance.random() < 0.02:
            time.sleep(0.2)
        return wanted

    def finish(self) -> None:
        for thread in self._threads:
            thread.join(120)
            assert not thread.is_alive()


def test_each_committed_change_is_one_event_and_gauges_are_equal_to_a_count(database, host):
    received = Received()
    with watching(database, host, bookings(), GAUGES[:3]) as watch:
        host.run("CREATE INDEX ON bookings (guest)")
        writers = Writers(host, transactions=1200)
        for _ in range(3):  # a follower that ends anywhere, and another one
            with following(database, host, received):
                before = len(received.events)
                eventually(lambda before=before: len(received.events) > before + 100, within=60)
        with following(database, host, received):
            writers.finish()
            eventually(lambda: len(received.events) >= len(writers.committed), within=60)
            eventually(lambda: host.run("SELECT count(*) FROM footfall.outbox") == [(0,)], within=60)
            eventually(lambda: values(database) == counted(host)[:3])
        assert {one.notice for one in gauges.of_site(database, 1)} == {""}
        assert watches.find(database, watch.id).wrong == ""
    guests = sorted(one.split(" ")[1] for one in writers.committed)
    assert len(writers.committed) > 3000
    assert sorted(received.descriptions) == guests
    assert [rows(database, each) for each in (schema.watches, schema.gauges, schema.gauge_readings)] == [[], [], []]
