"""Access logs into history: the log's own times, nothing twice, nothing of anybody's address, and nothing live."""

from __future__ import annotations

import gzip
import random
import sqlite3
import time
from collections import Counter
from contextlib import closing
from dataclasses import replace

import pytest
from sqlalchemy import text

from analytics.base.errors import InvalidInput
from analytics.calendar.days import day_of
from analytics.commands import registry
from analytics.jobs import daily, daily_usage
from analytics.jobs.verify import repair, verify
from analytics.live.feed import recent
from analytics.live.today import Today
from analytics.replica.columnar import Columnar
from analytics.sites.store import find
from analytics.storage import schema
from collector.imports import log_import
from collector.imports.context import ImportContext
from collector.imports.log_import import sort_by_time
from collector.ingest.geo import open_places
from tests.support.factories import accepted, added_site, kit, rows, stored
from tests.support.logs import CHROME, FIREFOX, ROBOT, START, Recount, busy, line, recount
from tests.support.replica import NEVER

DAY = 86_400


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    opened = open_places(None, tmp_path_factory.mktemp("places"))
    yield opened
    opened.close()


@pytest.fixture
def imported(database, places, tmp_path):
    """Imports logs, each given as its lines, into example.com; gives what is said of it."""
    added_site(database)

    def run(*logs, rest=lambda _: False, tell=lambda _: None, site="example.com", now=None, **options):
        files = []
        for number, log in enumerate(logs):
            path = tmp_path / f"access-{number}.log"
            path.write_bytes(log if isinstance(log, bytes) else "".join(log).encode())
            files.append(str(path))
        clock = time.time if now is None else lambda: now
        means = ImportContext(database, kit(database, places), rest, tell, clock=clock)
        return log_import.run(means, files, site, **options)

    return run


def numbers(database) -> Recount:
    options = {"site": "example.com", "metrics": Recount._fields, "by": (), "period": "all", "filters": (), "limit": 1}
    csv = registry.run(database, "", "query", options | {"form": "csv"})
    return Recount(*map(int, csv.splitlines()[1].split(",")))


def facts(database):
    """Every row of the past, without the numbers of rows, which chance makes."""
    views = rows(database, schema.pageviews, "page_id", "at", "visitor", "path")
    visits = rows(database, schema.visits, "visitor", "started_at", "last_at", "pageviews", "entry_page", "exit_page")
    return sorted(views), sorted(visits)


# ── what becomes of a log ────────────────────────────────────────────────────────────────────────────────────────────


def test_pages_become_visits_at_the_times_of_the_log(database, imported):
    said = imported(
        [
            line(0, referrer="https://www.google.com/"),
            line(0, path="/style.css"),
            line(5, "198.51.100.2", "/pricing?utm_source=letter", agent=CHROME),
            line(6, "192.0.2.3", agent=ROBOT),
            "this line is broken\n",
            line(7, "198.51.100.2", "/gone", status=404),
            line(8, "198.51.100.2", "/form", method="POST"),
            line(600, path="/docs", referrer="https://example.com/"),
            line(600 + 31 * 60, path="/back"),
            line(-50 * 365 * 86_400, path="/long-ago"),
        ]
    )
    assert said == (
        "10 lines read: 4 pageviews imported, 0 were there already.\n"
        "Left out: 1 not_a_page (pictures, styles, scripts, feeds and other files); 1 broken_line (unreadable lines); "
        "1 not_ok (errors and redirects); 1 not_get (other methods than GET); 1 bad_time (times before 1971 or ahead); "
        "1 bot (robots)."
    )
    names = "started_at", "last_at", "pageviews", "entry_page", "exit_page", "source", "browser"
    assert sorted(rows(database, schema.visits, *names)) == [
        (START, START + 600, 2, "/", "/docs", "Google", "Firefox"),
        (START + 5, START + 5, 1, "/pricing", "/pricing", "letter", "Chrome"),
        (START + 2460, START + 2460, 1, "/back", "/back", "", "Firefox"),
    ]
    assert numbers(database) == Recount(visitors=2, visits=3, pageviews=4)


