"""The columnar replica equals the database, whatever happened: compared row by row, on both databases."""

from __future__ import annotations

import threading
from contextlib import closing, contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import delete, func, select, text, update

from analytics.jobs.verify import Verified, verify
from analytics.replica import codec, columnar, follow, state
from analytics.replica.columnar import Columnar
from analytics.sites import store
from analytics.storage import changes, schema
from collector.api import health
from collector.http.messages import Request
from collector.service import Service
from tests.support.factories import HOME, NOW, accepted, added_site, event, heartbeat, one_by_one, stored
from tests.support.serving import eventually

DAY = 86_400
NEVER = threading.Event().wait
TABLES = codec.TABLES


@pytest.fixture
def kept(database, config):
    """A replica that has followed the site example.com, which has no rows yet."""
    added_site(database)
    with replica_of(database, config) as replica:
        replica.follow(NEVER)
        yield replica


@contextmanager
def replica_of(database, config):
    replica = Columnar(database, config)
    try:
        yield replica
    finally:
        replica.close()


def everything(table):
    return select(*codec.columns(table)).order_by(table.c.site_id, table.c.id)


def stored_rows(database):
    with database.read() as connection:
        return {table.name: [tuple(row) for row in connection.execute(everything(table))] for table in TABLES}


def copied(replica):
    assert replica.state.kind == state.FOLLOWING
    return {table.name: replica.rows(everything(table)) for table in TABLES}


def assert_same(replica, database, **many):
    """The replica has the rows of the database, so many of each."""
    replica.follow(NEVER)
    found = copied(replica)
    assert found == stored_rows(database)
    assert {name: len(rows) for name, rows in found.items() if rows} == many


def test_new_rows_arrive_with_every_column(kept, database):
    stored(
        database,
        accepted(title="A title", user_id="ann", user_type="buyer", engaged_ms=5, scroll=50),
        event(visitor=2, path="/b", props={"plan": "pro"}, value=0.1 + 0.2, currency="EUR", description="a sale"),
        event("event-0002", visitor=2),
    )
    assert_same(kept, database, visits=2, pageviews=1, events=2)


def test_changed_visits_and_totals_replace_what_was_there(kept, database):
    one_by_one(database, accepted())
    kept.follow(NEVER)
    one_by_one(
        database,
        accepted("pageview", "page-0002", at=NOW + 60, path="/b"),
        heartbeat("page-0002", at=NOW + 90, engaged_ms=30_000, scroll=80, user_id="ann"),
        event(at=NOW + 95),
    )
    assert_same(kept, database, visits=1, pageviews=2, events=1)
    assert kept.rows(select(schema.visits.c.duration_s, schema.visits.c.bounce)) == [(95, False)]


def test_rows_of_the_past_arrive_however_old_they_are(kept, database):
    stored(database, accepted(at=NOW))
    kept.follow(NEVER)
    stored(
        database,
        accepted("pageview", "page-0002", at=NOW - 7 * DAY),
        accepted("pageview", "page-0003", at=NOW - 3 * 365 * DAY, visitor=2),
    )
    assert_same(kept, database, visits=3, pageviews=3)


def test_a_heartbeat_that_says_nothing_new_of_history_is_no_change(kept, database):
    stored(database, accepted())
    with database.read() as connection:
        before = changes.newest(connection, 10)
    stored(database, heartbeat(at=NOW + 30))
    with database.read() as connection:
        assert changes.newest(connection, 10) == before


def test_a_removed_site_goes_and_the_others_stay(kept, database):
    added_site(database, "other.example")
    stored(database, accepted(), accepted("pageview", "page-0002", site_id=2), event(site_id=2))
    assert_same(kept, database, visits=2, pageviews=2, events=1)
    store.remove(database, "other.example")
    assert_same(kept, database, visits=1, pageviews=1)


@pytest.mark.parametrize("before", ["all", "some", "none"])
def test_a_removed_site_leaves_one_line_and_no_follower_misses_it(kept, database, before):
    """Its lines are deleted, whether they were followed or not, at the end as between those of others."""
    added_site(database, "other.example")
    one_by_one(database, accepted(), accepted("pageview", "page-0002", site_id=2))
    if before != "none":
        kept.follow(NEVER)
    one_by_one(database, event(), event(site_id=2), accepted("pageview", "page-0003", site_id=2))
    if before == "all":
        kept.follow(NEVER)
    store.remove(database, "other.example")
    with database.read() as connection:
        said = [change.rows for change in changes.newest(connection, 100) if change.site_id == 2]
    assert said == [dict.fromkeys(changes.FACTS)]
    assert_same(kept, database, visits=1, pageviews=1, events=1)
    stored(database, accepted("pageview", "page-0004", visitor=2))
    assert verify(kept, NEVER, lambda _: None) == Verified(5, [])


