"""Quiet hours on invented time: over midnight, over both changes of clocks, and what they hold."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from analytics.notify.quiet_hours import ALL_DAYS, Digest, QuietHours, held_until, next_digest, quiet_until, retry_due
from analytics.notify.rule import Priority

BERLIN, LORD_HOWE = "Europe/Berlin", "Australia/Lord_Howe"
NIGHT = QuietHours(timezone=BERLIN)  # 22:00 to 07:00
WORKDAYS = 0b0011111


def at(text: str, zone: str = BERLIN, *, second_time: bool = False) -> int:
    """The moment at which the clock of the zone shows that, in seconds since the epoch."""
    wall = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=int(second_time))
    return int(wall.timestamp())


def clock(moment: int | None, zone: str = BERLIN) -> str:
    """What the clock of the zone shows then, with the zone's abbreviation or offset; "" for None."""
    return "" if moment is None else datetime.fromtimestamp(moment, ZoneInfo(zone)).strftime("%a %d %H:%M %Z")


def ends(hours: QuietHours, text: str, zone: str = BERLIN, *, second_time: bool = False) -> str:
    return clock(quiet_until(hours, at(text, zone, second_time=second_time)), zone)


def minutes_of_quiet(hours: QuietHours, first: str, last: str, zone: str) -> int:
    return sum(quiet_until(hours, moment) is not None for moment in range(at(first, zone), at(last, zone), 60))


# ── over midnight ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("2026-11-30 21:59", ""),
        ("2026-11-30 22:00", "Tue 01 07:00 CET"),
        ("2026-11-30 23:59", "Tue 01 07:00 CET"),
        ("2026-12-01 00:00", "Tue 01 07:00 CET"),
        ("2026-12-01 06:59", "Tue 01 07:00 CET"),
        ("2026-12-01 07:00", ""),
        ("2026-12-01 12:00", ""),
    ],
)
def test_a_night_is_quiet_over_midnight(text, until):
    assert ends(NIGHT, text) == until


def test_the_days_are_those_on_which_they_begin():
    hours = NIGHT._replace(days=WORKDAYS)
    assert ends(hours, "2026-12-04 23:00") == "Sat 05 07:00 CET", "the night of Friday"
    assert ends(hours, "2026-12-05 03:00") == "Sat 05 07:00 CET"
    assert ends(hours, "2026-12-05 23:00") == ends(hours, "2026-12-06 23:00") == ""
    assert ends(hours, "2026-12-07 03:00") == "", "the night of Sunday"


def test_within_a_day():
    hours = QuietHours(ALL_DAYS, 12 * 60, 13 * 60 + 30, BERLIN)
    assert [ends(hours, f"2026-12-01 {time}") for time in ("11:59", "12:00", "13:29", "13:30", "23:00")] == [
        "",
        "Tue 01 13:30 CET",
        "Tue 01 13:30 CET",
        "",
        "",
    ]


def test_whole_days_that_touch_end_with_the_last_of_them():
    weekend = QuietHours(0b1100000, 0, 0, BERLIN)
    assert ends(weekend, "2026-12-05 00:00") == ends(weekend, "2026-12-06 23:59") == "Mon 07 00:00 CET"
    assert ends(weekend, "2026-12-04 23:59") == ends(weekend, "2026-12-07 00:00") == ""


def test_quiet_hours_without_an_end_end_after_a_week():
    assert ends(QuietHours(ALL_DAYS, 0, 0, BERLIN), "2026-12-01 12:00") == "Wed 09 00:00 CET"


def test_the_zone_is_the_persons():
    assert ends(QuietHours(timezone="Asia/Tokyo"), "2026-12-01 14:00", "Europe/Berlin") == "Tue 01 23:00 CET"


# ── changes of clocks ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_night_is_an_hour_shorter_in_spring_and_longer_in_autumn():
    nights = [("2027-03-20", "2027-03-21"), ("2027-03-27", "2027-03-28"), ("2027-10-30", "2027-10-31")]
    assert [minutes_of_quiet(NIGHT, f"{first} 12:00", f"{last} 12:00", BERLIN) for first, last in nights] == [
        9 * 60,
        8 * 60,
        10 * 60,
    ]
    assert ends(NIGHT, "2027-03-27 23:00") == "Sun 28 07:00 CEST"
    assert ends(NIGHT, "2027-10-30 23:00") == "Sun 31 07:00 CET"


