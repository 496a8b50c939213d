"""Rules as JSON: what is read, what is written back, and what is refused by which name."""

from __future__ import annotations

import json
import math

import pytest

from analytics.base.errors import InvalidInput
from analytics.live.facts import ALL_OF_ITEMS, OF_PEOPLE
from analytics.notify import rule_json
from analytics.notify.audience import Audience
from analytics.notify.kinds.alert import AlertBegins
from analytics.notify.kinds.change import MetricChanged
from analytics.notify.kinds.crossing import Crossing
from analytics.notify.kinds.event import Condition, EventArrives, Operator
from analytics.notify.kinds.line import LineCrossed
from analytics.notify.kinds.silence import NothingArrives
from analytics.notify.live_metrics import LIVE_METRICS, SYSTEM_METRICS
from analytics.notify.rule import Notify, Priority, Severity
from analytics.notify.rule_json import RuleInput
from analytics.query.filters import Match

NOTIFY = {"priority": "high", "title": "It happened"}
READ_NOTIFY = Notify(Priority.HIGH, title="It happened")
LINE = {"metric": "active_sessions", "above": 100}


def rule(when=LINE, notify=NOTIFY, **fields):
    return {"name": "A rule", "when": when, "notify": notify} | fields


def wrong(given) -> dict[str, str]:
    """What is wrong, by the names of the fields."""
    with pytest.raises(InvalidInput) as refused:
        rule_json.read(given)
    assert str(refused.value) == "; ".join(f"{name}: {why}" for name, why in refused.value.fields.items())
    return refused.value.fields


# ── what is read, and written back ──────────────────────────────────────────────────────────────────────────────────


def test_a_rule_with_every_field_of_an_event_rule():
    given = {
        "name": "Large payments",
        "when": {
            "event": "payment",
            "where": [["value", ">", 100], ["currency", "=", "EUR"], ["props.trial", "!=", True], ["props.n", "<", 5]],
        },
        "notify": {
            "priority": "urgent",
            "severity": "critical",
            "title": "{value} {currency}",
            "message": "{user_name}\npaid for {props.plan}",
            "link": "/overview/{site}",
            "link_label": "Look",
            "channels": [3, 1, 3],
            "group_s": 0,
            "repeat_s": 60,
            "audience": "admins",
        },
        "enabled": False,
    }
    read = rule_json.read(given)
    conditions = (
        Condition("value", Operator.ABOVE, 100.0),
        Condition("currency", Operator.IS, "EUR"),
        Condition("props.trial", Operator.IS_NOT, "true"),
        Condition("props.n", Operator.BELOW, 5.0),
    )
    notify = Notify(
        Priority.URGENT,
        Severity.CRITICAL,
        "{value} {currency}",
        "{user_name}\npaid for {props.plan}",
        "/overview/{site}",
        "Look",
        (3, 1),
        0,
        60,
        Audience.ADMINS,
    )
    assert read == RuleInput("Large payments", EventArrives("payment", conditions), notify, enabled=False)
    given["when"]["where"][2][2], given["notify"]["channels"] = "true", [3, 1]
    assert rule_json.plain(read) == given


def test_a_short_rule_gets_what_is_usual():
    assert rule_json.read(rule({"event": ""})) == RuleInput("A rule", EventArrives(""), READ_NOTIFY)
    usual = Notify(Priority.HIGH, Severity.WARNING, group_s=300, repeat_s=14_400, audience=Audience.EVERYBODY)
    assert READ_NOTIFY._replace(title="") == usual