def test_a_copy_looks_for_few_missing_numbers_however_many_a_removed_site_has_left(database, config, monkeypatch):
    monkeypatch.setattr(follow, "MAX_HOLES", 5)
    for domain in ("example.com", "other.example"):
        added_site(database, domain)
    stored(database, accepted())
    one_by_one(database, *(accepted("pageview", f"page-{nth:04}", site_id=2) for nth in range(20)))
    store.remove(database, "other.example")
    with database.transaction() as connection:
        changes.write_marker(connection)
    with database.read() as connection:
        position, newest = follow.start(connection, 0.0), changes.newest(connection, 1)[0]
    missing = dict.fromkeys(range(newest.id - 5, newest.id - 1), 0.0)
    assert position == follow.Position(newest.id, newest.digest, missing)
    with replica_of(database, config) as replica:
        assert_same(replica, database, visits=1, pageviews=1)


def test_a_batch_after_a_large_text_has_fewer_rows():
    before = codec.Rows(row_count=20_000, last=1, text="x" * (4 * follow.MAX_TEXT), json=False)
    assert follow.batch_size(schema.visits, before) == 5_000
    assert follow.batch_size(schema.visits, before._replace(text="")) == follow.batch_size(schema.visits) == 20_000
    assert follow.batch_size(schema.events, before._replace(row_count=1)) == 1


def test_a_replica_that_was_closed_while_a_site_was_removed_equals_the_database(kept, database, config):
    added_site(database, "other.example")
    one_by_one(database, accepted(), accepted("pageview", "page-0002", site_id=2))
    kept.follow(NEVER)
    kept.close()
    store.remove(database, "other.example")
    with replica_of(database, config) as again:
        assert_same(again, database, visits=1, pageviews=1)


def test_erased_rows_go(kept, database):
    stored(database, accepted(), accepted("pageview", "page-0002", visitor=2))
    kept.follow(NEVER)
    visits, pageviews = schema.visits, schema.pageviews
    with database.transaction() as connection:
        gone = {
            table.name: list(connection.execute(select(table.c.id).where(table.c.visitor == 2)).scalars())
            for table in (visits, pageviews)
        }
        for table in (visits, pageviews):
            connection.execute(delete(table).where(table.c.visitor == 2))
        changes.record(connection, 1, **gone)
    assert_same(kept, database, visits=1, pageviews=1)


def test_text_of_any_kind_arrives_as_it_is(kept, database):
    odd = ["\x1e", "\x1f" * 40, "a\x1eb\x1f", "=", "", "'\"\\", "%s %", "ünï 😀", "\n\r\t", "\x7f\x1d"]
    stored(
        database,
        *(
            accepted("pageview", f"page-{n:04}", visitor=n, title=odd_one, user_id=odd_one or None)
            for n, odd_one in enumerate(odd)
        ),
    )
    assert_same(kept, database, visits=len(odd), pageviews=len(odd))


def test_more_changes_than_go_in_one_pass_all_arrive(kept, database, monkeypatch):
    monkeypatch.setattr(follow, "MAX_CHANGES", 2)
    monkeypatch.setattr(follow, "ROW_BATCH", 3)
    for group in range(5):
        stored(database, *(accepted("pageview", f"page-{group}-{n:03}", visitor=n) for n in range(8)))
    assert_same(kept, database, visits=8, pageviews=40)


def test_a_change_that_appears_after_a_later_one_is_not_missed(kept, database):
    """PostgreSQL numbers changes before the commit, and two processes commit in any order."""
    stored(database, accepted())
    with database.read() as connection:
        last = changes.newest(connection, 1)[0]
    with database.transaction() as connection:  # the number after `last` is given, and not to be seen yet
        connection.execute(update(schema.changes).where(schema.changes.c.id == last.id).values(id=last.id + 2))
    stored_late = {"site_id": 1, "visits": b"", "events": b"", "id": last.id + 1}
    assert_same(kept, database, visits=1, pageviews=1)
    with database.transaction() as connection:
        row_id = connection.execute(select(schema.pageviews.c.id)).scalar_one()
        connection.execute(update(schema.pageviews).values(title="late"))
        late = stored_late | {"pageviews": row_id.to_bytes(8, "little")}
        connection.execute(schema.changes.insert().values(late))
    assert_same(kept, database, visits=1, pageviews=1)


