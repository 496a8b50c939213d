"""The parts and the files of an Overview, over the visits of `tests/support/history.py`."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

import pytest
from house import House, open_house

from analytics.base.config import Config
from analytics.reports.files import FILES
from analytics.reports.overview import first_period
from analytics.sites import store as sites
from analytics.storage import schema
from callbacks.pages.overview import PARTS
from collector.imports import log_import
from collector.imports.context import ImportContext
from tests.support.history import at, keep_history
from tests.support.logs import line

SITE, ELSEWHERE = "example.com", "other.example"
DAYS = "period=2026-03-10,2026-03-12"
ALL = "&".join(f"part={name}" for name in PARTS)


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Iterator[House]:
    with open_house(Config(data_dir=tmp_path_factory.mktemp("data"), columnar=False)) as house:
        sites = [house.add_site(domain) for domain in (SITE, ELSEWHERE, "quiet.example")]
        assert sites == [1, 2, 3]
        keep_history(house.service.database)
        house.browsers["viewer"] = house.join("viewer@example.com", "viewer", sites)
        yield house


def parts(house: House, question: str, *names: str, site: str = SITE) -> dict[str, str]:
    wanted = "&".join(f"part={name}" for name in names) or ALL
    answer = house.browsers["viewer"].get(f"/overview/{site}/parts?{question}&{wanted}")
    assert answer.status_code == 200, answer.text
    return answer.json


def read(written: str) -> list[str]:
    """The texts of a part, in their order."""
    return [html.unescape(piece).strip() for piece in re.split(r"<[^>]*>", written) if piece.strip()]


def rows(written: str) -> list[tuple[str, ...]]:
    """The cells of each row of a part's table."""
    return [
        tuple(" ".join(read(cell)) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row) if read(cell))
        for row in re.findall(r"<tr>(.*?)</tr>", written.partition("<tbody>")[2])
    ]


def filters(*given: object) -> str:
    return urlencode({"filters": json.dumps(given)})