@pytest.mark.parametrize(
    ("given", "when"),
    [
        (LINE, LineCrossed("active_sessions", Crossing.ABOVE, 100.0)),
        (
            {"metric": "events_per_minute", "below": 0.5, "for_s": 60, "readings": 3},
            LineCrossed("events_per_minute", Crossing.BELOW, 0.5, for_s=60, readings=3),
        ),
        (
            {"metric": "active_sessions", "below": 1, "filters": [["is", "visit:country", ["DE"]]]},
            LineCrossed("active_sessions", Crossing.BELOW, 1.0, filters=(Match("is", "country", ("DE",)),)),
        ),
        (
            {"metric": "visitors", "change_below": -50, "period": "7d"},
            MetricChanged("visitors", Crossing.BELOW, -50.0, period="7d"),
        ),
        (
            {"metric": "total_revenue", "change_above": 20, "filters": [["is", "event", ["payment"]]]},
            MetricChanged(
                "total_revenue", Crossing.ABOVE, 20.0, filters=(Match("is", "event", ("payment",)),), period="today"
            ),
        ),
        (
            {"metric": "pageviews", "above": 1, "period": "all"},
            LineCrossed("pageviews", Crossing.ABOVE, 1.0, period="all"),
        ),
        ({"metric": "active_sessions", "no_data_s": 600}, NothingArrives("active_sessions", 600)),
        (
            {"metric": "cpu_percent", "above": 70, "for_s": 60},
            LineCrossed("cpu_percent", Crossing.ABOVE, 70.0, for_s=60),
        ),
        ({"metric": "http.time", "change_above": 50}, MetricChanged("http.time", Crossing.ABOVE, 50.0)),
        (
            {"metric": "events", "no_data_s": 600, "filters": [["is", "page", ["/"]]]},
            NothingArrives("events", 600, filters=(Match("is", "page", ("/",)),)),
        ),
    ],
)
def test_metric_rules_are_read_and_written_back(given, when):
    read = rule_json.read(rule(given))
    assert read == RuleInput("A rule", when, READ_NOTIFY)
    assert rule_json.read(json.loads(json.dumps(rule_json.plain(read)))) == read


@pytest.mark.parametrize("severity", ["info", "warning", "error", "critical"])
def test_rules_on_alerts_are_read_and_written_back(severity):
    read = rule_json.read(rule({"alert": severity}))
    assert read == RuleInput("A rule", AlertBegins(Severity(severity)), READ_NOTIFY)
    assert rule_json.read(json.loads(json.dumps(rule_json.plain(read)))) == read


def test_text_around_names_is_trimmed_and_letters_of_all_languages_are_kept():
    read = rule_json.read(rule({"event": " Sign up "}, {"priority": "low", "title": " 👩\u200d💻 می\u200cخواهم "}))
    assert (read.when, read.notify.title) == (EventArrives("Sign up"), "👩\u200d💻 می\u200cخواهم")


def test_json_as_text_is_read():
    assert rule_json.read_text(json.dumps(rule())) == rule_json.read(rule())
    for text in ("", "{", "[" * 100_000):
        with pytest.raises(InvalidInput, match="no JSON"):
            rule_json.read_text(text)


def test_live_metrics_are_filtered_by_what_is_known_of_people_and_of_the_feed():
    known = {name: {*filtered_by} for name, filtered_by in LIVE_METRICS.items()}
    people = dict.fromkeys(("active_sessions", "authenticated_users", "anonymous_sessions"), OF_PEOPLE.keys())
    assert known == {**people, "events_per_minute": ALL_OF_ITEMS.keys(), **{name: set() for name in SYSTEM_METRICS}}


@pytest.mark.parametrize("dimension", ["event", "device", "browser"])
def test_events_per_minute_are_those_of_a_kind_a_device_or_a_browser(dimension):
    when = {"metric": "events_per_minute", "above": 20, "filters": [["is", dimension, ["x"]]]}
    read = rule_json.read(rule(when))
    assert read.when == LineCrossed("events_per_minute", Crossing.ABOVE, 20, filters=(Match("is", dimension, ("x",)),))
    assert read.when.plain() == when


# ── what is refused ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("given", [None, [], "x", 7])
def test_what_is_no_object_is_refused(given):
    assert wrong(given) == {"rule": "an object with name, when, notify, enabled"}


def test_every_wrong_field_is_named_at_once():
    given = {
        "nmae": "x",
        "when": {"event": "x", "wher": [], "where": [["price", "=", 1]]},
        "notify": {"priority": "highest", "titel": "x", "message": "{price}", "link": "javascript:x"},
        "enabled": "yes",
    }
    fields = "{value}, {name}, {currency}, {user_id}, {user_name}, {user_type}, {path}, {description}, {country}"
    known = "value, name, currency, user_id, user_name, user_type, path, description, country, source, props.NAME"
    assert wrong(given) == {
        "nmae": "unknown field; known: name, when, notify, enabled",
        "name": "is required",
        "enabled": "true or false",
        "when.wher": "unknown field; known: event, where",
        "when.where.0": f"unknown field 'price'; known: {known}",
        "notify.titel": "unknown field; known: priority, title, severity, message, link, link_label, channels, "
        "group_s, repeat_s, audience",
        "notify.title": "is required",
        "notify.priority": "one of low, medium, high, urgent",
        "notify.message": f"unknown field {{price}}; known: {fields}, {{source}}, {{site}}, {{rule}}, {{props.NAME}}",
        "notify.link": "link 'javascript:x': an address with http:// or https://, or a path that begins with /; its "
        "host has no field but {site}",
    }