def test_what_the_owner_excludes_is_left_out(database, imported):
    changes = {"excluded_paths": ["/admin/**"], "excluded_addresses": ["198.51.100.0/24"]}
    registry.run(database, "", "site set", {"domain": "example.com"} | changes)
    said = imported([line(0), line(1, path="/admin/x"), line(2, "198.51.100.7"), line(3, "host.example.net")])
    assert said == (
        "4 lines read: 2 pageviews imported, 0 were there already.\nLeft out: 1 excluded_path; 1 excluded_address."
    )


def test_the_days_of_a_site_name_its_visitors(database, imported):
    """Midnight in Kathmandu is 18:15 UTC. A visit across it is one visitor's, and who comes back later is another."""
    registry.run(database, "", "site set", {"domain": "example.com", "timezone": "Asia/Kathmandu"})
    midnight = 8 * 3600 + 15 * 60
    imported([line(midnight - 60), line(midnight + 60), line(midnight + 3 * 3600), line(midnight - 3 * 3600)])
    visits = rows(database, schema.visits, "visitor", "started_at", "pageviews")
    before, across, after = sorted(visits, key=lambda visit: visit[1])
    assert before[0] == across[0] != after[0]
    assert [visit[2] for visit in (before, across, after)] == [1, 2, 1]


def test_a_referrer_on_the_logs_own_host_is_no_source(database, imported):
    """A log of another name than the site's: its pages refer to each other."""
    walk = [line(9 * n, path=f"/{n}", referrer=f"http://old.example/{n - 1}") for n in range(6)]
    imported([*walk, line(3 * 3600, path="/4", referrer="http://old.example/3")])
    assert {source for (source,) in rows(database, schema.visits, "source")} == {""}


# ── what the log tells of hosts, and in other formats ────────────────────────────────────────────────────────────────


def on(host, *lines):
    return [f"{host} {one}" for one in lines]


def test_a_host_in_front_is_the_pages_and_the_visitor_is_the_address_behind_it(database, imported):
    """Three visitors with one host in front had become one visitor without a country."""
    said = imported(
        on("www.example.com:443", line(0, "8.8.8.8", "/p"), line(1, "81.2.69.142", "/p"), line(2, "1.1.1.1"))
    )
    assert said == "3 lines read: 3 pageviews imported, 0 were there already."
    visits = sorted(rows(database, schema.visits, "country", "host", "pageviews"))
    assert visits == [("AU", "www.example.com", 1), ("GB", "www.example.com", 1), ("US", "www.example.com", 1)]


def test_pages_of_other_hosts_are_left_out_and_their_hosts_are_told(database, imported):
    registry.run(database, "", "site set", {"domain": "example.com", "hosts": ["shop.example.net"]})
    log = [
        *on("example.com", line(0), line(1, path="/a.png")),
        *on("blog.example.com:8443", line(2)),
        *on("shop.example.net", line(3)),
        *on("other.example", line(4), line(5, path="/a.png")),
        *on("example.com.evil.example", line(6), line(7)),
    ]
    assert imported(log) == (
        "8 lines read: 3 pageviews imported, 0 were there already.\n"
        "Left out: 2 not_a_page (pictures, styles, scripts, feeds and other files).\n"
        "3 lines of other hosts: example.com.evil.example, other.example."
    )
    hosts = {host for (host,) in rows(database, schema.pageviews, "host")}
    assert hosts == {"example.com", "blog.example.com", "shop.example.net"}


def test_other_hosts_are_told_apart_up_to_a_hundred(imported):
    log = [f"example.com {line(0)}", *(f"host-{n}.example {line(n)}" for n in range(150))]
    assert imported(log).splitlines()[-1].startswith("150 lines of other hosts: (other), host-")
    assert imported(log).endswith(" and 96 more.")


def test_a_log_with_a_host_counts_once_however_often_it_is_imported(database, imported):
    log = on("example.com", *busy(400))
    views = recount(busy(400)).pageviews
    assert imported(log).startswith(f"400 lines read: {views} pageviews imported, 0 ")
    assert imported(log).startswith(f"400 lines read: 0 pageviews imported, {views} ")
    assert numbers(database) == recount(busy(400))


