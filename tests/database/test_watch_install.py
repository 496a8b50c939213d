"""Installing a watch in the database of a host application, and removing it: nothing is left, refusals are clear."""

from __future__ import annotations

import re
import socket
import threading
import time
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path

import psycopg
import pytest

from analytics.activity import gauge, gauges, watches
from analytics.activity.outbox import Outbox
from analytics.activity.source import SourceRefused, opened
from analytics.activity.watch import as_json
from analytics.base.errors import InvalidInput
from analytics.commands import registry
from analytics.storage import schema
from tests.support.factories import NOW, added_site
from tests.support.host import over_tcp, watch_of

pytestmark = pytest.mark.parametrize("config", ["sqlite"], indirect=True)  # what is tested is in the other database
GAUGES = tuple(
    map(
        gauge.parse,
        ("All: count", "Revenue: sum(amount) where status=eq.paid in EUR", "New: count last 30d of created_at"),
    )
)
bookings = partial(watch_of, "bookings", columns=("id", "status"))


def refusal(database, site, url, definition=None, kept=()) -> str:
    """The line with which a watch is refused; checks that nothing is added on our side."""
    with pytest.raises(InvalidInput) as refused:
        watches.add(database, site, url, definition or bookings(), kept, now=NOW)
    assert watches.all_watches(database) == gauges.of_site(database, site.id) == []
    line = str(refused.value)
    assert "\n" not in line
    return line


def test_removal_leaves_nothing_behind(database, site, host):
    before = host.catalog()
    first = watches.add(database, site, host.url, bookings("status=eq.paid"), GAUGES, now=NOW)
    second = watches.add(database, site, host.url, bookings(on=("delete",)), now=NOW)
    host.run("INSERT INTO bookings (guest, status) VALUES ('Ada', 'paid')")
    host.run("DELETE FROM bookings")
    watches.remove(database, first.id)
    assert [name for (name,) in host.run("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")] == [
        f"footfall_{second.key}_delete"
    ]
    assert host.run("SELECT watch, operation FROM footfall.outbox") == [(second.key, "delete")]
    watches.remove(database, second.id)
    assert host.catalog() == before
    assert watches.all_watches(database) == gauges.of_site(database, site.id) == []


def test_a_schema_with_other_things_stays(database, site, host):
    host.run("CREATE SCHEMA footfall")
    host.run("CREATE TABLE footfall.visits (id int)")
    before = host.catalog()
    watches.remove(database, watches.add(database, site, host.url, bookings(), now=NOW).id)
    assert host.catalog() == before


def test_printed_sql_is_what_is_executed_and_printing_does_nothing(database, site, host):
    before = host.catalog()
    printed = watches.sql_of(site, host.url, bookings("status=eq.paid"), GAUGES)
    assert host.catalog() == before
    assert watches.all_watches(database) == []
    host.run(printed)
    by_hand = host.catalog()
    added = watches.add(database, site, host.url, bookings("status=eq.paid"), GAUGES, now=NOW)  # finds all of it there
    assert host.catalog() == by_hand
    watches.remove(database, added.id)
    assert host.catalog() == before
    watches.add(database, site, host.url, bookings("status=eq.paid"), GAUGES, now=NOW)
    assert host.catalog() == by_hand


def test_the_same_watch_is_added_once(database, site, host):
    watches.add(database, site, host.url, bookings(), now=NOW)
    with pytest.raises(InvalidInput, match="watch 1 is the same; nothing was changed"):
        watches.add(database, site, host.url, bookings(), now=NOW)


@pytest.mark.parametrize(
    ("link", "leads_to"),
    [
        ("/bookings/{id}", "https://shop.example.com/bookings/{id}"),
        ("https://admin.example.com/{id}", "https://admin.example.com/{id}"),
        ("", ""),
    ],
)
def test_a_link_that_is_a_path_leads_to_the_site(database, host, link, leads_to):
    site = added_site(database, "shop.example.com")
    added = watches.add(database, site, host.url, bookings(columns=("id",), link=link), now=NOW)
    assert added.definition.link == leads_to


def test_columns_that_are_not_named_never_reach_the_outbox(database, site, host):
    definition = bookings("secret=is.not.null", title="{guest}")
    watches.add(database, site, host.url, definition, GAUGES, now=NOW)
    host.run("INSERT INTO bookings (guest, secret) VALUES ('Ada', 's3cret')")
    host.run("UPDATE bookings SET secret = 's3cret too'")
    host.run("DELETE FROM bookings")
    row = {"id": 1, "status": "pending", "guest": "Ada"}
    assert host.outbox() == [("insert", None, row), ("update", row, row), ("delete", row, None)]
    assert "s3cret" not in str(host.run("SELECT o::text FROM footfall.outbox o"))