def sheet(house: House, name: str, question: str = DAYS) -> list[list[str]]:
    answer = house.browsers["viewer"].get(f"/overview/{SITE}/{name}.csv?{question}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))


# ── the numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_six_numbers_with_what_they_are_compared_with(house):
    found = read(parts(house, "period=2026-03-11,2026-03-12&compare=2026-03-10,2026-03-10&interval=day", "top")["top"])
    stats = found[: found.index("Visitors by day")]
    assert stats == [
        *("Visitors", "4", "↑ 33.3%", "up 33.3%, better", "from 3", "in 10 Mar 2026"),
        *("Visits", "4", "↑ 33.3%", "up 33.3%, better", "from 3", "in 10 Mar 2026"),
        *("Pageviews", "4", "0%", "unchanged", "from 4", "in 10 Mar 2026"),
        *("Views per visit", "1.25", "↓ 25.0%", "down 25.0%, worse", "from 1.67", "in 10 Mar 2026"),
        *("Bounce rate", "25.0%", "↓ 25.0%", "down 25.0%, better", "from 33.3%", "in 10 Mar 2026"),
        *("Visit duration", "7m 45s", "↓ 41.9%", "down 41.9%, worse", "from 13m 20s", "in 10 Mar 2026"),
    ]


def test_compared_with_nothing_no_change_is_told(house):
    assert "from" not in " ".join(read(parts(house, f"{DAYS}&compare=off", "top")["top"]))


def test_what_nobody_came_to_is_compared_by_the_numbers_that_it_has(house):
    said = read(parts(house, f"{DAYS}&compare=2026-01-01,2026-01-03", "top")["top"])
    assert [text for text in said if text.startswith("from")] == ["from 0"] * 3  # no rate and no mean


def test_the_metric_and_the_interval_of_the_chart_are_the_addresss(house):
    written = parts(house, f"{DAYS}&metric=pageviews&interval=hour", "top")["top"]
    assert "Pageviews by hour" in read(written)
    assert len(re.findall(r'\[\d{10},[^"]*?&quot;', written)) > 1
    pressed = re.findall(r'aria-pressed="true"[^>]*data-keep="([^"]+)"', written)
    assert pressed == ["stat-pageviews", "interval-hour"]


def test_an_empty_period_has_no_numbers_and_says_what_to_do(house):
    found = parts(house, "period=2026-01-01,2026-01-31")
    assert read(found["top"]) == [
        "Nobody came in this period: 1–31 Jan 2026",
        "The first visit was on 10 Mar 2026.",
        "Show all time",
    ]
    assert "No sources in this period: 1–31 Jan 2026" in read(found["sources"])
    assert "No visitors in this period: 1–31 Jan 2026" in read(found["hours"])
    assert (
        read(parts(house, "", "top", site="quiet.example")["top"])[1] == "Nothing has been recorded of this site yet."
    )
    nobody = parts(house, f"{DAYS}&{filters(['is', 'country', ['JP']])}", "top")["top"]
    assert read(nobody)[1:] == ["No visit suits all of the filters.", "Remove the filters"]


# ── the lists ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_list_has_its_rows(house):
    shown = parts(house, DAYS)
    assert rows(shown["sources"]) == [
        ("Google", "60.0% 3"),
        ("Direct / None", "40.0% 2"),
        ("newsletter", "20.0% 1"),
    ]
    assert ("/", "40.0% 2") in rows(shown["pages"])
    assert rows(shown["devices"])[0] == ("Chrome", "40.0% 2")
    assert rows(shown["events"]) == [("Download", "20.0% 1"), ("Purchase", "20.0% 1"), ("Signup", "20.0% 1")]
    lists = {"sources": "channel", "pages": "entry", "places": "country", "devices": "os"}
    shown = parts(house, f"{DAYS}&{urlencode(lists)}", *lists)
    assert rows(shown["sources"])[0] == ("Organic Search", "60.0% 3")
    assert ("/blog/a", "20.0% 1") in rows(shown["pages"])
    assert rows(shown["places"]) == [("Germany", "40.0% 2"), ("United States", "40.0% 2"), ("France", "20.0% 1")]
    assert ("Mac", "20.0% 1") in rows(shown["devices"])
    further = {"sources": "referrer", "pages": "hostname", "devices": "screen"}
    shown = parts(house, f"{DAYS}&{urlencode(further)}", *further)
    assert rows(shown["sources"]) == [("google.com", "60.0% 3")]
    assert rows(shown["pages"]) == [("example.com", "100.0% 5")]
    assert rows(shown["devices"]) == [("1440x900", "20.0% 1")]  # the others did not tell
    assert rows(parts(house, f"{DAYS}&devices=language", "devices")["devices"]) == [("de-DE", "20.0% 1")]


def test_a_filter_goes_for_all_parts(house):
    question = f"{DAYS}&{filters(['is', 'country', ['DE']])}"
    shown = parts(house, question)
    assert "Country is" in read(shown["toolbar"])
    assert rows(shown["sources"]) == [("Direct / None", "50.0% 1"), ("Google", "50.0% 1"), ("newsletter", "50.0% 1")]
    assert rows(shown["events"]) == [("Signup", "50.0% 1")]


def test_an_event_that_everything_is_filtered_by_shows_its_properties(house):
    question = f"{DAYS}&{filters(['is', 'event', ['Purchase']])}"
    first = parts(house, question, "events")["events"]
    assert re.findall(r'data-change="property=(\w+)"', first) == ["plan", "seats"]
    assert rows(first)[0] == ("Purchase", "100.0% 1")
    assert read(first)[-4:] == ["Visitors", "pro", "100.0%", "1"]
    assert read(parts(house, f"{question}&property=seats", "events")["events"])[-3:] == ["3", "100.0%", "1"]
    assert sheet(house, "property", question) == [["plan", "Visitors"], ["pro", "1"]]
    assert sheet(house, "property", f"{question}&property=seats") == [["seats", "Visitors"], ["3", "1"]]


def test_a_file_of_a_property_needs_an_event_that_has_one(house):
    answer = house.browsers["viewer"].get(f"/overview/{SITE}/property.csv?{DAYS}")
    assert answer.status_code == 400
    assert answer.json["error"]["message"] == "file 'property': filter by an event that has properties"


def test_the_minutes_of_a_day_are_a_file(house):
    address = f"/concurrents/{SITE}/minutes.csv"
    answer = house.browsers["viewer"].get(f"{address}?day=2026-03-10")
    assert answer.headers["Content-Disposition"].endswith("example.com-concurrents-2026-03-10.csv")
    found = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert found[0] == ["Minute", "People", "A week before"]
    assert [row[0] for row in (found[1], found[-1])] == ["2026-03-10T00:00+00:00", "2026-03-10T23:59+00:00"]
    assert house.browsers["viewer"].get(f"{address}?day=yesterday").status_code == 400


def test_details_are_searched_sorted_and_paged(house):
    question = f"{DAYS}&details=page"
    assert [row[0] for row in rows(parts(house, f"{question}&sort=name", "rows")["rows"])] == [
        "/",
        "/blog/a",
        "/blog/b",
        "/docs/x/y",
        "/files",
        "/pricing",
    ]
    assert [row[0] for row in rows(parts(house, f"{question}&search=BLOG&sort=-name", "rows")["rows"])] == [
        "/blog/b",
        "/blog/a",
    ]
    beyond = parts(house, f"{question}&page=9", "rows")["rows"]
    assert rows(beyond) == []
    countries = parts(house, f"{DAYS}&details=country&search=united&sort=name", "rows")["rows"]
    assert [row[0] for row in rows(countries)] == ["United States"]


def test_the_chart_as_a_table_has_all_six_numbers(house):
    found = rows(parts(house, f"{DAYS}&details=time", "rows")["rows"])
    assert [row[0] for row in found] == ["Tue 10 Mar", "Wed 11 Mar", "Thu 12 Mar"]
    assert found[2] == ("Thu 12 Mar", "1", "1", "1", "1.00", "100.0%", "0s")


def test_daily_usage_is_a_series_of_its_own(house):
    none = parts(house, DAYS, "usage")["usage"]
    assert "No day of this period is counted" in read(none)
    with house.service.database.transaction() as connection:
        counted = [
            {"site_id": 1, "day": day, "people": people, "signed_in": signed_in, "anonymous": people - signed_in}
            for day, people, signed_in in (("2026-03-10", 3, 1), ("2026-03-12", 1, 0), ("2026-03-20", 9, 9))
        ]
        connection.execute(schema.daily_usage.insert(), counted)
    written = parts(house, f"{DAYS}&{filters(['is', 'country', ['JP']])}", "usage")["usage"]
    assert re.findall(r'title="(\d[^"]*)"', written) == [
        "10 Mar 2026: 3 people, 1 signed in, 2 anonymous",
        "11 Mar 2026: nobody",
        "12 Mar 2026: 1 person, 0 signed in, 1 anonymous",
    ]
    assert sheet(house, "usage") == [
        ["UTC day", "People", "Signed in", "Anonymous"],
        ["2026-03-10", "3", "1", "2"],
        ["2026-03-12", "1", "0", "1"],
    ]


def test_daily_usage_has_the_days_of_an_imported_log(house, tmp_path):
    site = house.add_site("imported.example")
    house.browsers["importer"] = house.join("importer@example.com", "viewer", [site])
    log = tmp_path / "access.log"
    log.write_text("".join([line(0), line(60, "198.51.100.2"), line(120, "198.51.100.2"), line(86_400)]))
    means = ImportContext(house.service.database, house.service.kit, house.service.pause, lambda _: None)
    log_import.run(means, [str(log)], "imported.example")
    answer = house.browsers["importer"].get("/overview/imported.example/usage.csv?period=2015-05-16,2015-05-18")
    assert list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig")))) == [
        ["UTC day", "People", "Signed in", "Anonymous"],
        ["2015-05-17", "2", "0", "2"],
        ["2015-05-18", "1", "0", "1"],
    ]


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_has_the_rows_of_the_details(house):
    header, *found = sheet(house, "source")
    assert header == ["Source", "Visitors", "Visits", "Views per visit", "Bounce rate", "Visit duration"]
    shown = rows(parts(house, f"{DAYS}&details=source", "rows")["rows"])
    assert [(row[0], row[1]) for row in found] == [(row[0], row[1].rsplit(" ", 1)[1]) for row in shown]