def test_a_common_log_has_no_agents_and_its_visitors_are_no_robots(database, imported):
    log = [one.split(' "-" ')[0] + "\n" for one in (line(0), line(1, "198.51.100.2"), line(2, path="/b"))]
    assert imported(log) == "3 lines read: 3 pageviews imported, 0 were there already."
    assert numbers(database) == Recount(2, 2, 3)


@pytest.mark.parametrize("front", ["web-1  | ", "<190>May 17 12:00:00 web1 nginx: ", "2015-05-17T10:00:00Z stdout F "])
def test_a_log_behind_a_prefix_comes_to_the_same(database, imported, front):
    log = busy(400)
    imported([front + one for one in log])
    assert numbers(database) == recount(log)
    assert imported(log).startswith("400 lines read: 0 pageviews imported, ")


def test_a_w3c_log_is_followed_past_new_fields(database, imported, tmp_path):
    path = tmp_path / "access-0.log"
    agent = CHROME.replace(" ", "+")
    pieces = [
        f"2015-05-17 10:00:05 GET /b 203.0.113.1 {agent} 200\n2015-05-17 10:00:06 GET /c 203.0.113.1 {agent} 200",
        "\n#Fields: date time c-ip cs-method cs-uri-stem cs(User-Agent) sc-status\n",
        f"2015-05-17 10:00:07 203.0.113.1 GET /d {agent} 200\n",
    ]
    messages = []

    def append(_):
        if not (messages and messages[-1].startswith("following")):
            return False
        if not pieces:
            return True
        with path.open("a") as file:
            file.write(pieces.pop(0))
        return False

    head = "#Version: 1.0\n#Fields: date time cs-method cs-uri-stem c-ip cs(User-Agent) sc-status\n"
    said = imported(
        f"{head}2015-05-17 10:00:04 GET /a 203.0.113.1 {agent} 200\n", follow=True, rest=append, tell=messages.append
    )
    assert said.splitlines()[0] == "4 lines read: 4 pageviews imported, 0 were there already."
    assert [path for (path,) in sorted(rows(database, schema.pageviews, "path"))] == ["/a", "/b", "/c", "/d"]


def test_a_format_and_a_zone_can_be_named(database, imported):
    log = (
        "noise\n" * 300 + "8.8.8.8:33317 [17/May/2015:12:00:05.655] web~ static/srv1 10/0/30/69/109 200 2750 - - ---- "
        f'1/1/1/1/0 0/0 {{{CHROME}}} {{}} "GET /a HTTP/1.1"\n'
    )
    said = imported(log, form="haproxy", timezone="Europe/Berlin")
    assert said == (
        "301 lines read: 1 pageviews imported, 0 were there already.\nLeft out: 300 broken_line (unreadable lines)."
    )
    assert rows(database, schema.visits, "started_at", "browser", "country") == [(START + 5, "Chrome", "US")]


# ── nothing twice ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_log_comes_to_what_a_plain_recount_of_it_does_once_and_twice(database, imported):
    log = busy()
    first = imported(log)
    once = facts(database)
    assert numbers(database) == recount(log)
    again = imported(log)
    assert facts(database) == once
    views = recount(log).pageviews
    assert first.splitlines()[0] == f"3,000 lines read: {views:,} pageviews imported, 0 were there already."
    assert again.splitlines()[0] == f"3,000 lines read: 0 pageviews imported, {views:,} were there already."


def test_several_files_packed_or_not_in_any_order_are_the_whole_log(database, imported):
    log = busy()
    halves = [log[2_000:], log[:1_000], log[1_000:2_000]]
    imported(*("".join(half).encode() if n else gzip.compress("".join(half).encode()) for n, half in enumerate(halves)))
    assert numbers(database) == recount(log)


