"""The forms of a rule, as the contract's JSON."""

from __future__ import annotations

import pytest
from dash import html
from dash_bootstrap_components import Input, Textarea

from analytics.base.errors import InvalidInput
from analytics.notify.examples import EXAMPLES
from analytics.notify.kinds.kind import AlertWhen, EventWhen
from analytics.notify.rule import Severity
from analytics.notify.rule_json import RuleInput, plain, read
from callbacks.settings.rule_fields import READERS, alert_rule, event_rule, metric_rule, of_form, over
from layouts.settings.rule_form import BLANK, RuleDraft, blank_texts, of_alert, of_event, of_metric
from layouts.settings.rules import FORMS, example

SAID = {"priority": "high", "title": "{value}", "message": "", "link": ""}


def test_the_form_for_events_is_a_rule():
    fields = {"name": "Orders", "event": " Order ", "where": "value > 100\nprops.plan = Team\n", "group": "300"}
    assert event_rule(fields | SAID | {"channel-7": "on"}) == {
        "name": "Orders",
        "when": {"event": "Order", "where": [["value", ">", 100.0], ["props.plan", "=", "Team"]]},
        "notify": {"priority": "high", "title": "{value}", "group_s": 300, "channels": [7]},
    }


def test_a_name_that_python_reads_as_a_number_is_a_text():
    sent = event_rule(SAID | {"name": "n", "where": "user_name = Nan\nprops.plan = Infinity\nprops.n = 1e400"})
    assert [value for *_, value in sent["when"]["where"]] == ["Nan", "Infinity", "1e400"]


@pytest.mark.parametrize("text", ["nan", "inf", "1e400", "-1e400", "9" * 5_000])
@pytest.mark.parametrize("field", ["threshold", "minutes"])
def test_a_number_that_is_none_is_refused_at_its_field(field, text):
    fields = SAID | {"name": "n", "metric": "active_sessions", "crossing": "above", "threshold": "1", "minutes": "1"}
    with pytest.raises(InvalidInput) as wrong:
        metric_rule(fields | {field: text})
    assert wrong.value.fields == {field: f"{text[:20]!r} is no number"}


@pytest.mark.parametrize("name", ["channel-" + "9" * 5_000, "channel-\u0663", "7", "channel-0", "channel-1x"])
def test_what_is_no_channel_of_a_form_is_ignored(name):
    assert event_rule(SAID | {"name": "n", name: "on"})["notify"]["channels"] == []


def test_a_line_that_is_no_condition_is_named():
    with pytest.raises(InvalidInput) as wrong:
        event_rule({"name": "Orders", "where": "value above 100"})
    assert wrong.value.fields == {
        "where": "'value above 100' is no condition; write it like value > 100, with =, !=, >, < or contains"
    }


@pytest.mark.parametrize(
    ("fields", "when"),
    [
        (
            {"metric": "active_sessions", "crossing": "above", "threshold": "1,5", "minutes": "2", "period": "7d"},
            {"metric": "active_sessions", "above": 1.5, "for_s": 120},
        ),
        (
            {"metric": "visitors", "crossing": "change_below", "threshold": "-30", "minutes": "", "period": "7d"},
            {"metric": "visitors", "change_below": -30.0, "for_s": 0, "period": "7d"},
        ),
        (
            {"metric": "active_sessions", "crossing": "below", "threshold": "5", "minutes": "0", "readings": "3"},
            {"metric": "active_sessions", "below": 5.0, "for_s": 0, "readings": 3},
        ),
        (
            {"metric": "active_sessions", "crossing": "no_data_s", "threshold": "", "minutes": "60", "readings": "3"},
            {"metric": "active_sessions", "no_data_s": 3600},
        ),
        (
            {"metric": "events", "crossing": "above", "threshold": "20", "period": "today", "filters": "event = error"},
            {"metric": "events", "above": 20.0, "for_s": 0, "period": "today", "filters": [["is", "event", ["error"]]]},
        ),
        (
            {"metric": "active_sessions", "crossing": "below", "threshold": "1", "filters": "\n"},
            {"metric": "active_sessions", "below": 1.0, "for_s": 0, "filters": []},
        ),
    ],
)
def test_the_form_for_metrics_is_a_rule(fields, when):
    found = metric_rule(fields | SAID | {"name": "Crowd", "severity": "error"})
    assert found["when"] == when
    assert read(found).name == "Crowd"


