"""The ways through the server: what `docs/design.md` lists is what runs, and nothing else does."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import uvloop

from analytics.access.roles import ANYBODY
from analytics.activity import cards, gauge, watches
from analytics.activity.watch import WatchDefinition
from analytics.base.config import Config
from analytics.base.mail_server import read_mail_server
from analytics.notify import rules
from analytics.notify.kinds.crossing import Crossing
from analytics.notify.kinds.event import EventArrives
from analytics.notify.kinds.kind import When
from analytics.notify.kinds.line import LineCrossed
from analytics.notify.rule import Notify
from analytics.notify.rule_json import RuleInput
from analytics.sites import store
from collector.doors.endpoint import Endpoint
from collector.http.connection import Connection
from collector.service import Service
from tests.conftest import host_database
from tests.support.channels import added_channel
from tests.support.factories import AGENT, NOW
from tests.support.mailbox import Mailbox, mail_server
from tests.support.serving import eventually
from tests.support.tracing import ROOT, Tracing, tracing

DESIGN = ROOT / "docs" / "design.md"
MAX_FILES = 16
MAX_STEPS = 12
THREADS = ("loop", "footfall-writer", "footfall-hub")
COURIER = ("footfall-courier", "footfall-courier-1")  # it looks what is due; it sends to the channel with the id 1
HEARTBEAT_SECTION = "One heartbeat's way"
EVENT_SECTION, ALERT_SECTION, ROW_SECTION = (
    "The way of an event for which a rule waits",
    "An alert's way",
    "The way of a watched table's row",
)
SECTIONS = (HEARTBEAT_SECTION, EVENT_SECTION, ALERT_SECTION, ROW_SECTION)
OWN = ("analytics/notify/", "analytics/activity/", "collector/")
BY_THE_CLOCK = (
    "Endpoint.watch",
    "Endpoint._check_streams",
    "Endpoint._check_commits",
    "date_line",
    "Follower._note_state",
    "note_hour",
)  # whatever comes in
BELL, LIVE = "/api/notifications/stream", "/api/live/stream?site=example.com"
URL = "https://example.com/pricing"
PAGEVIEW = {"site": "example.com", "type": "pageview", "id": "page-0001", "url": URL}
HEARTBEAT = {"site": "example.com", "type": "heartbeat", "pageview": "page-0001", "url": URL, "state": "active"}
SIGNUP = {"site": "example.com", "type": "event", "id": "event-0001", "name": "Sign up", "url": URL}
HEADERS = {"Content-Type": "text/plain;charset=UTF-8", "User-Agent": AGENT}


@contextmanager
def serving_here(service: Service) -> Iterator[int]:
    """The port of an endpoint over that service, in a thread of this process; nobody has to sign in."""
    ready, stop = threading.Event(), asyncio.Event()
    found: list[tuple[asyncio.AbstractEventLoop, int]] = []

    async def serve() -> None:
        endpoint = Endpoint(service.routes(lambda _: ANYBODY), service.writer, lambda *_: ())
        watching = asyncio.create_task(endpoint.watch())
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Connection(endpoint), "127.0.0.1", 0)
        found.append((loop, server.sockets[0].getsockname()[1]))
        ready.set()
        await stop.wait()
        server.close()
        while len(endpoint.connections):
            await asyncio.sleep(0.01)
        watching.cancel()
        endpoint.close()

    thread = threading.Thread(target=uvloop.run, args=(serve(),), name="loop")
    thread.start()
    assert ready.wait(10)
    (loop, port) = found[0]
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)


def post(connection: http.client.HTTPConnection, event: dict[str, object]) -> None:
    connection.request("POST", "/api/collect", json.dumps(event), HEADERS)
    response = connection.getresponse()
    assert (response.status, response.read()) == (202, b'{"stored":1,"duplicate":0}')


def wait_for(stream: http.client.HTTPResponse, *words: bytes) -> None:
    missing = set(words)
    while missing:
        line = stream.readline()
        missing = {one for one in missing if one not in line}


@pytest.fixture(scope="module")
def way(tmp_path_factory) -> Tracing:
    """What runs for a heartbeat like the script's, from the bytes to the row and to the frame that tells of it.

    It comes after two minutes of silence, so that it changes the number of people: else no frame would be due.
    """
    now = float(NOW)
    config = Config(data_dir=tmp_path_factory.mktemp("data"))
    with tracing(BY_THE_CLOCK, THREADS) as recording, closing(Service(config, lambda: now)) as service:
        store.add(service.database, "example.com", now=NOW)
        service.refresh()
        with serving_here(service) as port:
            sending, reading = (http.client.HTTPConnection("127.0.0.1", port, timeout=20) for _ in "ab")
            post(sending, PAGEVIEW)
            post(sending, HEARTBEAT | {"engaged_ms": 15_000, "scroll": 30})  # what is remembered is remembered now
            now += 120
            reading.request("GET", LIVE)
            stream = reading.getresponse()
            wait_for(stream, b'"active_sessions":0')
            time.sleep(1.5)  # nothing of before is under way any more
            recording.begin()
            post(sending, HEARTBEAT | {"engaged_ms": 30_000, "scroll": 60})
            wait_for(stream, b'"active_sessions":1')
            recording.end()
            for one in (sending, stream, reading):
                one.close()
    return recording


class Scene:
    """A site without shipped rules, whose service has a mail server, and what runs there.

    Its clock stands still at the real time, which rows of a watched database have too.
    """

    def __init__(self, data_dir: Path, recording: Tracing, mail_port: int) -> None:
        self.now, self.recording = time.time(), recording
        smtp_url = read_mail_server(f"smtp://127.0.0.1:{mail_port}?tls=off&from=stats@example.com")
        self.service = Service(Config(data_dir=data_dir, smtp_url=smtp_url), lambda: self.now)
        self.site = store.add(self.service.database, "example.com", now=int(self.now))
        self.service.refresh()
        for shipped in rules.of_site(self.service.database, self.site.id):
            rules.remove(self.service.database, shipped.id)
        self.service.refresh()

    def add_rules(self, *whens: When) -> None:
        """Adds rules, all with one mail channel."""
        database = self.service.database
        channel = added_channel(database, "ops@example.com", "email")
        for when in whens:
            said = Notify(title="Look at {site}", channels=(channel.id,))
            rules.add(database, self.site.id, RuleInput("A rule", when, said), now=int(self.now))
        self.service.refresh()

    def wait_for_mail(self) -> None:
        """Half a minute later the mail is sent, and that is recorded."""
        self.now += 30
        eventually(lambda: self.service.notifying.courier.results["sent"] == 1)

    def close(self) -> None:
        self.service.close()


@contextmanager
def scene(data_dir: Path, threads: Collection[str]) -> Iterator[Scene]:
    with (
        mail_server(Mailbox()) as mail_port,
        tracing(BY_THE_CLOCK, threads) as recording,
        closing(Scene(data_dir, recording, mail_port)) as here,
    ):
        yield here


@contextmanager
def reading(port: int, path: str) -> Iterator[http.client.HTTPResponse]:
    """A stream that has begun."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request("GET", path)
        with closing(connection.getresponse()) as stream:
            wait_for(stream, b'"connected"')
            yield stream