@pytest.mark.parametrize(
    ("definition", "kept", "line"),
    [
        (bookings(table="bokings"), (), r"there is no table public\.bokings in the database host_\d+"),
        (bookings(schema="shop"), (), r"there is no table shop\.bookings in the database host_\d+"),
        (
            bookings(table="bookings_pkey"),
            (),
            r"public\.bookings_pkey is no table; only the changes of tables can be followed",
        ),
        (
            bookings("statu=eq.paid"),
            (),
            r"public\.bookings has no column 'statu'; it has id, guest, status, amount, secret, created_at",
        ),
        (bookings(value="price"), (), r"public\.bookings has no column 'price'; it has id, .*"),
        (bookings(title="{name} paid"), (), r"public\.bookings has no column 'name'; it has id, .*"),
        (bookings(), ("A: sum(price)",), r"public\.bookings has no column 'price'; it has id, .*"),
        (
            bookings("status=eq.gone"),
            (),
            r'filter status=eq\.gone: invalid input value for enum public\.booking_status: "gone"',
        ),
        (bookings("id=gt.a"), (), r'filter id=gt\.a: invalid input syntax for type bigint: "a"'),
        (
            bookings("guest=is.true"),
            (),
            r"filter guest=is\.true: argument of IS TRUE must be type boolean, not type text",
        ),
        (
            bookings(),
            ("A: count where id=in.(1,b)",),
            r'filter id=in\.\(1,b\): invalid input syntax for type bigint: "b"',
        ),
        (bookings(), ("A: sum(guest)",), r"nothing was changed: function sum\(text\) does not exist"),
        (
            bookings(),
            ("A: count last 5m of id",),
            r"nothing was changed: operator does not exist: bigint > timestamp with time zone",
        ),
    ],
)
def test_what_does_not_exist_is_one_line_and_changes_nothing(database, site, host, definition, kept, line):
    before = host.catalog()
    assert re.fullmatch(line, refusal(database, site, host.url, definition, tuple(map(gauge.parse, kept))))
    assert host.catalog() == before


def test_a_database_that_cannot_be_reached_is_one_line(database, site, host):
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        url = f"postgresql://app:s3cret@127.0.0.1:{taken.getsockname()[1]}/shop"
        line = refusal(database, site, url)
    assert line.startswith("cannot connect to postgresql://app:***@127.0.0.1:")
    assert line.endswith("Connection refused")
    assert "s3cret" not in line
    assert "does not exist" in refusal(database, site, re.sub("host_[0-9]+", "host_0", host.url))
    assert refusal(database, site, "mysql://shop") == (
        "the source is no URL of a PostgreSQL database; give one like postgresql://user:password@host:5432/name"
    )


@pytest.fixture
def role(host):
    """The URL of a role without rights in the host's database; it may sign in, and the public schema is open to it."""
    name = "limited"
    host.run(f"CREATE ROLE {name} LOGIN PASSWORD 'pw'")
    yield host.url.replace("postgres:@", f"{name}:pw@")
    host.run(f"DROP OWNED BY {name}")
    host.run(f"DROP ROLE {name}")


def test_missing_rights_are_named_with_the_grants_that_give_them(database, site, host, role):
    before = host.catalog()
    line = refusal(database, site, role, kept=GAUGES)
    assert re.fullmatch(
        r"nothing was changed, limited lacks rights: "
        r'GRANT TRIGGER ON TABLE "public"\."bookings" TO "limited"; '
        r'GRANT SELECT ON TABLE "public"\."bookings" TO "limited"; '
        r'GRANT CREATE ON DATABASE "host_\d+" TO "limited"',
        line,
    )
    assert host.catalog() == before
    host.run(line.partition(": ")[2])
    with_rights = host.catalog()
    added = watches.add(database, site, role, bookings(), GAUGES, now=NOW)
    host.run("INSERT INTO bookings (guest) VALUES ('Ada')")  # by another role, without a right on the outbox
    assert host.outbox() == [("insert", None, {"id": 1, "status": "pending"})]
    watches.remove(database, added.id)  # not the table's owner
    assert host.catalog() == with_rights


