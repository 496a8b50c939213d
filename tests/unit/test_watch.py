"""Watches, gauges and the events of changes, as values."""

from __future__ import annotations

import json

import pytest

from analytics.activity import gauge
from analytics.activity.change import ChangeEvent, RowChange, event_of
from analytics.activity.follow import back_off
from analytics.activity.gauge import GaugeDefinition
from analytics.activity.gauge_sql import advanced, is_of_later
from analytics.activity.install import print_sql
from analytics.activity.row_filter import RowFilter
from analytics.activity.source import SourceRefused, check_version, checked_source
from analytics.activity.watch import (
    Watch,
    WatchDefinition,
    as_json,
    checked_definition,
    filters_of,
    from_json,
    key_of,
    masked,
)
from analytics.base.errors import InvalidInput
from collector.ingest.change import accepted_change

SOURCE = "postgresql://app:s3cret@db.example.com:5433/shop"
BOOKINGS = WatchDefinition(
    "public",
    "bookings",
    ("update",),
    filters_of(("status=changed.pending.paid", "secret=eq.x")),
    columns=("id", "status"),
    event="Booking paid",
    title="{guest} paid {old.status} → {status}",
    link="https://shop.example.com/bookings/{id}",
    value="amount",
    currency="currency",
    user_id="guest_id",
    user_name="guest",
)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (SOURCE, "postgresql://app:***@db.example.com:5433/shop"),
        ("postgresql://app@db/shop", "postgresql://app@db/shop"),
        ("postgres://a:p@ss:w@db/shop", "postgres://a:***@db/shop"),
        ("postgresql:///shop?host=/run/pg&password=s3cret", "postgresql:///shop?host=/run/pg&password=***"),
        ("postgresql://:s3cret@/shop?sslpassword=x", "postgresql://:***@/shop?sslpassword=***"),
        ("postgresql://app:s3c?re#t@db/shop", "postgresql://app:***@db/shop"),
        ("postgresql://db/shop?pass%77ord=s3cret", "postgresql://db/shop?password=***"),
        ("postgresql://db?password=s3cret", "postgresql://db?password=***"),
        ("postgresql://app:s3/cret@db/shop", "postgresql://app:***@db/shop"),
        ("postgresql://app:s@3/c@ret@db:5433/shop", "postgresql://app:***@db:5433/shop"),
        ("postgresql://app:/@db/shop?password=s3c@re/t", "postgresql://app:***@db/shop?password=***"),
        ("postgresql://app:s3%2Fcr%40et@db/shop", "postgresql://app:***@db/shop"),
        ("postgresql://app:s3cret@[::1]:5433/shop", "postgresql://app:***@[::1]:5433/shop"),
        ("postgresql://db:5433/shop?user=app@example.com", "postgresql://db:5433/shop?user=app%40example.com"),
        ("postgresql://app@db:5433,other:5434/shop", "postgresql://app@db:5433,other:5434/shop"),
    ],
)
def test_a_source_is_shown_without_its_passwords(url, shown):
    assert masked(url) == shown


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mysql://a:s3cret@b/c",
        "db.example.com",
        "postgresql://a:s3cret@b/c?nonsense=1",
        "postgresql://a:s3cret/@b/c",
        "postgresql://a:b@s3cret:x@b/c",
    ],
)
def test_a_wrong_url_is_refused_without_repeating_it(url):
    with pytest.raises(InvalidInput, match="the source is no URL of a PostgreSQL database") as refused:
        checked_source(url)
    assert "s3cret" not in str(refused.value)


def test_only_named_columns_are_copied_and_filters_are_not():
    assert BOOKINGS.copied == ("id", "status", "guest", "amount", "currency", "guest_id")
    assert BOOKINGS.mentioned == (*BOOKINGS.copied, "secret")


def test_a_definition_is_stored_and_read_again():
    key = key_of("site", BOOKINGS)
    assert from_json(as_json(key, BOOKINGS), "public", "bookings") == (key, BOOKINGS)
    assert key != key_of("other", BOOKINGS)
    assert key != key_of("site", BOOKINGS._replace(table="rooms"))


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"on": ("upsert",)}, {"on": "'upsert' is no change; some of insert, update, delete"}),
        ({"on": ("insert", "update")}, {"filters": "a filter with `changed` is for updates alone"}),
        (
            {"columns": tuple(f"c{n}" for n in range(31))},
            {"columns": "at most 30 columns; an event has no more properties"},
        ),
        ({"table": ""}, {"table": "'' is no name of a table or column"}),
        ({"title": "{" + "x" * 64 + "}"}, {"title": f"'{'x' * 64}' is no name of a table or column"}),
        ({"table": "x\nDROP"}, {"table": "'x\\nDROP' is no name of a table or column"}),
        ({"columns": ("a\u202eb",)}, {"columns": "'a\\u202eb' is no name of a table or column"}),
        ({"event": "e" * 121}, {"event": "the name of an event has at most 120 letters"}),
        (
            {"columns": ("id", "row_link")},
            {"columns": "row_link is the property of the link; no column has that name"},
        ),
    ],
)
def test_a_definition_that_contradicts_itself_is_one_line_at_its_field(changes, wrong):
    with pytest.raises(InvalidInput) as refused:
        checked_definition(BOOKINGS._replace(**changes))
    assert refused.value.fields == wrong
    assert [str(refused.value)] == list(wrong.values())