def send(port: int, event: dict[str, object]) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        post(connection, event)


@pytest.fixture(scope="module")
def event_way(tmp_path_factory) -> Tracing:
    """What runs for an event for which a rule waits, from the row to the frame for a toast and to the mail."""
    threads = ("footfall-writer", "footfall-bells", *COURIER)
    with scene(tmp_path_factory.mktemp("data"), threads) as here, serving_here(here.service) as port:
        here.add_rules(EventArrives("signup"))
        send(port, PAGEVIEW)
        with reading(port, BELL) as page:
            here.recording.begin()
            send(port, SIGNUP)
            wait_for(page, b'"title":"Look at example.com"')
        here.wait_for_mail()
        here.recording.end()
    return here.recording


@pytest.fixture(scope="module")
def alert_way(tmp_path_factory) -> Tracing:
    """What runs for two rules whose metric crosses its line: from the reading to the streams and to the mail."""
    threads = ("footfall-evaluate_live", "footfall-bells", "footfall-send_changed", *COURIER)
    with scene(tmp_path_factory.mktemp("data"), threads) as here, serving_here(here.service) as port:
        here.add_rules(*(LineCrossed("active_sessions", Crossing.ABOVE, people) for people in (0, 0.5)))
        with reading(port, BELL) as bell, reading(port, LIVE) as page:
            here.recording.begin()
            send(port, PAGEVIEW)
            wait_for(bell, b'"alert":2')
            wait_for(page, b'"type":"alerts","data":[{"id":2')
        here.wait_for_mail()
        here.recording.end()
    return here.recording