def test_a_second_user_needs_rights_on_the_outbox_of_the_first(database, site, host, role):
    watches.add(database, site, host.url, bookings(), now=NOW)
    host.run("GRANT TRIGGER, INSERT ON bookings TO limited")
    host.run("GRANT USAGE ON SEQUENCE bookings_id_seq TO limited")
    with pytest.raises(InvalidInput) as refused:
        watches.add(database, site, role, bookings(on=("insert",)), now=NOW)
    grants = str(refused.value).partition(": ")[2]
    assert grants.split("; ") == [
        'GRANT USAGE ON SCHEMA "footfall" TO "limited"',
        'GRANT CREATE ON SCHEMA "footfall" TO "limited"',
        'GRANT SELECT ON TABLE "footfall"."outbox" TO "limited"',
        'GRANT INSERT ON TABLE "footfall"."outbox" TO "limited"',
        'GRANT DELETE ON TABLE "footfall"."outbox" TO "limited"',
        'GRANT USAGE ON SEQUENCE "footfall"."outbox_id_seq" TO "limited"',
        'GRANT SELECT ON SEQUENCE "footfall"."outbox_id_seq" TO "limited"',
        'GRANT SELECT ON SEQUENCE "footfall"."room" TO "limited"',
        'GRANT UPDATE ON SEQUENCE "footfall"."room" TO "limited"',
    ]
    host.run(grants)
    added = watches.add(database, site, role, bookings(on=("insert",)), now=NOW)
    host.run("INSERT INTO bookings (guest) VALUES ('Ada')")
    with closing(Outbox(role)) as outbox:
        assert len(outbox.read([added.key], 10)) == 1
        assert outbox.make_room(10)
    watches.remove(database, added.id)


def test_printed_grants_are_all_that_another_user_needs(database, site, host, role):
    """The SQL was run by an administrator of the database; Footfall reads as another user."""
    printed = watches.sql_of(site, role, bookings(), GAUGES)
    host.run(printed)
    grants = [line.removeprefix("-- ") for line in printed.splitlines() if line.startswith("-- GRANT")]
    host.run("".join(grants))
    added = watches.add(database, site, role, bookings(), GAUGES, now=NOW)
    host.run("INSERT INTO bookings (guest) VALUES ('Ada')")
    with closing(Outbox(role)) as outbox:
        changes = outbox.read([added.key], 10)
        outbox.forget(changes)
        assert len(changes) == 1
        assert outbox.make_room(10)
        gauges.keep(database, outbox.connection, [added], NOW)


def test_an_application_without_any_right_on_the_outbox_may_write(database, site, host, role):
    host.run("GRANT INSERT ON bookings TO limited")
    host.run("GRANT USAGE ON SEQUENCE bookings_id_seq TO limited")
    watches.add(database, site, host.url, bookings(), GAUGES, now=NOW)
    with psycopg.connect(role) as application:
        application.execute("INSERT INTO bookings (guest) VALUES ('Ada')")
    assert len(host.outbox()) == 1
    with psycopg.connect(role) as application, pytest.raises(psycopg.errors.InsufficientPrivilege):
        application.execute("SELECT * FROM footfall.outbox")


def test_a_read_only_database_is_one_line(database, site, host):
    before = host.catalog()
    host.run(f"ALTER DATABASE {host.run('SELECT current_database()')[0][0]} SET default_transaction_read_only = on")
    line = refusal(database, site, host.url)
    assert line == "the database is read-only for this user (default_transaction_read_only)"
    assert host.catalog() == before


@contextmanager
def older(url: str, version: bytes):
    """A proxy to that server which says of itself that it is older; yields the port."""
    folder = url.split("host=")[1]
    path = next(Path(folder).glob(".s.PGSQL.*[0-9]"))
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source: socket.socket, target: socket.socket, rename: bool) -> None:
        with closing(target), suppress(OSError):  # one of them ends first
            while data := source.recv(65536):
                if rename:
                    data = re.sub(
                        rb"(server_version\x00)([0-9.]+)", lambda m: m[1] + version.ljust(len(m[2]), b"0"), data
                    )
                target.sendall(data)

    def serve() -> None:
        client, _ = listener.accept()
        server = socket.socket(socket.AF_UNIX)
        server.connect(str(path))
        threading.Thread(target=pump, args=(server, client, True), daemon=True).start()
        pump(client, server, False)

    threading.Thread(target=serve, daemon=True).start()
    with closing(listener):
        yield listener.getsockname()[1]


