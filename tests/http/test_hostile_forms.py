"""What no browser of a person sends to a form is refused in words, and fails nowhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from house import House, open_house

from analytics.base.config import Config

SITE = "example.com"
ALLOWED = {200, 400, 503}  # answered in words, no form of ours, a busy machine
HOSTILE = {
    "nan": "NaN",
    "infinity": "Infinity",
    "too large": "1e400",
    "many digits": "9" * 5_000,
    "digits of another script": "٣",
    "superscript": "²",
    "minus": "-1",
    "surrogate": "\ud800",
    "turned": "\u202emoc.elpmaxe\u2066",
    "lines": "a\r\nb\x0b\u2028c",
    "long": "x" * 15_000,
    "braces": "{" * 5_000,
    "quotes": "'\"`;--<script>&%00%0a",
    "address": "http://[::ffff:127.0.0.1]:99999/@",
    "brackets": "[" * 5_000,
}
NAMES = (
    *("key", "id", "value", "name", "event", "where", "metric", "crossing", "threshold", "minutes", "period", "hours"),
    *("priority", "severity", "title", "message", "link", "group", "channel-1", "kind", "to", "measure", "currency"),
    *("span", "gauge_id", "hosts", "expires", "begins", "ends", "timezone", "up_to", "digest", "digest_at", "on"),
    *("day-0", "digest_day", "source", "schema", "table", "filters", "columns", "gauges", "user_id", "user_name"),
)
VALID = {
    "channel": {"kind": "webhook", "to": "https://hooks.not-yet.example/x", "name": ""},
    "activity-card": {"kind": "counter", "event": "Signup", "measure": "count", "span": "today", "title": ""},
}


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Iterator[House]:
    with open_house(Config(data_dir=tmp_path_factory.mktemp("data"))) as house:
        house.add_site(SITE)
        house.browsers["owner"] = house.join("owner@example.com", "owner")
        yield house


def statuses(house: House, form: str, many: list[dict[str, str]]) -> dict[int, list[dict[str, str]]]:
    """The fields by the status of the answer to them."""
    found: dict[int, list[dict[str, str]]] = {}
    for fields in many:
        sent = {"data": {"number": 1, "fields": fields}, "data-site": SITE}
        answer = house.call(house.browsers["owner"], f"{form}-answer.data-answer", **sent)
        found.setdefault(answer.status_code, []).append({name: text[:40] for name, text in fields.items()})
    return found


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_no_form_fails_whatever_its_fields_have(house, hostile):
    forms = [name.removesuffix("-answer.data-answer") for name in house.served if name.endswith("-answer.data-answer")]
    assert len(forms) > 20
    failed = {
        form: found
        for form in forms
        if (found := statuses(house, form, [dict.fromkeys(NAMES, hostile)])).keys() - ALLOWED
    }
    assert failed == {}


@pytest.mark.parametrize("form", VALID)
def test_no_form_fails_for_one_field_that_is_wrong(house, form):
    valid = VALID[form]
    assert statuses(house, form, [valid]).keys() == {200}
    many = [valid | {name: hostile} for name in (*valid, "id", "channel-1") for hostile in HOSTILE.values()]
    many += [valid | {f"channel-{one[:6_000]}": "on"} for one in HOSTILE.values()]
    found = statuses(house, form, many)
    assert found.keys() <= ALLOWED, found
