"""The rules of sites, on SQLite and on PostgreSQL."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import insert, select, update

from analytics.base.errors import InvalidInput
from analytics.notify import failed_rules, notifications, rule_json, rules, shipped
from analytics.notify.kinds.crossing import Crossing
from analytics.notify.kinds.event import Condition, EventArrives, Operator
from analytics.notify.kinds.line import LineCrossed
from analytics.notify.rule import Notify, Rule
from analytics.notify.rule_json import RuleInput
from analytics.notify.rules import RuleRing, UnknownRule
from analytics.notify.sight import Sight, whole_sight
from analytics.query.filters import Match
from analytics.sites import store
from analytics.storage import schema
from tests.support.factories import added_site, event, rows
from tests.support.factories import stored as stored_events

NOW = 1_800_000_000
SIGNUP = RuleInput("Signups", EventArrives("signup"), Notify(title="{user_name} signed up"))
BUSY = RuleInput("Busy", LineCrossed("active_sessions", Crossing.ABOVE, 100.0, for_s=60), Notify(title="Busy"))


def stored(number: int, site_id: int, given: RuleInput, **more) -> Rule:
    return Rule(number, site_id, *given, created_at=NOW, changed_at=NOW)._replace(**more)


def test_rules_are_kept_by_site_in_the_order_in_which_they_were_added(database):
    first = rules.add(database, 7, SIGNUP, now=NOW)
    other = rules.add(database, 8, SIGNUP, now=NOW)
    second = rules.add(database, 7, BUSY, now=NOW)
    assert first == stored(first.id, 7, SIGNUP)
    assert rules.of_site(database, 7) == [first, second]
    assert rules.all_rules(database) == [first, other, second]
    assert rules.get(database, second.id) == second
    assert rules.get(database, second.id, 7) == second
    assert rows(database, schema.rules, "kind") == [("event",), ("event",), ("threshold",)]


def test_a_rule_of_another_site_is_not_there(database):
    rule = rules.add(database, 7, SIGNUP, now=NOW)
    for refused in (
        lambda: rules.get(database, rule.id, 8),
        lambda: rules.change(database, rule.id, BUSY, 8, now=NOW),
        lambda: rules.switch(database, rule.id, on=False, site_id=8, now=NOW),
        lambda: rules.remove(database, rule.id, 8),
        lambda: rules.get(database, 99),
        lambda: rules.remove(database, 99),
    ):
        with pytest.raises(UnknownRule, match=r"there is no rule \d+; `rule list` shows them"):
            refused()
    assert rules.all_rules(database) == [rule]


def test_a_changed_rule_has_nothing_of_the_one_before(database):
    rule, other = rules.add(database, 7, BUSY, now=NOW), rules.add(database, 7, BUSY, now=NOW)
    failed_rules.switch_off_all(database, {rule.id: "it erred"}, now=NOW)
    changed = rules.change(database, rule.id, SIGNUP, 7, now=NOW + 60)
    assert changed == stored(rule.id, 7, SIGNUP, changed_at=NOW + 60)
    assert rules.of_site(database, 7) == [changed, other]


def test_a_rule_is_switched_off_and_on(database):
    rule = rules.add(database, 7, BUSY, now=NOW)
    off = rules.switch(database, rule.id, on=False, now=NOW + 5)
    assert off == rule._replace(enabled=False, changed_at=NOW + 5)
    assert rules.switch(database, rule.id, on=True, now=NOW + 9) == rule._replace(changed_at=NOW + 9)


def test_a_rule_that_errs_is_off_and_says_why_until_it_is_switched_on_again(database):
    rule = rules.add(database, 7, BUSY, now=NOW)
    failed_rules.switch_off_all(database, {rule.id: "x" * 400}, now=NOW + 5)
    assert rules.get(database, rule.id) == rule._replace(enabled=False, wrong="x" * 300, changed_at=NOW + 5)
    assert rules.switch(database, rule.id, on=True, now=NOW) == rule


def test_that_a_rule_was_switched_off_is_a_notification_with_a_link_to_it(database):
    site = added_site(database)
    rule = rules.add(database, site.id, BUSY, now=NOW)
    (said,) = failed_rules.switch_off_all(database, {rule.id: "it erred", 99: "it is gone"}, now=NOW + 5)
    fields = said.priority, said.title, said.message, said.link, said.link_label, said.at
    link = f"/settings/{site.domain}/rules#rule-{rule.id}"
    assert fields == ("high", "The rule “Busy” was switched off", "it erred", link, "Rules", NOW + 5)
    admin = notifications.of_person(database, 1, whole_sight([site.id]))
    assert [one.notification for one in admin] == [said]
    viewer = Sight(frozenset([site.id]), frozenset())
    assert notifications.of_person(database, 1, viewer) == [], "nobody else can repair it"
    assert failed_rules.switch_off_all(database, {rule.id: "it erred"}, now=NOW + 6) == [], "it is off already"


def test_a_rule_names_channels_of_its_site_alone(database):
    values = {"kind": "webhook", "address": "https://a.example", "created_at": NOW}
    with database.transaction() as connection:
        first, foreign, second = (
            connection.execute(insert(schema.channels).values(values | {"site_id": site_id})).inserted_primary_key[0]
            for site_id in (7, 8, 7)
        )
    given = SIGNUP._replace(notify=SIGNUP.notify._replace(channels=(second, first)))
    rule = rules.add(database, 7, given, now=NOW)
    assert rule.notify.channels == (second, first)
    wrong = given._replace(notify=given.notify._replace(channels=(first, foreign, second + 1)))
    for refused in (
        lambda: rules.add(database, 7, wrong, now=NOW),
        lambda: rules.change(database, rule.id, wrong, now=NOW),
    ):
        with pytest.raises(InvalidInput) as error:
            refused()
        unknown = f"no channel {foreign}, {second + 1} on this site; known: {first}, {second}"
        assert error.value.fields == {"notify.channels": unknown}
    assert rules.of_site(database, 7) == [rule]
    with database.transaction() as connection:
        rules.forget_channel(connection, 7, second)
    assert rules.of_site(database, 7) == [rule._replace(notify=rule.notify._replace(channels=(first,)))]


EUROS = Match("is", "currency", ("EUR",))


def revenue(*filters: Match) -> RuleInput:
    when = LineCrossed("total_revenue", Crossing.BELOW, 100, filters=filters, period="today")
    return RuleInput("Sales", when, Notify(title="Sales"))


def test_a_rule_on_money_keeps_the_currency_of_its_site(database):
    site, german = added_site(database), Match("is", "country", ("DE",))
    paid = [event(f"paid-{n:06}", at=NOW + n, value=9.0, currency=one) for n, one in enumerate(("EUR", None, "EUR"))]
    stored_events(database, *paid)
    rule = rules.add(database, site.id, revenue(german), now=NOW)
    assert rule.when == revenue(german, EUROS).when
    stored_events(database, event("a-visitors", at=NOW + 9, value=0.0, currency="JPY"))
    given = RuleInput(rule.name, rule.when, rule.notify)
    assert rules.change(database, rule.id, given, now=NOW) == rule, "money in another currency is not this rule's"


def test_a_rule_on_money_names_one_currency_where_the_site_has_several(database):
    site = added_site(database)
    paid = [event(f"paid-{n:06}", at=NOW + n, value=9.0, currency=one) for n, one in enumerate(("EUR", "JPY"))]
    stored_events(database, *paid)
    rule = rules.add(database, site.id, revenue(EUROS), now=NOW)
    german, both = Match("is", "country", ("DE",)), Match("is", "currency", ("EUR", "JPY"))
    for filters in ((), (german,), (both,), (Match("is_not", "currency", ("JPY",)),)):
        for refused in (
            partial(rules.add, database, site.id, revenue(*filters), now=NOW),
            partial(rules.change, database, rule.id, revenue(*filters), now=NOW),
        ):
            with pytest.raises(InvalidInput) as wrong:
                refused()
            why = "amounts in several currencies have no sum; filter by one currency: EUR, JPY"
            assert wrong.value.fields == {"when.filters": why}
    with database.transaction(), pytest.raises(InvalidInput, match="several currencies"):
        rules.add(database, site.id, revenue(), now=NOW)  # it waits for nobody who writes, and nobody waits for it
    euros = revenue(german, EUROS)
    assert rules.change(database, rule.id, euros, now=NOW) == rule._replace(when=euros.when)
    assert rules.add(database, site.id, BUSY, now=NOW).when == BUSY.when


def test_a_rule_on_money_names_its_currency_where_no_amount_has_arrived(database):
    site = added_site(database)
    with pytest.raises(InvalidInput) as wrong:
        rules.add(database, site.id, revenue(), now=NOW)
    why = "no amount has arrived yet; filter by the currency that amounts will have, like EUR"
    assert wrong.value.fields == {"when.filters": why}
    assert rules.add(database, site.id, revenue(EUROS), now=NOW).when == revenue(EUROS).when


def test_a_site_has_200_rules_at_most(database):
    with database.transaction() as connection:
        for _ in range(200):
            rules.insert_rule(connection, 7, SIGNUP, now=NOW)
    with pytest.raises(InvalidInput, match="at most 200 rules; remove one first"):
        rules.add(database, 7, SIGNUP, now=NOW)
    rules.add(database, 8, SIGNUP, now=NOW)
    assert len(rules.of_site(database, 7)) == 200


def test_the_rules_of_a_site_have_400_conditions_at_most(database):
    def with_conditions(many: int) -> RuleInput:
        when = EventArrives("signup", (Condition("value", Operator.ABOVE, 100.0),) * many)
        return SIGNUP._replace(when=when)

    last = [rules.add(database, 7, with_conditions(20), now=NOW) for _ in range(20)][-1]
    refused = "the rules of a site have at most 400 conditions on events; its other rules have {}"
    with pytest.raises(InvalidInput) as wrong:
        rules.add(database, 7, with_conditions(1), now=NOW)
    assert wrong.value.fields == {"when.where": refused.format(400)}
    with pytest.raises(InvalidInput) as wrong:
        rules.change(database, last.id, with_conditions(21), now=NOW)
    assert wrong.value.fields == {"when.where": refused.format(380)}
    rules.change(database, last.id, with_conditions(20), now=NOW)
    rules.add(database, 7, SIGNUP, now=NOW)
    rules.add(database, 8, with_conditions(20), now=NOW)


# ── in memory ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_ring_has_the_rules_that_are_on_by_what_they_wait_for(database):
    ring = RuleRing(database)
    assert (ring.event_rules(7), ring.evaluated_rules()) == ((), [])
    first, second, other = (rules.add(database, site_id, SIGNUP, now=NOW) for site_id in (7, 7, 8))
    busy = rules.add(database, 8, BUSY, now=NOW)
    rules.add(database, 7, SIGNUP._replace(enabled=False), now=NOW)
    assert ring.event_rules(7) == ()
    ring.refresh()
    assert ring.event_rules(7) == (first, second)
    assert ring.event_rules(8) == (other,)
    assert ring.event_rules(9) == ()
    assert ring.evaluated_rules() == [busy]


def test_a_refreshed_ring_has_what_was_changed(database):
    kept, changed, gone = (rules.add(database, 7, SIGNUP, now=NOW) for _ in range(3))
    ring = RuleRing(database)
    before = ring.event_rules(7)
    assert before == (kept, changed, gone)
    rules.remove(database, gone.id)
    renamed = rules.change(database, changed.id, SIGNUP._replace(name="New"), now=NOW)
    ring.refresh()
    assert ring.event_rules(7) == (kept, renamed)
    assert ring.event_rules(7)[0] is before[0], "only what has changed is parsed"


def test_a_rule_that_cannot_be_read_is_left_out(database, caplog):
    kept, broken = (rules.add(database, 7, SIGNUP, now=NOW) for _ in range(2))
    with database.transaction() as connection:
        changing = update(schema.rules).where(schema.rules.c.id == broken.id)
        connection.execute(changing.values(definition='{"when":{"moon":"full"},"notify":{}}'))
    ring = RuleRing(database)
    assert ring.event_rules(7) == (kept,)
    assert rules.of_site(database, 7) == [kept]
    assert f"rule {broken.id} of site 7 cannot be read" in caplog.text
    assert rules.remove(database, broken.id) == "Signups"


# ── shipped rules ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_site_gets_the_shipped_rules_once(database):
    first = added_site(database)
    assert shipped.add_missing(database, now=NOW)
    given = rules.of_site(database, first.id)
    assert [(rule.shipped, rule.name, rule.enabled) for rule in given] == [
        ("signup", "Somebody signs up", True),
        ("payment", "A payment over 100", True),
        ("critical", "Critical alerts", True),
        ("silence", "Tracking broke", True),
    ]
    for rule in given:
        rules.remove(database, rule.id)
    second = added_site(database, "example.org")
    assert shipped.add_missing(database, now=NOW)
    assert not shipped.add_missing(database, now=NOW)
    assert rules.of_site(database, first.id) == [], "what was removed does not come back"
    assert [rule.shipped for rule in rules.of_site(database, second.id)] == list(shipped.SHIPPED)


@pytest.mark.parametrize("name", shipped.SHIPPED)
def test_a_shipped_rule_is_one_that_people_could_write(name):
    assert rule_json.read(rule_json.plain(shipped.SHIPPED[name])) == shipped.SHIPPED[name]


def test_a_removed_site_takes_its_rules_with_it(database):
    added_site(database)
    shipped.add_missing(database, now=NOW)
    store.remove(database, "example.com")
    with database.read() as connection:
        assert connection.execute(select(schema.rules)).all() == []
