"""The streams of notifications: who gets which, and how often each is encoded."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import closing

import pytest

from analytics.notify.notification import Notification
from analytics.notify.sight import Sight
from collector.live.bells import MAX_PENDING, Bells
from collector.live.hub import Subscription
from tests.support.factories import NOW
from tests.support.serving import eventually


def notification(number: int, site: int = 1, **fields: object) -> Notification:
    texts = dict.fromkeys(("severity", "message", "link", "link_label", "currency"), "")
    values = texts | {"rule_id": 1, "alert_id": None, "type": "notification.created", "priority": "medium"}
    values |= {"audience": "everybody"}
    values |= {"title": f"Title {number}", "value": None, "count": 1, "at": NOW, "last_at": NOW, "open_until": NOW}
    values |= {"audience": "everybody"}
    return Notification(**{"id": number, "site_id": site, **values, **fields})  # type: ignore[arg-type]


class Domains:
    """The domain of each site, and how often it was asked for: once for each encoding."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, site_id: int) -> str:
        self.asked += 1
        return f"site{site_id}.example" if site_id < 9 else ""


@pytest.fixture
def domains() -> Domains:
    return Domains()


@pytest.fixture
def bells(domains) -> Iterator[Bells]:
    with closing(Bells(domains, lambda: NOW)) as made:
        yield made


class Stream:
    """An open stream; `got` are the notifications on it, as pairs of message id and id."""

    def __init__(self, open_with: Callable[[Callable[[], None]], Subscription]) -> None:
        self.text = ""
        self._subscription = open_with(threading.Event().set)

    @property
    def got(self) -> list[tuple[str, str]]:
        self.text += self._subscription.take().decode()
        messages = (part.split("\n") for part in self.text.split("\n\n") if part.startswith("id: "))
        decoded = [(lines[0].removeprefix("id: "), json.loads(lines[1].removeprefix("data: "))) for lines in messages]
        return [(at, found["data"]["id"]) for at, found in decoded if found["type"] == "notification"]


def opened(
    bells: Bells,
    *sites: int,
    administered: Collection[int] = (),
    last_id: int = 0,
    missed: Collection[Notification] = (),
) -> Stream:
    sight = Sight(frozenset(sites), frozenset(administered))
    return Stream(lambda wake: bells.subscribe(sight.sees, wake, last_id, list(missed)))


def ids(*numbers: int) -> list[tuple[str, str]]:
    return [(str(number), str(number)) for number in numbers]


def test_a_stream_has_those_of_the_sites_that_its_reader_sees(bells):
    one, two, both, none = opened(bells, 1), opened(bells, 2), opened(bells, 1, 2), opened(bells)
    bells.publish([notification(11, 1), notification(12, 2), notification(13, 1)])
    eventually(lambda: both.got == ids(11, 12, 13))
    assert (one.got, two.got, none.got) == (ids(11, 13), ids(12), [])


def test_a_burst_of_another_site_takes_nothing_from_a_stream(bells):
    quiet, busy = opened(bells, 1), opened(bells, 1, 2)
    bells.publish([notification(1, 1), *(notification(number, 2) for number in range(2, 202))])
    eventually(lambda: busy.got)
    assert quiet.got == ids(1)
    assert busy.got == ids(*range(202 - MAX_PENDING, 202))


def test_a_burst_for_admins_takes_nothing_from_the_viewers_of_the_site(bells):
    viewer, admin = opened(bells, 1), opened(bells, 1, administered=[1])
    burst = [notification(number, audience="admins") for number in range(2, 202)]
    bells.publish([notification(1), *burst])
    eventually(lambda: admin.got)
    assert viewer.got == ids(1)
    assert admin.got == ids(*range(202 - MAX_PENDING, 202))


def test_a_burst_of_others_takes_no_urgent_one_from_a_stream(bells):
    stream = opened(bells, 1)
    burst = [notification(number, priority="low") for number in range(2, 202)]
    bells.publish([notification(1, priority="urgent"), *burst])
    eventually(lambda: stream.got == ids(1, *range(203 - MAX_PENDING, 202)))


def test_each_is_encoded_once_for_all_streams(bells, domains):
    streams = [opened(bells, 1) for _ in range(300)]
    bells.publish([notification(number) for number in range(1, 51)])
    eventually(lambda: all(stream.got == ids(*range(1, 51)) for stream in streams))
    assert domains.asked == 50


def test_the_stream_of_a_site_has_message_ids_of_its_own(bells):
    subscription = Subscription(1, threading.Event().set)
    stream = Stream(lambda _: subscription)
    bells.listen(subscription, lambda one: one.site_id == 1, lambda one: f"row-{one.site_id}")
    bells.publish([notification(1), notification(2, site=2)])
    eventually(lambda: stream.got == [("row-1", "1")])


def test_what_is_published_while_the_missed_ones_are_read_is_on_the_stream_once(bells):
    missed = [notification(6), notification(7)]
    bells.publish([notification(5), notification(7, count=2), notification(8), notification(9, site=2)])
    assert opened(bells, 1, last_id=5, missed=missed).got == ids(6, 7, 8)


def test_those_of_a_removed_site_are_not_sent(bells):
    stream = opened(bells, 1, 9)
    bells.publish([notification(1, 9), notification(2, 1)])
    eventually(lambda: stream.got == ids(2))
