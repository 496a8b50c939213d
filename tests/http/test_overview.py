"""The parts and the files of an Overview, over the visits of `tests/support/history.py`."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from dash import Output
from house import CALLS, House, open_house

from analytics.base.config import Config
from analytics.reports.files import FILES
from analytics.reports.overview import first_period, read_overview
from analytics.sites import store as sites
from analytics.storage import schema
from callbacks.pages import overview
from collector.imports import log_import
from collector.imports.context import ImportContext
from layouts.overview import page
from layouts.overview.filters import DIMENSIONS
from tests.support.history import at, keep_history
from tests.support.logs import line

SITE, ELSEWHERE = "example.com", "other.example"
DAYS = "period=2026-03-10,2026-03-12"
DAY_S = 86_400
RANKINGS = '{"ranking":["ALL"]}.rows'


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Iterator[House]:
    with open_house(Config(data_dir=tmp_path_factory.mktemp("data"), columnar=False)) as house:
        sites = [house.add_site(domain) for domain in (SITE, ELSEWHERE, "quiet.example")]
        assert sites == [1, 2, 3]
        keep_history(house.service.database)
        house.browsers["viewer"] = house.join("viewer@example.com", "viewer", sites)
        yield house


def asked(house: House, output: str, question: str, site: str = SITE, **given: Any) -> dict[str, dict[str, Any]]:
    """The props that a callback of the page sets for the address, by component; as at the first call."""
    search = f"?{question}" if question else ""
    values = {"data-site": site, "search": search, "asked": search}
    answer = house.call(house.browsers["viewer"], output, **values, **given)
    assert answer.status_code in {200, 204}, answer.text
    return answer.json["response"] if answer.status_code == 200 else {}


def named(outputs: Mapping[str, Output], found: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The values of outputs by the names that the page has for them; those that stay as they are have none."""
    values = {}
    for name, output in outputs.items():
        props = found.get(output.component_id_str(), {})
        if output.component_property in props:
            values[name] = props[output.component_property]
    return values


def top(house: House, question: str, site: str = SITE) -> dict[str, Any]:
    """The toolbar and the numbers."""
    return named(overview.TOP, asked(house, "overview-wrong.children", question, site))


def lists(house: House, question: str, *names: str, site: str = SITE) -> dict[str, dict[str, Any]]:
    """The lists of these panels, by panel."""
    of = names or page.LISTS
    found = asked(house, RANKINGS, question, site, many={"ranking": of, "lists": of})
    key = '{{"{}":"{}"}}'.format
    return {name: found.get(key("ranking", name), {}) | found.get(key("lists", name), {}) for name in of}


def slow(house: House, question: str, site: str = SITE) -> dict[str, dict[str, Any]]:
    """The map, the hours and the daily usage."""
    found = asked(house, '{"part":"map"}.figure', question, site)
    return {name: named(outputs, found) for name, outputs in overview.SLOW.items()}


def details(house: House, question: str) -> dict[str, Any]:
    """The rows of the details."""
    return named(overview.ROWS, asked(house, "overview-rows.of", question))


def chart(house: House, question: str, site: str = SITE) -> dict[str, Any]:
    """The chart."""
    return named(overview.CHART, asked(house, '{"part":"chart"}.figure', question, site))


def whole(house: House, question: str, site: str = SITE) -> dict[str, dict[str, Any]]:
    """Every part of the page, by name."""
    return {
        "top": top(house, question, site),
        "chart": chart(house, question, site),
        **lists(house, question, site=site),
        **slow(house, question, site),
        "rows": details(house, question),
    }


def failed(found: Mapping[str, dict[str, Any]]) -> set[str]:
    """The parts that say that they could not be read."""
    return {name for name, part in found.items() if part.get("answered", "").startswith("!")}