def test_a_server_that_is_too_old_is_one_line(database, site, host):
    before = host.catalog()
    name = host.run("SELECT current_database()")[0][0]
    with older(host.url, b"12.9") as port:
        line = refusal(
            database, site, f"postgresql://postgres@127.0.0.1:{port}/{name}?sslmode=disable&gssencmode=disable"
        )
    assert re.fullmatch(r"the server is PostgreSQL 12\.9\d*; following a table needs 13 or newer", line)
    assert host.catalog() == before


def test_a_server_that_never_answers_is_left_at_the_deadline(database, site, host):
    """It accepts, signs in, and then is silent; `connect_timeout` and the server's own time-outs do not help."""
    with over_tcp(host, silent_after=b"pg_class") as url:
        begun = time.monotonic()
        with (
            pytest.raises(SourceRefused, match=r"^the server did not answer within 1 s$"),
            opened(url, deadline_s=1.0) as connection,
        ):
            connection.execute("SELECT * FROM pg_class")
        assert time.monotonic() - begun < 5


def test_a_table_that_a_transaction_holds_is_one_line_and_nothing_is_changed(database, site, host):
    before = host.catalog()
    with host.connect() as other:
        other.execute("LOCK TABLE bookings IN SHARE ROW EXCLUSIVE MODE")
        line = refusal(database, site, host.url)
        other.rollback()
    assert line == "nothing was changed: a long transaction holds the table; try again when it has ended"
    assert host.catalog() == before


def test_a_watch_whose_database_is_gone_can_be_forgotten(database, site, host):
    added = watches.add(database, site, host.url, bookings(), now=NOW)
    name = host.run("SELECT current_database()")[0][0]
    with psycopg.connect(host.url.replace(name, "postgres"), autocommit=True) as other:
        other.execute(f"DROP DATABASE {name} WITH (FORCE)")
        with pytest.raises(SourceRefused, match=f'database "{name}" does not exist'):
            watches.remove(database, added.id)
        watches.remove(database, added.id, forget=True)
        assert watches.all_watches(database) == []
        other.execute(f"CREATE DATABASE {name}")


def test_a_site_takes_what_its_watches_installed_with_it(database, site, host):
    before = host.catalog()
    watches.add(database, site, host.url, bookings(), GAUGES, now=NOW)
    broken = re.sub("host_[0-9]+", "host_0", host.url)
    with database.transaction() as connection:
        table = schema.watches
        values = {"site_id": site.id, "source": broken, "schema": "public", "table": "rooms", "created_at": NOW}
        connection.execute(table.insert().values(values | {"definition": as_json("0a1b2c3d", bookings(table="rooms"))}))
    with pytest.raises(InvalidInput, match=r"is example\.com meant"):
        registry.run(database, "", "site remove", {"domain": "www.example.com"})
    assert len(watches.all_watches(database)) == 2
    lines = registry.run(database, "", "site remove", {"domain": "example.com"}).splitlines()
    assert lines[0] == "example.com and all of its data are gone."
    assert lines[1].startswith("what watch 2 installed in postgresql://")
    assert len(lines) == 2
    assert host.catalog() == before


def test_the_commands(database, site, host):
    url = host.url.replace("postgres:@", "postgres:s3cret@")
    options = {"site": "example.com", "source": url, "table": "bookings", "schema": "public", "on": "insert, update"}
    options |= {"filters": ["status=eq.paid"], "columns": "id,status", "gauge_texts": ["All: count"], "event": "Paid"}

    def run(name: str, **given: object) -> str:
        return registry.run(database, "", name, given)

    assert run("watch list").startswith("No watch yet. ")
    printed = run("watch add", **options, print_sql=True)
    assert printed.startswith("BEGIN;\n\n-- Needed rights: ")
    assert "s3cret" not in printed
    added = run("watch add", **options)
    assert added.startswith("Watch 1 is added: changes of public.bookings become events of example.com. ")
    lines = run("watch list").splitlines()
    assert "s3cret" not in "".join(lines)
    assert lines[0].split() == ["ID", "SITE", "SOURCE", "TABLE", "ON", "STATE"]
    assert lines[1].split()[-3:] == ["not", "read", "yet"]
    assert lines[2].split() == ["All"]
    assert run("watch remove", watch_id=1) == "Watch 1 of public.bookings is removed."
    with pytest.raises(InvalidInput, match="there is no watch 1"):
        run("watch remove", watch_id=1)