def test_files_that_overlap_count_what_they_share_once(database, imported):
    log = busy()
    imported(log[:2_000])
    imported(log[1_000:], log[500:2_500])
    assert numbers(database) == recount(log)


def test_identical_lines_are_as_many_views_as_they_are_lines(database, imported):
    imported([line(0), line(0), line(0)])
    assert numbers(database) == Recount(1, 1, 3)
    imported([line(0), line(0), line(0), line(0)])
    assert numbers(database) == Recount(1, 1, 4)


def test_a_second_run_goes_on_where_the_first_was_stopped(database, imported, monkeypatch):
    monkeypatch.setattr(log_import, "BATCH", 50)
    log = busy()
    batches = Counter()

    def stop_after_five(_):
        batches["done"] += 1
        return batches["done"] == 5

    said = imported(log, rest=stop_after_five)
    assert said.splitlines()[-1] == "Stopped early; the same command goes on where it was."
    part = numbers(database)
    assert 0 < part.pageviews < recount(log).pageviews
    imported(log)
    assert numbers(database) == recount(log)


def test_a_kill_between_two_transactions_leaves_whole_visits(database, imported, monkeypatch):
    monkeypatch.setattr(log_import, "BATCH", 50)
    log = busy()

    def gone(_):
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        imported(log, tell=gone)
    with database.read() as connection:
        counted = connection.execute(text("SELECT SUM(pageviews) FROM visits")).scalar()
    assert counted == len(rows(database, schema.pageviews, "id")) == numbers(database).pageviews > 0
    imported(log)
    assert numbers(database) == recount(log)


def test_what_is_appended_is_followed(database, imported, tmp_path):
    log, path = busy(600), tmp_path / "access-0.log"
    messages, pieces = [], [log[200:400], log[400:]]

    def append(_):
        if not (messages and messages[-1].startswith("following")):
            return False
        if not pieces:
            return True
        with path.open("a") as file:
            file.write("".join(pieces.pop(0)))
        return False

    said = imported(log[:200], follow=True, rest=append, tell=messages.append)
    assert numbers(database) == recount(log)
    assert said.startswith(f"600 lines read: {recount(log).pageviews} pageviews imported, ")


def test_how_far_it_is_is_told_in_percent(imported):
    messages = []
    imported(busy(), tell=messages.append)
    shares = [int(one.split(" %")[0]) for one in messages if "%" in one]
    assert shares == sorted(shares)
    assert (shares[-1], len(shares) > 1) == (100, True)
    days = [f"counting the people of {day_of(START + step * DAY)}" for step in range(4)]
    assert messages[len(shares) :] == days


# ── nothing of anybody, and nothing live ─────────────────────────────────────────────────────────────────────────────


def test_nobody_becomes_present_and_no_outcome_is_counted(database, imported):
    imported(busy(300))
    assert rows(database, schema.heartbeats) == []
    assert rows(database, schema.outcomes) == []
    assert rows(database, schema.robots) == []
    assert {name for (name,) in rows(database, schema.jobs, "name")} == {daily_usage.JOB}
    assert rows(database, schema.salts) == []


def test_neither_feed_nor_todays_figures_know_what_was_imported(database, imported):
    """The log is of this very day, and its lines lie before and after what came live."""
    site_id = rows(database, schema.sites, "id")[0][0]
    outcomes = stored(database, accepted(site_id=site_id, at=START + 5), accepted(page_id="view-0002", at=START + 9))
    imported([line(second, path=f"/{second}") for second in range(20)])
    assert recent(database, site_id, 20) == [outcome.feed for outcome in outcomes]
    today = Today(database)
    sites = [added_site(database, "other.example"), find(database, "example.com")]
    today.prepare(sites, START + 60)
    today.restore(START + 120, lambda _: False)
    assert today.read([site_id], START + 120)[site_id][:3] == (1, 1, 2)


def test_a_log_continues_no_visit_of_somebody_who_came_live(database, imported):
    """The same address and browser, live and in the log: what the site's script counts and what its log counts are
    two countings.
    """
    site_id = rows(database, schema.sites, "id")[0][0]
    stored(database, accepted(site_id=site_id, at=START))
    imported([line(60)])
    assert [visit for (visit,) in rows(database, schema.visits, "pageviews")] == [1, 1]