def rows(part: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The label and the numbers of each row of a list."""
    return [(row["label"], f"{row['share']} {row['number']}") for row in part["rows"]]


def lines(part: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The cells of each row of the details."""
    return [(row["label"], *row["cells"]) for row in part["rows"]]


def stats(part: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """What each of the six numbers says."""
    return [
        (one["label"], one["value"], *(one["compared"][name] for name in ("seen", "said", "since", "within")))
        for one in part["stats"]
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
    then = ("from {}", "on 10 Mar 2026")
    found = stats(top(house, "period=2026-03-11,2026-03-12&compare=2026-03-10,2026-03-10&interval=day"))
    assert found == [
        ("Visitors", "4", "↑ 33.3%", "up 33.3%", then[0].format("3"), then[1]),
        ("Visits", "4", "↑ 33.3%", "up 33.3%", then[0].format("3"), then[1]),
        ("Pageviews", "4", "0%", "unchanged", then[0].format("4"), then[1]),
        ("Views per visit", "1.25", "↓ 25.0%", "down 25.0%", then[0].format("1.67"), then[1]),
        ("Bounce rate", "25.0%", "↓ 25.0%", "down 25.0%", then[0].format("33.3%"), then[1]),
        ("Visit duration", "7m 45s", "↓ 41.9%", "down 41.9%", then[0].format("13m 20s"), then[1]),
    ]


def test_compared_with_nothing_no_change_is_told(house):
    assert [one["compared"] for one in top(house, f"{DAYS}&compare=off")["stats"]] == [None] * 6


def test_what_nobody_came_to_is_compared_by_the_numbers_that_it_has(house):
    found = top(house, f"{DAYS}&compare=2026-01-01,2026-01-03")["stats"]
    assert [one["compared"]["since"] for one in found if one["compared"]] == ["from 0"] * 3  # no rate and no mean


def test_the_chosen_number_is_said_to_screen_readers(house):
    found = top(house, f"{DAYS}&metric=pageviews&compare=off")
    assert found["said"] == "Pageviews 8"


def test_the_metric_and_the_interval_of_the_chart_are_the_addresss(house):
    question = f"{DAYS}&metric=pageviews&interval=hour"
    found = top(house, question)
    assert found["title"] == "Pageviews by hour"
    chosen = [one["key"] for name in ("stats", "intervals", "shapes") for one in found[name] if one["chosen"]]
    assert chosen == ["stat-pageviews", "interval-hour", "shape-line"]
    drawn = chart(house, question)
    assert len(drawn["figure"]["layout"]["meta"]) == 72
    assert drawn["words"].startswith("Pageviews by hour: between 0 and ")


def test_an_empty_period_has_no_numbers_and_says_what_to_do(house):
    question = "period=2026-01-01,2026-01-31"
    found = top(house, question)
    assert (found["panels"], found["no_chart"]) == (True, True), "hidden"
    assert found["empty"] == {
        "title": "Nobody came in this period: 1–31 Jan 2026",
        "hint": "The first visit was on 10 Mar 2026.",
        "link": "Show all time",
        "change": "period=all&interval=",
    }
    assert lists(house, question)["sources"]["empty"]["title"] == "No sources in this period: 1–31 Jan 2026"
    assert "No visitors in this period: 1–31 Jan 2026" in json.dumps(slow(house, question)["hours"], ensure_ascii=False)
    found = top(house, f"{DAYS}&{filters(['is', 'country', ['JP']])}")
    assert (found["panels"], found["no_chart"]) == (True, True), "hidden"
    nobody = found["empty"]
    assert (nobody["hint"], nobody["link"]) == ("No visit suits all of the filters.", "Remove the filters")
    found = top(house, DAYS)
    assert (found["panels"], found["no_chart"]) == (False, False), "shown"


def test_a_site_without_data_has_one_frame_that_leads_an_admin_to_the_snippet(house):
    quiet = "quiet.example"
    found = top(house, "", site=quiet)
    assert found["empty"] == {
        "title": "Nothing has been recorded of this site yet",
        "hint": "An admin of the site can put the snippet into its pages.",
    }
    assert (found["panels"], found["no_chart"]) == (True, True), "hidden"
    admin = house.join("admin@example.com", "admin", [3])
    answer = house.call(admin, "overview-wrong.children", **{"data-site": quiet, "search": ""})
    empty = answer.json["response"]["overview-stats"]["empty"]
    assert (empty["link"], empty["href"]) == ("Show the snippet", "/settings/quiet.example/snippet")


# ── the lists ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_list_has_its_rows(house):
    shown = lists(house, DAYS)
    assert rows(shown["sources"]) == [
        ("Google", "60.0% 3"),
        ("Direct / None", "40.0% 2"),
        ("newsletter", "20.0% 1"),
    ]
    assert ("/", "40.0% 2") in rows(shown["pages"])
    assert rows(shown["devices"])[0] == ("Chrome", "40.0% 2")
    assert rows(shown["events"]) == [("Download", "20.0% 1"), ("Purchase", "20.0% 1"), ("Signup", "20.0% 1")]
    assert (shown["places"]["pictured"], shown["places"]["rows"]) == (True, []), "the map"
    chosen = {"sources": "channel", "pages": "entry", "places": "country", "devices": "os"}
    shown = lists(house, f"{DAYS}&{urlencode(chosen)}", *chosen)
    assert rows(shown["sources"])[0] == ("Organic Search", "60.0% 3")
    assert ("/blog/a", "20.0% 1") in rows(shown["pages"])
    assert rows(shown["places"]) == [("Germany", "40.0% 2"), ("United States", "40.0% 2"), ("France", "20.0% 1")]
    assert ("Mac", "20.0% 1") in rows(shown["devices"])
    further = {"sources": "referrer", "pages": "hostname", "devices": "screen"}
    shown = lists(house, f"{DAYS}&{urlencode(further)}", *further)
    assert rows(shown["sources"]) == [("google.com", "60.0% 3")]
    assert rows(shown["pages"]) == [("example.com", "100.0% 5")]
    assert rows(shown["devices"]) == [("1440x900", "20.0% 1")]  # the others did not tell
    assert rows(lists(house, f"{DAYS}&devices=language", "devices")["devices"]) == [("German (Germany)", "20.0% 1")]


def test_a_filter_goes_for_all_parts(house):
    question = f"{DAYS}&{filters(['is', 'country', ['DE']])}"
    shown = lists(house, question)
    assert [(one["about"], one["value"]) for one in top(house, question)["chips"]] == [("Country is", "Germany")]
    assert rows(shown["sources"]) == [("Direct / None", "50.0% 1"), ("Google", "50.0% 1"), ("newsletter", "50.0% 1")]
    assert rows(shown["events"]) == [("Signup", "50.0% 1")]
    assert slow(house, question)["map"]["figure"]["data"][0]["locations"] == ["DEU"]


def test_an_event_that_everything_is_filtered_by_shows_its_properties(house):
    question = f"{DAYS}&{filters(['is', 'event', ['Purchase']])}"
    first = lists(house, question, "events")["events"]
    assert [one["label"] for one in first["more"]["choices"]] == ["plan", "seats"]
    assert rows(first)[0] == ("Purchase", "100.0% 1")
    assert rows(first["more"]) == [("pro", "100.0% 1")]
    assert rows(lists(house, f"{question}&property=seats", "events")["events"]["more"]) == [("3", "100.0% 1")]
    assert sheet(house, "property", question) == [["plan", "Visitors"], ["pro", "1"]]
    assert sheet(house, "property", f"{question}&property=seats") == [["seats", "Visitors"], ["3", "1"]]


def suggested(house: House, name: object, text: object = "", question: str = DAYS) -> Any:
    values = {"data-site": SITE, "asked": {"by": name, "text": text, "search": f"?{question}"}}
    return house.call(house.browsers["viewer"], "overview-filter.suggestions", **values)


def values(house: House, name: str, text: str = "", question: str = DAYS) -> list[tuple[str, str, str]]:
    """Suggested values with their labels and visitors."""
    found = suggested(house, name, text, question).json["response"]["overview-filter"]["suggestions"]
    assert (found["by"], found["text"], found["whole"]) == (name, text, True)
    return [(one["value"], one["label"], one["number"]) for one in found["values"]]


# Of each dimension: a value as filters have it and as it is read, its visitors, and what is typed to find it.
SUGGESTED = {
    "page": ("/", "/", "2", "/"),
    "hostname": ("example.com", "example.com", "5", "EXAMPLE"),
    "entry_page": ("/", "/", "2", "/"),
    "exit_page": ("/", "/", "2", "/"),
    "source": ("Google", "Google", "3", "goo"),
    "channel": ("Organic Search", "Organic Search", "3", "search"),
    "referrer": ("google.com", "google.com", "3", "GOOGLE"),
    "utm_source": ("newsletter", "newsletter", "1", "news"),
    "utm_medium": ("email", "email", "1", "mail"),
    "utm_campaign": ("(none)", "(none)", "5", ""),
    "utm_content": ("(none)", "(none)", "5", ""),
    "utm_term": ("(none)", "(none)", "5", ""),
    "country": ("DE", "Germany", "2", "Germany"),
    "region": ("(unknown)", "(unknown)", "5", ""),
    "city": ("Berlin", "Berlin", "1", "berl"),
    "browser": ("Firefox", "Firefox", "2", "fox"),
    "browser_version": ("140", "140", "1", "140"),
    "os": ("GNU/Linux", "GNU/Linux", "1", "linux"),
    "os_version": ("(unknown)", "(unknown)", "5", ""),
    "device": ("Mobile", "Mobile", "1", "mobile"),
    "screen": ("1440x900", "1440x900", "1", "1440"),
    "language": ("de-DE", "German (Germany)", "1", "germ"),
    "user_type": ("supplier", "supplier", "1", "supp"),
    "signed_in": ("yes", "yes", "1", "ye"),
    "event": ("Signup", "Signup", "1", "sign"),
    "currency": ("EUR", "EUR", "2", "eur"),
}


@pytest.mark.parametrize("name", DIMENSIONS)
def test_each_dimension_suggests_its_values_and_is_filtered_by_name_and_by_value(house, name):
    value, label, people, typed = SUGGESTED[name]
    (found,) = [one for one in values(house, name) if one[0] == value]
    assert found == (value, label, people)
    assert found in values(house, name, typed)
    for given in {value} if name == "language" else {value, label}:
        shown = top(house, f"{DAYS}&{filters(['is', name, [given]])}")
        assert (shown["stats"][0]["value"], shown["chips"][0]["value"]) == (people, label), given


def test_languages_have_names_and_are_found_by_them_and_by_their_codes(house):
    shown = lists(house, f"{DAYS}&devices=language", "devices")["devices"]
    assert rows(shown) == [("German (Germany)", "20.0% 1")]
    assert json.loads(parse_qs(shown["rows"][0]["change"])["filters"][0]) == [["is", "language", ["de-DE"]]]
    for typed in ("de-", "GERMAN"):
        assert values(house, "language", typed) == [("de-DE", "German (Germany)", "1")]
        found = lines(details(house, f"{DAYS}&details=language&search={typed}"))
        assert [row[0] for row in found] == ["German (Germany)"]
    assert values(house, "language", "french") == []
    assert sheet(house, "language")[1][:2] == ["de-DE", "1"], "a file has codes"
    part = top(house, f"{DAYS}&{filters(['contains', 'language', ['de']])}")["chips"][0]
    assert (part["value"], part["draft"]["values"]) == ("de", [{"value": "de", "label": "de"}])


def test_suggestions_are_of_the_period_and_the_other_filters(house):
    assert [label for _, label, _ in values(house, "source")] == ["Google", "Direct / None", "newsletter"]
    known = values(house, "country")
    assert known[:3] == [("DE", "Germany", "2"), ("US", "United States", "2"), ("FR", "France", "1")]
    assert ("JP", "Japan", "") in known, "nobody came from there"
    assert values(house, "source", "news") == [("newsletter", "newsletter", "1")]
    assert values(house, "signed_in") == [("no", "no", "4"), ("yes", "yes", "1")]
    mobile = f"{DAYS}&{filters(['is', 'device', ['Mobile']])}"
    assert values(house, "country", "", mobile)[0] == ("DE", "Germany", "1")
    assert values(house, "source", "", "period=2026-03-12,2026-03-12") == [("Google", "Google", "1")]


@pytest.mark.parametrize("name", ["nothing", "time:day", 7, ["source"], {"a": 1}])
def test_nothing_is_suggested_for_what_is_no_dimension(house, name):
    assert suggested(house, name).status_code == 400
    assert suggested(house, "source", 7).status_code == 400
    assert suggested(house, "source", "", "period=30x").status_code == 204
    assert suggested(house, "source", "\0").status_code == 204


def test_only_filters_that_the_form_can_write_are_changed_there(house):
    given = filters(
        ["is_not", "country", ["germany", "fr", "(unknown)"]],
        ["contains", "source", ["goo"], {"case_sensitive": False}],
        ["not", ["is", "browser", ["x"]]],
        ["is", "prop:plan", ["pro"]],
        ["contains", "country", ["E"]],
        ["matches", "page", ["/*"]],
    )
    drafts = [one["draft"] for one in top(house, f"{DAYS}&{given}")["chips"]]
    labels = {"DE": "Germany", "FR": "France", "(unknown)": "Unknown"}
    assert drafts == [
        {
            "place": 0,
            "by": "country",
            "how": "is_not",
            "values": [{"value": value, "label": label} for value, label in labels.items()],
        },
        *[None] * 4,
        {"place": 5, "by": "page", "how": "matches", "values": [{"value": "/*", "label": "/*"}]},
    ]


def test_only_parts_whose_question_has_changed_are_answered(house):
    before = {"answered": [f"?{DAYS}&pages=entry", f"?{DAYS}", None, f"?{DAYS}&metric=visits", "?period=30x"]}
    shown = asked(
        house, RANKINGS, f"{DAYS}&pages=entry&page=2", **before, many=dict.fromkeys(("ranking", "lists"), page.LISTS)
    )
    drawn = [name for name in page.LISTS if f'{{"ranking":"{name}"}}' in shown]
    assert drawn == ["pages", "places", "events"], "sources and devices show that already"
    assert {props["answered"] for name, props in shown.items() if "lists" in name} == {f"?{DAYS}&pages=entry&page=2"}


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
    assert [row[0] for row in lines(details(house, f"{question}&sort=name"))] == [
        "/",
        "/blog/a",
        "/blog/b",
        "/docs/x/y",
        "/files",
        "/pricing",
    ]
    assert [row[0] for row in lines(details(house, f"{question}&search=BLOG&sort=-name"))] == ["/blog/b", "/blog/a"]
    assert lines(details(house, f"{question}&page=9")) == []
    countries = details(house, f"{DAYS}&details=country&search=united&sort=name")
    assert [row[0] for row in lines(countries)] == ["United States"]


def test_the_chart_as_a_table_has_all_six_numbers(house):
    found = lines(details(house, f"{DAYS}&details=time"))
    assert [row[0] for row in found] == ["Tue 10 Mar", "Wed 11 Mar", "Thu 12 Mar"]
    assert found[2] == ("Thu 12 Mar", "1", "1", "1", "1.00", "100.0%", "0s")


def test_daily_usage_is_a_series_of_its_own(house):
    assert slow(house, DAYS)["usage"]["empty"]["title"] == "No day of this period is counted"
    with house.service.database.transaction() as connection:
        counted = [
            {"site_id": 1, "day": day, "people": people, "signed_in": signed_in, "anonymous": people - signed_in}
            for day, people, signed_in in (("2026-03-10", 3, 1), ("2026-03-12", 1, 0), ("2026-03-20", 9, 9))
        ]
        connection.execute(schema.daily_usage.insert(), counted)
    found = slow(house, f"{DAYS}&{filters(['is', 'country', ['JP']])}")["usage"]
    assert [(one["title"], one["height"]) for one in found["days"]] == [
        ("10 Mar 2026: 3 people, 1 signed in, 2 anonymous", 100),
        ("11 Mar 2026: nobody", 0),
        ("12 Mar 2026: 1 person, 0 signed in, 1 anonymous", 33.3),
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
    shown = lines(details(house, f"{DAYS}&details=source"))
    assert [(row[0], row[1]) for row in found] == [(row[0], row[1]) for row in shown]


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


def test_countries_are_found_by_their_names_in_the_readers_language_and_a_file_has_english_ones(house):
    question = f"{DAYS}&details=country&search=deutsch"
    house.browsers["viewer"].environ_base["HTTP_ACCEPT_LANGUAGE"] = "de"
    shown, english, found = (
        details(house, question),
        details(house, f"{DAYS}&details=country&search=germany"),
        sheet(house, "country", question),
    )
    del house.browsers["viewer"].environ_base["HTTP_ACCEPT_LANGUAGE"]
    assert [row[0] for row in lines(shown)] == [row[0] for row in lines(english)] == ["Deutschland"]
    assert [row[:2] for row in found] == [["Country", "Visitors"], ["Germany", "2"]]


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
    found = whole(house, question)
    said = found["top"].pop("wrong")
    assert "This address cannot be shown. " in json.dumps(said)
    assert found.pop("top") == {"body": True, "stats": [], "answered": f"?{question}"}, "nothing was on show"
    said = found["rows"].pop("wrong")
    assert (said["title"], said["change"], said["search"]) == ("Details", "*", f"?{question}")
    assert said["said"].startswith("This address cannot be shown. ")
    blank = {name: overview.BLANK.get(name, {}) | {"answered": f"?{question}"} for name in found}
    assert found == blank
    answer = house.browsers["viewer"].get(f"/overview/{SITE}/page.csv?{question}")
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "bad_request")


def test_the_week_of_a_short_period_is_that_of_four_weeks_and_says_so(house):
    """The hours of "Last 30 minutes" were one square."""

    def of(period: str, now: int) -> tuple[str, float]:
        site = sites.find(house.service.database, SITE)
        found = read_overview(site, f"period={period}", house.service.backend, house.service.database, now)
        return found.week_period, sum(hour.visitors or 0 for day in found.week() for hour in day)

    april = at(31) + 7 * DAY_S  # 7 April
    averaged = of("today", april)
    assert averaged == ("last 4 weeks", 1.0), "four hours with one person each, in four weeks"
    assert of("realtime", april) == of("24h", april) == of("2026-04-06,2026-04-07", april) == averaged
    assert of("2026-04-01,2026-04-01", april)[0] == "10 Mar – 1 Apr 2026", "since the first day"
    assert of("2026-04-06,2026-04-06", april + 9 * DAY_S)[0] == "10 Mar – 6 Apr 2026"
    assert of("30d", april)[0] == "last 30 days"


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
    alert = top(house, "period=<b>x")["wrong"]["props"]["children"]
    text, way = alert[1]["props"]["children"]
    assert text.startswith("This address cannot be shown. Period '<b>x': realtime, 24h, today")
    assert (way["props"]["children"], way["props"]["change"]) == ("Start over", "*")
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
    assert failed(whole(house, question)) == set()


@pytest.mark.parametrize(("days", "label"), [(1, "Last day"), (90, "Last 90 days"), (3_650, "Last 3,650 days")])
def test_any_number_of_days_is_a_period_of_the_address(house, days, label):
    found = whole(house, f"period={days}d")
    assert found["rows"] == {"answered": f"?period={days}d"}  # nobody opened a list
    assert failed(found) == set()
    assert found["top"]["period"]["said"].startswith(f"Period: {label}")
    answer = house.browsers["viewer"].get(f"/overview/{SITE}/page.csv?period={days}d")
    assert answer.status_code == 200


def test_the_rows_of_so_many_days_are_those_of_the_same_dates(house):
    last = datetime.now(UTC).date() - timedelta(days=1)
    dates = f"period={last - timedelta(days=3_649)},{last}"
    assert sheet(house, "page", "period=3650d") == sheet(house, "page", dates)
    assert len(sheet(house, "page", "period=3650d")) > 1


LISTS = ["sources", "pages"]


@pytest.mark.parametrize(
    ("ranking", "part"),
    [
        (["nothing"], ["nothing"]),
        (LISTS, LISTS[:1]),
        (LISTS, LISTS[::-1]),
        (LISTS * 2, LISTS * 2),
        ([1], [1]),
        ([], LISTS),
    ],
)
def test_lists_that_there_are_not_are_refused(house, ranking, part):
    values = {"data-site": SITE, "search": ""}
    answer = house.call(house.browsers["viewer"], RANKINGS, {"ranking": ranking, "lists": part}, **values)
    assert answer.status_code == 400


def without_output(body: dict) -> None:
    body["outputs"].pop()


def with_another_figure(body: dict) -> None:
    body["outputs"][0]["id"] = {"part": "nowhere"}


def with_another_prop(body: dict) -> None:
    body["outputs"][0]["property"] = "children"


def with_another_name(body: dict) -> None:
    body["outputs"][-1]["id"] = {"parts": "usage"}


def with_another_value(body: dict) -> None:
    body["outputs"][-1]["id"] = {"part": "top"}


def with_a_list_for_an_id(body: dict) -> None:
    body["outputs"][-1]["id"] = {"part": ["usage"]}


def with_a_list_for_a_part(body: dict) -> None:
    body["outputs"][-1] = [body["outputs"][-1]]


def with_a_number_for_an_address(body: dict) -> None:
    body["inputs"][0]["value"] = 7


WRONG = (
    without_output,
    with_another_figure,
    with_another_prop,
    with_another_name,
    with_another_value,
    with_a_list_for_an_id,
    with_a_list_for_a_part,
    with_a_number_for_an_address,
)


@pytest.mark.parametrize("spoil", WRONG, ids=lambda spoil: spoil.__name__)
def test_a_call_that_no_page_makes_is_refused(house, spoil):
    body = house.body(house.served['{"part":"map"}.figure'], **{"data-site": SITE, "search": ""})
    assert house.browsers["viewer"].post(CALLS, json=body).status_code == 200
    spoil(body)
    assert house.browsers["viewer"].post(CALLS, json=body).status_code == 400


@pytest.mark.parametrize("answer", ["{", "7", "[]", "[" * 40_000])
def test_what_no_form_answers_is_refused(house, answer):
    body = house.body(
        house.served["overview-wrong.children"], **{"data-site": SITE, "search": "", "data-answer": answer}
    )
    body["changedPropIds"] = ["segment-answer.data-answer"]
    assert house.browsers["viewer"].post(CALLS, json=body).status_code == 400


@pytest.mark.parametrize(
    "value", ["'; DROP TABLE visits; --", '"', "%", "\\", "a\u202eb", "🙂" * 400, "<script>", "$1", ":x"]
)
def test_a_value_is_data(house, value):
    question = f"{DAYS}&{filters(['is', 'page', [value]], ['contains', 'source', [value]])}&details=page"
    found = whole(house, f"{question}&{urlencode({'search': value[:200]})}")
    assert failed(found) == set()
    assert found["top"]["empty"]["hint"] == "No visit suits all of the filters."


def test_a_site_of_somebody_else_is_not_there(house):
    stranger = house.join("stranger@example.com", "viewer", [2])
    for site in (SITE, "nobody.example"):
        assert stranger.get(f"/overview/{site}/page.csv").status_code == 404
        for output in ("overview-wrong.children", '{"part":"chart"}.figure', RANKINGS, "overview-rows.of"):
            assert house.call(stranger, output, **{"data-site": site, "search": "", "asked": ""}).status_code == 404


# ── a database that fails ────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def without(house: House, table: str) -> Iterator[None]:
    """In the block, the database has no such table, and no answer is kept from before."""
    house.service.answers.clear()
    with closing(sqlite3.connect(house.service.config.data_dir / "footfall.db")) as other:
        other.execute(f"ALTER TABLE {table} RENAME TO away")
        try:
            yield
        finally:
            other.execute(f"ALTER TABLE away RENAME TO {table}")


def test_a_part_that_fails_says_so_and_the_others_live_on(house):
    question = f"{DAYS}&pages=entry"
    with without(house, "events"):
        found = whole(house, question)
    assert failed(found) == {"top", "chart", "events", "hours"}
    assert rows(found["sources"])
    assert failed(whole(house, question)) == set()
