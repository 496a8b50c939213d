"""Settings, Database: what its forms answer and do in a real database elsewhere, and what health says of it."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from house import House, open_house

from analytics.activity import watches
from analytics.base.addresses import network
from analytics.commands import registry
from analytics.sites import store
from analytics.storage import schema
from layouts.settings import database as layout
from tests.support.host import over_tcp
from tests.support.serving import eventually

SITE, OTHER = "shop.example", "blog.example"
PAGE = f"/settings/{SITE}/database"
BOOKINGS = {"table": "bookings", "insert": "on", "columns": "id,status", "title": "{guest}", "value_column": "amount"}


@pytest.fixture(params=["sqlite"])
def config(config):
    """Ours is on SQLite: what is tested is in the other database."""
    return config


@pytest.fixture
def house(config) -> Iterator[House]:
    with open_house(replace(config, allowed_targets=(network("127.0.0.0/8"),))) as house:
        for domain in (SITE, OTHER):
            house.add_site(domain)
        yield house


@pytest.fixture
def owner(house):
    return house.join("owner@example.com", "owner")


@pytest.fixture
def source(host) -> Iterator[str]:
    with over_tcp(host) as url:
        yield url


def posted(house, browser, form, domain=SITE, /, **fields: str):
    """The answer to a form, and what it draws by the id of its place."""
    data = {"number": 7, "fields": fields}
    answer = house.call(browser, f"{form}-answer.data-answer", **{"data": data, "data-site": domain})
    assert answer.status_code == 200, answer.text
    drawn = {name: json.dumps(props) for name, props in answer.json["response"].items()}
    said = json.loads(answer.json["response"][f"{form}-answer"]["data-answer"])
    del said["number"]
    return said, drawn


def sql_and_button(drawn) -> tuple[str, str]:
    """The SQL that the first step shows, and what its button sends."""
    shown = json.loads(drawn[layout.PLAN])
    text = json.dumps(shown)
    (digest,) = re.findall(r'"data-value": "([0-9a-f]{32})"', text)
    return text, digest


def installed(house, owner, source, **more: str) -> None:
    fields = BOOKINGS | {"source": source} | more
    _, digest = sql_and_button(posted(house, owner, layout.ADD, **fields)[1])
    said, _ = posted(house, owner, layout.ADD, **fields, value=digest)
    assert said == {"message": "public.bookings is followed", "clear": True, "focus": [layout.TITLE]}


def test_sql_is_shown_before_it_is_run_and_removal_leaves_nothing(house, owner, host, source, caplog):
    caplog.set_level(logging.DEBUG)
    before = host.catalog()
    fields = BOOKINGS | {"source": source, "gauges": "All: count", "filters": "status=neq.draft"}
    said, drawn = posted(house, owner, layout.ADD, **fields)
    assert said == {"message": "Nothing is done yet", "focus": [f"{layout.PLAN}-install"]}
    sql, digest = sql_and_button(drawn)
    assert "CREATE TABLE IF NOT EXISTS footfall.outbox" in sql
    assert host.catalog() == before
    assert watches.all_watches(house.service.database) == []

    said, drawn = posted(house, owner, layout.ADD, **fields | {"columns": "id"}, value=digest)
    assert said["message"] == "The form was changed: look at the SQL again"
    assert host.catalog() == before

    said, drawn = posted(house, owner, layout.ADD, **fields, value=digest)
    assert said["message"] == "public.bookings is followed"
    (one,) = watches.all_watches(house.service.database)
    assert (one.guarded, one.definition.columns, one.definition.schema) == (True, ("id", "status"), "public")
    host.run("INSERT INTO bookings (guest, amount, status) VALUES ('Ada', 12, 'paid')")
    page = eventually(lambda: text if "Followed" in (text := drawn_page(house, owner)) else "")
    assert "s3cret" not in page
    assert f"{one.source.split(':s3cret@')[0]}:***@127.0.0.1" in page
    eventually(lambda: gauge_values(house) == [1.0])
    eventually(lambda: events(house) == [("bookings insert", "Ada", 12.0)])

    said, drawn = posted(house, owner, layout.REMOVE, key=str(one.id))
    assert said["message"] == "public.bookings is removed, with nothing left"
    assert "No table yet" in drawn[layout.LIST]
    assert host.catalog() == before
    assert "s3cret" not in caplog.text


def drawn_page(house, browser) -> str:
    """The page as JSON, without the escapes of Dash."""
    return json.dumps(json.loads(house.drawn(browser, PAGE)))


def gauge_values(house) -> list[float | None]:
    with house.service.database.read() as connection:
        return [row.value for row in connection.execute(schema.gauges.select())]


def events(house) -> list[tuple[str, str, float]]:
    with house.service.database.read() as connection:
        return [(row.name, row.description, row.value) for row in connection.execute(schema.events.select())]


@pytest.mark.parametrize(
    ("more", "field", "line"),
    [
        ({"table": "bokings"}, "table", r"there is no table public\.bokings in the database host_\d+"),
        ({"columns": "id,price"}, "columns", r"public\.bookings has no column 'price'; it has id, guest, .*"),
        ({"title": "{name}"}, "title", r"public\.bookings has no column 'name'; it has id, guest, .*"),
        ({"value_column": "price"}, "value_column", r"public\.bookings has no column 'price'; .*"),
        ({"filters": "status=eq.gone"}, "filters", r"filter status=eq\.gone: invalid input value for enum .*"),
        ({"filters": "status is gone"}, "filters", r"filter 'status is gone': like status=eq\.pending .*"),
        ({"filters": "status=changed"}, "filters", r"a filter with `changed` is for updates alone"),
        ({"gauges": "All: sum(guest)"}, "gauges", r"nothing was changed: function sum\(text\) does not exist"),
        ({"gauges": "All"}, "gauges", r"gauge 'All': like .*"),
        ({"insert": ""}, "gauges", r"nothing to follow: choose changes \(insert, update, delete\), or give a gauge"),
        ({"source": "mysql://a:s3cret@b/c"}, "source", r"the source is no URL of a PostgreSQL database; .*"),
        ({"source": "postgresql://a:s3cret@10.0.0.1/c"}, "source", r"10\.0\.0\.1 leads to an address .*"),
        ({"source": "postgresql://a:s3cret@/c?host=/tmp"}, "source", r"there is no host /tmp"),
        ({"source": "postgresql://a:s3cret@127.0.0.1:1/c"}, "source", r"cannot connect to postgresql://a:\*\*\*@.*"),
    ],
)
def test_what_is_wrong_is_one_line_at_its_field_and_changes_nothing(house, owner, host, source, more, field, line):
    before = host.catalog()
    fields = BOOKINGS | {"source": source} | more
    said, drawn = posted(house, owner, layout.ADD, **fields)
    if "wrong" not in said:
        said, drawn = posted(house, owner, layout.ADD, **fields, value=sql_and_button(drawn)[1])
    assert list(said["wrong"]) == [field]
    assert re.fullmatch(line, said["wrong"][field])
    assert "s3cret" not in json.dumps(said)
    assert host.catalog() == before
    assert watches.all_watches(house.service.database) == []


def test_missing_rights_and_a_read_only_server_are_said_at_the_source(house, owner, host):
    with over_tcp(host, "CONNECT ON DATABASE " + host.url.split("/")[3].split("?")[0], user="poor") as url:
        fields = BOOKINGS | {"source": url}
        _, digest = sql_and_button(posted(house, owner, layout.ADD, **fields)[1])
        said, _ = posted(house, owner, layout.ADD, **fields, value=digest)
        assert re.fullmatch(
            r'nothing was changed, poor_host_\d+ lacks rights: GRANT TRIGGER ON TABLE "public"\."bookings" TO .*',
            said["wrong"]["source"],
        )
        host.run(f"ALTER ROLE {fields['source'].split('//')[1].split(':')[0]} SET default_transaction_read_only = on")
        said, _ = posted(house, owner, layout.ADD, **fields, value=digest)
        line = "the database is read-only for this user (default_transaction_read_only)"
        assert said["wrong"] == {"source": line}


def test_a_server_that_asks_for_no_password_is_refused(house, owner, host, source):
    """Everybody who reaches it would be let in, and by this page that would be every admin."""
    fields = BOOKINGS | {"source": re.sub("//[^:]+", "//postgres", source)}
    _, digest = sql_and_button(posted(house, owner, layout.ADD, **fields)[1])
    said, _ = posted(house, owner, layout.ADD, **fields, value=digest)
    assert "did not complete authentication" in said["wrong"]["source"]
    assert watches.all_watches(house.service.database) == []


def test_admins_of_one_site_see_and_remove_but_do_not_add(house, owner, host, source):
    installed(house, owner, source)
    (one,) = watches.all_watches(house.service.database)
    admin = house.join("ann@example.com", "admin", [store.find(house.service.database, SITE).id])
    page = drawn_page(house, admin)
    assert "public.bookings" in page
    assert f'"id": "{layout.ADD}"' not in page
    assert "only admins of every site" in page
    data = {"number": 7, "fields": BOOKINGS | {"source": source}}
    refused = house.call(admin, f"{layout.ADD}-answer.data-answer", **{"data": data, "data-site": SITE})
    assert refused.status_code == 404
    said, _ = posted(house, owner, layout.REMOVE, OTHER, key=str(one.id))
    assert said["message"] == "that watch is not here any more"
    said, _ = posted(house, admin, layout.REMOVE, key=str(one.id))
    assert said["message"] == "public.bookings is removed, with nothing left"


def test_a_watch_whose_database_is_away_can_only_be_forgotten(house, owner, host):
    with over_tcp(host) as source:
        installed(house, owner, source)
    (one,) = watches.all_watches(house.service.database)
    said, _ = posted(house, owner, layout.REMOVE, key=str(one.id))
    assert said["wrong"]["source"].startswith("cannot connect to postgresql://shop_host_")
    watches.note_wrong(house.service.database, [one.id], "cannot connect")
    assert '"data-value": "forget"' in drawn_page(house, owner)
    said, _ = posted(house, owner, layout.REMOVE, key=str(one.id), value=layout.FORGET)
    assert said["message"] == "public.bookings is forgotten"
    assert watches.all_watches(house.service.database) == []


def test_the_states_are_drawn_again_when_they_have_changed(house, owner, host, source):
    installed(house, owner, source)
    (one,) = watches.all_watches(house.service.database)
    eventually(lambda: watches.find(house.service.database, one.id).read_at)

    def ticked(before):
        given = {"n_intervals": 1, "data-site": SITE, "data": before}
        return house.call(owner, f"{layout.LIST}.children", **given)

    first = ticked(None).json["response"]
    assert "Followed" in json.dumps(first[layout.LIST])
    again = ticked(first[layout.DRAWN]["data"])
    assert again.status_code == 204 or layout.LIST not in again.json["response"]


def test_changes_that_cannot_become_events_are_on_the_page_in_health_and_metrics(house, owner, host, source):
    """The application drops the column of the filter, so that nobody can say which changes are wanted."""
    installed(house, owner, source, filters="status=eq.paid", columns="id")
    assert "could not become" not in drawn_page(house, owner)
    host.run("ALTER TABLE bookings DROP COLUMN status")
    for guest in ("Ada", "Bob"):
        host.run("INSERT INTO bookings (guest) VALUES (%s)", guest)
    browser = house.app.server.test_client()

    def health() -> dict[str, object]:
        return browser.get("/readyz", base_url="http://localhost").json["watches"]

    eventually(lambda: health()["refused"] == 2)
    (one,) = watches.all_watches(house.service.database)
    line = f'footfall_watch_refused{{site="{SITE}",table="public.bookings",watch="{one.id}"}} 2.0'
    assert line in browser.get("/metrics", base_url="http://localhost").text
    assert "2 changes could not become events, the last at " in drawn_page(house, owner)
    listed = registry.run(house.service.database, "", "watch list", {})
    assert listed.endswith("0 s behind; 2 changes could not become events, the log says why")
    assert events(house) == []


def test_health_and_metrics_say_how_tables_are_followed(house, owner, host, source):
    def get(path: str) -> str:
        answer = house.app.server.test_client().get(path, base_url="http://localhost")
        assert answer.status_code == 200
        return answer.text

    assert json.loads(get("/readyz")) == {"status": "ready"}
    installed(house, owner, source)
    (one,) = watches.all_watches(house.service.database)
    eventually(lambda: (seen := house.service.watching.watches) and seen[0].read_at)
    assert json.loads(get("/readyz")) == {
        "status": "ready",
        "watches": {"count": 1, "unwell": 0, "behind_s": 0.0, "refused": 0},
    }
    text = get("/metrics")
    labels = f'{{site="{SITE}",table="public.bookings",watch="{one.id}"}}'
    assert f"footfall_watch_behind_seconds{labels} 0.0" in text
    assert f"footfall_watch_works{labels} 1.0" in text
    assert f"footfall_watch_unread{labels} 0.0" in text
    assert f"footfall_watch_missed{labels} 0.0" in text
    assert f"footfall_watch_refused{labels} 0.0" in text
    assert "s3cret" not in text
    host.run(f"ALTER ROLE {source.split('//')[1].split(':')[0]} NOLOGIN")
    host.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'footfall'")
    eventually(lambda: json.loads(get("/readyz"))["watches"]["unwell"] == 1)
    assert f"footfall_watch_works{labels} 0.0" in get("/metrics")
    host.run(f"ALTER ROLE {source.split('//')[1].split(':')[0]} LOGIN")
