"""The page of rules while the rules of its site take too long."""

from __future__ import annotations

import time

from house import open_house

from analytics.base.config import Config
from analytics.notify import unchecked_events

SAID = "The rules of this site take too long: 1,234 events since"


def test_the_page_of_rules_says_how_many_events_no_rule_has_checked(tmp_path):
    with open_house(Config(data_dir=tmp_path)) as house:
        own, _other = house.add_site("example.com"), house.add_site("other.example")
        admin, now = house.join("admin@example.com", "owner"), int(time.time())
        assert SAID not in house.drawn(admin, "/settings/example.com/rules")
        unchecked_events.note(house.service.database, own, 1_234, now)
        assert SAID in house.drawn(admin, "/settings/example.com/rules")
        assert SAID not in house.drawn(admin, "/settings/other.example/rules")
