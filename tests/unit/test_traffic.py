"""The words and figures of the Traffic page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import msgspec
import plotly.utils
import pytest

from analytics.live.outcomes import HOUR, OutcomeCount, RobotCount, Traffic
from analytics.live.reasons import REASONS, FilteredReason, reason_of
from analytics.sites.host import OTHER, UnlistedHost
from collector.ingest import dry_run, event, pipeline
from layouts.components import hosts
from layouts.pages import dry_run as form
from layouts.pages import outcomes, traffic
from layouts.pages.traffic import DAY, HourRange

NOON = 1_795_172_400  # 12:00 in Berlin
SPAN = HourRange(NOON - 23 * HOUR, DAY, ZoneInfo("Europe/Berlin"))
SOME = Traffic(
    [
        OutcomeCount(NOON - 23 * HOUR, "stored", "", 900),
        OutcomeCount(NOON, "stored", "", 90),
        OutcomeCount(NOON, "duplicate", "", 1),
        OutcomeCount(NOON, "filtered", "bot", 7),
        OutcomeCount(NOON, "shed", "queue_full", 2),
    ],
    [RobotCount("Googlebot", 5), RobotCount("<b>", 2)],
)


def texts(rendered: object) -> list[str]:
    """Every text in what Dash would send, in its order."""
    return list(_texts(json.loads(json.dumps(rendered, cls=plotly.utils.PlotlyJSONEncoder))))


def _texts(part: object) -> Iterator[str]:
    if isinstance(part, list):
        for each in part:
            yield from _texts(each)
    elif isinstance(part, dict):
        yield from _texts(part["props"].get("children"))
    elif part is not None:
        yield str(part)


def titles(rendered: object) -> list[str]:
    sent = json.dumps(rendered, cls=plotly.utils.PlotlyJSONEncoder)
    return [each["props"]["title"] for each in _nodes(json.loads(sent)) if "title" in each["props"]]


def _nodes(part: object) -> Iterator[dict]:
    if isinstance(part, list):
        for each in part:
            yield from _nodes(each)
    elif isinstance(part, dict):
        yield part
        yield from _nodes(part["props"].get("children"))


@pytest.mark.parametrize(("outcome", "reason"), [(outcome, one) for outcome in REASONS for one in REASONS[outcome]])
def test_a_reason_is_shown_in_its_words(outcome, reason):
    assert outcomes.words(outcome, str(reason)) == (reason.label, reason.advice)


def test_a_reason_is_its_code_in_answers_and_in_the_database():
    bot = FilteredReason.BOT
    assert (bot, str(bot), hash(bot), msgspec.json.encode({bot: bot})) == ("bot", "bot", hash("bot"), b'{"bot":"bot"}')
    assert reason_of("filtered", "bot") is bot
    assert reason_of("rejected", "unknown_pageview") is not reason_of("filtered", "unknown_pageview")
    assert reason_of("rejected", "http_400") is reason_of("nothing", "bot") is None


def test_a_reason_without_words_says_itself():
    assert outcomes.words("rejected", "http_400") == ("Http 400", "Refused.")


def test_every_step_of_a_trial_has_its_name():
    assert list(form.STEPS) == [dry_run.READ_STEP, *(step.__name__ for step in pipeline.STEPS)]


def test_the_bars_tell_of_each_hour_in_the_site_s_zone():
    shown = traffic.bars(SOME, SPAN)
    assert titles(shown)[0] == "13:00: 900 stored"
    assert titles(shown)[1] == "14:00: nothing"
    assert titles(shown)[-1] == "12:00: 91 stored, 7 left out, 2 refused"
    assert len(titles(shown)) == 24
    assert texts(shown)[:2] == ["1,000 received", "last 24 hours, by the hour"]


def test_the_table_has_every_outcome_and_their_sum():
    shown = texts(traffic.outcomes(SOME, None))
    numbers = [text for text in shown if text.replace(",", "").isdecimal()]
    assert numbers == ["990", "1", "7", "2", "1,000"]
    assert [text for text in shown if text.endswith("%")] == ["99%", "<1%", "1%", "<1%"]
    assert shown[-2:] == ["Received", "1,000"]


def test_events_that_named_no_site_are_told_of_where_it_concerns_somebody():
    assert texts(traffic.outcomes(SOME, 0))[-1] == "1,000"
    assert texts(traffic.outcomes(SOME, 3))[-3:] == [
        "Beside these, 3 named no site of this server, or could not be read. Is data-site right?",
        " ",
        "Which they were",
    ]


def test_what_names_no_site_has_a_page_with_the_names_that_are_not_here():
    parts = traffic.bars(SOME, SPAN), traffic.outcomes(SOME, None), traffic.robots([])
    drawn = traffic.Drawn(traffic.choices(DAY), None, *parts)
    names = [UnlistedHost("<b>.example", 1_200, NOON), UnlistedHost(OTHER, 3, NOON)]
    shown = texts(traffic.unassigned(drawn, names))
    assert shown[:2] == ["Events without a site", "UTC"]
    at = shown.index("Sites that are not here")
    assert [text for text in shown[at:] if text in ("<b>.example", "1,200", OTHER, "3")] == [
        *("<b>.example", "1,200", OTHER, "3")
    ]
    assert "No other site" in texts(traffic.unassigned(drawn, []))


def test_fields_that_were_left_out_are_told_of_beside_the_sum():
    shown = texts(traffic.outcomes(SOME._replace(dropped=[("title", 12), ("screen", 1)]), None))
    numbers = shown[shown.index("Received") :]
    assert numbers[1] == "1,000"
    assert [text for text in numbers[2:] if text in ("Fields left out", "title", "screen", "12", "1")] == [
        *("Fields left out", "title", "12", "screen", "1")
    ]


def test_every_field_that_can_be_left_out_has_words():
    assert tuple(outcomes.FIELDS) == event.LENIENT_FIELDS


def test_nothing_received_says_what_to_do():
    nothing = Traffic([], [])
    assert "Nothing received" in texts(traffic.bars(nothing, SPAN))
    assert (traffic.outcomes(nothing, 0), traffic.robots([])) == ([], [])


def test_robots_beyond_a_dozen_are_summed_up():
    shown = texts(traffic.robots([RobotCount(f"bot{nth:02}", 20 - nth) for nth in range(15)]))
    assert "bot11" in shown
    assert "bot12" not in shown
    assert shown[-1] == "21 events of 3 others"


def test_hosts_can_be_included_or_ignored_but_not_all_the_others_at_once():
    waiting = [UnlistedHost("shop.test", 1_203, NOON), UnlistedHost(OTHER, 2, NOON)]
    shown = texts(hosts.listed(waiting, "Europe/Berlin"))
    last = ["20 Nov 2026", ", 12:00"]
    assert shown[3:] == ["shop.test", "1,203", *last, "Include", "Ignore", OTHER, "2", *last]
    decided = texts(hosts.listed([], "UTC", ("shop.test", "Its pages count from now on.")))
    assert decided[3:] == ["shop.test", "Its pages count from now on.", "Undo"]
    assert texts(hosts.listed([], "UTC"))[0] == "No other host"