def test_a_hole_that_stays_is_forgotten():
    there = changes.Change(9, 1, {}, "d")
    position = follow._moved(follow.Position(5, "", {}), [there], now=100.0)
    assert position == follow.Position(9, "d", {6: 100.0, 7: 100.0, 8: 100.0})
    filled = follow._moved(position, [there._replace(id=7)], now=130.0)
    assert filled == follow.Position(9, "d", {6: 100.0, 8: 100.0})
    assert follow._moved(filled, [], now=160.0) == follow.Position(9, "d", {})


def test_what_was_stored_before_there_was_a_replica_is_in_it(database, config, monkeypatch):
    monkeypatch.setattr(follow, "ROW_BATCH", 1)
    monkeypatch.setattr(follow, "COPY_BATCH", 3)
    added_site(database)
    added_site(database, "other.example")
    stored(
        database,
        *(accepted("pageview", f"page-{n:04}", visitor=n, site_id=1 + n % 2) for n in range(10)),
        event(visitor=1),
    )
    with replica_of(database, config) as replica:
        assert_same(replica, database, visits=11, pageviews=10, events=1)


def test_a_replica_that_was_closed_goes_on_where_it_was(kept, database, config):
    stored(database, accepted())
    kept.follow(NEVER)
    kept.close()
    stored(database, accepted("pageview", "page-0002", visitor=2))
    messages = []
    with replica_of(database, config) as again:
        again.follow(NEVER, messages.append)
        assert messages == []  # it was not rebuilt
        assert_same(again, database, visits=2, pageviews=2)


@pytest.mark.parametrize("spoil", ["deleted", "garbage", "halved", "other shape"])
def test_a_useless_file_is_rebuilt(kept, database, config, spoil, monkeypatch):
    stored(database, accepted(), event(visitor=2))
    kept.follow(NEVER)
    kept.close()
    path = config.data_dir / "columnar.duckdb"
    match spoil:
        case "deleted":
            path.unlink()
        case "garbage":
            path.write_bytes(b"no database" * 1000)
        case "halved":
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        case _:
            monkeypatch.setattr(columnar, "SHAPE", "another")
            monkeypatch.setattr("analytics.replica.rebuild.SHAPE", "another")
    messages = []
    with replica_of(database, config) as again:
        again.follow(NEVER, messages.append)
        assert messages[-1].startswith("the columnar replica is made: all rows")
        assert_same(again, database, visits=2, pageviews=1, events=1)


def test_the_replica_of_a_database_that_was_restored_from_a_backup_is_rebuilt(kept, database, config):
    stored(database, accepted())
    kept.follow(NEVER)
    kept.close()
    with database.transaction() as connection:  # as it was, and then went on another way
        for table in (*TABLES, schema.changes):
            connection.execute(delete(table))
    stored(database, accepted("pageview", "page-0002", visitor=2), accepted("pageview", "page-0003", visitor=2))
    with replica_of(database, config) as again:
        assert_same(again, database, visits=1, pageviews=2)


def test_a_replica_that_is_behind_the_oldest_change_is_rebuilt(kept, database, config):
    stored(database, accepted())
    kept.follow(NEVER)
    kept.close()
    one_by_one(database, *(accepted("pageview", f"page-1{n:03}", visitor=n) for n in range(8)))
    assert changes.prune(database, NEVER, keep=3) > 0
    with replica_of(database, config) as again:
        assert_same(again, database, visits=8, pageviews=9)


def test_the_last_changes_are_kept(kept, database):
    one_by_one(database, *(accepted("pageview", f"page-{n:04}") for n in range(6)))
    with database.read() as connection:
        last = changes.newest(connection, 2)
    changes.prune(database, lambda _: False, keep=2)
    with database.read() as connection:
        assert changes.newest(connection, 10) == last


def test_a_file_that_breaks_while_it_is_open_is_rebuilt_and_the_database_answers_until_then(
    kept, database, monkeypatch
):
    stored(database, accepted())
    kept.follow(NEVER)
    monkeypatch.setattr(columnar, "MIN_RETRY_S", 0.0)
    kept._retry_s = 0.0
    with kept._replica.cursor() as cursor:
        cursor.execute("DROP TABLE pageviews")
    stored(database, accepted("pageview", "page-0002", visitor=2))
    kept.follow(NEVER)
    assert kept.state.kind == state.WAITING
    assert kept.rows(select(func.count()).select_from(schema.pageviews)) == [(2,)]
    assert_same(kept, database, visits=2, pageviews=2)


