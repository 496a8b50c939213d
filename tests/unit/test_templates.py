"""Templates of titles, messages and links: what is refused, and what they become."""

from __future__ import annotations

import pytest

from analytics.base.errors import InvalidInput
from analytics.notify import template
from analytics.notify.kinds.crossing import Crossing
from analytics.notify.kinds.event import EventArrives
from analytics.notify.kinds.line import LineCrossed
from analytics.notify.kinds.silence import NothingArrives
from analytics.notify.rule import Notify
from analytics.notify.template import NotificationText, fill, fill_link, fill_message, fill_title

EVENT = EventArrives("payment")
METRIC = LineCrossed("active_sessions", Crossing.ABOVE, 100)
PAYMENT = {
    "name": "payment",
    "value": 149.0,
    "currency": "EUR",
    "user_id": "u-7",
    "user_name": "Ann",
    "path": "/checkout/é",
    "description": "Order 42",
    "props": '{"plan":"Pro & more","utm:source":"x"}',
    "site": "example.com",
    "rule": "Payments",
}


def test_fields_are_filled_in():
    notify = Notify(
        title="Payment of {value} {currency}",
        message="{user_name} ({user_id}) on {path}:\n{description}, {{{props.plan}}}, {props.utm:source}",
        link="https://{site}{path}?plan={props.plan}",
        link_label="Look",
    )
    assert fill(notify, PAYMENT) == NotificationText(
        "Payment of 149 EUR",
        "Ann (u-7) on /checkout/é:\nOrder 42, {Pro & more}, x",
        "https://example.com/checkout/%C3%A9?plan=Pro%20%26%20more",
        "Look",
    )


def test_a_missing_value_is_an_empty_text_and_an_empty_title_the_name_of_the_rule():
    assert fill_title("{user_name} paid {value}{currency} for {props.x}", {}) == "paid for"
    assert fill(Notify(title="{user_name}"), {"rule": "Payments"}).title == "Payments"
    assert fill(Notify(title="{user_name}"), {}) == NotificationText("", "", "", "")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        *((49.0, "49"), (49.9, "49.9"), (0.1 + 0.2, "0.3"), (1234567.891, "1234567.89"), (0.00123, "0.00123")),
        *((-5, "-5"), (True, "true"), (1e300, "1e+300"), (float("nan"), ""), (float("-inf"), ""), (10**400, "")),
    ],
)
def test_numbers_are_written_briefly(number, text):
    assert fill_title("{value}", {"value": number}) == text


@pytest.mark.parametrize("when", [EVENT, METRIC, NothingArrives("active_sessions", 60)])
def test_fields_that_the_kind_of_rule_knows_are_accepted(when):
    template.check("".join(f"{{{name}}}" for name in template.known_fields(when)), when)
    template.check("{{not_a_field}} }}{{ and {site}", when)
    template.check("", when)


def test_properties_belong_to_events():
    template.check("{props.plan} {props.a b}", EVENT)
    with pytest.raises(InvalidInput, match=r"unknown field \{props\.plan\}; known: \{metric\}, "):
        template.check("{props.plan}", METRIC)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (
            "{price}",
            "unknown field {price}; known: {value}, {name}, {currency}, {user_id}, {user_name}, {user_type}, {path}, "
            "{description}, {country}, {source}, {site}, {rule}, {props.NAME}",
        ),
        ("{metric}", "unknown field {metric}; "),
        ("{count} signups", "unknown field {count}; "),  # it would be 1 for ever: texts are filled by the first event
        ("{}", "unknown field {}; "),
        ("{0}", "unknown field {0}; "),
        ("{value!r}", "unknown field {value!r}; "),
        ("{value:>99999999}", "unknown field {value:>99999999}; "),
        ("{value.__class__}", "unknown field {value.__class__}; "),
        ("{ value }", "unknown field { value }; "),
        ("{props.}", "unknown field {props.}; "),
        ("{props}", "unknown field {props}; "),
        ("{value", "a lone {; write {{ for a brace"),
        ("value}", "a lone }; write }} for a brace"),
        ("{a{value}}", "a lone {; write {{ for a brace"),
    ],
)
def test_a_wrong_field_is_refused_with_the_known_ones(text, wrong):
    with pytest.raises(InvalidInput) as refused:
        template.check(text, EVENT)
    assert str(refused.value).startswith(wrong)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/overview/{site}",
        "/a?user={user_id}#x",
        "https://admin.example.com",
        "http://127.0.0.1:8000/u/{user_id}",
        "https://{site}{path}",
        "https://{site}?x={name}",
        "{path}",
        "/orders/{props.order}",
        "https://admin.example.com/{props.kind}/{props.order}?from={props.from}",
    ],
)
def test_links_to_pages_are_accepted(text):
    template.check_link(text, EVENT)


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)//https://x/",
        "data:text/html,x",
        "mailto:a@b.c",
        "//evil.example/x",
        "/\\evil.example",
        "https://{props.host}/x",
        "https://example.com:{props.port}/",
        "{props.url}",
        "{props.scheme}://example.com/",
        "https://{user_name}.example.com/",
        "https://example.com{name}",
        "https://ann@example.com/",
        "https://",
        "{name}",
        "example.com",
        " /a",
        "ftp://example.com/",
    ],
)
def test_other_links_are_refused(text):
    with pytest.raises(InvalidInput, match=r"^link "):
        template.check_link(text, EVENT)


