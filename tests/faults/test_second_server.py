"""Two servers: on one SQLite file there is only one, on one PostgreSQL database they are colleagues."""

from __future__ import annotations

import re
import secrets
from contextlib import ExitStack
from dataclasses import replace

import pytest

from tests.support.serving import SITE, eventually, heartbeat, pageview, rows, run_command, serving


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
def test_a_second_server_on_the_same_file_is_refused_and_told_who_has_it(config):
    with serving(config) as first:
        first.tell("site add", domain=SITE, name="", timezone="UTC")
        for port in ("0", str(first.port)):  # the same line where the port is taken too
            done = run_command(config, "serve", "--port", port)
            assert (done.returncode, done.stdout) == (2, "")
            (line,) = done.stderr.splitlines()
            assert re.match(rf"footfall: .+ is in use by process {first.process.pid}\b", line)
        assert first.tell("site list").splitlines()[1].startswith(SITE)
        assert first.collect(pageview("page-one")).status == 202
        first.kill()
    with serving(config) as second:
        assert second.collect(pageview("page-one")).json == {"stored": 0, "duplicate": 1}


@pytest.mark.parametrize("config", ["postgresql"], indirect=True)
def test_two_servers_on_one_database_count_an_id_once_and_a_visitor_as_one(config):
    secret = secrets.token_urlsafe(48)
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(serving(replace(config, data_dir=config.data_dir / name), FOOTFALL_SECRET_KEY=secret))
            for name in ("one", "two")
        )
        first.tell("site add", domain=SITE, name="", timezone="UTC")
        eventually(lambda: second.collect(heartbeat("not-there")).status == 422)  # it knows the site
        answers = [server.collect(pageview("page-one")).json for server in (first, second, first)]
        assert second.collect(pageview("page-two", "/two")).status == 202
    assert answers == [{"stored": 1, "duplicate": 0}, *[{"stored": 0, "duplicate": 1}] * 2]
    assert rows(config, "SELECT pageviews, exit_page FROM visits") == [(2, "/two")]
