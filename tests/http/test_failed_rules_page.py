"""The page of rules: one that failed is switched off, and on again when its form is saved."""

from __future__ import annotations

import time

from house import open_house

from analytics.base.config import Config
from analytics.notify import failed_rules, rule_json, rules

SITE = "example.com"
SIGNUP = {"name": "Signups", "when": {"event": "signup"}, "notify": {"priority": "low", "title": "Signup"}}
FIELDS = {"name": "Signups", "event": "signup", "where": "value > 99.999", "priority": "low", "title": "Signup"}


def test_a_rule_that_failed_is_on_again_when_its_form_is_saved_and_the_page_says_so(tmp_path):
    now = int(time.time())
    with open_house(Config(data_dir=tmp_path)) as house:
        house.add_site(SITE)
        admin, database = house.join("admin@example.com", "owner"), house.service.database
        rule = rules.add(database, 1, rule_json.read(SIGNUP), now=now)
        failed_rules.switch_off_all(database, {rule.id: "it takes too long"}, now=now)
        saved = [house.send(admin, "rule-event", SITE, id=str(rule.id), **FIELDS) for _ in range(2)]
        assert [one["message"] for one in saved] == ["The rule is saved, and on again", "The rule is saved"]
        known = rules.get(database, rule.id)
        assert (known.enabled, known.wrong) == (True, "")
        assert known.when.plain() == {"event": "signup", "where": [["value", ">", 99.999]]}