METRIC_NAMES = (
    "unknown metric; live: active_sessions, authenticated_users, anonymous_sessions, events_per_minute, "
    "requests_per_second, average_response_ms, error_rate, queue_depth; of the past: "
    "visitors, visits, pageviews, views_per_visit, bounce_rate, visit_duration, events, time_on_page, scroll_depth, "
    "percentage, total_revenue, average_revenue, peak_concurrents, average_concurrents"
)
KINDS = "an object with exactly one of event, alert, above, below, change_above, change_below, no_data_s"
NUMBER = "a number from -1e15 to 1e15"


@pytest.mark.parametrize(
    ("when", "field", "why"),
    [
        ({}, "when", KINDS),
        (7, "when", KINDS),
        ({"metric": "visitors"}, "when", KINDS),
        (LINE | {"below": 1}, "when", KINDS),
        (LINE | {"no_data_s": 60}, "when", KINDS),
        ({"metric": "visitors now", "above": 1}, "when.metric", METRIC_NAMES),
        ({"metric": ["visitors"], "above": 1}, "when.metric", METRIC_NAMES),
        (
            {"metric": "visitors", "no_data_s": 60, "for_s": 60},
            "when.for_s",
            "unknown field; known: metric, no_data_s, filters",
        ),
        (LINE | {"period": "7d"}, "when.period", "active_sessions is live and takes no period"),
        *(
            (LINE | {"above": one}, "when.above", NUMBER)
            for one in (math.nan, math.inf, 1e16, 10**400, "5", True, None, [])
        ),
        *(
            (LINE | {"for_s": one}, "when.for_s", "a whole number from 0 to 604800")
            for one in (-1, 604_801, 1.5, math.nan, "5", True)
        ),
        (LINE | {"readings": 0}, "when.readings", "a whole number from 1 to 1000"),
        ({"metric": "active_sessions", "no_data_s": 5}, "when.no_data_s", "a whole number from 10 to 2592000"),
        *(
            (
                {"metric": metric, "no_data_s": 60},
                "when.metric",
                f"that {metric} is 0 does not say that nothing arrives",
            )
            for metric in ("error_rate", "queue_depth", "average_response_ms", "bounce_rate")
        ),
        (LINE | {"filters": "x"}, "when.filters", 'filters are a list like [["is", "source", ["Google"]]]'),
        (
            LINE | {"filters": [["is", "browser", ["Chrome"]], ["has_done", ["is", "page", ["/"]]]]},
            "when.filters",
            "active_sessions is live and cannot be filtered by browser, has_done; by page, source, country, city, "
            "user_type, signed_in",
        ),
        (
            {"metric": "error_rate", "above": 2, "filters": [["is", "country", ["DE"]]]},
            "when.filters",
            "error_rate is the server's and cannot be filtered",
        ),
        (
            {"metric": "cpu_percent", "above": 2, "filters": [["is", "country", ["DE"]]]},
            "when.filters",
            "cpu_percent is of samples and cannot be filtered",
        ),
        (
            {"metric": "cpu_percent", "above": 2, "period": "7d"},
            "when.period",
            "cpu_percent is live and takes no period",
        ),
        (
            {"metric": "queue_depth", "change_above": 50},
            "when.change_above",
            "queue_depth is not kept, so it has no change",
        ),
        (
            {"metric": "peak_concurrents", "above": 1, "filters": [["is", "country", ["DE"]]]},
            "when.filters",
            "peak_concurrents count everybody on the site and cannot be filtered by country: ask without filters",
        ),
        (
            {"metric": "visitors", "above": 1, "period": "2026-01-01,2026-01-31"},
            "when.period",
            "a period that moves with the days, like 7d",
        ),
        ({"metric": "visitors", "above": 1, "period": 7}, "when.period", "the name of a period, like today"),
        (
            {"metric": "visitors", "change_above": 1, "period": "all"},
            "when.period",
            "there is no period before all time to compare with",
        ),
        ({"alert": "fatal"}, "when.alert", "one of info, warning, error, critical"),
        ({"alert": ["critical"]}, "when.alert", "one of info, warning, error, critical"),
        ({"alert": "error", "metric": "visitors"}, "when.metric", "unknown field; known: alert"),
        ({"alert": "error", "above": 1}, "when", KINDS),
        ({"event": None}, "when.event", "a text of 0 to 120 characters"),
        ({"event": "x" * 121}, "when.event", "a text of 0 to 120 characters"),
        ({"event": "a\nb"}, "when.event", "a text without control characters"),
        ({"event": "x", "where": {}}, "when.where", "a list of at most 20 conditions"),
        ({"event": "x", "where": [["value", ">", 1]] * 21}, "when.where", "a list of at most 20 conditions"),
        ({"event": "x", "where": [["value", ">"]]}, "when.where.0", 'a condition is a list like ["value", ">", 100]'),
        ({"event": "x", "where": [["value", "~", 1]]}, "when.where.0", "one of =, !=, >, <, contains"),
        ({"event": "x", "where": [["value", "contains", 1]]}, "when.where.0", "value has =, !=, >, <"),
        ({"event": "x", "where": [["name", ">", 1]]}, "when.where.0", "name has =, !=, contains"),
        ({"event": "x", "where": [["value", ">", "100"]]}, "when.where.0", NUMBER),
        ({"event": "x", "where": [["props.n", "=", math.nan]]}, "when.where.0", NUMBER),
        ({"event": "x", "where": [["props.n", ">", "a"]]}, "when.where.0", NUMBER),
        (
            {"event": "x", "where": [["name", "=", None]]},
            "when.where.0",
            "a text of at most 2000 characters, or a number",
        ),
    ],
)
def test_a_wrong_when_is_refused(when, field, why):
    assert wrong(rule(when)) == {field: why}


