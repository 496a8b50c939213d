"""The migration that puts paths and hosts into one form, on a database of the version before."""

from __future__ import annotations

import json
import logging

import alembic.command
import alembic.config
import pytest
from sqlalchemy import insert, text

from analytics.query import segments
from analytics.sites import store
from analytics.sites.directory import Directory
from analytics.storage import schema
from analytics.storage.database import MIGRATIONS, Database
from tests.support.factories import NOW, accepted, event, heartbeat, rows, stored

KEY = "0123456789abcdef0123456789abcdef"
SESSION, TOKEN = f"/cart.jsp;jsessionid={KEY}", f"/reset-{KEY}"
OLD = ("/%D8%B3", "/caf%c3%a9", "/caf%C3%A9", "/café", SESSION, TOKEN, "/a%2fb", "/plain")
NEW = ("/س", "/café", "/café", "/café", "/cart.jsp", "/:redacted", "/a%2Fb", "/plain")


def downgrade(database) -> None:
    """Takes the schema back to the version before the migration."""
    settings = alembic.config.Config()
    settings.set_main_option("script_location", str(MIGRATIONS))
    with database.transaction() as connection:
        settings.attributes["connection"] = connection
        alembic.command.downgrade(settings, "0006")


@pytest.fixture
def upgrade(database, config):
    """Migrates the database, as the version before the migration would have left it, and opens it again."""
    opened = []

    def run():
        downgrade(database)
        database.close()
        opened.append(Database(config))
        return opened[-1]

    yield run
    for one in opened:
        one.close()


def test_every_stored_path_is_put_into_letters_and_nothing_is_merged(database, upgrade, caplog):
    url = f"https://shop.example{OLD[4]}?token={KEY}"
    stored(
        database,
        *(accepted("pageview", f"page-{n:04}", path=path, visitor=n) for n, path in enumerate(OLD)),
        *(heartbeat(f"page-{n:04}", path=path, visitor=n, url="https://example.com/") for n, path in enumerate(OLD)),
        *(event(f"event-{n:03}", path=path, visitor=n) for n, path in enumerate(OLD)),
        event("event-link", name="Outbound Link: Click", props={"url": url, "nth": 2}, visitor=0),
        event("event-lost", name="404", props={"path": OLD[0]}, visitor=0),
        event("event-mine", name="Signup", props={"url": url}, visitor=0),
    )
    with database.transaction() as connection:
        connection.execute(text("UPDATE visits SET referrer = 'news.example/caf%c3%a9', source = 'news.example'"))
    many = {
        table: len(rows(database, schema.metadata.tables[table])) for table in ("visits", "pageviews", "heartbeats")
    }
    with caplog.at_level(logging.INFO, "footfall.migrations"):
        after = upgrade()
    assert [path for (path,) in rows(after, schema.pageviews, "path")] == list(NEW)
    assert rows(after, schema.visits, "entry_page", "referrer")[1:] == [(path, "news.example/café") for path in NEW[1:]]
    assert {path for (path,) in rows(after, schema.heartbeats, "path")} <= {*NEW, "/"}
    moved = rows(after, schema.events, "path", "name", "props")
    assert [path for path, *_ in moved[:8]] == list(NEW)
    assert [json.loads(props) for _, _, props in moved[8:]] == [
        {"url": "https://shop.example/cart.jsp", "nth": 2},
        {"path": "/س"},
        {"url": url},  # a property of the site's own event is the site's own matter
    ]
    assert {table: len(rows(after, schema.metadata.tables[table])) for table in many} == many
    said = caplog.messages[-1]
    assert said.startswith("paths and hosts are in one form now: ")
    assert "pageviews 6 of 8" in said


@pytest.mark.slow
def test_more_rows_than_a_batch_are_all_rewritten(database, upgrade):
    stored(database, *(accepted(page_id=f"page-{site_id:04}", path="/plain", site_id=site_id) for site_id in (1, 2)))
    with database.transaction() as connection:
        (row,) = connection.execute(schema.pageviews.select().where(schema.pageviews.c.site_id == 1)).mappings()
        many = [{**row, "id": row["id"] + n, "page_id": f"more-{n}", "path": f"/%C3%A9{n}"} for n in range(1, 45_001)]
        connection.execute(insert(schema.pageviews), many)
    found = [path for (path,) in rows(upgrade(), schema.pageviews, "path")]
    assert found == ["/plain", *(f"/é{n}" for n in range(1, 45_001)), "/plain"]


def test_settings_and_segments_are_in_one_form_too(database, upgrade):
    row = {"name": "x", "timezone": "UTC", "created_at": NOW, "hosts": "", "excluded_hosts": "", "excluded_paths": ""}
    patterns = "/%d8%b3/**\n/a%20b"
    before_it = [
        row | {"domain": "müller.example", "hosts": "läden.example\nb.example", "excluded_paths": patterns},
        row | {"domain": "straße.example", "excluded_hosts": "prüf.example"},
        row | {"domain": "bücher.example"},
        row | {"domain": "xn--bcher-kva.example"},
    ]
    with database.transaction() as connection:
        connection.execute(insert(schema.sites), before_it)
        connection.execute(
            insert(schema.segments),
            {
                "site_id": 1,
                "name": "Coffee",
                "filters": '[["is","page",["/caf%C3%A9"]],["matches","hostname",["*.müller.example"]]]',
                "created_at": NOW,
            },
        )
        connection.execute(
            insert(schema.embeds),
            {"site_id": 1, "hosts": "büro.example:3000", "token_hash": "t", "created_at": NOW, "expires_at": NOW},
        )
    after = upgrade()
    assert rows(after, schema.sites, "domain", "hosts", "excluded_hosts", "excluded_paths") == [
        ("xn--mller-kva.example", "xn--lden-loa.example\nb.example", "", "/س/**\n/a%20b"),
        ("xn--strae-oqa.example", "", "xn--prf-ioa.example", ""),
        ("bücher.example", "", "", ""),  # the name is taken: two sites stay two
        ("xn--bcher-kva.example", "", "", ""),
    ]
    (segment,) = segments.of_site(after, 1, 0)
    assert [one.values for one in segment.filters] == [("/café",), ("*.xn--mller-kva.example",)]
    assert rows(after, schema.embeds, "hosts") == [("xn--bro-hoa.example:3000",)]
    assert Directory(after).get("müller.example").excludes_path("/س/x")
    assert store.find(after, "straße.example").shown_domain == "straße.example"


def test_an_empty_database_says_nothing(database, upgrade, caplog):
    with caplog.at_level(logging.INFO, "footfall.migrations"):
        upgrade()
    assert caplog.messages == []