@pytest.mark.parametrize(("chosen", "repeat_s"), [("0", 0), ("3600", 3600), ("86400", 86_400), ("60", 60)])
def test_an_alert_is_repeated_as_the_form_says(chosen, repeat_s):
    fields = {"name": "Crowd", "metric": "active_sessions", "crossing": "above", "threshold": "9"} | SAID
    assert read(metric_rule(fields | {"severity": "error", "repeat": chosen})).notify.repeat_s == repeat_s


@pytest.mark.parametrize("audience", ["everybody", "admins"])
@pytest.mark.parametrize("when", [{"event": "refund"}, {"metric": "active_sessions", "above": 5}])
def test_a_form_says_who_is_told(when, audience):
    notify = {"priority": "low", "title": "x", "audience": audience}
    known = read({"name": "Refunds", "when": when, "notify": notify})
    assert sent_by(known) == known


@pytest.mark.parametrize("when", [{"above": 5, "readings": 3}, {"change_below": -20, "period": "7d", "readings": 40}])
def test_a_form_shows_the_readings_and_the_repeat_of_its_rule(when):
    metric = "visitors" if "period" in when else "active_sessions"
    notify = {"priority": "low", "title": "{value}", "repeat_s": 60}
    known = read({"name": "Crowd", "when": {"metric": metric, **when}, "notify": notify})
    assert sent_by(known) == known


def test_a_form_leaves_what_it_does_not_show_as_it_was():
    when = {"metric": "active_sessions", "above": 5, "filters": [["is", "country", ["DE"]]]}
    notify = {"priority": "low", "title": "{value}", "link": "/a", "link_label": "Look", "repeat_s": 60}
    known = plain(read({"name": "Crowd", "when": when, "notify": notify, "enabled": False}))
    form = {"name": "Many", "metric": "active_sessions", "crossing": "above", "threshold": "9", "minutes": "1"}
    changed = over(known, metric_rule(form | SAID | {"severity": "error"}))
    assert plain(read(changed)) == {
        "name": "Many",
        "when": {**known["when"], "above": 9, "for_s": 60},
        "notify": {name: value for name, value in known["notify"].items() if name not in ("link", "link_label")}
        | {"priority": "high", "severity": "error"},
        "enabled": False,
    }
    other = over(known, metric_rule(form | SAID | {"severity": "error", "metric": "events_per_minute"}))
    assert "filters" not in other["when"]


@pytest.mark.parametrize(("has_failed", "is_on"), [(True, True), (False, False)])
def test_a_rule_that_failed_is_on_again_when_its_form_is_saved(has_failed, is_on):
    """Named after the bug: it stayed off, and its page said no more why."""
    known = read({"name": "Refunds", "when": {"event": "refund"}, "notify": {"priority": "low", "title": "x"}})
    sent = event_rule(values(of_event("example.com", [], RuleDraft(known, 7), [])))
    assert over(plain(known) | {"enabled": False}, sent, has_failed=has_failed)["enabled"] is is_on


@pytest.mark.parametrize("metric", ["error_rate", "bounce_rate"])
def test_the_form_says_that_shares_are_in_percent(metric):
    known = read({"name": "n", "when": {"metric": metric, "above": 5}, "notify": {"priority": "low", "title": "x"}})
    hint = of_metric("example.com", [], RuleDraft(known, 7), [])["rule-metric-threshold-note"]
    assert hint.children[0].children == "Shares and changes are in %: 5 is 0.05 of the statistics API."


def test_a_wrong_field_of_the_form_for_metrics_is_named():
    fields = {"name": "Crowd", "metric": "active_sessions", "crossing": "above", "threshold": "9"} | SAID
    for name, text, why in (
        ("crossing", "beyond", "one of above, below, change_above, change_below, no_data_s"),
        ("threshold", "many", "'many' is no number"),
        ("minutes", "an hour", "'an hour' is no number"),
    ):
        with pytest.raises(InvalidInput) as wrong:
            metric_rule(fields | {name: text})
        assert wrong.value.fields == {name: why}
    for text in ("0", "2.5", "-1", "many", "1001", "9" * 20):
        with pytest.raises(InvalidInput) as wrong:
            read(metric_rule(fields | {"severity": "error", "readings": text}))
        assert of_form(wrong.value).fields == {"readings": "a whole number from 1 to 1000"}
    with pytest.raises(InvalidInput) as wrong:
        metric_rule(fields | {"filters": "country"})
    assert list(wrong.value.fields) == ["filters"]


