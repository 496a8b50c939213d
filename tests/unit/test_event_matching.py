"""Which events a rule waits for."""

from __future__ import annotations

import pytest

from analytics.notify.compared_event import ComparedEvent
from analytics.notify.kinds.event import Condition, EventArrives, Operator

PAYMENT = {
    "name": "Payment",
    "value": 149.5,
    "currency": "EUR",
    "user_id": "u-7",
    "user_name": "Ann",
    "user_type": "supplier",
    "path": "/checkout",
    "description": "Order 42",
    "country": "DE",
    "source": "Google",
    "props": {"plan": "Pro", "seats": 5, "trial": False, "note": None, "price": "99.90"},
}


def fits(field, operator, value, event=PAYMENT):
    return EventArrives("payment", (Condition(field, Operator(operator), value),)).matches(ComparedEvent(event))


@pytest.mark.parametrize(
    ("wanted", "sent"),
    [
        ("signup", "Sign up"),
        ("Sign up", "sign_up"),
        ("sign-up", "SignUp"),
        ("", "anything"),
        ("", ""),
        ("Straße", "STRASSE"),
        ("登録", "登録"),
        ("🎉", "🎉"),
    ],
)
def test_names_are_compared_by_letters_and_digits_in_any_case(wanted, sent):
    assert EventArrives(wanted).matches(ComparedEvent({"name": sent}))


@pytest.mark.parametrize(
    ("wanted", "sent"), [("signup", "signups"), ("signup", ""), ("signup", None), ("🎉", "🎈"), ("🎉", "")]
)
def test_other_names_do_not_match(wanted, sent):
    assert not EventArrives(wanted).matches(ComparedEvent({"name": sent}))


@pytest.mark.parametrize(
    ("field", "operator", "value"),
    [
        ("value", ">", 100.0),
        ("value", "<", 149.51),
        ("value", "=", 149.5),
        ("value", "!=", 149.0),
        ("currency", "=", "eur"),
        ("user_id", "!=", "u-8"),
        ("user_name", "contains", "an"),
        ("user_type", "=", "supplier"),
        ("path", "contains", "/check"),
        ("description", "contains", "order"),
        ("country", "=", "DE"),
        ("source", "contains", "oogl"),
        ("props.plan", "=", "pro"),
        ("props.seats", "=", 5.0),
        ("props.seats", "=", "5"),
        ("props.seats", ">", 4.0),
        ("props.seats", "contains", "5"),
        ("props.price", "<", 100.0),
        ("props.price", "=", 99.9),
        ("props.trial", "=", "false"),
        ("props.note", "=", ""),
        ("props.missing", "=", ""),
        ("props.missing", "!=", "x"),
        ("props.missing", "!=", 5.0),
    ],
)
def test_a_condition_holds(field, operator, value):
    assert fits(field, operator, value)


@pytest.mark.parametrize(
    ("field", "operator", "value"),
    [
        ("value", ">", 149.5),
        ("value", "<", 149.5),
        ("value", "=", 150.0),
        ("currency", "!=", "EUR"),
        ("props.trial", ">", -1.0),
        ("props.plan", ">", 0.0),
        ("props.note", "<", 1.0),
        ("props.missing", ">", 0.0),
        ("props.missing", "=", 0.0),
        ("props.missing", "contains", "a"),
    ],
)
def test_a_condition_does_not_hold(field, operator, value):
    assert not fits(field, operator, value)


@pytest.mark.parametrize(
    ("sent", "operator", "wanted"),
    [
        (99.999, "contains", "99.9"),
        (99.999, "=", "99.999"),
        (0.01234, "contains", "234"),
        ("1.10", "contains", "1.10"),
        (123_456.789, "contains", "56.789"),
        (49.0, "=", "49"),
    ],
)
def test_a_number_is_searched_as_it_was_sent(sent, operator, wanted):
    """Named after the bug: 99.999 was compared as the text 100."""
    assert fits("props.x", operator, wanted, {"name": "payment", "props": {"x": sent}})


def test_all_conditions_have_to_hold():
    over_100 = Condition("value", Operator.ABOVE, 100.0)
    in_euros, in_dollars = (Condition("currency", Operator.IS, one) for one in ("EUR", "USD"))
    assert EventArrives("payment", (over_100, in_euros)).matches(ComparedEvent(PAYMENT))
    assert not EventArrives("payment", (over_100, in_dollars)).matches(ComparedEvent(PAYMENT))


class CountedEvent(dict):
    """An event that counts how often its fields are read."""

    reads = 0

    def get(self, *args):
        self.reads += 1
        return super().get(*args)


def test_a_field_is_read_once_however_many_conditions_compare_it():
    event = CountedEvent(PAYMENT)
    compared = ComparedEvent(event)
    rule = EventArrives("payment", (Condition("props.plan", Operator.IS_NOT, "Team"),) * 20)
    assert all(rule.matches(compared) for _ in range(20))
    assert event.reads == 2, "the name and the property"


def test_conditions_of_another_event_are_not_compared():
    event = CountedEvent(PAYMENT)
    assert not EventArrives("signup", (Condition("props.plan", Operator.IS, "Pro"),)).matches(ComparedEvent(event))
    assert event.reads == 1, "the name alone"


def test_properties_may_be_the_text_of_the_column():
    assert fits("props.plan", "=", "pro", {"name": "payment", "props": '{"plan":"Pro"}'})


@pytest.mark.parametrize(
    "props", [None, "", "{", "[]", "7", "null", "[" * 100_000, '{"x":' * 50_000, 7, ["x"], {"x": {"y": 1}}, {"x": [1]}]
)
@pytest.mark.parametrize(
    ("field", "operator", "value"),
    [("props.x", "=", "y"), ("props.x", ">", 1.0), ("props.x", "contains", "y")],
)
def test_properties_that_are_no_properties_match_nothing(props, field, operator, value):
    assert not fits(field, operator, value, {"name": "payment", "props": props})


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), 10**400, "1e999", "nan", "\ud800", "\0", object(), b"1", [], {}, "٣" * 5_000],
)
@pytest.mark.parametrize("operator", ["=", ">", "<", "contains"])
def test_no_stored_value_raises(value, operator):
    wanted = "x" if operator == "contains" else 5.0
    assert not fits("value", operator, wanted, {"name": "payment", "value": value})
    assert not fits("props.x", operator, wanted, {"name": "payment", "props": {"x": value}})