@pytest.fixture(scope="module")
def row_way(tmp_path_factory, postgresql_server) -> Tracing:
    """What runs for a row of a watched table, from its outbox to the frames of the event and of the gauge."""
    threads = ("footfall-follow-table", "footfall-writer", "footfall-send_changed")
    with (
        host_database(postgresql_server) as host,
        scene(tmp_path_factory.mktemp("data"), threads) as here,
        serving_here(here.service) as port,
    ):
        watch = WatchDefinition("public", "bookings", title="{guest}")
        watches.add(
            here.service.database, here.site, host.url, watch, [gauge.parse("Bookings: count")], now=int(here.now)
        )
        cards.add(here.service.database, here.site.id, {"kind": "gauge", "gauge_id": "1"})
        with reading(port, LIVE) as page:
            wait_for(page, b'"name":"Bookings","value":0.0')
            here.recording.begin()
            host.run("INSERT INTO bookings (guest) VALUES ('Ada')")
            wait_for(page, b'"type":"new_event"', b'"name":"Bookings","value":1.0')
        eventually(lambda: host.outbox() == [])
        here.recording.end()
    return here.recording


def text_of(section: str) -> str:
    return DESIGN.read_text().partition(f"\n## {section}\n")[2].partition("\n## ")[0]


def listed(section: str = HEARTBEAT_SECTION) -> list[list[str]]:
    """The functions that a section of the page lists, as "file:function", in its parts."""
    return [re.findall(r"`([\w/]+\.py:[\w.]+)`", part) for part in text_of(section).split("\n### ")[1:]]


def named(section: str) -> set[str]:
    """Every file that the section, or one of the ways above it, names."""
    above = SECTIONS[: SECTIONS.index(section) + 1]
    return set(re.findall(r"`([\w/]+\.py)[:`]", "".join(map(text_of, above))))


def test_the_page_lists_every_file_that_a_heartbeat_meets_and_no_other(way):
    assert {function.partition(":")[0] for part in listed() for function in part} == set(way.files)


def test_each_function_on_the_page_runs_in_its_order(way):
    for part in listed():
        ran = [function for function in way.functions if function in part]
        assert ran == part


def test_a_heartbeat_meets_few_files(way):
    assert len(way.files) <= MAX_FILES, way.files
    assert len(listed()) == 3


@pytest.mark.parametrize(
    ("section", "fixture"), [(EVENT_SECTION, "event_way"), (ALERT_SECTION, "alert_way"), (ROW_SECTION, "row_way")]
)
def test_a_way_is_as_the_page_lists_it(request, section: str, fixture: str):
    recording: Tracing = request.getfixturevalue(fixture)
    assert 0 < len(re.findall(r"^\d+\. ", text_of(section), re.MULTILINE)) <= MAX_STEPS
    for part in listed(section):
        assert [step for step in part if step not in recording.functions] == []
        calls = iter([call.function for call in recording.calls])
        assert [step for step in part if step not in calls] == [], "they run in this order"  # `in` moves on
    own = [file for file in recording.files if file.startswith(OWN)]
    assert [file for file in own if file not in named(section)] == [], "every file has its place on the page"


@pytest.mark.parametrize("room", ["collector/store", "collector/live"])
def test_below_the_pipeline_nothing_knows_the_wire(room):
    files = sorted((ROOT / room).glob("*.py"))
    assert files
    for file in files:
        assert "collector.ingest.event" not in file.read_text(), file
        assert "collector.ingest.pipeline" not in file.read_text(), file