def test_an_end_that_clocks_skip_is_the_second_at_which_they_do():
    hours = NIGHT._replace(ends=2 * 60 + 30)
    assert ends(hours, "2027-03-28 01:59") == "Sun 28 03:00 CEST"
    assert ends(hours, "2027-03-28 03:00") == ""


def test_a_begin_that_clocks_skip_is_the_second_at_which_they_do():
    hours = QuietHours(ALL_DAYS, 2 * 60 + 30, 4 * 60, BERLIN)
    assert ends(hours, "2027-03-28 01:59") == ""
    assert ends(hours, "2027-03-28 03:00") == "Sun 28 04:00 CEST"


def test_quiet_hours_that_clocks_skip_whole_are_none():
    hours = QuietHours(ALL_DAYS, 2 * 60 + 10, 2 * 60 + 50, BERLIN)
    assert minutes_of_quiet(hours, "2027-03-28 00:00", "2027-03-28 12:00", BERLIN) == 0


def test_an_hour_that_comes_twice_is_quiet_from_its_first_begin_to_its_second_end():
    until_half_past = NIGHT._replace(ends=2 * 60 + 30)
    assert ends(until_half_past, "2027-10-31 02:15") == "Sun 31 02:30 CET"
    assert ends(until_half_past, "2027-10-31 02:45") == "Sun 31 02:30 CET", "between the two"
    assert ends(until_half_past, "2027-10-31 02:45", second_time=True) == ""
    from_half_past = QuietHours(ALL_DAYS, 2 * 60 + 30, 4 * 60, BERLIN)
    assert ends(from_half_past, "2027-10-31 02:15") == ""
    assert ends(from_half_past, "2027-10-31 02:45") == "Sun 31 04:00 CET"
    assert ends(from_half_past, "2027-10-31 02:15", second_time=True) == "Sun 31 04:00 CET"


def test_clocks_that_move_by_half_an_hour():
    hours = NIGHT._replace(timezone=LORD_HOWE, ends=2 * 60 + 15)
    assert ends(hours, "2026-10-04 01:59", LORD_HOWE) == "Sun 04 02:30 +11", "they skip 02:00 to 02:30"
    assert ends(hours, "2026-10-04 02:30", LORD_HOWE) == ""
    assert ends(hours, "2026-10-05 01:59", LORD_HOWE) == "Mon 05 02:15 +11"
    twice = NIGHT._replace(timezone=LORD_HOWE, ends=60 + 45)
    assert ends(twice, "2027-04-04 01:50", LORD_HOWE) == "Sun 04 01:45 +1030", "they show 01:30 to 02:00 twice"
    assert ends(twice, "2027-04-04 01:50", LORD_HOWE, second_time=True) == ""
    assert [
        minutes_of_quiet(NIGHT._replace(timezone=LORD_HOWE), f"{first} 12:00", f"{last} 12:00", LORD_HOWE)
        for first, last in (("2026-10-03", "2026-10-04"), ("2027-04-03", "2027-04-04"))
    ] == [8 * 60 + 30, 9 * 60 + 30]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe", "America/New_York", "UTC"])
def test_every_minute_of_a_year_agrees_with_the_end_that_the_minute_before_had(zone):
    hours = NIGHT._replace(timezone=zone, days=WORKDAYS, begins=90, ends=135)
    moment, last = at("2026-09-01", zone), at("2027-05-01", zone)
    step = int(timedelta(minutes=15).total_seconds())
    until: int | None = None
    for now in range(moment, last, step):
        found = quiet_until(hours, now)
        if until is not None and now < until:
            assert found == until
        until = found


# ── what is held ────────────────────────────────────────────────────────────────────────────────────────────────────

LOW, MEDIUM, IMPORTANT, URGENT = Priority


def held(hours: QuietHours | None, text: str) -> list[str]:
    """Until when messages of that moment are held, the lowest priority first."""
    return [clock(held_until(hours, priority, at(text))) for priority in Priority]


def test_messages_up_to_the_priority_are_held_until_the_end_and_urgent_ones_never():
    assert held(NIGHT, "2026-12-01 23:00") == [*["Wed 02 07:00 CET"] * 3, ""]
    assert held(NIGHT._replace(up_to=MEDIUM), "2026-12-01 23:00") == [*["Wed 02 07:00 CET"] * 2, "", ""]
    assert held(NIGHT, "2026-12-01 12:00") == held(None, "2026-12-01 23:00") == ["", "", "", ""]


