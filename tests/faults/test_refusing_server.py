"""What a PostgreSQL server refuses, in the words that the log has for it."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from analytics.base import error_log

WORDS = [
    ({"database": "nowhere"}, (), "the database that FOOTFALL_DATABASE_URL names does not exist"),
    (
        {"username": "nobody_here"},
        (),
        "the database server refuses the user or the password of FOOTFALL_DATABASE_URL",
    ),
    (
        {},
        ("SET ROLE pg_monitor", "CREATE TABLE public.other (b int)"),
        "the user of FOOTFALL_DATABASE_URL lacks a right in that database",
    ),
    (
        {},
        ("SET statement_timeout = 50", "SELECT pg_sleep(20)"),
        "the database server stopped a statement that took too long",
    ),
    (
        {},
        ("SET TRANSACTION READ ONLY", "CREATE TABLE other (b int)"),
        "the database server takes no writes: it is a standby, or read-only",
    ),
    ({}, ("SELECT pg_terminate_backend(pg_backend_pid())",), "the database server was shut down"),
]


@pytest.mark.parametrize("config", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("where", "statements", "words"), WORDS)
def test_a_refusal_is_told_in_plain_words(config, where, statements, words):
    engine = create_engine(make_url(config.url).set(**where))

    def run():
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))

    with pytest.raises(DBAPIError) as refused:
        run()
    engine.dispose()
    assert str(error_log.describe(refused.value)) == words