def test_a_wrong_period_is_refused_with_the_known_ones():
    found = wrong(rule({"metric": "visitors", "above": 1, "period": "fortnight"}))
    assert found["when.period"].startswith("period 'fortnight': realtime, 24h, today, yesterday, 7d, ")


@pytest.mark.parametrize(
    ("fields", "field", "why"),
    [
        ({"severity": "bad"}, "severity", "one of info, warning, error, critical"),
        ({"title": ""}, "title", "a text of 1 to 200 characters"),
        ({"title": "x" * 201}, "title", "a text of 1 to 200 characters"),
        ({"title": "a\nb"}, "title", "a text without control characters"),
        ({"title": "\u202ex"}, "title", "a text without control characters"),
        (
            {"title": "{user_name}"},
            "title",
            "unknown field {user_name}; known: {metric}, {value}, {threshold}, {site}, {rule}",
        ),
        ({"message": "x" * 2_001}, "message", "a text of 0 to 2000 characters"),
        ({"message": "{"}, "message", "a lone {; write {{ for a brace"),
        ({"message": None}, "message", "a text of 0 to 2000 characters"),
        ({"link_label": "x" * 61}, "link_label", "a text of 0 to 60 characters"),
        ({"channels": 3}, "channels", "a list of at most 20 ids of channels"),
        ({"channels": [0]}, "channels", "a whole number from 1 to 2147483647"),
        ({"channels": ["1"]}, "channels", "a whole number from 1 to 2147483647"),
        ({"group_s": -1}, "group_s", "a whole number from 0 to 86400"),
        ({"repeat_s": 10**400}, "repeat_s", "a whole number from 0 to 2592000"),
        ({"audience": "owners"}, "audience", "one of everybody, admins"),
    ],
)
def test_a_wrong_notify_is_refused(fields, field, why):
    assert wrong(rule(notify=NOTIFY | fields)) == {f"notify.{field}": why}


def test_of_very_many_unknown_fields_the_first_are_named():
    assert list(wrong(rule(**{f"field{number}": 1 for number in range(5_000)}))) == [f"field{n}" for n in range(20)]


def test_what_names_of_fields_hide_is_not_repeated():
    assert list(wrong(rule(**{"\u202ex\0\ud800" + "y" * 100: 1}))) == ["x\N{REPLACEMENT CHARACTER}" + "y" * 57 + "…"]


@pytest.mark.parametrize("name", ["", " ", "x" * 121, None, 7, "a\0b", "\ud800"])
def test_a_rule_has_a_name(name):
    assert list(wrong(rule(name=name))) == ["name"]
