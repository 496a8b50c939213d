"""What a browser shows when the server fails or has no database: words, and a way on."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from reader import OWNER, Reader, add_owner, add_site
from stream_server import until

from analytics.base.config import Config
from tests.support.serving import SITE, Server, serving

BROKEN = Path(__file__).parents[1] / "faults" / "broken.py"


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    """One on which every invitation fails (tests/faults/broken.py)."""
    with serving(Config(data_dir=tmp_path_factory.mktemp("data")), before=(sys.executable, str(BROKEN))) as running:
        add_owner(running)
        add_site(running, SITE)
        yield running


def rename(server: Server, table: str, name: str) -> None:
    with closing(sqlite3.connect(server.config.data_dir / "footfall.db", timeout=20)) as connection:
        connection.execute(f"ALTER TABLE {table} RENAME TO {name}")


def buttons(reader: Reader) -> list[str]:
    return reader.texts("main .ff-btn")


def test_a_failure_says_so_in_words_and_nothing_of_its_cause(anonymous):
    anonymous.open("/invitation?token=marked-token")
    assert anonymous.texts("h1") == ["Internal server error"]
    assert anonymous.texts("main header p") == ["Something failed on the server. Its log says what."]
    assert buttons(anonymous) == ["Try again", "Go to the first page"]
    assert "marked" not in anonymous.run("return document.body.innerText")
    anonymous.looks_right()
    anonymous.shoot("error-500")
    anonymous.click(".ff-btn:not(.ff-btn-primary)")
    anonymous.at_sign_in()


def test_without_the_database_it_says_when_to_come_back_and_try_again_leads_on(signed_in, server):
    rename(server, "logins", "logins_away")
    try:

        def away() -> bool:
            signed_in.open(f"/live/{SITE}")
            return signed_in.texts("h1") == ["Service unavailable"]

        until(away)  # a login is known for a second
        assert signed_in.texts("main header p") == [
            "The database does not answer right now. Try again in a few seconds."
        ]
        assert buttons(signed_in) == ["Try again", "Go to the first page"]
        signed_in.looks_right()
        signed_in.shoot("error-503")
    finally:
        rename(server, "logins_away", "logins")
    signed_in.click(".ff-btn-primary")
    until(lambda: signed_in.texts("#account .ff-avatar") == [OWNER[0].upper()])