def test_a_file_is_searched_and_sorted_as_the_details_on_show(house):
    question = f"{DAYS}&details=page&search=blog&sort=name&page=7"
    assert [row[0] for row in sheet(house, "page", question)[1:]] == ["/blog/a", "/blog/b"]
    assert len(sheet(house, "source", question)) == 4


def test_every_list_and_chart_is_a_file(house):
    question = f"{DAYS}&{filters(['is', 'event', ['Purchase']])}"
    found = {name: len(sheet(house, name, question)) for name in FILES}
    assert found["time"] == 4
    assert found["hours"] == 7 * 24 + 1
    assert min(found.values()) >= 1
    answer = house.browsers["viewer"].get(f"/overview/{SITE}/page.csv?{DAYS}")
    assert answer.headers["Content-Disposition"].endswith("example.com-page-2026-03-10-2026-03-12.csv")


# ── bad input ────────────────────────────────────────────────────────────────────────────────────────────────────────

NONSENSE = (
    "period=30x",
    "period=0d",
    "period=3651d",
    "period=90D",
    "period=1970-01-01,1970-01-02",
    "compare=x",
    "filters=x",
    "filters=" + "[" * 5_000,
    filters(["is", "page", ["\ud800"]]),
    filters(["is", "page", ["\0"]]),
    filters(["matches", "page", ["*" * 200]]),
    filters(["is", "page", [1e999]]),
    "metric=x&interval=x&sources=x",
    "interval=minute&period=12mo",
    "details=page&page=99999999",
    "details=x",
    "x" * 17_000,
)