def test_an_unknown_field_of_a_link_is_named():
    with pytest.raises(InvalidInput, match=r"unknown field \{price\}"):
        template.check_link("/a/{price}", EVENT)


@pytest.mark.parametrize(
    ("text", "values", "link"),
    [
        ("/u/{user_id}", {"user_id": "../a?b#c&d=e f"}, "/u/..%2Fa%3Fb%23c%26d%3De%20f"),
        ("{path}", {"path": "//evil.example/x"}, "/evil.example/x"),
        ("{path}", {"path": "/\\evil.example/x"}, "/evil.example/x"),
        ("{path}", {"path": "javascript:alert(1)"}, "/javascript%3Aalert%281%29"),
        ("{path}", {}, ""),
        (
            "https://{site}{path}",
            {"site": "example.com", "path": "@evil.example"},
            "https://example.com/%40evil.example",
        ),
        ("https://{site}{path}", {"site": "example.com"}, "https://example.com"),
        ("https://{site}/", {}, ""),
        ("/a%20b/{path}", {"path": "/x%2Fy"}, "/a%20b//x%2Fy"),
        ("/a b", {}, ""),
        ("/\u202eabc", {}, ""),
        ("/a\nb", {}, ""),
        ("https://[/", {}, ""),
        ("javascript:{name}", {"name": "x"}, ""),
        ("{name}", {"name": "javascript:alert(1)"}, ""),
        ("/" + "{name}" * 30, {"name": "x" * 100}, ""),
    ],
)
def test_a_filled_link_leads_where_it_was_meant_to(text, values, link):
    assert fill_link(text, values) == link


@pytest.mark.parametrize(
    ("value", "link"),
    [
        ("7", "https://admin.example.com/o/7?q=7"),
        (7, "https://admin.example.com/o/7?q=7"),
        ("javascript:alert(1)", "https://admin.example.com/o/javascript%3Aalert%281%29?q=javascript%3Aalert%281%29"),
        ("//evil.example", "https://admin.example.com/o/%2F%2Fevil.example?q=%2F%2Fevil.example"),
        ("a b", "https://admin.example.com/o/a%20b?q=a%20b"),
        ("\"'><script>", "https://admin.example.com/o/%22%27%3E%3Cscript%3E?q=%22%27%3E%3Cscript%3E"),
        ("@evil.example:80?#", "https://admin.example.com/o/%40evil.example%3A80%3F%23?q=%40evil.example%3A80%3F%23"),
        ("%2e%2e", "https://admin.example.com/o/%252e%252e?q=%252e%252e"),
        ("\r\nSet-Cookie: x", "https://admin.example.com/o/Set-Cookie%3A%20x?q=Set-Cookie%3A%20x"),
        ("é", "https://admin.example.com/o/%C3%A9?q=%C3%A9"),
        (None, "https://admin.example.com/o/?q="),
        ("..", ""),
        (".", ""),
        ("x" * 2_000, ""),
    ],
)
def test_a_property_is_a_part_of_a_link_and_never_where_it_leads(value, link):
    text = "https://admin.example.com/o/{props.order}?q={props.order}"
    assert fill_link(text, {"props": {"order": value}}) == link


HOSTILE = [
    "<script>alert(1)</script>",
    "{value} {{x}} {user_name}",
    "\u202eevil\u2066",
    "a\0b\x1b[31mc\x7f\x85d",
    "line\r\nbreak\u2028more",
    "\ud800lone",
    "x" * 100_000,
    10**400,
    float("nan"),
    None,
    b"bytes",
    ["list"],
    {"a": {}},
    object(),
]


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("text", ["{value}", "{props.x} {", "}{user_name!r}{", "{" * 999 + "{value}", "/{name}{path}"])
def test_filling_never_raises_and_hides_nothing(value, text):
    values = dict.fromkeys(("name", "value", "path", "user_name", "site", "rule"), value) | {"props": {"x": value}}
    filled = fill(Notify(title=text, message=text, link=text, link_label=text), values)
    assert len(filled.title) <= 200
    assert len(filled.message) <= 2_000
    assert all(one.isprintable() for one in filled)
    "".join(filled).encode()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("<b>&amp;", "<b>&amp;"),
        ("{user_name}", "{user_name}"),
        ("\u202eabc\u2069", "abc"),
        ("a\0b\x1b[31mc", "ab[31mc"),
        ("a\r\nb\u2028c\td", "a b c d"),
        ("\ud800x", "\N{REPLACEMENT CHARACTER}x"),
        ("👩\u200d💻", "👩\u200d💻"),
    ],
)
def test_values_are_plain_text_in_one_line(value, shown):
    assert fill_message("say {name}!", {"name": value}) == f"say {shown}!"
    assert fill_title("say {name}!", {"name": value}) == f"say {shown}!"


def test_long_texts_are_cut():
    assert fill_title("{name}", {"name": "x" * 201}) == "x" * 199 + "…"
    assert fill_message("{name}", {"name": "x" * 2_001}) == "x" * 1_999 + "…"