def test_what_is_wrong_with_a_rule_is_said_at_the_fields_of_its_form():
    given = event_rule({"name": "", "event": "x" * 121, "where": "price > 1"} | SAID | {"title": "{price}"})
    with pytest.raises(InvalidInput) as wrong:
        read(given)
    assert set(of_form(wrong.value).fields) == {"name", "event", "where", "title"}


# ── what a form shows ────────────────────────────────────────────────────────────────────────────────────────────────


def values(component) -> dict[str, str]:
    """The fields of a form as a browser would send them."""
    found = {}
    for one in component._traverse():
        if getattr(one, "name", None) and hasattr(one, "value"):
            found[one.name] = one.value
        elif isinstance(one, html.Select):
            found[one.name] = next(each.value for each in one._traverse() if getattr(each, "selected", False))
    return {name: value for name, value in found.items() if value not in (False, None)}


def sent_by(rule: RuleInput) -> RuleInput:
    """The rule that its form sends when nothing is changed in it."""
    draft = RuleDraft(rule, example="an example")
    if isinstance(rule.when, EventWhen):
        return read(event_rule(values(of_event("example.com", [], draft, []))))
    if isinstance(rule.when, AlertWhen):
        return read(alert_rule(values(of_alert("example.com", [], draft, []))))
    return read(metric_rule(values(of_metric("example.com", [], draft, []))))


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_form_that_begins_with_an_example_sends_it(name):
    rule = example(name)
    unseen = {"severity": Severity.WARNING} if isinstance(rule.when, EventWhen) else {}
    assert sent_by(rule) == rule._replace(notify=rule.notify._replace(**unseen))


CONDITIONS = [
    ["value", ">", 99.999],
    ["value", "=", 0],
    ["value", "<", -1e-7],
    ["value", "!=", 1e15],
    ["props.ratio", ">", 0.015],
    ["props.sum", "=", 0.1 + 0.2],
    ["props.sku", "=", 123],
    ["props.sku", "=", "123"],
    ["props.sku", "=", "00123"],
    ["props.sku", "!=", "1e5"],
    ["props.v", "contains", "1.10"],
    ["props.v", "contains", ""],
    ["props.plan", "=", ""],
    ["props.plan", "!=", " Team "],
    ["props.plan", "=", "Nan"],
    ["props.said", "=", '"yes"'],
    ["props.said", "=", '"'],
    ["props.said", "=", "two\nlines"],
    ["props.said", "=", "x > 1 contains = y"],
    ["props.a = b", "=", "c"],
    ["props.a ", "contains", "c"],
    ['props."a"', "=", "c"],
    ["path", "contains", "007"],
    ["path", "=", ""],
    ["user_id", "=", "0042"],
]


@pytest.mark.parametrize("condition", CONDITIONS, ids=str)
def test_a_form_sends_the_condition_that_it_shows(condition):
    """Named after the bug: 99.999 became 100, "00123" became 123, and an empty value could not be saved."""
    notify = {"priority": "low", "title": "{value}", "severity": "warning"}
    known = read({"name": "Orders", "when": {"event": "Order", "where": [condition]}, "notify": notify})
    assert plain(sent_by(known)) == plain(known)
    assert plain(known)["when"]["where"] == [condition]


def test_a_form_sends_all_of_the_conditions_that_it_shows():
    notify = {"priority": "low", "title": "{value}", "severity": "warning"}
    known = read({"name": "Orders", "when": {"event": "Order", "where": CONDITIONS[:20]}, "notify": notify})
    assert plain(sent_by(known)) == plain(known)


@pytest.mark.parametrize(
    ("line", "condition"),
    [
        ("path contains 007", ["path", "contains", "007"]),
        ("props.v contains 1.10", ["props.v", "contains", "1.10"]),
        ("user_id = 0042", ["user_id", "=", "0042"]),
        ("props.sku = 00123", ["props.sku", "=", "00123"]),
        ('props.sku = "123"', ["props.sku", "=", "123"]),
        ("props.sku = 123", ["props.sku", "=", 123]),
        ("props.price = 49.90", ["props.price", "=", 49.9]),
        ("value > 0100", ["value", ">", 100]),
        ("props.plan =", ["props.plan", "=", ""]),
        ('props.plan = ""', ["props.plan", "=", ""]),
        ("props.said = x contains y", ["props.said", "=", "x contains y"]),
        ('props.said = "x', ["props.said", "=", '"x']),
    ],
)
def test_a_line_is_the_condition_that_it_reads_like(line, condition):
    assert event_rule(SAID | {"name": "n", "where": line})["when"]["where"] == [condition]


