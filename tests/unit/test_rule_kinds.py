"""The kinds of rules: what they say in words, what they read, and that each is one file."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from analytics.notify.json_fields import FieldReader
from analytics.notify.kinds import table
from analytics.notify.kinds.alert import AlertBegins
from analytics.notify.kinds.change import MetricChanged
from analytics.notify.kinds.crossing import Crossing
from analytics.notify.kinds.event import Condition, EventArrives, Operator
from analytics.notify.kinds.kind import AS_SENT, When
from analytics.notify.kinds.line import LineCrossed
from analytics.notify.kinds.silence import NothingArrives
from analytics.notify.rule import Severity
from analytics.query.filters import Match
from layouts.settings.rule_words import sentence

ROOT = Path(__file__).parents[2]
GERMAN = (Match("is", "country", ("DE",)),)
ABOVE, BELOW = Crossing


@pytest.mark.parametrize(
    ("when", "on_a_page", "in_a_command"),
    [
        (EventArrives(""), "Any event arrives", "any event arrives"),
        (EventArrives("signup"), "“signup” arrives", "signup arrives"),
        (
            EventArrives("Order", (Condition("value", Operator.ABOVE, 100.0), Condition("path", Operator.IS, "/x"))),
            "“Order” arrives and value > 100 and path = /x",
            "Order arrives and value > 100 and path = /x",
        ),
        (
            LineCrossed("active_sessions", ABOVE, 100.0, 90, filters=GERMAN),
            "Active now [Country: DE] is above 100 for 1m 30s",
            'active_sessions where [["is", "country", ["DE"]]] is above 100 for 90 s',
        ),
        (
            LineCrossed("visitors", BELOW, 0.5, 0, 3, period="7d"),
            "Visitors (7d) is below 0.5, 3 times in a row",
            "visitors (7d) is below 0.5, 3 times in a row",
        ),
        (
            MetricChanged("visitors", ABOVE, 100, period="today"),
            "Visitors (today) rises by more than 100 %",
            "visitors (today) rises by more than 100 %",
        ),
        (
            MetricChanged("visitors", BELOW, -50, 60, period="today"),
            "Visitors (today) falls by more than 50 % for 1m",
            "visitors (today) falls by more than 50 % for 60 s",
        ),
        (
            MetricChanged("active_sessions", BELOW, 5),
            "The change of Active now is below 5 %",
            "the change of active_sessions is below 5 %",
        ),
        (
            MetricChanged("active_sessions", ABOVE, -5),
            "The change of Active now is above -5 %",
            "the change of active_sessions is above -5 %",
        ),
        (
            NothingArrives("active_sessions", 3_600),
            "Active now is 0 for 1h",
            "active_sessions is 0 for 3600 s",
        ),
        (AlertBegins(Severity.INFO), "An alert begins", "an alert begins"),
        (
            AlertBegins(Severity.WARNING),
            "An alert begins that is a warning or worse",
            "an alert begins that is a warning or worse",
        ),
        (
            AlertBegins(Severity.ERROR),
            "An alert begins that is an error or worse",
            "an alert begins that is an error or worse",
        ),
        (AlertBegins(Severity.CRITICAL), "A critical alert begins", "a critical alert begins"),
    ],
)
def test_a_rule_says_when_it_speaks(when, on_a_page, in_a_command):
    assert (sentence(when), when.sentence(AS_SENT)) == (on_a_page, in_a_command)


class Measured:
    """A metric that is 30 now, was 20 before, and 5 in the last minutes."""

    def current(self) -> float | None:
        return 30.0

    def earlier(self) -> float | None:
        return 20.0

    def latest(self) -> float | None:
        return 5.0


@pytest.mark.parametrize(
    ("when", "value"),
    [
        (LineCrossed("visitors", ABOVE, 1), 30.0),
        (MetricChanged("visitors", ABOVE, 1), 50.0),
        (NothingArrives("visitors", 60), 5.0),
    ],
)
def test_a_kind_reads_what_it_needs(when, value):
    assert when.read(Measured()) == value


@pytest.mark.parametrize(
    ("when", "name"),
    [
        (EventArrives("x"), "event"),
        (LineCrossed("visitors", BELOW, 1), "threshold"),
        (MetricChanged("visitors", BELOW, 1), "change"),
        (NothingArrives("visitors", 60), "no_data"),
        (AlertBegins(Severity.ERROR), "alert"),
    ],
)
def test_the_database_has_the_name_of_the_kind(when, name):
    assert table.name_of(when) == name


def test_kinds_are_told_apart_by_the_fields_of_their_json():
    marks = [mark for kind in table.KINDS for mark in kind.marks]
    assert len(marks) == len(set(marks))
    assert [one.field for kind in table.KINDS for one in kind.choices] == marks[2:], "the form has all of metrics"


def test_every_kind_reads_what_it_writes():
    of_metrics = LineCrossed("visitors", BELOW, 1, period="7d"), NothingArrives("visitors", 60)
    for when in (EventArrives("x"), *of_metrics, *map(AlertBegins, Severity)):
        reading = FieldReader("rule")
        assert table.read(reading, when.plain()) == when
        reading.check()


@pytest.mark.parametrize(
    ("least", "concerned"),
    [
        (Severity.INFO, ["info", "warning", "error", "critical"]),
        (Severity.ERROR, ["error", "critical"]),
        (Severity.CRITICAL, ["critical"]),
    ],
)
def test_a_rule_on_alerts_waits_for_those_that_are_as_severe_or_worse(least, concerned):
    asked = ("info", "warning", "error", "critical", "", "fatal")
    assert [one for one in asked if AlertBegins(least).concerns(one)] == concerned


def values_of_kinds() -> set[str]:
    return {one.__name__ for one in every_subclass(When) if not getattr(one, "__abstractmethods__", ())}


def every_subclass(of: type) -> set[type]:
    return {each for one in of.__subclasses__() for each in {one, *every_subclass(one)}}


def test_nothing_but_its_file_knows_a_kind():
    """So a kind is a file and a line of `table.py`. Examples and the demo have rules, events and alerts a form each."""
    kinds, knowing = values_of_kinds(), {}
    assert {"EventArrives", "LineCrossed", "MetricChanged", "NothingArrives"} <= kinds
    for room in ("analytics", "collector", "layouts", "callbacks"):
        for path in (ROOT / room).rglob("*.py"):
            found = {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)} & kinds
            if found and path.parent.name != "kinds":
                knowing[str(path.relative_to(ROOT))] = found
    assert knowing == {
        "analytics/notify/examples.py": kinds,
        "collector/simulate/demo_rules.py": {"LineCrossed"},
        "layouts/settings/rule_form.py": {"AlertBegins", "EventArrives"},
    }