def test_a_role_s_name_does_not_leave_the_comments_of_printed_sql():
    source = "postgresql://u%0ADROP%20TABLE%20users%3B%0A%E2%80%AE@db.example.com/shop"
    printed = print_sql(source, "key", BOOKINGS, [])
    *_, end = printed.split("COMMIT;")
    role = '"u DROP TABLE users; "'
    assert [line for line in end.splitlines() if line] == [
        f"-- If another role than {role} runs this, then also:",
        f"-- GRANT USAGE ON SCHEMA footfall TO {role};",
        f"-- GRANT SELECT, DELETE ON footfall.outbox TO {role};",
        f"-- GRANT SELECT ON SEQUENCE footfall.outbox_id_seq TO {role};",
        f"-- GRANT SELECT, UPDATE ON SEQUENCE footfall.room TO {role};",
    ]
    assert "\u202e" not in printed


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert({id})",
        "{url}",
        "{scheme}://shop.example.com/",
        "https://{host}/x",
        "https://shop.example.com{path}",
        "https://shop.example.com:{port}/",
        "https://ann@shop.example.com/",
        "https://",
        "//shop.example.com/{id}",
        "/\\shop.example.com/{id}",
        "shop.example.com/{id}",
    ],
)
def test_a_link_whose_host_is_not_the_definition_s_own_is_refused(link):
    wrong = (
        f"link {link!r}: an address with http:// or https://, or a path that begins with /; no column is in its host"
    )
    with pytest.raises(InvalidInput) as refused:
        checked_definition(BOOKINGS._replace(link=link))
    assert refused.value.fields == {"link": wrong}


@pytest.mark.parametrize("link", ["https://shop.example.com", "http://127.0.0.1:8000/b?id={id}", "/b/{id}", "/{slug}"])
def test_a_link_to_an_address_or_a_path_is_accepted(link):
    assert checked_definition(BOOKINGS._replace(link=link)).link == link


@pytest.mark.parametrize(
    ("link", "slug", "led_to"),
    [
        ("https://shop.example.com/b/{slug}?q={slug}", 7, "https://shop.example.com/b/7?q=7"),
        ("/b/{slug}", "a b/c", "/b/a%20b%2Fc"),
        ("/{slug}", "/evil.example", "/%2Fevil.example"),
        ("/{slug}", "\\evil.example", "/%5Cevil.example"),
        ("/b/{slug}", "javascript:alert(1)", "/b/javascript%3Aalert%281%29"),
        ("/b/{slug}", "\"'><img src=x>", "/b/%22%27%3E%3Cimg%20src%3Dx%3E"),
        ("/b/{slug}", "\ud800\n", "/b/%3F%0A"),
        ("/b/{slug}", None, "/b/"),
        ("/{slug}/{slug}x", None, None),
        ("/b/{slug}", "..", None),
        ("/b/{slug}", "x" * 2_000, None),
    ],
    ids=range(11),
)
def test_a_value_of_a_row_is_a_part_of_its_link_and_never_where_it_leads(link, slug, led_to):
    definition = WatchDefinition("public", "rooms", link=link, event="Room")
    change = RowChange("0a1b2c3d", 1, 900, 1_800_000_000_000_000, "insert", None, {"slug": slug})
    props = event_of(Watch(3, 7, SOURCE, "0a1b2c3d", definition), change).props
    assert props == ({"row_link": led_to} if led_to else {})


def test_events_are_named_after_the_table_where_no_name_is_given():
    assert checked_definition(WatchDefinition("public", "rooms")).event == "rooms"
    assert checked_definition(WatchDefinition("public", "rooms", ("insert",))).event == "rooms insert"


def test_a_change_becomes_an_event():
    watch = Watch(3, 7, SOURCE, "0a1b2c3d", BOOKINGS)
    row = {"id": 5, "guest": "Ada", "guest_id": 12, "amount": 99.5, "currency": "eur"}
    change = RowChange(
        "0a1b2c3d", 255, 900, 1_800_000_000_123_456, "update", {**row, "status": "pending"}, {**row, "status": "paid"}
    )
    assert event_of(watch, change) == ChangeEvent(
        id="0a1b2c3dff-66517289a6240",
        site_id=7,
        at_ms=1_800_000_000_123,
        name="Booking paid",
        description="Ada paid pending → paid",
        value=99.5,
        currency="EUR",
        user_id="12",
        user_name="Ada",
        props={"row_link": "https://shop.example.com/bookings/5", "id": 5, "status": "paid"},
    )