def test_neither_address_nor_agent_nor_anything_that_can_be_tried_against_them_is_stored(database, config, imported):
    imported([line(0, "198.18.77.123", agent=FIREFOX + " Marked-7f3a91")])
    ids = {page_id for (page_id,) in rows(database, schema.pageviews, "page_id")}
    if config.embedded:
        with closing(sqlite3.connect(config.data_dir / "footfall.db")) as connection:
            dump = "\n".join(connection.iterdump())
    else:
        dump = repr([rows(database, table) for table in schema.metadata.sorted_tables])
    assert next(iter(ids)) in dump
    assert not any(mark in dump for mark in ("198.18.77", "Marked-7f3a91"))
    assert imported([line(0, "198.18.77.123", agent=FIREFOX + " Marked-7f3a91")]).startswith("1 lines read: 0 ")


def test_under_another_key_the_same_line_is_another_visitor(database, imported, places, tmp_path):
    imported([line(0)])
    other = replace(kit(database, places), secret=b"o" * 48)
    means = ImportContext(database, other, lambda _: False, lambda _: None)
    log_import.run(means, [str(tmp_path / "access-0.log")], "example.com")
    visitors = [visitor for (visitor,) in rows(database, schema.visits, "visitor")]
    assert len(set(visitors)) == len(visitors) == 2


# ── what people get wrong ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("log", "options", "said"),
    [
        ("nothing of use\n", {}, r"access-0\.log: no line of it is one of an access log.*; the first: nothing of use "),
        (
            f"new thing: {line(0)}",
            {},
            r"the first: new thing: 203\.0\.113\.1 - - .* \(--format NAME takes one of combined, ",
        ),
        (line(0), {"form": "alb"}, r"access-0\.log: no line of it is one of an access log.*; the first: 203\.0"),
        (line(0), {"form": "apache"}, "there is no log format 'apache'; there are combined, common"),
        (line(0), {"timezone": "Mars/Base"}, "'Mars/Base' is no time zone"),
        (
            f"old.example:80 {line(0)}",
            {},
            r"none of the 1 pages is of example\.com: the log is of old\.example; a host that",
        ),
        (gzip.compress(b"x" * 10_000, mtime=0)[:30], {}, r"access-0\.log is a damaged gzip file"),
        (gzip.compress(line(0).encode(), mtime=0), {"follow": True}, "--follow: a gzipped log does not grow"),
        ("", {"site": "nowhere.example"}, r"there is no site nowhere\.example; known: example\.com"),
    ],
)
def test_what_cannot_be_imported_is_said(imported, log, options, said):
    with pytest.raises(InvalidInput, match=said):
        imported(log, **options)


def test_one_log_of_several_that_makes_no_sense_stops_all_before_anything_is_stored(database, imported):
    with pytest.raises(InvalidInput, match=r"access-1\.log: no line of it .*; the first: what "):
        imported([line(0)], ["what\n"])
    assert rows(database, schema.pageviews, "id") == []


def test_an_empty_log_is_no_mistake(imported):
    assert imported("") == "0 lines read: 0 pageviews imported, 0 were there already."


def test_lines_are_put_in_order_within_five_minutes():
    chance = random.Random(3)
    hits = [
        log_import.LoggedLine(log_import.LoggedPage("", at, "GET", "/", 200, "", ""), str(at))
        for at in range(0, 40_000, 7)
    ]
    shuffled = sorted(hits, key=lambda one: one.page.time + chance.randrange(300))
    assert shuffled != hits
    assert list(sort_by_time(shuffled)) == hits


# ── daily usage ──────────────────────────────────────────────────────────────────────────────────────────────────────

FIRST_DAY, SECOND_DAY = (day_of(START + step * DAY).isoformat() for step in (0, 1))
TWO_DAYS = [
    *(line(0), line(60, path="/docs"), line(3600, "198.51.100.2", agent=CHROME)),
    *(line(DAY), line(DAY + 60, "198.51.100.2"), line(DAY + 120, "198.51.100.3"), line(DAY + 180, "198.51.100.3")),
]