@pytest.mark.parametrize("line", ["value", "= 5", "contains x", "value>5"])
def test_a_line_without_a_field_and_an_operator_is_no_condition(line):
    with pytest.raises(InvalidInput) as wrong:
        event_rule(SAID | {"name": "n", "where": line})
    assert list(wrong.value.fields) == ["where"]


def test_a_number_without_a_value_is_said_at_the_conditions():
    with pytest.raises(InvalidInput) as wrong:
        read(event_rule(SAID | {"name": "n", "where": "value >"}))
    assert list(of_form(wrong.value).fields) == ["where"]


@pytest.mark.parametrize("threshold", [0, 99.999, 0.015, 0.1 + 0.2, 123_456.789, -1e-9, 1e15, 1 / 3])
@pytest.mark.parametrize("crossing", ["above", "below", "change_above", "change_below"])
def test_a_form_sends_the_threshold_that_it_shows(crossing, threshold):
    when = {"metric": "active_sessions", crossing: threshold}
    known = read({"name": "Crowd", "when": when, "notify": {"priority": "low", "title": "{value}"}})
    assert sent_by(known) == known


@pytest.mark.parametrize(
    "time", [{"no_data_s": 10}, {"no_data_s": 2_591_999}, {"above": 1, "for_s": 100}, {"below": 1, "for_s": 604_799}]
)
def test_a_form_sends_the_time_that_it_shows(time):
    when = {"metric": "active_sessions", **time}
    known = read({"name": "Crowd", "when": when, "notify": {"priority": "low", "title": "{value}"}})
    assert sent_by(known) == known


def test_the_form_for_alerts_is_a_rule():
    found = alert_rule(SAID | {"name": "Worst", "severity": "error"})
    assert found["when"] == {"alert": "error"}
    assert read(found).when.concerns("critical")


def test_a_wrong_severity_is_named_at_its_field():
    with pytest.raises(InvalidInput) as wrong:
        read(alert_rule(SAID | {"name": "Worst", "severity": "fatal"}))
    assert set(of_form(wrong.value).fields) == {"severity"}


def test_every_form_is_read():
    assert list(FORMS) == list(READERS) == list(BLANK)


def test_there_is_no_other_example():
    assert example("moon") is None


def test_a_filter_that_cannot_be_typed_is_not_shown_and_stays_as_it_was():
    when = {"metric": "visitors", "above": 5, "filters": [["not", ["is", "country", ["DE"]]]]}
    known = read({"name": "Crowd", "when": when, "notify": {"priority": "low", "title": "{value}"}})
    sent = values(of_metric("example.com", [], RuleDraft(known, 7), []))
    assert "filters" not in sent
    assert read(over(plain(known), metric_rule(sent))) == known


CPU = {"name": "CPU", "when": {"metric": "cpu_percent", "above": 70}, "notify": {"priority": "low", "title": "{value}"}}


def test_a_rule_on_samples_stays_one_also_when_none_come_any_more():
    known = read(CPU)
    for samples in ((), ("cpu_percent", "memory_percent")):
        sent = values(of_metric("example.com", [], RuleDraft(known, 7, samples=samples), []))
        assert read(over(plain(known), metric_rule(sent))) == known


def test_the_names_of_samples_may_be_chosen_but_for_those_of_our_metrics():
    form = of_metric("example.com", [], RuleDraft(samples=("visitors", "cpu_percent", "error_rate")), [])
    groups = {
        one.label: [each.value for each in one.children] for one in form._traverse() if isinstance(one, html.Optgroup)
    }
    assert groups["Samples"] == ["cpu_percent"]
    assert "Samples" not in str(of_metric("example.com", [], RuleDraft(), []))


@pytest.mark.parametrize("name", BLANK)
def test_a_blank_form_contains_what_it_has_again_after_its_rule_is_saved(name):
    """Named after the bug: the title was empty after the first rule was saved."""
    form = FORMS[name]("example.com", [], RuleDraft(), [])
    shown = values(form)
    assert {field: shown[field] for field in BLANK[name]} == BLANK[name]
    texts = {one.id: one.value for one in form._traverse() if isinstance(one, Input | Textarea) and one.value}
    assert blank_texts(name) == texts