def test_off_queries_the_database_and_makes_no_file(database, config):
    added_site(database)
    stored(database, accepted())
    with replica_of(database, replace(config, columnar=False)) as replica:
        replica.follow(NEVER)
        assert replica.state == state.ReplicaState(state.OFF)
        assert replica.rows(select(schema.pageviews.c.path)) == [("/",)]
    assert not list(config.data_dir.glob("columnar*"))


def test_two_processes_on_one_folder_have_a_file_each(kept, database, config):
    stored(database, accepted())
    with replica_of(database, config) as second:
        assert_same(second, database, visits=1, pageviews=1)
        assert_same(kept, database, visits=1, pageviews=1)
    assert sorted(path.name for path in config.data_dir.glob("columnar*.duckdb")) == [
        "columnar-1.duckdb",
        "columnar.duckdb",
    ]


def test_making_that_is_stopped_leaves_nothing_behind(database, config):
    added_site(database)
    stored(database, accepted())
    with replica_of(database, config) as replica:
        replica.follow(lambda _: True)
        assert replica.state.kind == state.WAITING
        assert [path.name for path in config.data_dir.glob("columnar*")] == ["columnar.duckdb.lock"]
        assert_same(replica, database, visits=1, pageviews=1)


def test_making_that_fails_for_one_of_its_threads_leaves_nothing_behind(database, config, monkeypatch):
    monkeypatch.setattr(follow, "COPY_BATCH", 1)
    added_site(database)
    stored(database, *(accepted("pageview", f"page-{n:04}", visitor=n) for n in range(20)))

    def tell(progress):
        if "5 rows" in progress:
            raise OSError("no space left on device")

    with replica_of(database, config) as replica:
        replica.follow(NEVER, tell)
        assert replica.state.kind == state.WAITING
        assert [path.name for path in config.data_dir.glob("columnar*")] == ["columnar.duckdb.lock"]


def test_rows_that_were_copied_together_lie_by_country_and_browser(database, config):
    """So DuckDB skips all others at once if a query needs one of them."""
    added_site(database)
    places = [("US", "Safari"), ("DE", "Chrome"), ("US", "Chrome"), ("DE", "Safari")]
    origins = [HOME._replace(country=country, browser=browser) for country, browser in places]
    stored(
        database,
        *(accepted("pageview", f"page-{n:04}", visitor=n, origin=origins[n % 4]) for n in range(12)),
    )
    with replica_of(database, config) as replica:
        replica.follow(NEVER)
        with replica._open_to_read() as read:
            asked = "SELECT country, browser FROM {} ORDER BY rowid"
            lying = {table: read.execute(asked.format(table)).fetchall() for table in ("visits", "pageviews")}
    assert lying == dict.fromkeys(("visits", "pageviews"), sorted(places * 3))


def test_a_value_is_data_and_never_part_of_the_query(kept, database):
    stored(database, accepted(path="/'; DROP TABLE visits; --"))
    kept.follow(NEVER)
    path = schema.pageviews.c.path
    for value, many in (("/'; DROP TABLE visits; --", 1), ("' OR 1=1 --", 0)):
        assert kept.rows(select(func.count()).select_from(schema.pageviews).where(path == value)) == [(many,)]


def test_a_wrong_query_raises(kept, database):
    import duckdb

    with pytest.raises(duckdb.Error):
        kept.rows(select(text("no_such_column")).select_from(schema.visits))
    assert kept.state.kind == state.FOLLOWING


def test_the_replica_reads_no_other_file_and_no_network(kept):
    import duckdb

    for statement in ("SELECT * FROM read_csv('/etc/passwd')", "INSTALL httpfs", "SET enable_external_access = true"):
        with kept._replica.cursor() as cursor, pytest.raises(duckdb.Error):
            cursor.execute(statement)


def test_readiness_reports_a_replica_that_stays_behind(config, monkeypatch):
    with closing(Service(config)) as service:
        eventually(lambda: service.columnar.state.kind == state.FOLLOWING)
        routes, request = service.routes(lambda _: None), Request("GET", "/readyz", "", {}, "127.0.0.1")
        door = routes.find(request)
        eventually(lambda: routes.answer(door, request).status == 200)
        monkeypatch.setattr(health, "STALE_S", -1.0)
        answer = routes.answer(door, request)
        assert answer.status == 503
        assert b"replica_stale" in answer.body