@pytest.mark.parametrize("question", NONSENSE, ids=range(len(NONSENSE)))
def test_a_broken_address_is_told_in_words_on_the_page_and_refused_for_a_file(house, question):
    found = parts(house, question)
    assert read(found.pop("toolbar"))[:1] == ["Overview"]
    assert set(found.values()) == {""}
    answer = house.browsers["viewer"].get(f"/overview/{SITE}/page.csv?{question}")
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "bad_request")


def test_a_site_opens_with_today_until_its_first_day_is_over_there(house):
    utc, quiet = (sites.find(house.service.database, domain) for domain in (SITE, "quiet.example"))
    utc = replace(utc, timezone="UTC")  # the first visit: 10 March, 10:00
    east = replace(utc, timezone="Pacific/Auckland")  # where that is an hour before midnight
    moments = (at(10, 9), at(10, 10, 59), at(10, 11), at(10, 23, 59), at(11), at(20))
    opens = [[first_period(site, house.service.backend, now) for now in moments] for site in (utc, east, quiet)]
    assert opens == [
        ["today", "today", "today", "today", "", ""],
        ["today", "today", "", "", "", ""],
        ["today"] * 6,
    ]


def test_what_is_wrong_is_named_with_what_is_known(house):
    said = read(parts(house, "period=<b>x", "toolbar")["toolbar"])
    assert said[1].startswith("This address cannot be shown. Period '<b>x': realtime, 24h, today")
    assert said[2] == "Start over"
    answer = house.browsers["viewer"].get(f"/overview/{SITE}/nothing.csv")
    assert answer.json["error"]["message"].startswith("file 'nothing': time, hours, usage, property, source")