def test_a_deleted_row_has_its_last_values_and_a_value_that_is_no_number_is_none():
    definition = WatchDefinition(
        "public", "rooms", columns=("id",), title="{id}, was {old.name}", value="name", event="Room"
    )
    change = RowChange("0a1b2c3d", 1, 900, 1_800_000_000_000_000, "delete", {"id": 5, "name": "Blue"}, None)
    found = event_of(Watch(3, 7, SOURCE, "0a1b2c3d", definition), change)
    assert (found.description, found.value, found.props) == ("5, was Blue", None, {"id": 5})


@pytest.mark.parametrize(
    ("amount", "prop"),
    [
        (2**70, "1180591620717411303424"),
        (10**400, "1" + "0" * 400),
        ("9" * 5_000, "9" * 2_000),
        (float("inf"), "Infinity"),
        ({"big": 2**70}, '{"big":1180591620717411303424}'),
    ],
)
def test_a_number_that_no_event_has_becomes_a_text_and_holds_nothing_up(amount, prop):
    definition = WatchDefinition("public", "rooms", columns=("amount",), value="amount", event="Room")
    change = RowChange("0a1b2c3d", 1, 900, 1_800_000_000_000_000, "insert", None, {"amount": amount})
    details = accepted_change(event_of(Watch(3, 7, SOURCE, "0a1b2c3d", definition), change), 1_800_000_000_000).details
    assert details
    assert details.value is None
    assert json.loads(details.props) == {"amount": prop}


def test_the_id_of_an_event_is_short_enough_for_any_change():
    last = RowChange("0a1b2c3d", 2**52 - 1, 2**62, 2**52 - 1, "insert", None, {})
    assert len(last.event_id) <= 36


@pytest.mark.parametrize(
    ("text", "definition"),
    [
        ("Bookings: count", GaugeDefinition("Bookings")),
        (
            "Pending: count where status=eq.pending",
            GaugeDefinition("Pending", "", (RowFilter("status", "eq", ("pending",)),)),
        ),
        (
            "Revenue: sum(amount) where status=eq.paid and amount=gt.1 in EUR",
            GaugeDefinition(
                "Revenue",
                "amount",
                (RowFilter("status", "eq", ("paid",)), RowFilter("amount", "gt", ("1",))),
                currency="EUR",
            ),
        ),
        (
            "Professionals, 30 days: count last 30d of created_at",
            GaugeDefinition("Professionals, 30 days", window_s=2_592_000, window_column="created_at"),
        ),
    ],
)
def test_a_gauge_is_read_and_stored(text, definition):
    assert gauge.parse(text) == definition
    assert gauge.from_json(gauge.as_json("k", definition), definition.name, definition.currency) == ("k", definition)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "count",
        "A: avg(x)",
        "A: sum()",
        "A: count where s=changed",
        "A: count last 0d of t",
        "A: count where nonsense",
        "A: sum(a\u202eb)",
        "A: count where" + " " * 900 + "last 1d of" + " " * 50,
        "A: count where s=eq." + "x" * 1_000,
    ],
)
def test_what_is_no_gauge_is_refused(text):
    with pytest.raises(InvalidInput, match=r"^(gauge|filter) "):
        gauge.parse(text)


@pytest.mark.parametrize(
    ("position", "oldest_running", "after"),
    [
        ("10:10:", 9, "10:10:"),
        ("10:10:", 12, "12:12:"),
        ("10:20:10,15", 10, "10:20:10,15"),
        ("10:20:10,15", 12, "12:20:15"),
        ("10:20:10,15", 15, "15:20:15"),
        ("10:20:10,15", 16, "16:20:"),
        ("10:20:10,15", 25, "25:25:"),
    ],
)
def test_a_position_advances_over_what_has_ended(position, oldest_running, after):
    assert advanced(position, oldest_running) == after


def test_a_position_ahead_of_its_server_is_of_another_one():
    assert is_of_later("10:20:10", 19)
    assert not is_of_later("10:20:10", 20)


def test_a_version_without_64_bit_transaction_numbers_is_refused():
    check_version(130_000)
    with pytest.raises(SourceRefused) as refused:
        check_version(120_022)
    assert str(refused.value) == "the server is PostgreSQL 12.22; following a table needs 13 or newer"


def test_connections_are_tried_later_and_later_up_to_a_minute():
    assert [back_off(failures, 0.0) for failures in (1, 2, 3, 7, 50)] == [1.0, 2.0, 4.0, 60.0, 60.0]
    assert back_off(3, 1.0) == 2.0
