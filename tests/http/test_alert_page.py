"""The page of one alert, to which messages lead: opening it changes nothing, its forms snooze and acknowledge."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from house import NOW, PASSWORD, House, open_house
from sqlalchemy import insert, update

from analytics.base.config import Config
from analytics.notify import alerts
from analytics.notify.rendering import Subject
from analytics.notify.snooze import TOMORROW, WAKE, tomorrow
from analytics.storage import schema
from layouts.pages import alert as layout

SITE, OTHER = "example.com", "other.example"
HTML = {"Accept": "text/html"}
HOUR = 3600


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Iterator[House]:
    with open_house(Config(data_dir=tmp_path_factory.mktemp("data"))) as house:
        for domain in (SITE, OTHER):
            house.add_site(domain)
        yield house


@pytest.fixture(scope="module")
def admin(house):
    return house.join("admin@example.com", "admin")


def add_alert(house: House, site_id: int = 1, **values: Any) -> int:
    row = {"site_id": site_id, "rule_id": 5, "severity": "critical", "title": "Busy", "metric": "visitors"}
    row |= {"fired_at": NOW, "told_at": NOW, "value": 120.0, "threshold": 100.0} | values
    with house.service.database.transaction() as connection:
        return int(connection.execute(insert(schema.alerts).values(row)).inserted_primary_key[0])


def page(house: House, browser, number: object, domain: str = SITE, more: str = "") -> str:
    path = f"/alerts/{domain}/alert"
    return house.call(browser, "root.children", pathname=path, search=f"?id={number}{more}").text


def state_of(house: House, number: int) -> tuple[int | None, int | None, list[tuple[str, str]]]:
    """Acknowledged at, snoozed until, and the steps with who made them."""
    found = alerts.get(house.service.database, 1, number)
    steps = [(one.step, one.who) for one in found.steps]
    return found.alert.acknowledged_at, found.alert.snoozed_until, steps


def test_opening_the_link_changes_nothing_whoever_opens_it(house, admin):
    """As mail scanners do, and browsers that load pages ahead."""
    number = add_alert(house)
    link = f"/alerts/{SITE}/alert?id={number}&snooze=1"
    stranger = house.app.server.test_client()
    for browser in (stranger, admin):
        for method in ("GET", "HEAD"):
            assert browser.open(link, method=method, headers=HTML).status_code in (200, 302)
    assert "For 1 hour" in page(house, admin, number, more="&snooze=1")
    assert state_of(house, number) == (None, None, [])


def test_an_email_address_is_for_admins(house, admin):
    number = add_alert(house)
    alerts.acknowledge(house.service.database, 1, number, "grace@example.com", NOW)
    viewer = house.join("reader@example.com", "viewer")
    assert "Acknowledged by grace@example.com" in page(house, admin, number)
    seen = page(house, viewer, number)
    assert "Acknowledged by grace" in seen
    assert "grace@example.com" not in seen
    for browser, shown in ((admin, True), (viewer, False)):
        strip = house.call(browser, "alert-strip.children", n_intervals=1, **{"data-site": SITE}).text
        assert ("grace@example.com" in strip, "acknowledged by grace" in strip) == (shown, True)
        listed = house.call(browser, "root.children", pathname=f"/alerts/{SITE}").text
        assert ("grace@example.com" in listed, "grace" in listed) == (shown, True)


def test_without_a_login_the_link_leads_to_sign_in_and_then_to_the_alert(house):
    number = add_alert(house)
    link = f"/alerts/{SITE}/alert?id={number}&snooze=1"
    house.join("ada@example.com", "admin")
    stranger = house.app.server.test_client()
    way = stranger.get(link, headers=HTML)
    assert (way.status_code, way.location) == (302, f"/sign-in?next={quote(link, safe='/')}")
    signed_in = stranger.post("/sign-in", data={"email": "ada@example.com", "password": PASSWORD, "next": link})
    assert (signed_in.status_code, signed_in.location) == (302, link)


def test_the_page_asks_and_shows_what_is_known(house, admin):
    number = add_alert(house, message="More than 100", affected=3)
    shown = page(house, admin, number)
    for text in ("Busy", "Critical", "More than 100", "120 (above 100)", "3 people", "For 1 hour", "For 4 hours"):
        assert text in shown
    assert "Until tomorrow, 9:00" in shown or "Until tomorrow, 09:00" in shown
    assert '"autoFocus":true' not in shown
    assert '"autoFocus":true' in page(house, admin, number, more="&snooze=1")


@pytest.mark.parametrize(("chosen", "hours"), [("1", 1), ("4", 4)])
def test_it_is_snoozed_for_hours(house, admin, chosen, hours):
    number, before = add_alert(house), int(time.time())
    answer = house.send(admin, layout.SNOOZE, SITE, key=str(number), value=chosen)
    assert answer == {"message": "Snoozed", "focus": ["snooze-0"]}
    acknowledged, until, steps = state_of(house, number)
    assert before + hours * HOUR <= until <= int(time.time()) + hours * HOUR
    assert (acknowledged, steps) == (None, [("snoozed", "admin@example.com")])
    assert "Snoozed until" in page(house, admin, number)


def test_it_is_snoozed_until_tomorrow_and_the_snooze_is_ended(house, admin):
    number = add_alert(house)
    house.send(admin, layout.SNOOZE, SITE, key=str(number), value=TOMORROW)
    zone = ZoneInfo(house.service.sites.get(SITE).timezone)
    assert state_of(house, number)[1] == tomorrow(int(time.time()), zone)
    answer = house.send(admin, layout.SNOOZE, SITE, key=str(number), value=WAKE)
    assert answer == {"message": "The snooze is ended", "focus": ["snooze-1"]}
    steps = [("snoozed", "admin@example.com"), ("snooze_ended", "admin@example.com")]
    assert state_of(house, number) == (None, None, steps)


def test_it_is_acknowledged(house, admin):
    number = add_alert(house)
    answer = house.send(admin, layout.ACKNOWLEDGE, SITE, key=str(number))
    assert answer == {"message": "Acknowledged", "focus": ["snooze-1"]}
    assert state_of(house, number)[2] == [("acknowledged", "admin@example.com")]
    shown = page(house, admin, number)
    assert "Acknowledged by admin@example.com" in shown
    assert f'"one-acknowledge-{number}"' not in shown


def test_an_alert_that_is_over_is_shown_with_its_history_and_without_buttons(house, admin):
    number = add_alert(house, resolved_at=NOW + 60)
    shown = page(house, admin, number)
    assert "Over since" in shown
    assert "For 1 hour" not in shown
    answer = house.send(admin, layout.SNOOZE, SITE, key=str(number), value="1")
    assert answer["message"] == "that alert is over"


def test_a_viewer_sees_it_and_changes_nothing(house):
    number = add_alert(house)
    viewer = house.join("viewer@example.com", "viewer")
    shown = page(house, viewer, number)
    assert "An admin of this site can snooze and acknowledge it." in shown
    assert "For 1 hour" not in shown
    sent = {"data": {"number": 1, "fields": {"key": str(number), "value": "1"}}, "data-site": SITE}
    for form in (layout.SNOOZE, layout.ACKNOWLEDGE):
        assert house.call(viewer, f"{form}-answer.data-answer", **sent).status_code == 403
        assert house.call(house.app.server.test_client(), f"{form}-answer.data-answer", **sent).status_code == 401
    assert state_of(house, number) == (None, None, [])


@pytest.mark.parametrize("number", ["", "999", "abc", "-1", "1e3", "9" * 30, "%00", "<script>"])
def test_an_alert_that_is_not_there_is_a_page_that_says_so(house, admin, number):
    assert "That alert is not here any more" in page(house, admin, number)


def test_an_alert_of_another_site_is_not_there(house, admin):
    number = add_alert(house)
    assert "That alert is not here any more" in page(house, admin, number, OTHER)
    answer = house.send(admin, layout.SNOOZE, OTHER, key=str(number), value="1")
    assert answer["message"] == "that alert is not here any more"
    assert state_of(house, number) == (None, None, [])


@pytest.mark.parametrize("value", ["", "2", "-1", "721", "now", "1.5"])
def test_only_what_the_buttons_say_is_a_snooze(house, admin, value):
    number = add_alert(house)
    answer = house.send(admin, layout.SNOOZE, SITE, key=str(number), value=value)
    assert answer["message"] == "hours: a whole number from 0 to 720"
    assert state_of(house, number) == (None, None, [])


def test_messages_lead_to_the_page_and_others_to_the_list(house, monkeypatch):
    notifying = house.service.notifying
    assert notifying._links_of(Subject("example.com", 1, 7)) == ("", "", "")
    base = "https://stats.example.com/a"
    monkeypatch.setattr(notifying, "_base_url", base)
    page = "https://stats.example.com/a/alerts/m%C3%BCller.example/alert?id=7"
    assert notifying._links_of(Subject("müller.example", 1, 7)) == (page, f"{page}&snooze=1", base)
    assert notifying._links_of(Subject("example.com", 1, None)) == (f"{base}/notifications", "", base)
    of_several = Subject("müller.example", None, None, has_alerts=True)
    assert notifying._links_of(of_several) == (page.partition("/alert?")[0], "", base)
    snooze = f"{base}/settings/m%C3%BCller.example/rules?snooze=5"
    assert notifying._links_of(Subject("müller.example", 1, None, 5)) == (f"{base}/notifications", snooze, base)


def drawn(house: House, browser, number: int, had: str) -> str:
    """The cards of the open page after a tick, which has been drawn as `had`."""
    named = {"data-site": SITE, "data-alert": str(number), "data-drawn": had}
    return house.call(browser, f"{layout.PLACE}.children", n_intervals=1, **named).text


def test_the_page_follows_its_alert_and_shows_no_value_of_an_alert_that_is_over(house, admin):
    number = add_alert(house, value=4.0, threshold=2.0)
    assert "4 (above 2)" in page(house, admin, number)
    with house.service.database.transaction() as connection:
        table = schema.alerts
        connection.execute(update(table).where(table.c.id == number).values(resolved_at=NOW + 60))
    answer = drawn(house, admin, number, "as it was when it fired")
    assert "Over since" in answer
    assert "(above 2)" not in answer
    assert "Acknowledge" not in answer