@pytest.mark.parametrize(
    "question",
    [
        "period=1971-01-01,1990-12-26",
        "period=2099-12-31,2099-12-31&compare=year",
        "period=2026-03-10,2026-03-11&compare=1971-01-01,2099-12-31&interval=minute",
        "period=1971-01-01,1971-01-01&compare=year:weekdays",
        "period=all&compare=year&details=time",
        "period=realtime&compare=2026-03-10,2026-03-10",
    ],
)
def test_the_longest_and_the_farthest_periods_are_told(house, question):
    found = parts(house, question)
    assert not [name for name, written in found.items() if "could not be read" in written]


@pytest.mark.parametrize(("days", "label"), [(1, "Last day"), (90, "Last 90 days"), (3_650, "Last 3,650 days")])
def test_any_number_of_days_is_a_period_of_the_address(house, days, label):
    found = parts(house, f"period={days}d")
    assert {name for name, written in found.items() if not written} == {"details", "rows"}  # nobody opened a list
    assert not [name for name, written in found.items() if "could not be read" in written]
    assert f"Period: {label}" in found["toolbar"]
    answer = house.browsers["viewer"].get(f"/overview/{SITE}/page.csv?period={days}d")
    assert answer.status_code == 200


def test_the_rows_of_so_many_days_are_those_of_the_same_dates(house):
    last = datetime.now(UTC).date() - timedelta(days=1)
    dates = f"period={last - timedelta(days=3_649)},{last}"
    assert sheet(house, "page", "period=3650d") == sheet(house, "page", dates)
    assert len(sheet(house, "page", "period=3650d")) > 1


@pytest.mark.parametrize("wanted", ["", "part=nothing", "&".join(["part=top"] * 21)])
def test_parts_that_there_are_not_are_refused(house, wanted):
    assert house.browsers["viewer"].get(f"/overview/{SITE}/parts?{wanted}").status_code == 400


@pytest.mark.parametrize(
    "value", ["'; DROP TABLE visits; --", '"', "%", "\\", "a\u202eb", "🙂" * 400, "<script>", "$1", ":x"]
)
def test_a_value_is_data(house, value):
    question = f"{DAYS}&{filters(['is', 'page', [value]], ['contains', 'source', [value]])}&details=page"
    found = parts(house, f"{question}&{urlencode({'search': value[:200]})}")
    assert not any("could not be read" in written for written in found.values())
    assert read(found["top"])[1:] == ["No visit suits all of the filters.", "Remove the filters"]
    assert "<script>" not in "".join(found.values())


def test_a_site_of_somebody_else_is_not_there(house):
    stranger = house.join("stranger@example.com", "viewer", [2])
    for address in (f"parts?{ALL}", "page.csv"):
        assert stranger.get(f"/overview/{SITE}/{address}").status_code == 404
        assert stranger.get(f"/overview/{quote('nobody.example')}/{address}").status_code == 404


# ── a database that fails ────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def without(house: House, table: str) -> Iterator[None]:
    """In the block, the database has no such table."""
    with closing(sqlite3.connect(house.service.config.data_dir / "footfall.db")) as other:
        other.execute(f"ALTER TABLE {table} RENAME TO away")
        try:
            yield
        finally:
            other.execute(f"ALTER TABLE away RENAME TO {table}")


def test_a_part_that_fails_says_so_and_the_others_live_on(house):
    question = f"{DAYS}&pages=entry"
    with without(house, "events"):
        found = parts(house, question)
    failed = {name for name, written in found.items() if "could not be read" in written}
    assert failed == {"top", "events", "hours"}
    assert read(found["events"]) == ["Events could not be read", "The rest of the page is not affected.", "Try again"]
    assert rows(found["sources"])
    assert not any("could not be read" in written for written in parts(house, question).values())
