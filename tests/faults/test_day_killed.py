"""The day's work, killed half-way by the kernel, runs again to the same result."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from typing import NamedTuple

import pytest

from analytics.base.config import Config
from analytics.calendar import minute_series
from analytics.calendar.days import start_of
from analytics.live.beat import Beat
from analytics.live.presence import person_of
from analytics.storage import schema
from analytics.storage.database import Database
from tests.support.factories import beat, keep_heartbeats
from tests.support.factories import rows as kept_rows
from tests.support.serving import ROOT, environment_of, eventually, rows, run_command

DAY = 86_400
DAYS, PEOPLE, BEATS = 20, 400, 12
RUNS_S = 1800


class Past(NamedTuple):
    """What is to be said of the days, counted by hand."""

    usage: list[tuple[str, int, int, int]]
    minutes: dict[tuple[int, int], int]  # by site and minute


@pytest.fixture
def past(config) -> Past:
    """Twenty days of two sites are stored. Nothing of it gets past its retention of seven days while the test runs."""
    now = int(time.time())
    today = now // DAY * DAY
    chance = random.Random(3)
    found: dict[tuple[str, int], tuple[set[str], set[int], set[int]]] = {}
    beats = []
    for back in range(1, DAYS + 1):
        for _ in range(PEOPLE * BEATS // 4):
            at, visitor = today - back * DAY + chance.randrange(DAY), chance.randrange(PEOPLE)
            if 0 <= at - (now - 7 * DAY) < RUNS_S:
                continue
            site_id = chance.choice((1, 2))
            user_id = f"user-{visitor % 50}" if chance.random() < 0.3 else None
            beats.append(beat(visitor, at=at, user_id=user_id, site_id=site_id))
            day = datetime.fromtimestamp(at, UTC).date().isoformat()
            users, signed, visitors = found.setdefault((day, site_id), (set(), set(), set()))
            visitors.add(visitor)
            if user_id is not None:
                users.add(user_id)
                signed.add(visitor)
    database = Database(config)
    keep_heartbeats(database, *beats)
    database.close()
    counted = sorted((*key, len(users), len(visitors - signed)) for key, (users, signed, visitors) in found.items())
    return Past(counted, by_minute(beats))


def by_minute(beats: list[Beat]) -> dict[tuple[int, int], int]:
    """People at each full minute: with a window of 60 s a beat counts at the next one only."""
    latest: dict[tuple[int, int], dict[int, Beat]] = {}
    for one in sorted(beats, key=lambda one: one.at):
        latest.setdefault((one.site_id, -(-one.at // 60) * 60), {})[one.visitor] = one
    return {key: len({person_of(one) for one in visitors.values()}) for key, visitors in latest.items()}


def minutes(config: Config) -> dict[tuple[int, int], int]:
    """What is kept of them, of the minutes with anybody."""
    database = Database(config)
    try:
        kept = kept_rows(database, schema.concurrents)
    finally:
        database.close()
    return {
        (site_id, start_of(date.fromisoformat(day)) + 60 * nth): people
        for site_id, day, packed in kept
        for nth, people in enumerate(minute_series.unpack(packed))
        if people > 0
    }


def started(config: Config) -> subprocess.Popen[str]:
    """`maintain` as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "app.py", "maintain"], cwd=ROOT, env=environment_of(config), stdout=subprocess.PIPE, text=True
    )


def killed_when(config: Config, statement: str, reached) -> None:
    """Starts the day's work and kills it as soon as the statement's single value counts as reached."""
    process = started(config)
    try:
        eventually(lambda: reached(rows(config, statement)[0][0]) or process.poll() is not None, within=60)
        assert process.poll() is None, "it was too quick to be killed half-way"
    finally:
        process.kill()
        process.communicate()


def usage(config: Config) -> list[tuple[str, int, int, int]]:
    database = Database(config)
    try:
        found = kept_rows(database, schema.daily_usage, "day", "site_id", "signed_in", "anonymous", "people")
    finally:
        database.close()
    assert [people for *_, people in found] == [signed_in + anonymous for _, _, signed_in, anonymous, _ in found]
    return sorted(row[:4] for row in found)


def test_killed_while_counting_and_again_while_purging_it_ends_as_if_it_had_not_been(config, past):
    everything = rows(config, "SELECT COUNT(*) FROM heartbeats")[0][0]
    killed_when(config, "SELECT COUNT(*) FROM daily_usage", lambda counted: 0 < counted < 2 * DAYS)
    killed_when(config, "SELECT COUNT(*) FROM concurrents", lambda counted: 0 < counted < 2 * DAYS)
    assert rows(config, "SELECT COUNT(*) FROM heartbeats")[0][0] == everything
    killed_when(config, "SELECT COUNT(*) FROM heartbeats", lambda left: left < everything)
    assert rows(config, "SELECT COUNT(*) FROM jobs WHERE name = 'purge'") == [(0,)]
    half = rows(config, "SELECT COUNT(*) FROM heartbeats")[0][0]
    before = int(time.time())
    ended = run_command(config, "maintain")
    assert ended.returncode == 0, ended.stderr
    oldest = rows(config, "SELECT MIN(at) FROM heartbeats")[0][0]
    assert before - 7 * DAY <= oldest < before - 7 * DAY + 3600
    left = rows(config, "SELECT COUNT(*) FROM heartbeats")[0][0]
    assert ended.stdout.strip().endswith(f"Purged {half - left:,} heartbeats past their retention.")
    assert usage(config) == past.usage
    today = int(time.time()) // DAY * DAY  # the minute that begins it is not over
    assert minutes(config) == {key: people for key, people in past.minutes.items() if key[1] < today}
    assert run_command(config, "maintain").stdout == "Nothing to do.\n"


@pytest.mark.parametrize("config", ["postgresql"], indirect=True)
def test_two_processes_at_once_do_it_once(config, past):
    first, second = started(config), started(config)
    said = [process.communicate(timeout=120)[0] for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0]
    results = [[line for line in text.splitlines() if line[0].isupper()] for text in said]  # without how far it is
    assert sorted(map(len, results)) == [1, 3], said
    assert ["Nothing to do."] in results
    assert usage(config) == past.usage
