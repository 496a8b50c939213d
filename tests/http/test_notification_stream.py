"""`GET /api/notifications` and its stream: who hears of which notification, and that none is missed."""

from __future__ import annotations

import itertools
import json

import pytest

from tests.support.serving import event, eventually, listening

PATH = "/api/notifications/stream"
PASSWORD = "correct horse battery"
JSON = {"Content-Type": "application/json"}
_numbers = itertools.count(1)


@pytest.fixture
def viewer(shared, site):
    """The headers of a person who may see the site, and their e-mail."""
    email = f"viewer-{next(_numbers)}@example.com"
    shared.tell("user add", email=email, role="viewer", password=PASSWORD, on=[site])
    return {"Cookie": shared.sign_in(email, PASSWORD)}, email


def signs_up(shared, site, name):
    """A signup, for which every site has a rule from the start."""
    sent = event(f"signup-{next(_numbers):06d}", "signup", "/", site, user_name=name, description="a trial")
    assert shared.collect(sent).json == {"stored": 1, "duplicate": 0}


def said(listener):
    return [message.data["message"] for message in listener.of("notification")]


def test_without_a_login_there_is_nothing_to_hear(shared):
    for path in ("/api/notifications", PATH):
        assert shared.request("GET", path).status == 401


def test_a_notification_comes_with_its_event_for_those_who_see_the_site(shared, site, other_site, viewer):
    headers, _ = viewer
    with listening(shared, "", headers, PATH) as listener:
        eventually(lambda: listener.of("connected"))
        signs_up(shared, other_site, "Omar")
        signs_up(shared, site, "Lena")
        eventually(lambda: said(listener))
        (message,) = listener.of("notification")
    newest = shared.request("GET", "/api/notifications", headers=headers).json["notifications"]
    assert newest == [{name: value for name, value in message.data.items() if name != "sent_at"}]
    assert 0 <= message.data["sent_at"] - message.data["last"] < 30
    assert (message.id, message.data["site"], message.data["title"]) == (message.data["id"], site, "New signup")
    assert (message.data["message"], message.data["count"]) == ("Lena a trial", 1)


def test_who_comes_back_hears_what_was_missed_oldest_first(shared, site, viewer):
    headers, _ = viewer
    with listening(shared, "", headers, PATH) as listener:
        eventually(lambda: listener.of("connected"))
        last = listener.messages[-1].id
    for name in ("Ada", "Ben"):
        signs_up(shared, site, name)
    with listening(shared, f"last_event_id={last}", headers, PATH) as listener:
        assert eventually(lambda: len(said(listener)) == 2 and said(listener)) == ["Ada a trial", "Ben a trial"]


def test_who_sees_a_site_no_longer_hears_nothing_of_it(shared, site, other_site, viewer):
    headers, email = viewer
    shared.tell("user set", email=email, role="viewer", on=[other_site])
    with listening(shared, "", headers, PATH) as listener:
        eventually(lambda: listener.of("connected"))
        shared.tell("user set", email=email, role="none", on=[site])

        def only_of_the_other():
            """The other site's signup is heard without that of the lost one, which was sent first."""
            signs_up(shared, site, "lost")
            signs_up(shared, other_site, "seen")
            eventually(lambda: said(listener)[-1:] == ["seen a trial"])
            return "lost a trial" not in said(listener)[-2:]

        eventually(only_of_the_other, within=5)


REFUND = {
    "name": "Refunds",
    "when": {"event": "refund"},
    "notify": {"priority": "high", "title": "Refund", "message": "to {user_name}", "audience": "admins", "group_s": 0},
}


def test_what_is_for_admins_is_heard_by_them_and_by_programs_alone(shared, site, viewer):
    headers, _ = viewer
    shared.tell("user add", email=f"admin@{site}", role="admin", password=PASSWORD, on=[site])
    admin = {"Cookie": shared.sign_in(f"admin@{site}", PASSWORD)}
    key = shared.tell("key add", name="test", scope="admin", site=site)
    program = {"Authorization": f"Bearer {key}"}
    rule = shared.request("POST", f"/api/v1/sites/{site}/rules", json.dumps(REFUND).encode(), {**JSON, **program})
    assert rule.status == 201
    query = f"site={site}"
    with (
        listening(shared, "", headers, PATH) as viewers_bell,
        listening(shared, "", admin, PATH) as admins_bell,
        listening(shared, query, headers) as viewers_page,
        listening(shared, query, admin) as admins_page,
        listening(shared, query, program) as programs,
    ):
        listeners = viewers_bell, admins_bell, viewers_page, admins_page, programs
        eventually(lambda: all(one.of("connected") for one in listeners))
        last = admins_bell.of("connected")[0].id
        sent = event(f"refund-{next(_numbers):06d}", "refund", "/", site, user_name="Omar")
        assert shared.collect(sent).json == {"stored": 1, "duplicate": 0}
        eventually(lambda: said(admins_bell) and said(admins_page) and said(programs))
        signs_up(shared, site, "Lena")
        eventually(lambda: all("Lena a trial" in said(one) for one in listeners))
        for one in (viewers_bell, viewers_page):
            assert said(one) == ["Lena a trial"]
        for one in (admins_bell, admins_page, programs):
            assert said(one) == ["to Omar", "Lena a trial"]
    for given, messages in ((headers, ["Lena a trial"]), (admin, ["to Omar", "Lena a trial"])):
        with listening(shared, f"last_event_id={last}", given, PATH) as again:
            eventually(lambda again=again: "Lena a trial" in said(again))
            assert said(again) == messages
        newest = shared.request("GET", "/api/notifications", headers=given).json["notifications"]
        assert [one["message"] for one in newest if one["site"] == site] == messages[::-1]
    listed = shared.request("GET", f"/api/v1/sites/{site}/notifications", headers=program).json
    assert [one["message"] for one in listed] == ["Lena a trial", "to Omar"]
    read = shared.request("POST", f"/api/v1/sites/{site}/notifications/{listed[1]['id']}/read", b"", program).json
    assert (read["message"], read["read"]) == ("to Omar", True)


def test_the_stream_of_a_site_has_its_notifications_but_not_for_a_card(shared, site):
    key = shared.tell("key add", name="test", scope="stats", site=site)
    line = shared.tell("embed add", site=site, hosts=["panel.example"], expires="1d")
    token = line.split("token=")[1].split('"')[0]
    with (
        listening(shared, f"site={site}", {"Authorization": f"Bearer {key}"}) as program,
        listening(shared, f"token={token}") as card,
    ):
        eventually(lambda: program.of("stats") and card.of("stats"))
        signs_up(shared, site, "Lena")
        eventually(lambda: said(program) and card.of("new_event"))
        signs_up(shared, site, "Ada")
        eventually(lambda: len(said(program)) == 2 and len(card.of("new_event")) == 2)
        assert card.of("notification") == []
        assert all(message.id for message in program.messages)
