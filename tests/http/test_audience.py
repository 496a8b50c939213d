"""What is for admins alone, on the pages of a viewer and of an admin."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from house import NOW, House, open_house
from sqlalchemy import insert

from analytics.base.config import Config
from analytics.storage import schema


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Iterator[House]:
    with open_house(Config(data_dir=tmp_path_factory.mktemp("data"))) as opened:
        site_id = opened.add_site("example.com")
        opened.browsers |= {role: opened.join(f"{role}@example.com", role, [site_id]) for role in ("viewer", "admin")}
        said = {"site_id": site_id, "type": "notification.created", "priority": "high", "at": NOW}
        said |= {"last_at": NOW, "open_until": NOW}
        with opened.service.database.transaction() as connection:
            for number, audience in enumerate(("everybody", "admins"), 1):
                row = said | {"id": number, "title": f"For {audience}", "audience": audience}
                connection.execute(insert(schema.notifications).values(row))
        yield opened


def bell(house: House, role: str, action: str, number: int = 0) -> tuple[list[tuple[str, bool]], int]:
    """The titles of the list with whether each is read, and how many are unread, after that action."""
    asked = {"action": action, "id": str(number), "at": 1}
    answered = house.call(house.browsers[role], "bell.answered", asked=asked).json["response"]["bell"]["answered"]
    return [(row["title"], row["read"]) for row in answered["rows"]], answered["unread"]


def test_the_bell_lists_and_counts_what_its_person_sees(house):
    assert bell(house, "viewer", "look") == ([("For everybody", False)], 1)
    assert bell(house, "admin", "look") == ([("For admins", False), ("For everybody", False)], 2)


def test_the_bell_marks_what_its_person_sees(house):
    assert bell(house, "viewer", "read", 2) == ([("For everybody", False)], 1)
    assert bell(house, "admin", "read", 2) == ([("For admins", True), ("For everybody", False)], 1)


def test_a_viewer_clears_what_others_still_see(house):
    assert bell(house, "viewer", "clear") == ([], 0)
    assert [title for title, _ in bell(house, "admin", "look")[0]] == ["For admins", "For everybody"]