def test_days_of_a_log_are_counted_into_daily_usage_at_once(database, imported):
    imported(TWO_DAYS)
    assert rows(database, schema.daily_usage) == [(1, FIRST_DAY, 2, 0, 2), (1, SECOND_DAY, 3, 0, 3)]


def test_imported_again_or_with_more_lines_a_day_has_each_person_once(database, imported):
    for _ in range(2):
        imported(TWO_DAYS[:4])
    assert rows(database, schema.daily_usage) == [(1, FIRST_DAY, 2, 0, 2), (1, SECOND_DAY, 1, 0, 1)]
    imported(TWO_DAYS)
    assert rows(database, schema.daily_usage) == [(1, FIRST_DAY, 2, 0, 2), (1, SECOND_DAY, 3, 0, 3)]


def test_a_day_that_was_live_too_has_the_people_of_both(database, imported):
    live = [
        accepted(page_id=f"live-page-{n}", visitor=n, at=START + n, user_id=user)
        for n, user in enumerate((None, "ada"))
    ]
    stored(database, *live)
    imported(TWO_DAYS)
    first, _ = rows(database, schema.daily_usage)
    assert first == (1, FIRST_DAY, 4, 1, 3)


def test_a_live_day_whose_heartbeats_are_purged_keeps_its_count(database, imported):
    stored(database, accepted(at=START))
    with database.transaction() as connection:
        connection.execute(schema.heartbeats.delete())
        counted = {"site_id": 1, "day": FIRST_DAY, "people": 70, "signed_in": 0, "anonymous": 70}
        connection.execute(schema.daily_usage.insert(), counted)
    imported(TWO_DAYS)
    assert rows(database, schema.daily_usage) == [(1, FIRST_DAY, 70, 0, 70), (1, SECOND_DAY, 3, 0, 3)]


def test_days_of_an_import_that_was_stopped_are_counted_by_the_days_work(database, imported):
    imported(TWO_DAYS, rest=lambda _: True)
    assert rows(database, schema.daily_usage) == []
    assert daily.due(database, START + 9 * DAY)
    daily.run_if_due(daily.Work(database, START + 9 * DAY, 7, lambda _: False, lambda _: None))
    assert rows(database, schema.daily_usage) == [(1, FIRST_DAY, 2, 0, 2), (1, SECOND_DAY, 3, 0, 3)]
    assert daily_usage.missing(database, day_of(START + 9 * DAY)) == []


def test_the_running_day_of_a_followed_log_is_counted_when_it_is_over(database, imported):
    imported(TWO_DAYS, now=START + DAY + 300)
    assert rows(database, schema.daily_usage) == [(1, FIRST_DAY, 2, 0, 2)]
    daily.run_if_due(daily.Work(database, START + 3 * DAY, 7, lambda _: False, lambda _: None))
    assert rows(database, schema.daily_usage) == [(1, FIRST_DAY, 2, 0, 2), (1, SECOND_DAY, 3, 0, 3)]


def test_verify_counts_imported_days_again_and_repairs_them(database, config, imported):
    imported(TWO_DAYS)
    with closing(Columnar(database, config)) as replica:
        assert verify(replica, NEVER, lambda _: None).derived == ()
        with database.transaction() as connection:
            connection.execute(schema.daily_usage.update().values(people=9))
        assert verify(replica, NEVER, lambda _: None).derived == tuple(
            f"daily_usage of example.com on {day}: 9 people (0 signed in, {n} anonymous), {n} (0, {n}) by its rows"
            for day, n in ((FIRST_DAY, 2), (SECOND_DAY, 3))
        )
        repair(replica, NEVER, lambda _: None)
        assert verify(replica, NEVER, lambda _: None).derived == ()
    assert rows(database, schema.daily_usage) == [(1, FIRST_DAY, 2, 0, 2), (1, SECOND_DAY, 3, 0, 3)]
