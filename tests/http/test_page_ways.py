"""The ways of a question and of an admin's change, from the gate on, run as `docs/design.md` lists them."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from house import House, open_house

from analytics.base.config import Config
from tests.support.history import keep_history
from tests.support.tracing import Tracing

DESIGN = Path(__file__).parents[2] / "docs" / "design.md"
SITE = "example.com"
EDGE = ("collector/doors/", "collector/http/", "app.py", "callbacks/static_files.py")
QUESTION = "?period=2026-03-10,2026-03-"
SETTINGS = {"name": "Shop", "week_start": "sunday", "identity": "daily", "retention_days": ""}


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Iterator[House]:
    """The whole application with a replica that has followed; `admin` is signed in."""
    with open_house(Config(data_dir=tmp_path_factory.mktemp("data"))) as house:
        number = house.add_site(SITE)
        keep_history(house.service.database)
        house.service.columnar.follow(lambda _: False)
        house.browsers["admin"] = house.join("admin@example.com", "admin", [number])
        yield house


@contextmanager
def tracing_here() -> Iterator[Tracing]:
    """Records what runs in this thread."""
    recording = Tracing(threads=(), without=())
    recording.begin()
    sys.setprofile(recording.hook)
    try:
        yield recording
    finally:
        sys.setprofile(None)


def ask(house: House, turn: int) -> None:
    last_day = 11 + turn  # another question, for which no answer is kept
    given = {"data-site": SITE, "search": f"{QUESTION}{last_day}"}
    answer = house.call(house.browsers["admin"], '{"part":"chart"}.figure', **given)
    assert answer.json["response"]["overview-chart-words"]["children"].startswith("Visitors by ")


def change(house: House, turn: int) -> None:
    zone = ("Asia/Tokyo", "Europe/Berlin")[turn % 2]
    assert house.send(house.browsers["admin"], "general", SITE, **SETTINGS, timezone=zone) == {}
    assert house.service.sites.get(SITE).timezone == zone


class Listed(NamedTuple):
    """A section of the page: its steps (file:function), every file that it names, how many files and calls may run."""

    steps: list[str]
    named: set[str]
    files: int
    calls: int


def listed(section: str) -> Listed:
    text = DESIGN.read_text().partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    ((files, calls),) = re.findall(
        r"From the gate on at most (\d+) files\s+run.+?,\s+and one calls another at most (\d+) times", text, re.DOTALL
    )
    steps = re.findall(r"^\d+\. `(\S+\.py:\S+)`", text, re.MULTILINE)
    return Listed(steps, set(re.findall(r"`([\w/]+\.py)[:`]", text)), int(files), int(calls))


@pytest.mark.parametrize(("section", "go"), [("A question's way", ask), ("An admin's change", change)])
def test_a_way_is_as_the_page_lists_it(house, section: str, go: Callable[[House, int], None]):
    go(house, 0)  # caches are warm
    with ExitStack() as connections:  # as many as other threads may have taken
        for _ in range(4):
            connections.enter_context(house.service.database.read())
    with tracing_here() as recording:
        go(house, 1)
    ran = [re.sub(r"\w+\.<locals>\.", "", one) for one in recording.functions]
    page = listed(section)
    assert len(page.steps) > 5
    assert [step for step in page.steps if step not in ran] == []
    assert page.steps == sorted(page.steps, key=ran.index), "they run in this order"
    own = [file for file in recording.files if not file.startswith(EDGE)]
    assert [file for file in own if file not in page.named] == [], "every file has its place on the page"
    assert len(own) <= page.files, f"{len(own)} files:\n" + "\n".join(own)
    calls = [call for call in recording.calls if call.file in own and not call.caller.startswith(f"{call.file}:")]
    assert len(calls) <= page.calls