def test_urgent_ones_are_held_only_where_it_is_said():
    assert held(NIGHT._replace(up_to=URGENT), "2026-12-01 23:00") == ["Wed 02 07:00 CET"] * 4


DAILY = NIGHT._replace(digest=Digest.DAILY, digest_at=8 * 60)
WEEKLY = NIGHT._replace(digest=Digest.WEEKLY, digest_at=9 * 60, digest_day=0)


def digests(hours: QuietHours, text: str, many: int = 3) -> list[str]:
    """When the digests after that moment are due."""
    moments = [at(text)]
    for _ in range(many):
        due = next_digest(hours, moments[-1])
        assert due is not None
        moments.append(due)
    return [clock(moment) for moment in moments[1:]]


def test_a_daily_digest_is_due_at_its_time_of_every_day():
    assert digests(DAILY, "2026-12-01 07:59") == ["Tue 01 08:00 CET", "Wed 02 08:00 CET", "Thu 03 08:00 CET"]
    assert digests(DAILY, "2026-12-01 08:00", 1) == ["Wed 02 08:00 CET"], "what comes with it is in the next one"
    assert next_digest(NIGHT, at("2026-12-01 08:00")) is None


def test_a_weekly_digest_is_due_on_its_day():
    assert digests(WEEKLY, "2026-12-01 12:00") == ["Mon 07 09:00 CET", "Mon 14 09:00 CET", "Mon 21 09:00 CET"]
    assert digests(WEEKLY, "2026-12-07 08:59", 1) == ["Mon 07 09:00 CET"]
    assert digests(WEEKLY, "2026-12-07 09:00", 1) == ["Mon 14 09:00 CET"]
    assert digests(WEEKLY._replace(digest_day=6), "2026-12-07 09:00", 1) == ["Sun 13 09:00 CET"]


def test_a_digest_that_clocks_skip_is_due_when_they_do_and_one_that_they_show_twice_once():
    night = DAILY._replace(digest_at=2 * 60 + 30)
    assert digests(night, "2027-03-27 12:00") == ["Sun 28 03:00 CEST", "Mon 29 02:30 CEST", "Tue 30 02:30 CEST"]
    assert digests(night, "2027-10-30 12:00") == ["Sun 31 02:30 CEST", "Mon 01 02:30 CET", "Tue 02 02:30 CET"]


def test_a_digest_holds_at_any_time_but_never_what_is_urgent():
    assert held(DAILY, "2026-12-01 12:00") == [*["Wed 02 08:00 CET"] * 3, ""]
    assert held(DAILY, "2026-12-01 23:00") == [*["Wed 02 08:00 CET"] * 3, ""]
    assert held(DAILY._replace(up_to=URGENT), "2026-12-01 12:00")[3] == ""
    assert held(DAILY._replace(up_to=URGENT), "2026-12-01 23:00")[3] == "Wed 02 07:00 CET"


def test_a_digest_that_is_due_in_quiet_hours_waits_for_their_end_with_what_they_hold():
    late = DAILY._replace(digest_at=23 * 60, up_to=MEDIUM)
    assert held(late, "2026-12-01 12:00") == [*["Wed 02 07:00 CET"] * 2, "Tue 01 23:00 CET", ""]


def test_without_days_there_are_no_quiet_hours_but_there_may_be_a_digest():
    assert held(NIGHT._replace(days=0), "2026-12-01 23:00") == ["", "", "", ""]
    assert held(DAILY._replace(days=0), "2026-12-01 23:00") == [*["Wed 02 08:00 CET"] * 3, ""]


def test_a_retry_that_is_due_after_the_quiet_hours_have_begun_waits_for_their_end():
    night = QuietHours(timezone=BERLIN, up_to=Priority.HIGH)
    due = at("2026-12-01 22:04")
    assert clock(retry_due(night, Priority.HIGH, due)) == "Wed 02 07:00 CET"
    assert retry_due(night, Priority.URGENT, due) == due
    assert retry_due(None, Priority.HIGH, due) == due
    before = at("2026-12-01 21:59")
    assert retry_due(night._replace(digest=Digest.DAILY), Priority.HIGH, before) == before
